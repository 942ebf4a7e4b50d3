// Package spectrum finds the leading singular values and vectors of a weight
// matrix without holding the matrix, and what they say about it.
//
// A program uses it in this order:
//
//  1. A Matrix says its shape and how to read some of its rows. It is read in
//     blocks of a few MiB, several times over, so it may be as large as a
//     checkpoint's largest tensor, or a difference of two that nobody stored.
//  2. Decompose gives its SVD to a rank: A is near U diag(S) V', with the
//     share of the matrix that the rank leaves out (Residual).
//  3. StableRank, EffectiveRank and Energy say how many directions the matrix
//     has; Overlap and Intruders compare the directions of two matrices.
//
// The method is randomised subspace iteration (Halko, Martinsson and Tropp,
// arXiv 0909.4061, algorithms 4.4 and 5.1). Where the spectrum falls, and where
// it has a head above a flat tail, the leading values are good to about six
// digits. Inside a flat spectrum values come out too low, about a tenth for
// nothing but noise (118 for 128, 4096 x 4096, with the usual options): more
// PowerIterations help, and Energy and Residual tell. Products run in float32
// and are summed over blocks in float64: a value below ResolvedShare times the
// largest is taken for rounding noise.
// Where the rank and its oversampling cover the whole matrix there is no sketch
// and no float32: the decomposition is Exact.
//
// Every sum has a fixed order. On one kind of processor the result has the
// same bits for any number of threads.
package spectrum

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// ErrNotFinite is wrapped by Decompose's error for a matrix that holds a NaN or
// an infinity: it has no singular values.
var ErrNotFinite = errors.New("the matrix holds a value that is no finite number")

// Matrix is a Rows x Columns matrix, outputs by inputs as checkpoints store a
// weight, that is read by rows.
type Matrix struct {
	Rows, Columns int

	// Read fills dst, n*Columns values, with the rows row to row+n-1 in
	// row-major order. What dst holds before is left from other rows. Read is
	// called by several goroutines at once and must give the same values
	// each time.
	Read func(dst []float32, row, n int) error
}

// Options of Decompose. Rank must be at least 1; everything else may be zero.
type Options struct {
	Rank            int    // singular values wanted
	Oversample      int    // more columns of the sketch than Rank; 0 means 16, negative none
	PowerIterations int    // passes that sharpen the sketch; 0 means 2, negative none
	Seed            uint64 // of the sketch
}

// SVD is a singular value decomposition to a rank k, which is Options.Rank or
// the matrix's lesser side: A is near the sum over j of S[j] * U[j] * V[j]'.
// U and V are orthonormal, also where a value is 0.
type SVD struct {
	Rows, Columns int         // of the matrix
	U             [][]float64 // [k, Rows]: U[j] is the left singular vector of S[j]
	V             [][]float64 // [k, Columns]: V[j] is the right one
	S             []float64   // [k] singular values, descending
	Norm2         float64     // ||A||_F^2, over the whole matrix
	Exact         bool        // made in float64 from the matrix itself, without a sketch

	// Residual is ||A - U diag(S) V'||_F / ||A||_F, the share that rank k leaves:
	// sqrt((Norm2 - sum of S^2) / Norm2), 0 for A = 0. Below 1e-3 it is rounding
	// noise (1e-7 if Exact), since it is the root of a difference.
	Residual float64
}

// Decompose computes the k leading singular values and vectors of a matrix.
//
// With l = Rank + Oversample below both sides it makes 2*PowerIterations + 2
// passes over the matrix and keeps l vectors of each side, in float64, and a
// few blocks of rows. With l at or above the lesser side m it makes one pass,
// keeps all Rows*Columns values and takes time in proportion to m^2 times the
// greater side: that is meant for thin matrices.
//
// An error of Read or of ctx is passed on as it is.
func Decompose(ctx context.Context, m Matrix, opt Options) (*SVD, error) {
	if m.Rows < 0 || m.Columns < 0 {
		return nil, fmt.Errorf("spectrum: a matrix of %d rows and %d columns has no spectrum", m.Rows, m.Columns)
	}
	if opt.Rank < 1 {
		return nil, fmt.Errorf("spectrum: rank %d is asked for, it must be at least 1", opt.Rank)
	}
	side := min(m.Rows, m.Columns)
	if side == 0 {
		return &SVD{Rows: m.Rows, Columns: m.Columns, Exact: true}, nil
	}
	width := opt.width(side)
	d := &SVD{Rows: m.Rows, Columns: m.Columns, Exact: width == side}
	s := newStream(ctx, m)
	solve := d.project
	if d.Exact {
		solve = d.whole
	}
	if err := solve(s, opt, width); err != nil {
		return nil, err
	}
	if d.Norm2 > 0 {
		left := d.Norm2
		for _, v := range d.S {
			left -= float64(v * v)
		}
		d.Residual = math.Sqrt(max(0, left) / d.Norm2)
	}
	return d, nil
}

// width is the number of columns of the sketch, at most side.
func (o Options) width(side int) int {
	rank, more := min(o.Rank, side), defaulted(o.Oversample, 16)
	return rank + min(more, side-rank)
}

// defaulted reads an option whose zero value stands for something else.
func defaulted(option, zero int) int {
	if option == 0 {
		return zero
	}
	return max(0, option)
}

// project is the randomised method. With Q an orthonormal basis of nearly the
// range of A, B = Q'A is small on one side, and from B = W diag(S) V' follows
// A ~ QB = (QW) diag(S) V' (algorithm 5.1). Q is the range of (AA')^q A times a
// random sketch, orthonormalised after every product (algorithm 4.4).
//
// Both bases are kept as rows: x is [width, Columns], y is [width, Rows].
func (d *SVD) project(s *stream, opt Options, width int) (err error) {
	x, y := newDense(width, d.Columns), newDense(width, d.Rows)
	sketch(x, opt.Seed)
	if d.Norm2, err = s.multiply(y, x); err != nil {
		return err
	}
	factor(y)
	for range defaulted(opt.PowerIterations, 2) {
		if err = s.multiplyTransposed(x, y); err != nil {
			return err
		}
		factor(x)
		if _, err = s.multiply(y, x); err != nil {
			return err
		}
		factor(y)
	}
	if err = s.multiplyTransposed(x, y); err != nil { // x is B
		return err
	}
	k := min(opt.Rank, width)
	w, values, err := decompose(x, k)
	if err != nil {
		return err
	}
	combine(w, y)
	d.U, d.S, d.V = vectors(y, k), values, vectors(x, k)
	return nil
}

// whole decomposes a matrix whose lesser side is width: it is kept in float64
// with that side first.
func (d *SVD) whole(s *stream, opt Options, width int) (err error) {
	tall := d.Rows > d.Columns
	a := newDense(width, max(d.Rows, d.Columns))
	d.Norm2, err = s.pass(func(b *packed) {
		for i, v := range b.values {
			r, c := b.row+i/d.Columns, i%d.Columns
			if tall {
				r, c = c, r
			}
			a.Data[r*a.Stride+c] = float64(v) * b.undo
		}
	})
	if err != nil {
		return err
	}
	k := min(opt.Rank, width)
	left, values, err := decompose(a, k)
	if err != nil {
		return err
	}
	d.U, d.S, d.V = vectors(left, k), values, vectors(a, k)
	if tall {
		d.U, d.V = d.V, d.U
	}
	return nil
}
