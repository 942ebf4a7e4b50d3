package spectrum_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"surgeon/tensors/drift/spectrum"
)

// TestThreads wants the same bits from 1, 2 and 5 threads, of matrices of more
// than one block and of both ways to decompose.
func TestThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, d := range []dense{planted(1, 1301, 83, 0.01, 5, 3, 2), planted(2, 83, 1301, 0.01, 5, 3, 2), planted(3, 1301, 20, 1)} {
		var first *spectrum.SVD
		for _, threads := range []int{1, 2, 5} {
			runtime.GOMAXPROCS(threads)
			svd := decompose(t, d, spectrum.Options{Rank: 10})
			if first == nil {
				first = svd
			}
			if !same(first, svd) {
				t.Errorf("%d x %d: other bits with %d threads", d.rows, d.columns, threads)
			}
		}
	}
}

// same compares bit for bit.
func same(a, b *spectrum.SVD) bool {
	return slices.Equal(a.S, b.S) && slices.EqualFunc(a.U, b.U, slices.Equal) && slices.EqualFunc(a.V, b.V, slices.Equal) &&
		a.Norm2 == b.Norm2 && a.Residual == b.Residual
}

// TestSeed: the sketch is a function of the seed, and the result hardly.
func TestSeed(t *testing.T) {
	d := planted(4, 600, 120, 0.01, 5, 3, 2)
	a, b, c := decompose(t, d, spectrum.Options{Rank: 3}), decompose(t, d, spectrum.Options{Rank: 3}), decompose(t, d, spectrum.Options{Rank: 3, Seed: 1})
	if !same(a, b) {
		t.Error("two runs of one seed differ")
	}
	if same(a, c) {
		t.Error("two seeds give the same bits")
	}
	for j := range a.S {
		near(t, "the value of another seed", c.S[j], a.S[j], 1e-6)
	}
}

// TestTransposed: A and A' have the same values, and U and V change places.
func TestTransposed(t *testing.T) {
	for _, columns := range []int{150, 30} { // sketched, exact
		d := planted(5, 700, columns, 0.001, 5, 3, 2, 1)
		a, b := decompose(t, d, spectrum.Options{Rank: 4, Oversample: 26}), decompose(t, d.transposed(), spectrum.Options{Rank: 4, Oversample: 26})
		if a.Exact != (columns == 30) || b.Exact != a.Exact {
			t.Errorf("exact: %v and %v", a.Exact, b.Exact)
		}
		for j := range a.S {
			near(t, "the transpose's value", b.S[j], a.S[j], 1e-6)
			near(t, "the cosine of U and V", math.Abs(dot(a.U[j], b.V[j])), 1, 1e-6)
			near(t, "the cosine of V and U", math.Abs(dot(a.V[j], b.U[j])), 1, 1e-6)
		}
	}
}

// TestScaled: values scale with the matrix, up to the ends of float32.
func TestScaled(t *testing.T) {
	for _, columns := range []int{150, 20} {
		d := planted(6, 600, columns, 0.01, 5, 3, 2, 1)
		want := decompose(t, d, spectrum.Options{Rank: 4})
		for _, factor := range []float64{2, -3, 1e-3, 0x1p129, -1e30, 1e-30, 0x1p-120} {
			got := decompose(t, d.scaled(factor), spectrum.Options{Rank: 4})
			size := math.Abs(factor)
			for j := range want.S {
				near(t, "the scaled value", got.S[j]/size, want.S[j], 1e-6)
			}
			near(t, "the scaled norm", got.Norm2/size/size, want.Norm2, 1e-5)
			near(t, "the residual of the scaled", got.Residual, want.Residual, 1e-5)
		}
	}
}

// TestPermuted: other rows first change U in the same way and nothing else.
func TestPermuted(t *testing.T) {
	d := planted(7, 700, 150, 0.001, 5, 3, 2, 1)
	order := rand.New(rand.NewPCG(1, 1)).Perm(d.rows)
	p := newDense(d.rows, d.columns)
	for r, from := range order {
		copy(p.values[r*d.columns:(r+1)*d.columns], d.values[from*d.columns:])
	}
	a, b := decompose(t, d, spectrum.Options{Rank: 4}), decompose(t, p, spectrum.Options{Rank: 4})
	for j := range a.S {
		near(t, "the permuted value", b.S[j], a.S[j], 1e-6)
		near(t, "the cosine of V", math.Abs(dot(a.V[j], b.V[j])), 1, 1e-6)
		var cosine float64
		for r, from := range order {
			cosine += b.U[j][r] * a.U[j][from]
		}
		near(t, "the cosine of U", math.Abs(cosine), 1, 1e-6)
	}
}

// TestNorm: the squared norm of integers is exact.
func TestNorm(t *testing.T) {
	d, want := newDense(1030, 77), 0.0
	for i := range d.values {
		v := i*i%2003 - 1001
		d.values[i] = float32(v)
		want += float64(v * v)
	}
	near(t, "the norm", decompose(t, d, spectrum.Options{Rank: 2}).Norm2, want, 0)
}

// TestOptions: more of either makes the values of a flat spectrum better, and
// none of either is possible.
func TestOptions(t *testing.T) {
	d := planted(8, 250, 250, 1)
	sum := func(opt spectrum.Options) (sum float64) {
		opt.Rank = 10
		for _, s := range decompose(t, d, opt).S {
			sum += s
		}
		return sum
	}
	bare, more := sum(spectrum.Options{Oversample: -1, PowerIterations: -1}), sum(spectrum.Options{Oversample: 20, PowerIterations: -1})
	usual, most := sum(spectrum.Options{}), sum(spectrum.Options{Oversample: 60, PowerIterations: 6})
	if !(bare < 0.9*more && more < usual && usual < most) {
		t.Errorf("sums of values: %v bare, %v oversampled, %v as usual, %v with most", bare, more, usual, most)
	}
	if usual != sum(spectrum.Options{Oversample: 16, PowerIterations: 2}) {
		t.Error("zero options are not 16 columns and 2 iterations")
	}
}

// TestSizes: k values whatever the sketch, and Exact from where it covers the
// lesser side.
func TestSizes(t *testing.T) {
	d := planted(8, 60, 50, 1)
	check := func(opt spectrum.Options, k int, exact bool) {
		t.Helper()
		svd := decompose(t, d, opt)
		checkShape(t, svd, 60, 50, k)
		if svd.Exact != exact {
			t.Errorf("%+v: exact %v", opt, svd.Exact)
		}
	}
	check(spectrum.Options{Rank: 33}, 33, false)
	check(spectrum.Options{Rank: 34}, 34, true)
	check(spectrum.Options{Rank: 49, Oversample: -7}, 49, false)
	check(spectrum.Options{Rank: 50, Oversample: -7}, 50, true)
	check(spectrum.Options{Rank: 7, Oversample: math.MaxInt}, 7, true)
	check(spectrum.Options{Rank: math.MaxInt}, 50, true)
}
