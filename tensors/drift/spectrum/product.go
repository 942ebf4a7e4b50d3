package spectrum

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Product decomposes the product L R of two thin factors without multiplying them
// out: with L = Q T and R' = P U (orthonormal columns, square rests), the core T U'
// has the singular values of L R, and its vectors times Q and P are those of L R.
// left is [rows, rank], right [rank, columns], row-major; the result has as many
// values as the least of the three and is Exact. All is float64. Values that are no
// finite numbers are an error.
func Product(left, right []float32, rows, rank, columns int) (*SVD, error) {
	if len(left) != rows*rank || len(right) != rank*columns {
		panic(fmt.Sprintf("spectrum: factors of %d and %d values for a product [%d, %d] [%d, %d]", len(left), len(right), rows, rank, rank, columns))
	}
	d := &SVD{Rows: rows, Columns: columns, Exact: true}
	if rows == 0 || columns == 0 || rank == 0 {
		return d, nil
	}
	for _, values := range [][]float32{left, right} {
		for _, v := range values {
			if w := float64(v); math.IsNaN(w) || math.IsInf(w, 0) {
				return nil, fmt.Errorf("spectrum: %w: a factor holds %v", ErrNotFinite, v)
			}
		}
	}
	y, x := newDense(rank, rows), newDense(rank, columns) // the factors by rows of length rows and columns
	for i := range rows {
		for r := range rank {
			y.Data[r*rows+i] = float64(left[i*rank+r])
		}
	}
	for i, v := range right {
		x.Data[i] = float64(v)
	}
	if rank > min(rows, columns) {
		return d, d.multiplied(y, x)
	}
	t, u := factor(y), factor(x) // y = t Q', x = u P': L R = Q t' u P'
	core := newDense(rank, rank)
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, t, u, 0, core)
	left64, values, err := decompose(core, rank)
	if err != nil {
		return nil, err
	}
	combine(left64, y)
	combine(core, x) // decompose left the right vectors in core
	d.U, d.S, d.V = vectors(y, rank), values, vectors(x, rank)
	d.addNorm()
	return d, nil
}

// multiplied is Product of factors that are not thin: y [rank, rows], x [rank,
// columns].
func (d *SVD) multiplied(y, x blas64.General) error {
	tall := d.Rows > d.Columns
	if tall {
		y, x = x, y
	}
	a := newDense(y.Cols, x.Cols) // the lesser side first
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, y, x, 0, a)
	left, values, err := decompose(a, a.Rows)
	if err != nil {
		return err
	}
	d.U, d.S, d.V = vectors(left, a.Rows), values, vectors(a, a.Rows)
	if tall {
		d.U, d.V = d.V, d.U
	}
	d.addNorm()
	return nil
}

// addNorm is the norm of a matrix of which all singular values are known.
func (d *SVD) addNorm() {
	for _, s := range d.S {
		d.Norm2 += float64(s * s)
	}
}
