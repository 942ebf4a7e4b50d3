package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

func even(looks int) (fractions []float64) {
	for look := range looks {
		fractions = append(fractions, float64(look+1)/float64(looks))
	}
	return fractions
}

// TestBoundaries compares with published two-sided boundaries at 5 % for
// equally spaced looks: O'Brien-Fleming type spending as printed by the ld98
// program and the R package ldbounds (4.8769 3.3569 2.6803 2.2898 2.0310 for
// five looks; it works with a coarser grid, so 0.0002 are allowed), and Pocock
// type. The probabilities of crossing were also confirmed to 1e-9 with scipy's
// multivariate normal distribution.
func TestBoundaries(t *testing.T) {
	check := func(name string, spend Spending, alpha float64, sides int, want ...float64) {
		t.Helper()
		got, err := Boundaries(spend, alpha, sides, even(len(want)))
		if err != nil {
			t.Fatal(err)
		}
		for look := range want {
			near(t, fmt.Sprintf("%s, look %d of %d", name, look+1, len(want)), got[look], want[look], 2e-4)
		}
	}
	check("one look", OBrienFleming, 0.05, 2, 1.95996)
	check("one look", Pocock, 0.05, 1, 1.64485)
	check("OBF", OBrienFleming, 0.05, 2, 2.9626, 1.9686)
	check("OBF", OBrienFleming, 0.05, 2, 3.7103, 2.5114, 1.9930)
	check("OBF", OBrienFleming, 0.05, 2, 4.3326, 2.9631, 2.3590, 2.0141)
	check("OBF", OBrienFleming, 0.05, 2, 4.8769, 3.3569, 2.6803, 2.2898, 2.0310)
	check("OBF, one side", OBrienFleming, 0.025, 1, 4.8769, 3.3569, 2.6803, 2.2898, 2.0310)
	check("Pocock", Pocock, 0.05, 2, 2.1570, 2.2010)
	check("Pocock", Pocock, 0.05, 2, 2.4380, 2.4268, 2.4101, 2.3966, 2.3859)
}

// TestBoundariesSpend: uneven and crowded looks spend what they should, checked
// by walking 200,000 Brownian paths; and a boundary does not depend on later
// looks.
func TestBoundariesSpend(t *testing.T) {
	t.Parallel()
	fractions := []float64{0.05, 0.06, 0.3, 0.35, 0.9, 1}
	for _, spend := range []Spending{OBrienFleming, Pocock} {
		bounds, err := Boundaries(spend, 0.05, 2, fractions)
		if err != nil {
			t.Fatal(err)
		}
		crossed, random := make([]float64, len(bounds)), rand.New(rand.NewPCG(81, 1))
		const paths = 200_000
		for range paths {
			b, before := 0.0, 0.0
			for look, fraction := range fractions {
				b += math.Sqrt(fraction-before) * random.NormFloat64()
				before = fraction
				if math.Abs(b) > bounds[look]*math.Sqrt(fraction) {
					crossed[look]++
					break
				}
			}
		}
		sum := 0.0
		for look, fraction := range fractions {
			sum += crossed[look] / paths
			want := 2 * spend(0.025, fraction)
			near(t, fmt.Sprintf("spent by look %d", look+1), sum, want, 4*math.Sqrt(want*(1-want)/paths)+1e-9)
		}
		early, err := Boundaries(spend, 0.05, 2, fractions[:3])
		if err != nil {
			t.Fatal(err)
		}
		near(t, "boundary without later looks", early[2], bounds[2], 1e-7)
	}
}

// TestSpending: nothing at 0, all at 1, never falling.
func TestSpending(t *testing.T) {
	for _, spend := range []Spending{OBrienFleming, Pocock} {
		near(t, "at 0", spend(0.05, 0), 0, 1e-15)
		near(t, "at 1", spend(0.05, 1), 0.05, 1e-12)
		for fraction := 0.01; fraction < 1; fraction += 0.01 {
			if spend(0.05, fraction) < spend(0.05, fraction-0.01) {
				t.Errorf("spending falls at %v", fraction)
			}
		}
	}
}

