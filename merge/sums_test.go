package merge

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSingular: the sums of two equal terms, whatever they are, have no
// solution: never a number that rounding has made up.
func TestSingular(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		g, c := math.Ldexp(1+random.Float64(), random.IntN(40)-20), random.NormFloat64()
		if a := leastSquares([]float64{c, c, g, g, g}, 2); !math.IsNaN(a[0]) || !math.IsNaN(a[1]) {
			t.Fatalf("sums %v and %v have the solution %v", g, c, a)
		}
	}
}

// TestUnlikeSizes: terms that stand at right angles are told apart whatever
// their sizes are.
func TestUnlikeSizes(t *testing.T) {
	for _, size := range []float64{1, 1e-6, 1e-9, 1e-12, 1e9} {
		g := size * size
		if a := leastSquares([]float64{0.3, 0.7 * g, 1, 0, g}, 2); !(math.Abs(a[0]-0.3) <= 1e-12 && math.Abs(a[1]-0.7) <= 1e-12) {
			t.Errorf("sizes 1 and %v: %v, want [0.3 0.7]", size, a)
		}
	}
}

// TestSumOfOthers: a term that is the sum of two others leaves all three
// without alphas, one that changes nothing leaves the others theirs.
func TestSumOfOthers(t *testing.T) {
	// d1 = (1,0,2), d2 = (0,1,1), d3 = d1+d2; moved = 2*d1 + 3*d2.
	sums := []float64{2*5 + 3*2, 2*2 + 3*2, 14 + 12, 5, 2, 2, 7, 4, 11}
	for k, alpha := range leastSquares(sums, 3) {
		if !math.IsNaN(alpha) {
			t.Errorf("term %d of dependent ones has %v", k, alpha)
		}
	}
	for k, alpha := range leastSquares([]float64{16, 0, 10, 5, 0, 0, 2, 0, 2}, 3) {
		if want := []float64{2, math.NaN(), 3}[k]; !(math.Abs(alpha-want) < 1e-14) && !(math.IsNaN(alpha) && math.IsNaN(want)) {
			t.Errorf("term %d has %v, want %v", k, alpha, want)
		}
	}
}

// TestProjections sums in a fixed order over the elements that change; what is
// the same infinity on both sides is none of them.
func TestProjections(t *testing.T) {
	inf := math.Inf(1)
	got := projections([]float64{3, inf, 1, 5}, []float64{1, inf, 1, 2}, [][]float64{{2, 0, 0, 1}, {1, 0, 4, 0}})
	for i, want := range []float64{2*2 + 3, 2, 4 + 1, 2, 1 + 16} {
		if got[i] != want {
			t.Errorf("sum %d is %v, want %v", i, got[i], want)
		}
	}
}
