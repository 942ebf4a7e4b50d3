package attribute

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// randomGame gives every coalition of n groups losses that are functions of
// the seed and the coalition, of no form at all.
func randomGame(n int, seed uint64) func(a []float64) Losses {
	return func(a []float64) Losses {
		set := seed << 32
		for i, alpha := range a {
			if alpha == 1 {
				set |= 1 << i
			}
		}
		unit := func(x uint64) float64 { return float64(mix(x)>>11) * 0x1p-53 }
		return Losses{unit(2 * (set + golden)), unit(2*(set+golden) + 1)}
	}
}

func TestAirport(t *testing.T) {
	a := attributeToy(t, newToy(4, airport), Options{})
	checkHarms(t, a, 2, 3, 4, 9)
	if !near(a.Additivity.General, 5.0/18, 1e-12) { // only the largest user, set back, saves 18-13
		t.Errorf("additivity %v, want 5/18", a.Additivity.General)
	}
	if a.Method != Exact || a.Waves != 2 || a.Evaluations != 16 {
		t.Errorf("%s with %d points in %d waves, want exact with 16 in 2", a.Method, a.Evaluations, a.Waves)
	}
	for i, e := range a.Effects {
		if !near(e.Exchange, 1, 1e-12) || e.HarmError != 0 || e.BenefitError != 0 {
			t.Errorf("group %d: exchange %v, errors %v, %v, want 1 and 0", i, e.Exchange, e.HarmError, e.BenefitError)
		}
	}
}

// The glove market of Shapley and Shubik (1969): one has a left glove, two
// have a right one, a pair is worth 1; the values are 2/3, 1/6 and 1/6.
func TestGloves(t *testing.T) {
	gloves := func(a []float64) Losses { return Losses{1 + a[0]*max(a[1], a[2]), 1} }
	checkHarms(t, attributeToy(t, newToy(3, gloves), Options{Additivity: math.Inf(1)}), 2.0/3, 1.0/6, 1.0/6)
}

// Six copies of the same damage, of which any does it all, and four innocents.
// Setting back one brings nothing.
func TestRedundant(t *testing.T) {
	game := func(a []float64) Losses { return Losses{1 + 0.9*slices.Max(a[:6]), 3 - 0.1*a[8] - 0.2*a[9]} }
	a := attributeToy(t, newToy(10, game), Options{Seed: 1, Permutations: 64})
	if !near(a.Additivity.General, 0, 1e-12) || a.Method != Sampled || a.Waves != 2 {
		t.Fatalf("additivity %v, %s in %d waves, want 0, sampled in 2", a.Additivity.General, a.Method, a.Waves)
	}
	for i, e := range a.Effects {
		if e.Revert.General != 0 {
			t.Errorf("group %d: setting it back brings %v", i, e.Revert.General)
		}
		switch off := math.Abs(e.Harm - 0.15); {
		case i < 6 && (off > 4*e.HarmError || e.HarmError > 0.1):
			t.Errorf("group %d: harm %v +- %v, want 0.15", i, e.Harm, e.HarmError)
		case i >= 6 && e.Harm != 0:
			t.Errorf("group %d: harm %v of an innocent", i, e.Harm)
		}
	}
	if e := a.Effects[9]; !near(e.Benefit, 0.2, 1e-12) || !near(e.BenefitError, 0, 1e-12) || e.Note != "" {
		t.Errorf("the benefit of the last group is %v +- %v, want 0.2", e.Benefit, e.BenefitError)
	}
}

// The laws, for games of no form: values sum to the whole difference, whether
// exact or sampled; groups that can be exchanged have the same exact value; a
// group without an effect has none.
func TestShapleyLaws(t *testing.T) {
	for n := 1; n <= 12; n++ {
		for seed := range uint64(4) {
			a := attributeToy(t, newToy(n, randomGame(n, seed)), Options{Additivity: math.Inf(1), Seed: seed})
			if !near(a.Residual.General, 0, 1e-12) || !near(a.Residual.Domain, 0, 1e-12) {
				t.Errorf("%d groups, %s: residual %v", n, a.Method, a.Residual)
			}
			if least, most := Cost(n, 8); a.Evaluations < least || a.Evaluations > most {
				t.Errorf("%d groups take %d points, said to be %d to %d", n, a.Evaluations, least, most)
			}
		}
	}
	inner := randomGame(4, 9)
	symmetric := func(a []float64) Losses { // in groups 1 and 3; group 2 is a dummy
		b := []float64{a[0], max(a[1], a[3]), a[1] * a[3], 0}
		return inner(b)
	}
	a := attributeToy(t, newToy(4, symmetric), Options{Additivity: math.Inf(1)})
	if x, y := a.Effects[1], a.Effects[3]; !near(x.Harm, y.Harm, 1e-12) || !near(x.Benefit, y.Benefit, 1e-12) {
		t.Errorf("groups that can be exchanged: %v, %v and %v, %v", x.Harm, x.Benefit, y.Harm, y.Benefit)
	}
	if e := a.Effects[2]; e.Harm != 0 || e.Benefit != 0 {
		t.Errorf("a dummy has %v, %v", e.Harm, e.Benefit)
	}
}

