package stat

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// TestTango compares with intervals that others computed: R's contingencytables
// (Cavo 2012), ratesci (three examples of its test suite, of which the first
// is from Agresti and Min 2005) and PropCIs (25 against 28 of 618); and with
// Fagerland, Lydersen and Laake, Statistics in Medicine 33, 2014, p. 2850, for
// 7 against 1 of 21.
func TestTango(t *testing.T) {
	check := func(lost, gained, n int, confidence, low, high, tolerance float64) {
		t.Helper()
		gotLow, gotHigh := Tango(lost, gained, n, confidence)
		near(t, "Low", gotLow, low, tolerance)
		near(t, "High", gotHigh, high, tolerance)
	}
	check(16, 6, 161, 0.95, -0.1240, -0.0054, 5e-5)
	check(8, 16, 86, 0.95, -0.020, 0.207, 5e-4)
	check(3, 9, 32, 0.95, -0.027, 0.390, 5e-4)
	check(1, 0, 44, 0.90, -0.096, 0.037, 5e-4)
	check(25, 28, 618, 0.90, -0.0148, 0.0247, 5e-5)
	check(7, 1, 21, 0.95, -0.517, -0.026, 5e-4)
}

// TestNewcombe: Cavo 2012 by R's contingencytables, and Newcombe's limits when
// all items change one way, 1 - sqrt(2) (1 - lower Wilson end).
func TestNewcombe(t *testing.T) {
	low, high := Newcombe(59, 16, 6, 80, 0.95)
	near(t, "Low", low, -0.1186, 5e-5)
	near(t, "High", high, -0.0046, 5e-5)
	low, high = Newcombe(0, 0, 20, 0, 0.95)
	near(t, "Low", low, 1-math.Sqrt2*(1-20/(20+3.841459)), 1e-6)
	near(t, "High", high, 1, 0)
}

// TestMcNemarMid: Cavo 2012 by R's contingencytables; all one way is 1/2^m; an
// even split is certain but for half the chance of it.
func TestMcNemarMid(t *testing.T) {
	exact, mid := McNemar(16, 6)
	near(t, "exact", exact, 0.052479, 5e-7)
	near(t, "mid-p", mid, 0.034690, 5e-7)
	exact, mid = McNemar(0, 5)
	near(t, "exact", exact, 2.0/32, 1e-15)
	near(t, "mid-p", mid, 1.0/32, 1e-15)
	exact, mid = McNemar(1, 1)
	near(t, "exact", exact, 1, 0)
	near(t, "mid-p", mid, 0.75, 1e-15)
	exact, mid = McNemar(0, 0)
	near(t, "exact", exact, 1, 0)
	near(t, "mid-p", mid, 1, 0)
}

// TestTangoLaws: exchanging the models mirrors the interval, a higher
// confidence widens it, it holds the difference and stays within [-1,1], and
// at its ends the score statistic is the quantile.
func TestTangoLaws(t *testing.T) {
	for n := 1; n <= 12; n++ {
		for lost := 0; lost <= n; lost++ {
			for gained := 0; lost+gained <= n; gained++ {
				name, d := fmt.Sprintf("%d lost, %d gained of %d", lost, gained, n), float64(gained-lost)/float64(n)
				low, high := Tango(lost, gained, n, 0.9)
				mirroredLow, mirroredHigh := Tango(gained, lost, n, 0.9)
				wideLow, wideHigh := Tango(lost, gained, n, 0.99)
				near(t, name+" mirrored", mirroredLow, -high, 1e-9)
				near(t, name+" mirrored", mirroredHigh, -low, 1e-9)
				if !(-1 <= wideLow && wideLow <= low && low <= d && d <= high && high <= wideHigh && wideHigh <= 1) {
					t.Errorf("%s: %v to %v, at 99 %% %v to %v", name, low, high, wideLow, wideHigh)
				}
				newLow, newHigh := Newcombe(0, lost, gained, n-lost-gained, 0.9)
				if !(-1 <= newLow && newLow <= d && d <= newHigh && newHigh <= 1) {
					t.Errorf("%s: Newcombe %v to %v", name, newLow, newHigh)
				}
			}
		}
	}
}

// TestTangoCoverage adds up the probability of every table of n items whose
// 95 % interval holds the true difference: exact coverage, no simulation.
// Regime: n = 100 items of which 10 to 30 % change.
func TestTangoCoverage(t *testing.T) {
	const n = 100
	check := func(pLost, pGained float64) {
		t.Helper()
		truth, tango := pGained-pLost, 0.0
		for lost := 0; lost <= n; lost++ {
			for gained := 0; lost+gained <= n; gained++ {
				p := trinomial(n, lost, gained, pLost, pGained)
				if p < 1e-9 {
					continue
				}
				if low, high := Tango(lost, gained, n, 0.95); low <= truth && truth <= high {
					tango += p
				}
			}
		}
		t.Logf("lost %v, gained %v: Tango covers %.4f", pLost, pGained, tango)
		if tango < 0.94 || tango > 0.965 {
			t.Errorf("lost %v, gained %v: Tango covers %.4f", pLost, pGained, tango)
		}
	}
	check(0.05, 0.05)
	check(0.10, 0.10)
	check(0.15, 0.15)
	check(0.15, 0.05)
	check(0.09, 0.03)
	check(0.25, 0.05)
}

func trinomial(n, lost, gained int, pLost, pGained float64) float64 {
	return distuv.Binomial{N: float64(n), P: pLost}.Prob(float64(lost)) *
		distuv.Binomial{N: float64(n - lost), P: pGained / (1 - pLost)}.Prob(float64(gained))
}

// TestNewcombeCoverage does the same for Newcombe's interval, which needs all
// four cells. Regime: n = 60, correlated answers, 17 to 30 % change.
func TestNewcombeCoverage(t *testing.T) {
	const n = 60
	check := func(pBoth, pLost, pGained float64) {
		t.Helper()
		truth, covered := pGained-pLost, 0.0
		for lost := 0; lost <= n; lost++ {
			for gained := 0; lost+gained <= n; gained++ {
				p := trinomial(n, lost, gained, pLost, pGained)
				if p < 1e-7 {
					continue
				}
				same := n - lost - gained
				for both := range same + 1 {
					q := p * distuv.Binomial{N: float64(same), P: pBoth / (1 - pLost - pGained)}.Prob(float64(both))
					if q < 1e-9 {
						continue
					}
					if low, high := Newcombe(both, lost, gained, same-both, 0.95); low <= truth && truth <= high {
						covered += q
					}
				}
			}
		}
		t.Logf("both %v, lost %v, gained %v: Newcombe covers %.4f", pBoth, pLost, pGained, covered)
		if covered < 0.94 || covered > 0.97 {
			t.Errorf("both %v, lost %v, gained %v: Newcombe covers %.4f", pBoth, pLost, pGained, covered)
		}
	}
	check(0.4, 0.1, 0.1)
	check(0.5, 0.1, 0.07)
	check(0.3, 0.2, 0.1)
}
