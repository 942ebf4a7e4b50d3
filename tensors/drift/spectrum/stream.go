package spectrum

import (
	"context"
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/blas/blas64"

	"surgeon/tensors/kernel"
)

// The size of a block: blockBytes of float32, but at least leastRows so that
// the tiles of kernel.Linear are full. No sum in float32 over the rows of a
// block is longer than chainRows, so that even rounding that goes one way all
// the time stays near 1e-6.
const (
	blockBytes = 4 << 20
	leastRows  = 16
	mostRows   = 512
	chainRows  = 64
)

// stream reads a matrix block by block and multiplies by it. The products of a
// block are in float32, by kernel.Linear; between blocks they are in float64
// and added in the order of the blocks.
type stream struct {
	ctx    context.Context
	matrix Matrix
	rows   int       // of a block
	block  []float32 // [rows, Columns]
	sums   []float64 // [rows] squared norms of the rows of the block
	turned []float32 // [Columns, chainRows] a part of the block transposed
	long   []float32 // [width, Columns] vectors times or from a block
	short  []float32 // [width, rows]
}

func newStream(ctx context.Context, m Matrix) *stream {
	rows := min(max(blockBytes/4/m.Columns/leastRows*leastRows, leastRows), mostRows, m.Rows)
	return &stream{ctx: ctx, matrix: m, rows: rows, block: make([]float32, rows*m.Columns), sums: make([]float64, rows)}
}

// pass reads the matrix once, from the first row to the last. Each block that
// is all finite is shown to visit with the number of its first row and its
// squared norm. The sum of those is that of the whole matrix, added row by row.
func (s *stream) pass(visit func(row int, block []float32, norm2 float64)) (norm2 float64, err error) {
	for row := 0; row < s.matrix.Rows; row += s.rows {
		if err := s.ctx.Err(); err != nil {
			return 0, err
		}
		n := min(s.rows, s.matrix.Rows-row)
		if err := s.read(row, n); err != nil {
			return 0, err
		}
		var sum float64
		for r, v := range s.sums[:n] {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, s.notFinite(row, r)
			}
			sum += v
			norm2 += v
		}
		visit(row, s.block[:n*s.matrix.Columns], sum)
	}
	return norm2, nil
}

// read fills block and sums, on all processors. Of several errors it gives that
// of the lowest row.
func (s *stream) read(row, n int) error {
	var lock sync.Mutex
	var failed error
	lowest, columns := n, s.matrix.Columns
	kernel.Parallel(n, func(low, high int) {
		err := s.matrix.Read(s.block[low*columns:high*columns], row+low, high-low)
		if err != nil {
			lock.Lock()
			defer lock.Unlock()
			if low < lowest {
				lowest, failed = low, err
			}
			return
		}
		for r := low; r < high; r++ {
			s.sums[r] = squares(s.block[r*columns : (r+1)*columns])
		}
	})
	return failed
}

// squares is the sum of v^2, in four chains of which element i adds to chain
// i mod 4. It is finite if and only if every value is.
func squares(values []float32) float64 {
	var a, b, c, d float64
	for ; len(values) >= 4; values = values[4:] {
		w, x, y, z := float64(values[0]), float64(values[1]), float64(values[2]), float64(values[3])
		a += float64(w * w)
		b += float64(x * x)
		c += float64(y * y)
		d += float64(z * z)
	}
	for _, v := range values {
		a += float64(float64(v) * float64(v))
	}
	return a + b + (c + d)
}

// notFinite names the first value of row r of the block that is no number.
func (s *stream) notFinite(row, r int) error {
	values := s.block[r*s.matrix.Columns : (r+1)*s.matrix.Columns]
	for column, v := range values {
		if w := float64(v); math.IsNaN(w) || math.IsInf(w, 0) {
			return fmt.Errorf("spectrum: %w: row %d, column %d is %v", ErrNotFinite, row+r, column, v)
		}
	}
	panic("spectrum: the sum of finite squares is not finite")
}

