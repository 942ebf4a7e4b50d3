package stat

import (
	"fmt"
	"math"
	"testing"
)

func sd(n int, p float64) float64 { return math.Sqrt(float64(n) * p * (1 - p)) }

// TestMinimumDetectable reproduces the table of the project's design: points at
// 80 % power and 5 % two-sided by the share of items that change, and for
// unpaired models at p = 0.5.
func TestMinimumDetectable(t *testing.T) {
	check := func(n int, points ...float64) {
		t.Helper()
		for i, discordance := range []float64{0.05, 0.10, 0.20, 0.30} {
			near(t, fmt.Sprintf("n %d, %v change", n, discordance), 100*MinimumDetectable(n, discordance), points[i], 0.05)
		}
		near(t, fmt.Sprintf("n %d, unpaired", n), 100*MinimumDetectableUnpaired(n, 0.5), points[4], 0.05)
	}
	check(14042, 0.5, 0.7, 1.1, 1.3, 1.7)
	check(1140, 1.9, 2.6, 3.7, 4.5, 5.9)
	check(570, 2.6, 3.7, 5.2, 6.4, 8.3)
	check(303, 3.6, 5.1, 7.2, 8.8, 11.4)
	check(1319, 1.7, 2.4, 3.4, 4.2, 5.5)
	check(250, 4.0, 5.6, 7.9, 9.7, 12.5)
	check(541, 2.7, 3.8, 5.4, 6.6, 8.5)
}

// TestItems: Miller's example needs about 1000 items for three points with a
// ninth of variance; the plan and the minimum detectable difference are
// inverse; and the table of items needed to retain, whose authors rounded 6.18.
func TestItems(t *testing.T) {
	near(t, "Miller", float64(ItemsNeeded(0.03, 1.0/9, 0, 0, 1)), 969, 1)
	for _, n := range []int{50, 1319, 14042} {
		near(t, fmt.Sprint("inverse ", n), float64(ItemsNeeded(MinimumDetectable(n, 0.2), 0.2, 0, 0, 1)), float64(n), 1)
	}
	near(t, "seeds", float64(ItemsNeeded(0.03, 0.02, 0.1, 0.15, 5)), 7.849*0.07/0.0009, 1)
	for _, row := range []struct {
		margin, discordance float64
		want                float64
	}{{0.03, 0.15, 1030}, {0.05, 0.15, 371}, {0.02, 0.15, 2318}, {0.03, 0.05, 343}, {0.05, 0.05, 124}, {0.02, 0.05, 773}} {
		near(t, fmt.Sprint("retain ", row.margin), float64(ItemsToRetain(row.margin, row.discordance)), row.want, 1)
	}
	if ItemsNeeded(0, 0.1, 0, 0, 1) != 0 || ItemsToRetain(0, 0.1) != 0 {
		t.Error("no number of items finds a difference of 0")
	}
}

// TestRuleOfThree: 3/n to a twentieth of it from n = 30 on, and the exact
// coverage: at that probability no event in n trials has probability 5 %.
func TestRuleOfThree(t *testing.T) {
	for _, n := range []int{30, 100, 541, 14042} {
		p := RuleOfThree(n, 0.95)
		near(t, fmt.Sprint("3/", n), p*float64(n), 3, 0.15)
		near(t, "coverage", 1-math.Pow(1-p, float64(n)), 0.95, 1e-9)
	}
	near(t, "one trial", RuleOfThree(1, 0.95), 0.95, 1e-12)
}

// TestPlanErrors: plans that make no sense are a programmer's mistake.
func TestPlanErrors(t *testing.T) {
	check := func(name string, call func()) {
		t.Helper()
		defer func() {
			if message := fmt.Sprint(recover()); len(message) < 6 || message[:6] != "stat: " {
				t.Errorf("%s: panic %q", name, message)
			}
		}()
		call()
	}
	check("detectable", func() { MinimumDetectable(0, 0.1) })
	check("detectable", func() { MinimumDetectable(10, 1.1) })
	check("unpaired", func() { MinimumDetectableUnpaired(10, math.NaN()) })
	check("items", func() { ItemsNeeded(0.1, -1, 0, 0, 1) })
	check("seeds", func() { ItemsNeeded(0.1, 1, 0, 0, 0) })
	check("rule of three", func() { RuleOfThree(0, 0.95) })
	check("Tango", func() { Tango(3, 3, 5, 0.95) })
	check("Newcombe", func() { Newcombe(0, 0, 0, 0, 0.95) })
	check("McNemar", func() { McNemar(-1, 0) })
	check("Holm", func() { Holm([]float64{0.1, math.NaN()}) })
	check("chance", func() { AdjustForChance(0.5, 1) })
}
