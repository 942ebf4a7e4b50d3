package attribute

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/merge"
)

func TestAdditive(t *testing.T) {
	harm, benefit := []float64{0.5, 0.1, 0, -0.05}, []float64{0.7, 1, 0.2, 0.1}
	a := attributeToy(t, newToy(4, linear(harm, benefit)), Options{})
	if a.Base != (Losses{2, 5}) || !near(a.Harm, 0.55, 1e-12) || !near(a.Benefit, 2, 1e-12) {
		t.Errorf("base %v, harm %v, benefit %v, want {2 5}, 0.55, 2", a.Base, a.Harm, a.Benefit)
	}
	if !near(a.Additivity.General, 1, 1e-12) || !near(a.Additivity.Domain, 1, 1e-12) {
		t.Errorf("additivity %v of a sum, want 1", a.Additivity)
	}
	if !near(a.Residual.General, 0, 1e-12) || !near(a.Residual.Domain, 0, 1e-12) || a.Method != Sweep || a.Warnings != nil {
		t.Errorf("residual %v, method %q, warnings %q, want 0, a sweep, none", a.Residual, a.Method, a.Warnings)
	}
	if a.Evaluations != 10 || a.Waves != 1 {
		t.Errorf("%d points in %d waves, want 2n+2 = 10 in 1", a.Evaluations, a.Waves)
	}
	for i, e := range a.Effects {
		want := Losses{harm[i], -benefit[i]}
		for name, got := range map[string]Losses{"revert": e.Revert, "insert": e.Insert, "share": {e.Harm, -e.Benefit}} {
			if off := got.minus(want); !near(off.General, 0, 1e-12) || !near(off.Domain, 0, 1e-12) {
				t.Errorf("group %d: %s %v, want %v", i, name, got, want)
			}
		}
		if !near(e.Exchange, harm[i]/benefit[i], 1e-12) || e.Note != "" {
			t.Errorf("group %d: exchange %v %q, want %v", i, e.Exchange, e.Note, harm[i]/benefit[i])
		}
	}
}

// The design's toy: two groups are inert when they
// are inserted and when they are set back, two are harmful each alone.
func TestInteracting(t *testing.T) {
	both := func(a []float64) Losses {
		return Losses{1 + 0.6*a[0] + 0.2*a[1] + 0.4*a[0]*a[1], 4 - a[0] - 2*a[1] + 0.5*a[1]*a[2]}
	}
	o := newToy(4, both)
	a := attributeToy(t, o, Options{})
	checkHarms(t, a, 0.8, 0.4, 0, 0) // 0.6+0.4/2, 0.2+0.4/2
	check := func(i int, revert, insert float64) {
		t.Helper()
		if e := a.Effects[i]; !near(e.Revert.General, revert, 1e-12) || !near(e.Insert.General, insert, 1e-12) {
			t.Errorf("group %d: revert %v, insert %v, want %v, %v", i, e.Revert.General, e.Insert.General, revert, insert)
		}
	}
	check(0, 1, 0.6)
	check(1, 0.6, 0.2)
	check(3, 0, 0)
	if !near(a.Additivity.General, 1.6/1.2, 1e-12) || !near(a.Residual.General, 0, 1e-12) {
		t.Errorf("additivity %v, residual %v, want 4/3 and 0", a.Additivity.General, a.Residual.General)
	}
	if e := a.Effects[3]; !math.IsNaN(e.Exchange) || e.Note != "no effect" {
		t.Errorf("an inert group has the exchange rate %v, %q", e.Exchange, e.Note)
	}
}

// The sweep's mean is the Shapley value of games of pairs, so the exact values
// must not differ.
func TestSweepIsShapleyForPairs(t *testing.T) {
	game := func(a []float64) Losses {
		l := Losses{3, 3}
		for i := range a {
			l.General += a[i] * float64(i+1) / 7
			l.Domain -= a[i] * float64(3-i) / 5
			for j := range i {
				l.General += a[i] * a[j] * float64(i-2*j) / 11
				l.Domain += a[i] * a[j] * float64(i*j) / 13
			}
		}
		return l
	}
	cheap := attributeToy(t, newToy(4, game), Options{Additivity: math.Inf(-1)})
	full := attributeToy(t, newToy(4, game), Options{Additivity: math.Inf(1)})
	if cheap.Method != Sweep || full.Method != Exact {
		t.Fatalf("methods %q and %q", cheap.Method, full.Method)
	}
	for i := range cheap.Effects {
		x, y := cheap.Effects[i], full.Effects[i]
		if !near(x.Harm, y.Harm, 1e-12) || !near(x.Benefit, y.Benefit, 1e-12) {
			t.Errorf("group %d: %v, %v by the sweep and %v, %v exactly", i, x.Harm, x.Benefit, y.Harm, y.Benefit)
		}
	}
}

