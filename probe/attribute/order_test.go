package attribute

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// poisoned is a model of seven groups in which group 3 does most of the harm
// and little good, group 5 harms for nothing, group 6 heals.
func poisoned(t *testing.T) *Attribution {
	t.Helper()
	harm := []float64{0.1, 0.2, 0.3, 2, 0, 0.05, -0.1}
	benefit := []float64{1, 1, 2, 0.4, 0, -0.02, 0.12}
	return attributeToy(t, newToy(7, linear(harm, benefit)), Options{})
}

func TestOrder(t *testing.T) {
	// Rates: 0.1, 0.2, 0.15, 5, none, none for the harm, -0.83.
	if got, want := Order(poisoned(t)), []int{5, 3, 1, 2, 0, 6, 4}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	equal := attributeToy(t, newToy(3, linear([]float64{1, 1, 1}, []float64{2, 2, 2})), Options{})
	for i := range equal.Effects { // rounding aside
		equal.Effects[i].Exchange = 0.5
	}
	if got := Order(equal); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("equal groups are in the order %v", got)
	}
	if got := Order(&Attribution{}); len(got) != 0 {
		t.Errorf("no groups are in the order %v", got)
	}
}

func TestSelectiveRevert(t *testing.T) {
	a := poisoned(t) // the whole gain is 4.5
	check := func(budget float64, want ...string) []Candidate {
		t.Helper()
		list := SelectiveRevert(a, budget)
		var names []string
		for _, candidate := range list {
			names = append(names, candidate.Name)
			if candidate.Spent > budget {
				t.Errorf("%s spends %v of %v", candidate.Name, candidate.Spent, budget)
			}
			for i, e := range a.Effects {
				want := 1.0
				if slices.Contains(candidate.Reverted, i) {
					want = 0
				}
				if got := candidate.Alpha(e.Group.Name); got != want {
					t.Errorf("%s: alpha %v of %s, want %v", candidate.Name, got, e.Group.Name, want)
				}
			}
			if candidate.Alpha("elsewhere") != 1 {
				t.Errorf("%s sets back a tensor of no group", candidate.Name)
			}
		}
		if !slices.Equal(names, want) {
			t.Errorf("budget %v: %q, want %q", budget, names, want)
		}
		return list
	}
	check(0, "without g5")
	list := check(DefaultBudget, "without g5", "without g5, g3")
	if last := list[1]; !near(last.Healed, 2.05, 1e-12) || !near(last.Spent, 0.4/4.5, 1e-12) {
		t.Errorf("healed %v, spent %v, want 2.05 and 0.089", last.Healed, last.Spent)
	}
	// Group 1 fits (1.4/4.5 = 0.311), group 2 does not, group 0 does: it is not
	// skipped for that.
	check(0.54, "without g5", "without g5, g3", "without g5, g3, g1", "without g5, g3, g1, g0")
	check(1, "without g5", "without g5, g3", "without g5, g3, g1", "without g5, g3, g1, g2", "without g5, g3, g1, g2, g0")

	// The list of one candidate is not that of the next.
	if list[0].Reverted[0] != 5 || len(list[0].Reverted) != 1 || len(list[1].Reverted) != 2 {
		t.Errorf("reverted %v and %v", list[0].Reverted, list[1].Reverted)
	}
}

// Where the tuning brought nothing, only what harms for nothing is set back.
func TestRevertWithoutGain(t *testing.T) {
	a := attributeToy(t, newToy(3, linear([]float64{1, 0.5, 0.2}, []float64{-1, 0, 1})), Options{})
	list := SelectiveRevert(a, 1)
	var names []string
	for _, candidate := range list {
		names = append(names, candidate.Name)
	}
	if got := strings.Join(names, "; "); got != "without g0; without g0, g1" {
		t.Errorf("candidates %s", got)
	}
	for _, candidate := range list {
		if candidate.Spent != 0 || math.IsNaN(candidate.Healed) {
			t.Errorf("%s spends %v and heals %v", candidate.Name, candidate.Spent, candidate.Healed)
		}
	}
}

func TestRankCorrelation(t *testing.T) {
	check := func(what string, a, b []float64, rho, low, high float64) {
		t.Helper()
		r, l, h := RankCorrelation(a, b)
		if !near(r, rho, 1e-12) || !near(l, low, 1e-12) || !near(h, high, 1e-12) {
			t.Errorf("%s: %v from %v to %v, want %v from %v to %v", what, r, l, h, rho, low, high)
		}
		if r2, l2, h2 := RankCorrelation(b, a); !near(r2, r, 0) || !near(l2, l, 0) || !near(h2, h, 0) {
			t.Errorf("%s is not symmetric", what)
		}
	}
	// IQ against hours of television, the example of Wikipedia's "Spearman's
	// rank correlation coefficient": -29/165. Bounds by a calculator.
	iq := []float64{106, 100, 86, 101, 99, 103, 97, 113, 112, 110}
	hours := []float64{7, 27, 2, 50, 28, 29, 20, 12, 6, 17}
	check("intelligence", iq, hours, -29.0/165, -0.7278300282394071, 0.5145466616329561)
	// The example of scipy.stats.spearmanr, with a tie: 0.8207826816681233.
	check("a tie", []float64{1, 2, 3, 4, 5}, []float64{5, 6, 7, 8, 7}, 0.8207826816681233, -0.41629081750673824, 0.9920459711149154)
	thirteen := make([]float64, 13)
	squares := make([]float64, 13)
	falling := make([]float64, 13)
	for i := range thirteen {
		thirteen[i], squares[i], falling[i] = float64(i), float64(i*i), -float64(i)
	}
	check("the same order", thirteen, squares, 1, 0.987540055056577, 1)
	check("the reverse", thirteen, falling, -1, -1, -0.987540055056577)
	check("infinite", []float64{1, 2, math.Inf(1)}, []float64{math.Inf(-1), 0, 5}, 1, -1, 1)
	check("two pairs", []float64{1, 2}, []float64{4, 3}, -1, -1, 1)
	nan := math.NaN()
	check("one pair", []float64{1}, []float64{1}, nan, nan, nan)
	check("no pairs", nil, nil, nan, nan, nan)
	check("a constant", thirteen, make([]float64, 13), nan, nan, nan)
	check("an unknown value", []float64{1, 2, 3}, []float64{1, nan, 3}, nan, nan, nan)
}

// Of unrelated columns the interval holds 0 about 95 times in 100.
func TestRankIntervalCovers(t *testing.T) {
	const draws, n = 2000, 13
	missed := 0
	for draw := range uint64(draws) {
		a, b := make([]float64, n), make([]float64, n)
		for i, at := range permutation(n, draw, 0) {
			a[i], b[i] = float64(i), float64(at)
		}
		if _, low, high := RankCorrelation(a, b); low > 0 || high < 0 {
			missed++
		}
	}
	if share := float64(missed) / draws; share < 0.025 || share > 0.075 {
		t.Errorf("%.1f %% of the intervals miss, want 5", 100*share)
	} else {
		t.Logf("%.1f %% of the intervals miss", 100*share)
	}
}
