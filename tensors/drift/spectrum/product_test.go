package spectrum_test

import (
	"errors"
	"math"
	"testing"

	"surgeon/tensors/drift/spectrum"
)

// TestProduct compares with the decomposition of the product itself: thin factors,
// more directions than a side has, directions that repeat or are zero.
func TestProduct(t *testing.T) {
	check := func(rows, rank, columns int, edit func(left, right []float32)) {
		t.Helper()
		left, right := planted(1, rows, rank, 1).values, planted(2, rank, columns, 1).values
		if edit != nil {
			edit(left, right)
		}
		d := newDense(rows, columns)
		for i := range rows {
			for j := range columns {
				sum := 0.0
				for r := range rank {
					sum += float64(left[i*rank+r]) * float64(right[r*columns+j])
				}
				d.values[i*columns+j] = float32(sum)
			}
		}
		_, want := d.oracle(t)
		svd, err := spectrum.Product(left, right, rows, rank, columns)
		if err != nil {
			t.Fatal(err)
		}
		k := min(rows, rank, columns)
		checkShape(t, svd, rows, columns, k)
		near(t, "the norm", svd.Norm2/d.norm2(), 1, 1e-6)
		for j, s := range svd.S {
			near(t, "a singular value", s, want[j], 1e-5*want[0])
		}
		for i := range rows {
			for j := range columns {
				sum := 0.0
				for r, s := range svd.S {
					sum += s * svd.U[r][i] * svd.V[r][j]
				}
				near(t, "an element", sum, float64(d.values[i*columns+j]), 1e-5*want[0])
			}
		}
	}
	check(9, 3, 7, nil)
	check(7, 1, 40, nil)
	check(40, 7, 7, nil)
	check(5, 6, 30, nil)
	check(30, 6, 5, nil)
	check(4, 9, 4, nil)
	check(1, 1, 1, nil)
	check(12, 4, 11, func(left, _ []float32) { // twice the same direction
		for i := range 12 {
			left[i*4+1] = left[i*4]
		}
	})
	check(12, 4, 11, func(_, right []float32) { clear(right[11:]) })

	if svd, err := spectrum.Product(nil, nil, 3, 0, 4); err != nil || len(svd.S) != 0 || svd.Norm2 != 0 {
		t.Errorf("a product of no directions: %v, %v", svd, err)
	}
	if _, err := spectrum.Product([]float32{1}, []float32{float32(math.NaN())}, 1, 1, 1); !errors.Is(err, spectrum.ErrNotFinite) {
		t.Errorf("NaN: %v", err)
	}
}