func TestThreeInCommon(t *testing.T) {
	game := func(a []float64) Losses { return Losses{1 + 3*a[0]*a[1]*a[2], 1 - a[0]} }
	a := attributeToy(t, newToy(3, game), Options{})
	if !near(a.Additivity.General, 3, 1e-12) || !near(a.Residual.General, -1.5, 1e-12) {
		t.Errorf("additivity %v, residual %v, want 3 and -1.5", a.Additivity.General, a.Residual.General)
	}
	if len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], "general loss, 3 nats a token, 1.5 belong to no group alone") {
		t.Errorf("warnings %q", a.Warnings)
	}
}

func TestFewGroups(t *testing.T) {
	one := attributeToy(t, newToy(1, linear([]float64{0.3}, []float64{0.6})), Options{})
	if checkHarms(t, one, 0.3); one.Evaluations != 2 {
		t.Errorf("%d points for one group, want base and tuned", one.Evaluations)
	}
	two := attributeToy(t, newToy(2, linear([]float64{0.3, 1}, []float64{0.6, 0})), Options{})
	if checkHarms(t, two, 0.3, 1); two.Evaluations != 4 {
		t.Errorf("%d points for two groups, want 4: without one is with the other", two.Evaluations)
	}
	if _, err := Attribute(t.Context(), nil, nil, Options{}); err == nil || !strings.Contains(err.Error(), "no groups") {
		t.Errorf("no groups: %v", err)
	}
	// A group that holds nothing does nothing.
	groups := append(toyGroups(2), Group{"empty", func(string) bool { return false }})
	a, err := Attribute(t.Context(), groups, newToy(2, linear([]float64{0.3, 1}, []float64{0.6, 0})).ask, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if checkHarms(t, a, 0.3, 1, 0); a.Effects[2].Note != "no effect" {
		t.Errorf("an empty group: %q", a.Effects[2].Note)
	}
}

// Tensors that no group holds leave a residual of their effect.
func TestGroupsLeaveOut(t *testing.T) {
	o := newToy(4, linear([]float64{0.1, 0.1, 0.1, 0.2}, []float64{1, 1, 1, 1}))
	a, err := Attribute(t.Context(), toyGroups(3), o.ask, Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkHarms(t, a, 0.1, 0.1, 0.1)
	if !near(a.Residual.General, 0.2, 1e-12) || len(a.Warnings) == 0 {
		t.Errorf("residual %v, warnings %q, want 0.2 and a warning", a.Residual.General, a.Warnings)
	}
}

func TestNothingToPlace(t *testing.T) {
	check := func(what string, harm, benefit []float64, words ...string) {
		t.Helper()
		a := attributeToy(t, newToy(2, linear(harm, benefit)), Options{})
		if len(a.Warnings) != len(words) {
			t.Fatalf("%s: warnings %q, want %d", what, a.Warnings, len(words))
		}
		for i := range words {
			if !strings.Contains(a.Warnings[i], words[i]) {
				t.Errorf("%s: warning %q, want %q", what, a.Warnings[i], words[i])
			}
		}
		if a.Method != Sweep {
			t.Errorf("%s: %s of nothing", what, a.Method)
		}
	}
	check("identical models", []float64{0, 0}, []float64{0, 0}, "there is no harm", "brought nothing")
	check("rounding noise", []float64{4e-4, -1e-4}, []float64{3e-4, 1e-4}, "there is no harm", "brought nothing")
	check("no harm", []float64{0, 0}, []float64{1, 1}, "there is no harm")
	check("improved", []float64{-0.2, -0.1}, []float64{1, 1}, "fell by 0.3")
	check("no gain", []float64{1, 1}, []float64{0, 0}, "brought nothing")
	a := attributeToy(t, newToy(2, linear([]float64{0, 0}, []float64{1, 1})), Options{})
	if !math.IsNaN(a.Additivity.General) || !near(a.Additivity.Domain, 1, 1e-12) {
		t.Errorf("additivity %v, want NaN and 1", a.Additivity)
	}
}

func TestOracleFails(t *testing.T) {
	broken := errors.New("the checkpoint is gone")
	failing := func(after int, l Losses, err error) Oracle {
		o := newToy(4, airport)
		return func(ctx context.Context, points []merge.Alpha) ([]Losses, error) {
			losses, _ := o.ask(ctx, points)
			if o.calls > after {
				losses[2] = l
				return losses, err
			}
			return losses, nil
		}
	}
	fine := Losses{1, 1}
	objective := func(l Losses) float64 { return l.General }
	for after := range 2 {
		if _, err := Attribute(t.Context(), toyGroups(4), failing(after, fine, broken), Options{}); !errors.Is(err, broken) {
			t.Errorf("in wave %d: %v", after, err)
		}
	}
	if _, err := Descend(t.Context(), toyGroups(4), failing(1, fine, broken), objective, Options{}); !errors.Is(err, broken) {
		t.Errorf("in a descent: %v", err)
	}
	check := func(l Losses, words string) {
		t.Helper()
		if _, err := Attribute(t.Context(), toyGroups(4), failing(0, l, nil), Options{}); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
	}
	check(Losses{math.NaN(), 1}, "the general loss of the tuned model without g0 is NaN")
	check(Losses{1, math.Inf(1)}, "the domain loss of the tuned model without g0 is +Inf")

	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Attribute(stopped, toyGroups(4), newToy(4, airport).ask, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestMisuse(t *testing.T) {
	check := func(what string, do func()) {
		t.Helper()
		defer func() {
			t.Helper()
			if recover() == nil {
				t.Errorf("%s did not panic", what)
			}
		}()
		do()
	}
	short := func(context.Context, []merge.Alpha) ([]Losses, error) { return make([]Losses, 1), nil }
	check("an oracle that gives too few losses", func() { _, _ = Attribute(t.Context(), toyGroups(3), short, Options{}) })
	check("no bands", func() { Groups(nil, 0) })
	check("a budget below 0", func() { SelectiveRevert(&Attribution{}, -0.1) })
	check("a budget NaN", func() { SelectiveRevert(&Attribution{}, math.NaN()) })
	check("alphas for other groups", func() { Scale(toyGroups(3), []float64{1}, 0) })
	check("no layers", func() { LiNeS(0, 1, 0) })
	check("columns of different lengths", func() { RankCorrelation([]float64{1}, nil) })
	check("permutations below 0", func() { Cost(5, -2) })
	check("a start of another length", func() {
		_, _ = Descend(t.Context(), toyGroups(3), short, nil, Options{Start: []float64{1}})
	})
}

// Attributions are the same bits on every run, and when several run at once.
func TestSameBits(t *testing.T) {
	game := randomGame(9, 5)
	want := attributeToy(t, newToy(9, game), Options{Additivity: math.Inf(1), Seed: 3})
	if want.Method != Sampled {
		t.Fatalf("method %q", want.Method)
	}
	results := make(chan *Attribution)
	for range 8 {
		go func() {
			a, err := Attribute(t.Context(), toyGroups(9), newToy(9, game).ask, Options{Additivity: math.Inf(1), Seed: 3})
			if err != nil {
				t.Error(err)
			}
			results <- a
		}()
	}
	for range 8 {
		if got := bitsOf(<-results); got != bitsOf(want) {
			t.Errorf("two attributions of the same game differ:\n%s\n%s", got, bitsOf(want))
		}
	}
	if other := attributeToy(t, newToy(9, game), Options{Additivity: math.Inf(1), Seed: 4}); bitsOf(other) == bitsOf(want) {
		t.Error("another seed gives the same attribution")
	}
}

// bitsOf spells an attribution, its numbers so that others have other texts.
func bitsOf(a *Attribution) string {
	b := *a
	b.Effects = slices.Clone(a.Effects)
	for i := range b.Effects {
		b.Effects[i].Group = Group{} // functions are spelled by their addresses
	}
	return fmt.Sprintf("%+v", b)
}
