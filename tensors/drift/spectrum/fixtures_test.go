package spectrum_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"surgeon/tensors/drift/spectrum"
)

// dense is a matrix in memory, row-major.
type dense struct {
	rows, columns int
	values        []float32
}

func newDense(rows, columns int) dense { return dense{rows, columns, make([]float32, rows*columns)} }

// matrix reads from memory, into buffers that hold something else before.
func (d dense) matrix() spectrum.Matrix {
	return spectrum.Matrix{Rows: d.rows, Columns: d.columns, Read: func(dst []float32, row, n int) error {
		if len(dst) != n*d.columns || n < 1 {
			panic("a block of another length than its rows")
		}
		copy(dst, d.values[row*d.columns:(row+n)*d.columns])
		return nil
	}}
}

func (d dense) transposed() dense {
	t := newDense(d.columns, d.rows)
	for r := range d.rows {
		for c := range d.columns {
			t.values[c*d.rows+r] = d.values[r*d.columns+c]
		}
	}
	return t
}

func (d dense) scaled(factor float64) dense {
	s := newDense(d.rows, d.columns)
	for i, v := range d.values {
		s.values[i] = float32(float64(v) * factor)
	}
	return s
}

func (d dense) norm2() (sum float64) {
	for _, v := range d.values {
		sum += float64(v) * float64(v)
	}
	return sum
}

// oracle is gonum's whole decomposition in float64.
func (d dense) oracle(t *testing.T) (u *mat.Dense, s []float64) {
	t.Helper()
	a := mat.NewDense(d.rows, d.columns, nil)
	for i, v := range d.values {
		a.Set(i/d.columns, i%d.columns, float64(v))
	}
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDThin) {
		t.Fatal("the oracle does not converge")
	}
	u = new(mat.Dense)
	svd.UTo(u)
	return u, svd.Values(nil)
}

// planted is a sum of random directions of the given singular values (the
// directions are orthogonal up to chance) and noise of a standard deviation.
func planted(seed uint64, rows, columns int, noise float64, values ...float64) dense {
	random := rand.New(rand.NewPCG(seed, 77))
	sums := make([]float64, rows*columns)
	for i := range sums {
		sums[i] = noise * random.NormFloat64()
	}
	for _, s := range values {
		u, v := unit(random, rows), unit(random, columns)
		for i := range sums {
			sums[i] += s * u[i/columns] * v[i%columns]
		}
	}
	d := newDense(rows, columns)
	for i, v := range sums {
		d.values[i] = float32(v)
	}
	return d
}

func unit(random *rand.Rand, n int) []float64 {
	v, sum := make([]float64, n), 0.0
	for i := range v {
		v[i] = random.NormFloat64()
		sum += v[i] * v[i]
	}
	for i := range v {
		v[i] /= math.Sqrt(sum)
	}
	return v
}

// powers gives n values that fall by a factor.
func powers(n int, factor float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = math.Pow(factor, float64(i))
	}
	return values
}

func decompose(t testing.TB, d dense, opt spectrum.Options) *spectrum.SVD {
	t.Helper()
	svd, err := spectrum.Decompose(t.Context(), d.matrix(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return svd
}

// near checks a number against another implementation's.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v within %v", what, got, want, tolerance)
	}
}

func dot(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// checkShape checks what every SVD promises: k values, descending and not
// negative, with orthonormal vectors.
func checkShape(t *testing.T, svd *spectrum.SVD, rows, columns, k int) {
	t.Helper()
	if svd.Rows != rows || svd.Columns != columns || len(svd.S) != k || len(svd.U) != k || len(svd.V) != k {
		t.Fatalf("%d x %d, %d values, %d and %d vectors; want %d x %d, %d", svd.Rows, svd.Columns, len(svd.S), len(svd.U), len(svd.V), rows, columns, k)
	}
	for j, s := range svd.S {
		if !(s >= 0) || j > 0 && s > svd.S[j-1] {
			t.Errorf("value %d is %v after %v", j, s, svd.S[max(j-1, 0)])
		}
	}
	orthonormal(t, "U", svd.U, rows)
	orthonormal(t, "V", svd.V, columns)
}

func orthonormal(t *testing.T, what string, vectors [][]float64, n int) {
	t.Helper()
	for i, u := range vectors {
		if len(u) != n {
			t.Fatalf("%s[%d] has %d elements, want %d", what, i, len(u), n)
		}
		for j := range i + 1 {
			want := 0.0
			if i == j {
				want = 1
			}
			if got := dot(u, vectors[j]); !(math.Abs(got-want) <= 1e-12) {
				t.Errorf("<%s[%d], %s[%d]> is %v", what, i, what, j, got)
			}
		}
	}
}
