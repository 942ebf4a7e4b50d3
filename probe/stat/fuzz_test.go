package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// FuzzCompare builds tables out of bytes: sizes, clusters, strata, and scores
// that are answers, shares, equal, huge, tiny or nothing. Nothing may panic, no
// probability may leave [0,1], and every interval must hold its estimate.
func FuzzCompare(f *testing.F) {
	f.Add(uint64(1), uint8(20), uint8(1), uint8(0), uint8(0), uint8(0), 0.02, 0.25, 0.95)
	f.Add(uint64(2), uint8(30), uint8(5), uint8(7), uint8(3), uint8(1), 0.0, 0.0, 0.9)
	f.Add(uint64(3), uint8(1), uint8(1), uint8(1), uint8(0), uint8(2), 0.5, math.NaN(), 0.5)
	f.Add(uint64(4), uint8(40), uint8(3), uint8(2), uint8(9), uint8(3), 1e9, 0.5, 0.999)
	f.Add(uint64(5), uint8(12), uint8(2), uint8(0), uint8(4), uint8(4), 0.1, 0.9, 0.95)
	f.Add(uint64(6), uint8(33), uint8(4), uint8(5), uint8(5), uint8(5), 0.01, 0.2, 0.95)
	f.Fuzz(func(t *testing.T, seed uint64, items, seeds, clusters, strata, kind uint8, margin, chance, confidence float64) {
		random := rand.New(rand.NewPCG(seed, 7))
		base := fuzzTable(random, int(items), int(seeds%6), int(clusters), int(strata), kind)
		tuned, mitigated := base, base
		tuned.Scores, mitigated.Scores = fuzzScores(random, base.Scores, kind>>4), fuzzScores(random, base.Scores, kind>>3)
		fuzzCheck(t, base, tuned, mitigated, Options{Margin: margin, Chance: chance, Confidence: confidence, Draws: 100, Seed: seed})
	})
}

// TestRandomTables runs the same over a thousand random tables.
func TestRandomTables(t *testing.T) {
	random := rand.New(rand.NewPCG(91, 1))
	for i := range 1000 {
		kind := uint8(random.IntN(256))
		base := fuzzTable(random, 1+random.IntN(40), 1+random.IntN(5), random.IntN(9), random.IntN(5), kind)
		tuned, mitigated := base, base
		tuned.Scores, mitigated.Scores = fuzzScores(random, base.Scores, kind>>4), fuzzScores(random, base.Scores, kind>>3)
		fuzzCheck(t, base, tuned, mitigated, Options{Margin: 0.05 * float64(i%3), Chance: 0.25 * float64(i%4), Draws: 100, Seed: uint64(i)})
	}
}

func fuzzTable(random *rand.Rand, items, seeds, clusters, strata int, kind uint8) (t Table) {
	for k := range seeds {
		t.Seeds = append(t.Seeds, int64(k*k)-3)
	}
	for i := range items {
		t.Items = append(t.Items, fmt.Sprint(i))
		if clusters > 0 {
			t.Clusters = append(t.Clusters, fmt.Sprint(random.IntN(clusters)))
		}
		if strata > 0 {
			t.Strata = append(t.Strata, fmt.Sprint(random.IntN(strata)))
		}
		for range seeds {
			t.Scores = append(t.Scores, fuzzScore(random, kind%8))
		}
	}
	return t
}

func fuzzScore(random *rand.Rand, kind uint8) float64 {
	switch kind {
	case 0, 1:
		return float64(random.IntN(2))
	case 2:
		return random.Float64()
	case 3:
		return 1e50 * (2*random.Float64() - 1)
	case 4:
		return 1e-300 * random.Float64()
	case 5:
		return 0.3
	case 6:
		return []float64{math.NaN(), math.Inf(1), 1e60, -1, 0.5}[random.IntN(5)]
	}
	return random.NormFloat64() * math.Exp(20*random.NormFloat64())
}

// fuzzScores returns changed copies of the scores.
func fuzzScores(random *rand.Rand, scores []float64, kind uint8) []float64 {
	result := append([]float64{}, scores...)
	for i := range result {
		switch {
		case kind%4 == 0 && random.Float64() < 0.2:
			result[i] = 1 - result[i]
		case kind%4 == 1:
			result[i] += 0.25
		case kind%4 == 2 && random.Float64() < 0.03:
			result[i] = fuzzScore(random, kind)
		}
	}
	return result
}

func fuzzCheck(t *testing.T, base, tuned, mitigated Table, options Options) {
	t.Helper()
	d, err := Compare(base, tuned, options)
	if err == nil {
		inUnit(t, "p", d.McNemar, d.McNemarMid, d.McNemarLoss, d.Permutation, d.P)
		holds3(t, "interval", d.Low, d.Difference, d.High)
		holds3(t, "bootstrap", d.BootstrapLow, d.Difference, d.BootstrapHigh)
		holds3(t, "bounds", d.Lower, d.Difference, d.Upper)
		holds3(t, "correlation", -1, d.Correlation, 1)
		if d.SE < 0 || d.Lost+d.Gained+d.Same != d.N || d.Verdict == "" || d.NeededItems < 0 || d.NeededSeeds < 0 || d.PMethod == "" {
			t.Errorf("%+v", d)
		}
		if d.Components != nil && (d.Components.Seed < 0 || d.Components.Item < 0 || !(d.DF >= 1) && !(d.DF <= 0)) {
			t.Errorf("%+v, %+v", d, *d.Components)
		}
	}
	pairs := []Pair{{Name: "a", Base: base, Tuned: tuned, Chance: options.Chance}, {Name: "b", Base: base, Tuned: mitigated}}
	if r, err := Largest(pairs, options); err == nil {
		for _, e := range r.Entries {
			inUnit(t, "ranking", e.P, e.Probability)
			holds3(t, "simultaneous interval", e.Low, e.Difference, e.High)
		}
		if r.HeldOut.Unknown == "" {
			holds3(t, "held out", r.HeldOut.Low, r.HeldOut.Difference, r.HeldOut.High)
		}
	} else if d.N > 0 && !math.IsNaN(options.Chance) {
		if _, second := Compare(base, mitigated, options); second == nil {
			t.Errorf("Compare takes what Largest refuses: %v", err)
		}
	}
	ratios := []func() (Ratio, error){
		func() (Ratio, error) { return Retention(base, tuned, options) },
		func() (Ratio, error) { return GapClosed(base, tuned, mitigated, options) },
	}
	for _, ratio := range ratios {
		if r, err := ratio(); err == nil && r.Undefined == "" {
			holds3(t, "ratio", r.Low, r.Ratio, r.High)
		}
	}
}

func inUnit(t *testing.T, what string, values ...float64) {
	t.Helper()
	for i, value := range values {
		if !(value >= 0 && value <= 1) {
			t.Errorf("%s %d is %v", what, i, value)
		}
	}
}

// holds3 reports bounds that do not hold a value, up to rounding.
func holds3(t *testing.T, what string, low, value, high float64) {
	t.Helper()
	rounding := 1e-12 * math.Abs(value)
	if !(low <= value+rounding && value <= high+rounding) {
		t.Errorf("%s: %v to %v does not hold %v", what, low, high, value)
	}
}