// TestSequential: looking five times at a growing set of items and stopping at
// the first verdict, a model that lost nothing is called REGRESSED in at most
// 2.5 %, and one that lost the margin RETAINED in at most 5 % of 600 runs, 3 sd
// allowed; with the plain options both are called far more often.
func TestSequential(t *testing.T) {
	t.Parallel()
	fractions, margin := even(5), 0.5
	var plans []Options
	for look := range fractions {
		plan, err := Sequential(Options{Margin: margin}, OBrienFleming, fractions[:look+1])
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, plan)
	}
	plain, _ := Options{Margin: margin}.complete()
	const runs = 600
	stops := func(difference float64, plan func(look int) Options, wrong ...Verdict) (count int) {
		random := rand.New(rand.NewPCG(82, 1))
		for range runs {
			pair := normalPair(random, "task", 100, difference)
			for look := range fractions {
				cut := func(t Table) Table {
					t.Items, t.Scores = t.Items[:20*(look+1)], t.Scores[:20*(look+1)]
					return t
				}
				p := prepared(t, cut(pair.Base), cut(pair.Tuned))
				p.options = plan(look)
				d := p.describe()
				p.judge(&d)
				if d.Verdict != Inconclusive {
					count += int(one(d.Verdict == wrong[0] || d.Verdict == wrong[len(wrong)-1]))
					break
				}
			}
		}
		return count
	}
	sequential := func(look int) Options { return plans[look] }
	regressed, retained := stops(0, sequential, Regressed, Material), stops(-margin, sequential, Retained)
	naive := stops(-margin, func(int) Options { return plain }, Retained)
	t.Logf("of %d runs, %d regressed though nothing was lost, %d retained though the margin was, %d with plain options", runs, regressed, retained, naive)
	if float64(regressed) > runs*0.025+3*sd(runs, 0.025) || float64(retained) > runs*0.05+3*sd(runs, 0.05) {
		t.Errorf("of %d runs, %d regressed though nothing was lost, %d retained though the margin was", runs, regressed, retained)
	}
	if naive < runs/12 {
		t.Errorf("with plain options only %d of %d are wrong: this test shows nothing", naive, runs)
	}
	last := plans[4]
	near(t, "last Confidence", last.Confidence, 1-2*distuv.UnitNormal.CDF(-2.0310), 1e-5)
	near(t, "last OneSided", last.OneSided, 1-distuv.UnitNormal.CDF(-1.7397), 1e-5)
	if first := plans[0]; !(first.Confidence > 0.999998 && first.Confidence < 1 && first.Margin == margin) {
		t.Errorf("first look: %+v", first)
	}
}

func TestSequentialErrors(t *testing.T) {
	check := func(alpha float64, sides int, fractions []float64, want string) {
		t.Helper()
		if _, err := Boundaries(Pocock, alpha, sides, fractions); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	check(0, 2, []float64{1}, "error to spend is 0")
	check(0.5, 2, []float64{1}, "error to spend is 0.5")
	check(0.05, 3, []float64{1}, "not 3")
	check(0.05, 2, []float64{0.5, 0.5}, "look 2 comes at a fraction of 0.5 after 0.5")
	check(0.05, 2, []float64{0.5, 1.1}, "look 2")
	check(0.05, 2, []float64{0}, "look 1")
	check(0.05, 2, []float64{math.NaN()}, "look 1")
	check(0.05, 2, even(201), "201 looks")
	if _, err := Sequential(Options{}, Pocock, nil); err == nil || !strings.Contains(err.Error(), "no looks") {
		t.Errorf("error %v", err)
	}
	if _, err := Sequential(Options{Margin: -1}, Pocock, []float64{1}); err == nil || !strings.Contains(err.Error(), "margin") {
		t.Errorf("error %v", err)
	}
	// A first look so early that nothing can be spent does not stop the run.
	o, err := Sequential(Options{}, OBrienFleming, []float64{0.001})
	if err != nil || !(o.Confidence < 1) {
		t.Errorf("%+v, %v", o, err)
	}
	base, tuned := cells(0, 90, 0, 10)
	if d := compare(t, base, tuned, o); math.IsNaN(d.Low) || d.Low < -1 || d.High > 1 {
		t.Errorf("%+v", d)
	}
}