// scale multiplies a block by a power of two, exactly, so that neither its
// products nor their parts leave the range of float32, and returns what undoes
// it. Blocks of ordinary size stay as they are.
func scale(block []float32, norm2 float64) float64 {
	_, exponent := math.Frexp(norm2)
	if exponent /= 2; -60 < exponent && exponent < 60 {
		return 1
	}
	down := math.Ldexp(1, -exponent)
	for i, v := range block {
		block[i] = float32(float64(v) * down)
	}
	return 1 / down
}

// multiply sets the rows of y [width, Rows] to A times the rows of x [width,
// Columns] and returns the squared norm of A.
func (s *stream) multiply(y, x blas64.General) (norm2 float64, err error) {
	width, columns := x.Rows, x.Cols
	long, short := grow(&s.long, width*columns), grow(&s.short, width*s.rows)
	narrow(long, x, 0, columns)
	return s.pass(func(row int, block []float32, norm2 float64) {
		undo, n := scale(block, norm2), len(block)/columns
		product := short[:width*n]
		kernel.Linear(product, long, block, nil, width, columns, n)
		for j := range width {
			dst := y.Data[j*y.Stride+row:]
			for i, v := range product[j*n : (j+1)*n] {
				dst[i] = float64(v) * undo
			}
		}
	})
}

// multiplyTransposed sets the rows of x [width, Columns] to A' times the rows
// of y [width, Rows].
func (s *stream) multiplyTransposed(x, y blas64.General) error {
	clear(x.Data)
	columns := x.Cols
	_, err := s.pass(func(row int, block []float32, norm2 float64) {
		undo := scale(block, norm2)
		for len(block) > 0 {
			n := min(chainRows, len(block)/columns)
			s.addTransposed(x, y, row, block[:n*columns], undo)
			row, block = row+n, block[n*columns:]
		}
	})
	return err
}

// addTransposed adds what some rows of A have to do with that product.
func (s *stream) addTransposed(x, y blas64.General, row int, block []float32, undo float64) {
	width, columns := x.Rows, x.Cols
	n := len(block) / columns
	product, part := grow(&s.long, width*columns), grow(&s.short, width*n)
	turned := grow(&s.turned, len(block))
	transpose(turned, block, n, columns)
	narrow(part, y, row, n)
	kernel.Linear(product, part, turned, nil, width, n, columns)
	kernel.Parallel(width, func(low, high int) {
		for j := low; j < high; j++ {
			dst := x.Data[j*x.Stride : j*x.Stride+columns]
			for i, v := range product[j*columns : (j+1)*columns] {
				dst[i] += float64(float64(v) * undo)
			}
		}
	})
}

// narrow rounds the columns from, from+1, ... from+n-1 of a to float32:
// dst [a.Rows, n].
func narrow(dst []float32, a blas64.General, from, n int) {
	for j := range a.Rows {
		src := a.Data[j*a.Stride+from : j*a.Stride+from+n]
		for i, v := range src {
			dst[j*n+i] = float32(v)
		}
	}
}

// transpose sets dst [columns, rows] to the transpose of src [rows, columns],
// in tiles that fit the nearest cache.
func transpose(dst, src []float32, rows, columns int) {
	const tile = 8
	kernel.Parallel((columns+tile-1)/tile, func(low, high int) {
		for c := low * tile; c < high*tile; c += tile {
			end := min(c+tile, columns)
			for r := range rows {
				for i, v := range src[r*columns+c : r*columns+end] {
					dst[(c+i)*rows+r] = v
				}
			}
		}
	})
}

// grow returns the first n elements of a buffer, made longer if need be.
func grow(buffer *[]float32, n int) []float32 {
	if len(*buffer) < n {
		*buffer = make([]float32, n)
	}
	return (*buffer)[:n]
}
