package merge

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"

	"surgeon/tensors/kernel"
)

// pair stands for a pair of Gram matrices: tensors with equal ones share a mixer.
type pair struct {
	width int
	sum   [sha256.Size]byte
}

// digest makes the pair that of two matrices.
func (p *pair) digest(g0, g1 []float64) {
	h, raw := sha256.New(), make([]byte, 0, 1<<16)
	for _, g := range [][]float64{g0, g1} {
		for len(g) > 0 {
			n := min(len(g), cap(raw)/8)
			raw = raw[:0]
			for _, v := range g[:n] {
				raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
			}
			h.Write(raw)
			g = g[n:]
		}
	}
	h.Sum(p.sum[:0])
}

// wellConditioned is the shrink up to which a mixture has no eigenvalue below a
// twentieth once its diagonal is scaled to 1, so that products with its inverse
// lose hardly more in float32 than others.
const wellConditioned = 0.95

// mixer computes the K [n, n] of RegMean, packed to be multiplied by. It is an error
// if the Gram matrices are of no inputs.
func mixer(g0, g1 []float64, n int, opt RegMeanOptions) (*kernel.Panels, error) {
	t0, t1 := trace(g0, n), trace(g1, n)
	if !(t0 > 0 && t1 > 0 && t0+t1 <= math.MaxFloat64) {
		return nil, fmt.Errorf("the Gram matrices of its inputs have traces of %v and %v, which are to be positive and finite: collect them on other prompts", t0, t1)
	}
	mixture, own := make([]float64, n*n), make([]float64, n*n)
	for ridge := opt.Ridge; ; ridge = min(1, 10*ridge) {
		kernel.Parallel(n, func(low, high int) {
			for at := low * n; at < high*n; at++ {
				general, domain := g0[at]/t0, g1[at]/t1
				if at%(n+1) == 0 {
					general, domain = general+ridge/float64(n), domain+ridge/float64(n)
				} else {
					general, domain = opt.Shrink*general, opt.Shrink*domain
				}
				own[at] = opt.Weight * domain
				mixture[at] = float64((1-opt.Weight)*general) + own[at]
			}
		})
		lower, ok := lapack64.Potrf(blas64.Symmetric{Uplo: blas.Lower, N: n, Stride: n, Data: mixture})
		switch {
		case ok && opt.Shrink > wellConditioned:
			return solved(lower, own), nil
		case ok:
			return inverted(lower, own), nil
		case !(ridge < 1):
			return nil, errors.New("the mixture of the Gram matrices of its inputs is not positive definite, not even with a ridge as high as the mean of its diagonal: no inputs have these products")
		}
	}
}

// trace is the sum of the diagonal of a matrix [n, n].
func trace(g []float64, n int) (sum float64) {
	for i := range n {
		sum += g[i*n+i]
	}
	return sum
}

// solved is (L L')^-1 own, in float64.
func solved(lower blas64.Triangular, own []float64) *kernel.Panels {
	n := lower.N
	k := blas64.General{Rows: n, Cols: n, Stride: n, Data: own}
	blas64.Trsm(blas.Left, blas.NoTrans, 1, lower, k)
	blas64.Trsm(blas.Left, blas.Trans, 1, lower, k)
	packed := new(kernel.Panels)
	packed.Pack(narrowed(own), n, n)
	return packed
}

// inverted is the same but for the rounding: L is inverted in float64, which takes
// a sixth of the work, and both products are those of package kernel.
func inverted(lower blas64.Triangular, own []float64) *kernel.Panels {
	n, packed := lower.N, new(kernel.Panels)
	invert(lower)
	inverse, first, k := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
	for i := range n {
		for j, v := range lower.Data[i*n : i*n+i+1] {
			inverse[i*n+j] = float32(v)
		}
	}
	packed.Pack(narrowed(own), n, n) // symmetric
	packed.Multiply(first, inverse, n)
	kernel.WeightGradient(k, inverse, first, n, n, n)
	packed.Pack(k, n, n)
	return packed
}

// invert inverts a lower triangular matrix in its place by halves,
//
//	( A 0 )^-1   (     A^-1       0   )
//	( C B )    = ( -B^-1 C A^-1  B^-1 )
//
// which gonum solves for faster than it multiplies by triangles.
func invert(l blas64.Triangular) {
	if l.N <= 64 {
		lapack64.Trtri(l) // a factor has no zeros on its diagonal
		return
	}
	half := l.N / 2
	a, b := l, l
	a.N, b.N = half, l.N-half
	b.Data = l.Data[half*l.Stride+half:]
	c := blas64.General{Rows: b.N, Cols: half, Stride: l.Stride, Data: l.Data[half*l.Stride:]}
	blas64.Trsm(blas.Left, blas.NoTrans, -1, b, c)
	blas64.Trsm(blas.Right, blas.NoTrans, 1, a, c)
	invert(a)
	invert(b)
}

// narrowed rounds to float32.
func narrowed(values []float64) []float32 {
	narrow := make([]float32, len(values))
	for i, v := range values {
		narrow[i] = float32(v)
	}
	return narrow
}
