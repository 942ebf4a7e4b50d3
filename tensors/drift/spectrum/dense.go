package spectrum

import (
	"errors"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// Dense matrices are few long rows: l vectors of length n, l <= n.

func newDense(rows, columns int) blas64.General {
	return blas64.General{Rows: rows, Cols: columns, Stride: columns, Data: make([]float64, rows*columns)}
}

// vectors views the first k rows of a.
func vectors(a blas64.General, k int) [][]float64 {
	rows := make([][]float64, k)
	for i := range rows {
		from := i * a.Stride
		rows[i] = a.Data[from : from+a.Cols : from+a.Cols]
	}
	return rows
}

// factor computes a = L Q with Householder reflections: L [l, l] is lower
// triangular, and the rows of Q, which take the place of a, are orthonormal and
// span what the rows of a span. They are l orthonormal rows also where a has
// less rank, or is zero.
func factor(a blas64.General) (lower blas64.General) {
	tau, work := make([]float64, a.Rows), make([]float64, 1)
	lapack64.Gelqf(a, tau, work, -1) // asks for the size of its workspace
	work = make([]float64, int(work[0]))
	lapack64.Gelqf(a, tau, work, len(work))
	lower = newDense(a.Rows, a.Rows)
	for i := range a.Rows {
		copy(lower.Data[i*lower.Stride:], a.Data[i*a.Stride:i*a.Stride+i+1])
	}
	lapack64.Orglq(a, tau, work, len(work)) // needs no more than Gelqf
	return lower
}

// decompose finds the k leading singular values and vectors of a [l, n]. The
// left vectors are the rows of left [k, l]; the right ones take the place of
// the first k rows of a. With a = L Q and L = W diag(S) T' they are the columns
// of W and the rows of T'Q.
func decompose(a blas64.General, k int) (left blas64.General, values []float64, err error) {
	lower := factor(a)
	var svd mat.SVD
	if !svd.Factorize(mat.NewDense(lower.Rows, lower.Cols, lower.Data), mat.SVDThin) {
		return left, nil, errors.New("spectrum: the singular values of the core matrix did not converge")
	}
	var w, t mat.Dense
	svd.UTo(&w)
	svd.VTo(&t)
	left, right := newDense(k, a.Rows), newDense(k, a.Rows)
	for j, row := range vectors(left, k) {
		mat.Col(row, j, &w)
	}
	for j, row := range vectors(right, k) {
		mat.Col(row, j, &t)
	}
	combine(right, a)
	return left, svd.Values(nil)[:k], nil
}

// combineColumns is the width of the pieces that combine works in.
const combineColumns = 1024

// combine puts c a, c [k, l], in the place of the first k rows of a [l, n].
func combine(c, a blas64.General) {
	product := newDense(c.Rows, min(combineColumns, a.Cols))
	for from := 0; from < a.Cols; from += combineColumns {
		piece := a
		piece.Cols, piece.Data = min(combineColumns, a.Cols-from), a.Data[from:]
		product.Cols = piece.Cols
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, c, piece, 0, product)
		for j, row := range vectors(product, c.Rows) {
			copy(piece.Data[j*piece.Stride:], row)
		}
	}
}
