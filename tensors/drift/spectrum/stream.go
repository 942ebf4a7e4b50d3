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

// keptBytes is the size of float32 up to which a matrix is kept in memory, packed
// for both products, instead of being read for every pass.
const keptBytes = 16 << 20

// stream reads a matrix block by block and multiplies by it. The products of a
// block are in float32, by package kernel; between blocks they are in float64
// and added in the order of the blocks.
type stream struct {
	ctx    context.Context
	matrix Matrix
	rows   int       // of a block
	block  []float32 // [rows, Columns]
	sums   []float64 // [rows] squared norms of the rows of the block
	kept   []*packed // the blocks of a small matrix, once they were read
	norm2  float64   // of all of kept
	packed packed    // the block of a large one
	long   []float32 // [width, Columns] vectors times or from a block
	short  []float32 // [width, rows]
}

// packed is a block of rows as the products need it. It is packed when it is first
// multiplied by.
type packed struct {
	row, rows int
	values    []float32 // [rows, Columns]; nil once both are packed
	undo      float64   // what the values are to be multiplied by
	forward   *kernel.Panels
	back      []*kernel.Panels // for chainRows rows each
}

func newStream(ctx context.Context, m Matrix) *stream {
	rows := min(max(blockBytes/4/m.Columns/leastRows*leastRows, leastRows), mostRows, m.Rows)
	return &stream{ctx: ctx, matrix: m, rows: rows, block: make([]float32, rows*m.Columns), sums: make([]float64, rows)}
}

// pass goes over the matrix once, from the first row to the last. Each block, which
// is all finite, is shown to visit. The squared norm of the matrix is added up row
// by row.
func (s *stream) pass(visit func(b *packed)) (norm2 float64, err error) {
	if s.kept != nil {
		for _, b := range s.kept {
			if err := s.ctx.Err(); err != nil {
				return 0, err
			}
			visit(b)
		}
		return s.norm2, nil
	}
	keep := 4*s.matrix.Rows*s.matrix.Columns <= keptBytes
	var kept []*packed
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
		b := &s.packed
		if keep {
			b = new(packed)
			kept = append(kept, b)
		}
		b.row, b.rows, b.values = row, n, s.block[:n*s.matrix.Columns]
		b.undo = scale(b.values, sum)
		if b.forward != nil {
			b.forward.Reset(0, 0, false) // of the block before
		}
		visit(b)
		if keep {
			b.pack(s.matrix.Columns)
		}
	}
	s.kept, s.norm2 = kept, norm2
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

// pack packs a block for both products.
func (b *packed) pack(columns int) {
	b.packForward(columns)
	b.packBack(columns)
	b.values = nil
}

func (b *packed) packForward(columns int) {
	if b.forward == nil {
		b.forward = new(kernel.Panels)
	}
	if out, _ := b.forward.Shape(); out == 0 {
		b.forward.Pack(b.values, b.rows, columns)
	}
}

func (b *packed) packBack(columns int) {
	for i := len(b.back); i*chainRows < b.rows; i++ {
		p, low := new(kernel.Panels), i*chainRows
		p.PackTransposed(b.values[low*columns:min(low+chainRows, b.rows)*columns], columns, min(chainRows, b.rows-low))
		b.back = append(b.back, p)
	}
}

// multiply sets the rows of y [width, Rows] to A times the rows of x [width,
// Columns] and returns the squared norm of A.
func (s *stream) multiply(y, x blas64.General) (norm2 float64, err error) {
	width, columns := x.Rows, x.Cols
	long, short := grow(&s.long, width*columns), grow(&s.short, width*s.rows)
	narrow(long, x, 0, columns)
	return s.pass(func(b *packed) {
		b.packForward(columns)
		product := short[:width*b.rows]
		b.forward.Multiply(product, long, width)
		for j := range width {
			dst := y.Data[j*y.Stride+b.row:]
			for i, v := range product[j*b.rows : (j+1)*b.rows] {
				dst[i] = float64(v) * b.undo
			}
		}
	})
}

// multiplyTransposed sets the rows of x [width, Columns] to A' times the rows
// of y [width, Rows].
func (s *stream) multiplyTransposed(x, y blas64.General) error {
	clear(x.Data)
	columns := x.Cols
	large := new(kernel.Panels) // of a block that is not kept
	_, err := s.pass(func(b *packed) {
		for low := 0; low < b.rows; low += chainRows {
			n := min(chainRows, b.rows-low)
			p := large
			if b.back != nil {
				p = b.back[low/chainRows]
			} else {
				p.PackTransposed(b.values[low*columns:(low+n)*columns], columns, n)
			}
			s.addTransposed(x, y, p, b.row+low, n, b.undo)
		}
	})
	return err
}

// addTransposed adds what some rows of A have to do with that product.
func (s *stream) addTransposed(x, y blas64.General, p *kernel.Panels, row, n int, undo float64) {
	width, columns := x.Rows, x.Cols
	product, part := grow(&s.long, width*columns), grow(&s.short, width*n)
	narrow(part, y, row, n)
	p.Multiply(product, part, width)
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

// grow returns the first n elements of a buffer, made longer if need be.
func grow(buffer *[]float32, n int) []float32 {
	if len(*buffer) < n {
		*buffer = make([]float32, n)
	}
	return (*buffer)[:n]
}