// One pair of a permutation and its reverse shares what two groups have in
// common evenly: exact for games of pairs, and no standard error can be told.
func TestAntithetic(t *testing.T) {
	game := func(a []float64) Losses {
		l := Losses{}
		for i := range a {
			for j := range i {
				l.General += a[i] * a[j] * float64(1+i)
			}
		}
		return l
	}
	want := make([]float64, 9) // half of each pair that the group is in
	for i := range want {
		for j := range i {
			want[i] += float64(1+i) / 2
			want[j] += float64(1+i) / 2
		}
	}
	one := attributeToy(t, newToy(9, game), Options{Additivity: math.Inf(1), Permutations: 1})
	checkHarms(t, one, want...)
	if one.Method != Sampled || !math.IsNaN(one.Effects[0].HarmError) {
		t.Errorf("%s from one pair with a standard error of %v, want NaN", one.Method, one.Effects[0].HarmError)
	}
	eight := attributeToy(t, newToy(9, game), Options{Additivity: math.Inf(1)})
	checkHarms(t, eight, want...)
	if e := eight.Effects[0].HarmError; e > 1e-12 {
		t.Errorf("a standard error of %v where there is no chance", e)
	}
}

// Sampled values and their standard errors against the exact values of games
// of 8 groups of no form: estimates are unbiased, and of estimate/error the
// squares have the mean of Student's t with pairs-1 degrees, 1 for many.
func TestSampledAgainstExact(t *testing.T) {
	const n = 8
	game := newToy(n, randomGame(n, 77))
	book := &ledger{groups: toyGroups(n), ask: game.ask, losses: map[coalition]Losses{}}
	if err := book.want(t.Context(), coalitions(n)); err != nil {
		t.Fatal(err)
	}
	var squares, bias, worst float64
	const seeds = 200
	for seed := range uint64(seeds) {
		for g, e := range book.sampled(permutations(n, 60, seed)) {
			z := (e.mean.General - book.exact(g).General) / e.deviation.General
			squares += z * z
			bias += z
			worst = max(worst, math.Abs(z))
		}
	}
	squares /= n * seeds
	// 29 degrees: the variance of t is 29/27 = 1.074; over 4000 seeds it comes
	// out as 1.11 here, over 200 within some 5 % of that.
	if squares < 0.93 || squares > 1.22 || worst > 6 {
		t.Errorf("the mean square of error/standard error is %.3f, want 1.07; the worst is %.1f", squares, worst)
	}
	if bias /= n * seeds; math.Abs(bias) > 0.1 {
		t.Errorf("the mean of error/standard error is %.3f, want 0", bias)
	}
	t.Logf("mean square %.3f (1.074 expected), mean %.3f, worst %.2f of %d", squares, bias, worst, n*seeds)
}

func TestPermutations(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(600) {
		orders := permutations(3, 4, seed)
		for i := 0; i < len(orders); i += 2 {
			back := slices.Clone(orders[i+1])
			slices.Reverse(back)
			if !slices.Equal(back, orders[i]) {
				t.Fatalf("%v is not the reverse of %v", orders[i+1], orders[i])
			}
			seen[fmt.Sprint(orders[i])]++
		}
	}
	for order, times := range seen { // 200 of 1200 each, standard deviation 13
		if len(seen) != 6 || times < 140 || times > 260 {
			t.Errorf("the permutation %s of %d comes %d times in 1200", order, len(seen), times)
		}
	}
	// Another program's, written from the definition in Python.
	if got, want := fmt.Sprint(permutation(6, 0, 0), permutation(6, 1, 2)), "[1 5 0 3 2 4] [5 4 2 3 1 0]"; got != want {
		t.Errorf("permutations %s, want %s", got, want)
	}
}

func TestCost(t *testing.T) {
	check := func(groups, permutations, least, most int) {
		t.Helper()
		if l, m := Cost(groups, permutations); l != least || m != most {
			t.Errorf("%d groups, %d permutations: %d to %d points, want %d to %d", groups, permutations, l, m, least, most)
		}
	}
	check(0, 8, 0, 0)
	check(1, 8, 2, 2)
	check(2, 8, 4, 4)
	check(3, 8, 8, 8) // the sweep has all coalitions
	check(4, 0, 10, 16)
	check(11, 8, 24, 88)
	check(13, 16, 28, 188)
}
