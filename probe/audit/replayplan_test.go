package audit

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"surgeon/probe/stat"
)

func TestSharesByHand(t *testing.T) {
	check := func(name string, losses, want []float64, floored string) {
		t.Helper()
		shares, lifted := sharesOf(losses)
		for at := range want {
			near(t, name, shares[at], want[at], 1e-12)
			if lifted[at] != (floored[at] == 'f') {
				t.Errorf("%s: slice %d is lifted: %v", name, at, lifted[at])
			}
		}
	}
	check("one", []float64{0.3}, []float64{1}, ".")
	check("in proportion", []float64{0.6, 0.2}, []float64{0.75, 0.25}, "..")
	check("nothing lost", []float64{0, 0, 0, 0}, []float64{0.25, 0.25, 0.25, 0.25}, "ffff")
	// Lifting the last to a tenth leaves 0.9, of which the third would have 0.09:
	// lifted as well, the first two share 0.8 as two to one.
	check("in two rounds", []float64{0.6, 0.3, 0.1, 0}, []float64{0.8 * 2 / 3, 0.8 / 3, 0.1, 0.1}, "..ff")
	many := make([]float64, 20)
	many[0] = 1
	shares, _ := sharesOf(many)
	for _, share := range shares {
		near(t, "one of twenty", share, 0.05, 1e-12)
	}
}

func TestShareLaws(t *testing.T) {
	for draw := range 2000 {
		random := rand.New(rand.NewPCG(31, uint64(draw)))
		losses := make([]float64, 1+random.IntN(25))
		for at := range losses {
			losses[at] = max(0, random.Float64()-0.3) * math.Pow(10, float64(-random.IntN(6)))
		}
		shares, floored := sharesOf(losses)
		floor, sum := min(0.1, 1/float64(len(losses))), 0.0
		for at, share := range shares {
			sum += share
			if !(share >= floor-1e-12) || floored[at] && math.Abs(share-floor) > 1e-9 && losses[at] > 0 {
				t.Fatalf("draw %d: the shares of %v are %v", draw, losses, shares)
			}
			for other := range shares { // who lost more has no smaller share
				if losses[at] > losses[other] && share < shares[other]-1e-9 {
					t.Fatalf("draw %d: the shares of %v are %v", draw, losses, shares)
				}
			}
		}
		near(t, "the sum", sum, 1, 1e-9)
	}
}

// lostBy makes a regression: four tasks of which facts lost 60 points at least
// (80 above chance), lists 20, refusal nothing, and sums are open.
func lostBy() *Regression {
	gap := func(name string, kind Kind, low, value, chance float64, shown bool, word stat.Verdict) Gap {
		return Gap{Task: name, Kind: kind, N: 100, Gap: Interval{Value: value, Low: low, High: value + 0.1, Defined: true}, Adjusted: value / (1 - chance), Shown: shown, Word: word}
	}
	return &Regression{Tasks: []Gap{
		gap("facts", General, 0.6, 0.7, 0.25, true, stat.Material),
		gap("sums", General, -0.1, 0.05, 0, false, stat.Inconclusive),
		gap("refusal", Safety, -0.05, 0, 0, false, stat.Retained),
		gap("lists", General, 0.2, 0.3, 0, false, stat.Regressed),
		gap("chemistry", Domain, 0.4, 0.5, 0, true, stat.Material),
	}}
}

func TestPlanReplay(t *testing.T) {
	plan, err := PlanReplay(lostBy(), ReplayOptions{Examples: 4000, Pool: map[string]int{"facts": 1000, "refusal": 40, "lists": 71}})
	if err != nil {
		t.Fatal(err)
	}
	check := func(at int, name string, share float64, source string, examples, needed int, suffices bool) {
		t.Helper()
		s := plan.Slices[at]
		if s.Task != name || s.Examples != examples || s.Needed != needed || s.Suffices != suffices || !strings.Contains(s.Source, source) {
			t.Errorf("slice %d is %+v", at, s)
		}
		near(t, name, s.Share, share, 1e-12)
	}
	// 0.8 and 0.2 above chance share nine tenths: of 4000 examples 400 are
	// replayed, and of a pool of 400 the slices need their shares.
	check(0, "facts", 0.72, "lost/facts", 288, 288, true)
	check(1, "refusal", 0.1, "prior", 40, 40, true)
	check(2, "lists", 0.18, "lost/lists", 72, 72, false)
	if len(plan.Slices) != 3 || plan.Share != 0.1 || plan.Needed != 400 || !plan.Known || plan.Suffices {
		t.Errorf("the plan is %+v", plan)
	}
	for _, source := range []string{plan.Source, plan.NeededSource} {
		if !strings.HasPrefix(source, "prior: ") || strings.Contains(source, "design") || len(source) > 160 {
			t.Errorf("a source: %q", source)
		}
	}
	var again ReplayPlan
	roundTrip(t, plan, &again)
}

func TestPlanReplayOptions(t *testing.T) {
	check := func(name string, o ReplayOptions, share float64, source string, known, suffices bool) {
		t.Helper()
		plan, err := PlanReplay(lostBy(), o)
		if err != nil || plan.Share != share || !strings.Contains(plan.Source, source) || plan.Known != known || plan.Suffices != suffices {
			t.Errorf("%s: %+v, %v", name, plan, err)
		}
	}
	check("defaults", ReplayOptions{}, 0.1, "prior", false, false)
	check("a share", ReplayOptions{Share: 0.25}, 0.25, "set by the user", false, false)
	check("a share that was measured", ReplayOptions{Share: 0.05, ShareSource: "judged/dose"}, 0.05, "judged/dose", false, false)
	check("an empty pool", ReplayOptions{Pool: map[string]int{}}, 0.1, "prior", true, false)
	check("a pool", ReplayOptions{Pool: map[string]int{"facts": 288, "refusal": 40, "lists": 72}}, 0.1, "prior", true, true)
	plan, _ := PlanReplay(lostBy(), ReplayOptions{LostID: "gap"})
	if plan.Slices[0].Source != "gap/facts" {
		t.Errorf("the source is %q", plan.Slices[0].Source)
	}
}

// A plan without a safety slice is refused by construction.
func TestPlanReplayRefuses(t *testing.T) {
	check := func(says string, r *Regression, o ReplayOptions) {
		t.Helper()
		if plan, err := PlanReplay(r, o); err == nil || !strings.HasPrefix(err.Error(), "audit: ") || !strings.Contains(err.Error(), says) {
			t.Errorf("the plan is %+v with the error %v, want %q", plan, err, says)
		}
	}
	r := lostBy()
	r.Tasks[2].Kind = General
	check("no safety task", r, ReplayOptions{})
	check("no safety task", &Regression{}, ReplayOptions{})
	check("NaN", lostBy(), ReplayOptions{Share: math.NaN()})
	check("-0.1", lostBy(), ReplayOptions{Share: -0.1})
	check("1.1", lostBy(), ReplayOptions{Share: 1.1})
}
