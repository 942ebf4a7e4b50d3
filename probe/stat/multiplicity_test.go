package stat

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// TestAdjusted compares with statsmodels' multipletests (holm, fdr_bh) and, for
// five values, with R's p.adjust.
func TestAdjusted(t *testing.T) {
	check := func(name string, got, want []float64) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s: %v", name, got)
		}
		for i := range want {
			near(t, fmt.Sprint(name, " ", i), got[i], want[i], 1e-12)
		}
	}
	p := []float64{0.01, 0.04, 0.03, 0.005, 0.2, 0.03}
	check("Holm", Holm(p), []float64{0.05, 0.12, 0.12, 0.03, 0.2, 0.12})
	check("BH", BenjaminiHochberg(p), []float64{0.03, 0.048, 0.045, 0.03, 0.2, 0.045})
	p = []float64{0.01, 0.02, 0.03, 0.04, 0.05}
	check("Holm", Holm(p), []float64{0.05, 0.08, 0.09, 0.09, 0.09})
	check("BH", BenjaminiHochberg(p), []float64{0.05, 0.05, 0.05, 0.05, 0.05})
	check("one", Holm([]float64{0.7}), []float64{0.7})
	check("none", BenjaminiHochberg(nil), nil)
	check("large", Holm([]float64{0.9, 0.8}), []float64{1, 1})
	if p[0] != 0.01 || p[4] != 0.05 {
		t.Error("the argument was changed")
	}
}

// TestFamilyError: with six true hypotheses, correlated by 0.5, Holm rejects
// any in at most 5 % of 4000 families; with three of them false, BH's false
// share of the rejected is at most 5 % on average. 3 sd are allowed.
func TestFamilyError(t *testing.T) {
	random := rand.New(rand.NewPCG(41, 1))
	const runs = 4000
	anyRejected, falseShare := 0, 0.0
	for range runs {
		p, q, shared := make([]float64, 6), make([]float64, 6), random.NormFloat64()
		for j := range p {
			z := 0.7071*shared + 0.7071*random.NormFloat64()
			p[j] = 2 * distuv.UnitNormal.CDF(-max(z, -z))
			if j < 3 {
				z += 3
			}
			q[j] = 2 * distuv.UnitNormal.CDF(-max(z, -z))
		}
		if slices.Min(Holm(p)) <= 0.05 {
			anyRejected++
		}
		rejected, wrong := 0.0, 0.0
		for j, value := range BenjaminiHochberg(q) {
			if value <= 0.05 {
				rejected++
				wrong += one(j >= 3)
			}
		}
		falseShare += wrong / max(1, rejected) / runs
	}
	t.Logf("Holm rejects in %d of %d families, BH's false share is %.4f", anyRejected, runs, falseShare)
	if float64(anyRejected) > runs*0.05+3*sd(runs, 0.05) || anyRejected < runs/50 {
		t.Errorf("Holm rejects in %d of %d families", anyRejected, runs)
	}
	if falseShare > 0.05 {
		t.Errorf("BH's false share is %v", falseShare)
	}
}
