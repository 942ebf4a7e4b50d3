package stat

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestVerdict: each word, at its boundary, in the order of precedence.
func TestVerdict(t *testing.T) {
	check := func(both, lost, gained, neither int, options Options, want Verdict, equivalent bool) Difference {
		t.Helper()
		base, tuned := cells(both, lost, gained, neither)
		options.Draws = 100
		d := compare(t, base, tuned, options)
		if d.Verdict != want || d.Equivalent != equivalent {
			t.Errorf("%d lost, %d gained: %s, equivalent %v, interval %v to %v, lower %v", lost, gained, d.Verdict, d.Equivalent, d.Low, d.High, d.Lower)
		}
		return d
	}
	points := Options{Margin: 0.03}
	check(500, 150, 20, 330, points, Material, false)
	check(500, 50, 20, 430, points, Regressed, false)
	check(500, 25, 20, 455, points, Retained, true)
	check(500, 20, 90, 390, points, Retained, false)
	check(500, 70, 50, 380, points, Inconclusive, false)
	check(500, 50, 20, 430, Options{}, Regressed, false)
	check(500, 20, 50, 430, Options{}, Retained, false)
	check(500, 25, 20, 455, Options{}, Inconclusive, false)

	// 20 more lost than gained of 2000 is a loss, but within three points.
	d := check(1500, 30, 8, 462, points, Retained, true)
	if d.High >= 0 || !strings.Contains(strings.Join(d.Warnings, "\n"), "a loss is shown, but it is smaller than the margin of 0.03") {
		t.Errorf("High %v, warnings %q", d.High, d.Warnings)
	}
	// One-sided 90 % is enough to retain what 95 % leaves open.
	check(500, 29, 20, 451, Options{Margin: 0.02}, Inconclusive, false)
	check(500, 29, 20, 451, Options{Margin: 0.02, OneSided: 0.9}, Retained, true)
}

// TestFlags: floor, ceiling and a base that could not lose the margin. What
// cannot be lost is not retained.
func TestFlags(t *testing.T) {
	check := func(both, lost, gained, neither int, chance, margin float64, floor, ceiling, insensitive bool, verdict Verdict, warning string) {
		t.Helper()
		base, tuned := cells(both, lost, gained, neither)
		d := compare(t, base, tuned, Options{Chance: chance, Margin: margin, Draws: 100})
		if d.Floor != floor || d.Ceiling != ceiling || d.Insensitive != insensitive || d.Verdict != verdict ||
			!strings.Contains(strings.Join(d.Warnings, "\n"), warning) {
			t.Errorf("base %v: floor %v, ceiling %v, insensitive %v, %s, %q", d.Base, d.Floor, d.Ceiling, d.Insensitive, d.Verdict, d.Warnings)
		}
	}
	check(260, 5, 5, 730, 0.25, 0.02, true, false, true, Inconclusive, "not shown to score above chance (0.25)")
	check(260, 5, 5, 730, 0, 0.02, false, false, false, Retained, "")
	check(10, 4, 4, 982, 0, 0.03, false, false, true, Inconclusive, "only 0.014 above chance, so it could not lose the margin of 0.03")
	check(970, 5, 5, 20, 0.25, 0.02, false, true, false, Retained, "above 95 %")
	check(0, 0, 5, 995, 0, 0.02, true, false, true, Inconclusive, "nothing it could lose")
	many := tableOf([]float64{0.3, 0.2}, []float64{0.2, 0.3}, []float64{0.4, 0.1}, []float64{0.25, 0.3})
	if d := compare(t, many, many, Options{Chance: 0.25}); !d.Floor {
		t.Error("a base of 0.256 ± 0.01 with several runs is not on the floor")
	}
	far := single(-7, -8, 9, 2)
	if d := compare(t, far, far, Options{}); d.Floor || d.Ceiling || d.Insensitive {
		t.Errorf("scores that are no shares have no floor: %+v", d)
	}
}

// TestNullVerdict: models that lost nothing are called REGRESSED or MATERIAL,
// and models that lost the margin RETAINED or MATERIAL, in no more than the
// stated share of 700 samples, 2.5, 5 and 2.5 %, with 3 sd of the simulation
// allowed on top. Regimes: 250 answers of which 20 % change; 40 clusters of 4 to 12
// items, three runs each; 60 items with five seeds that have an effect.
func TestNullVerdict(t *testing.T) {
	t.Parallel()
	const runs, margin = 700, 0.04
	most := func(rate float64) int { return int(runs*rate + 3*sd(runs, rate)) }
	check := func(name string, draw func(random *rand.Rand, difference float64) (base, tuned Table)) {
		t.Helper()
		random := rand.New(rand.NewPCG(21, 1))
		var nothing, lost = map[Verdict]int{}, map[Verdict]int{}
		for range runs {
			base, tuned := draw(random, 0)
			nothing[verdictOf(t, base, tuned, margin)]++
			base, tuned = draw(random, -margin)
			lost[verdictOf(t, base, tuned, margin)]++
		}
		t.Logf("%s: nothing lost %v, margin lost %v", name, nothing, lost)
		if nothing[Regressed]+nothing[Material] > most(0.025) || lost[Retained] > most(0.05) || lost[Material] > most(0.025) {
			t.Errorf("%s: nothing lost %v, margin lost %v of %d", name, nothing, lost, runs)
		}
	}
	check("answers", func(random *rand.Rand, difference float64) (base, tuned Table) {
		var b, u []float64
		for range 250 {
			switch x := random.Float64(); {
			case x < 0.1-difference/2:
				b, u = append(b, 1), append(u, 0)
			case x < 0.2:
				b, u = append(b, 0), append(u, 1)
			default:
				right := one(random.Float64() < 0.5)
				b, u = append(b, right), append(u, right)
			}
		}
		return single(b...), single(u...)
	})
	check("clusters", func(random *rand.Rand, difference float64) (base, tuned Table) {
		// Every run that is right, half of them, is lost with twice the
		// probability that makes the difference; so are those just gained.
		return clusteredAnswers(random, 40, difference/0.5)
	})
	check("seeds", func(random *rand.Rand, difference float64) (base, tuned Table) {
		b, u, push := make([][]float64, 60), make([][]float64, 60), make([]float64, 5)
		for k := range push {
			push[k] = 0.03 * random.NormFloat64()
		}
		for i := range b {
			for k := range push {
				score := random.Float64()
				b[i], u[i] = append(b[i], score), append(u[i], score+difference+push[k]+0.2*random.NormFloat64())
			}
		}
		return tableOf(b...), tableOf(u...)
	})
}

func verdictOf(t testing.TB, base, tuned Table, margin float64) Verdict {
	t.Helper()
	p := prepared(t, base, tuned)
	p.options.Margin = margin
	p.options.Chance = 0
	d := p.describe()
	p.judge(&d)
	return d.Verdict
}

// TestNeeded: with the number of items that an inconclusive comparison asks
// for, and the true difference where it was observed, about 80 % of new
// comparisons are decided. With 500 of them, 73 to 87 % leaves room for what
// the normal quantiles of the plan neglect.
func TestNeeded(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(31, 1))
	check := func(lost, gained, n int, margin float64, want ...Verdict) {
		t.Helper()
		base, tuned := cells(0, lost, gained, n-lost-gained)
		d := compare(t, base, tuned, Options{Margin: margin, Draws: 100, Chance: 0})
		if d.Verdict != Inconclusive {
			t.Fatalf("%s is decided", d.Verdict)
		}
		p := prepared(t, base, tuned)
		p.options.Margin = margin
		needed, _ := p.needed(d)
		decided := 0
		for range 500 {
			var l, g int
			for range needed {
				if x := random.Float64(); x < float64(lost)/float64(n) {
					l++
				} else if x < float64(lost+gained)/float64(n) {
					g++
				}
			}
			base, tuned := cells(needed-l-g, l, g, 0)
			if slices.Contains(want, verdictOf(t, base, tuned, margin)) {
				decided++
			}
		}
		t.Logf("%d lost, %d gained of %d, margin %v: %d items needed, %s in %d of 500", lost, gained, n, margin, needed, want, decided)
		if decided < 365 || decided > 435 {
			t.Errorf("%d lost, %d gained of %d, margin %v: with %d items %d of 500 are %s", lost, gained, n, margin, needed, decided, want)
		}
	}
	check(12, 12, 200, 0.04, Retained)
	check(16, 8, 200, 0.02, Regressed, Material)
}

// TestNeededSeeds: more seeds help where seeds cause the variance, more items
// where items do, and the two plans reach the same standard error.
func TestNeededSeeds(t *testing.T) {
	random := rand.New(rand.NewPCG(32, 1))
	draw := func(ofItem, ofSeed float64) Difference {
		var b, u [][]float64
		push := []float64{-ofSeed, 0.5 * ofSeed, -0.2 * ofSeed, 0.9 * ofSeed, -0.4 * ofSeed}
		for range 100 {
			item := ofItem * random.NormFloat64()
			var x, y []float64
			for k := range push {
				score := 10 * random.NormFloat64()
				x, y = append(x, score), append(y, score+item+push[k]-0.1+0.05*random.NormFloat64())
			}
			b, u = append(b, x), append(u, y)
		}
		return compare(t, tableOf(b...), tableOf(u...), Options{Draws: 100})
	}
	d := draw(0.01, 1)
	if d.Components.Buy != "seeds" || d.NeededItems != 0 || d.NeededSeeds <= 5 {
		t.Errorf("seeds vary: buy %s, %d items or %d seeds", d.Components.Buy, d.NeededItems, d.NeededSeeds)
	}
	d = draw(3, 0)
	if d.Components.Buy != "items" || d.NeededItems <= 100 || d.NeededSeeds != 0 {
		t.Errorf("items vary: buy %s, %d items or %d seeds", d.Components.Buy, d.NeededItems, d.NeededSeeds)
	}
	if !strings.Contains(fmt.Sprint(draw(0.01, 1).Warnings), "of the variance: sign flips and bootstrap") {
		t.Error("no warning that seeds cause most of the variance")
	}
}
