package kernel_test

import (
	"fmt"
	"testing"

	"surgeon/tensors/kernel"
)

// across is the transpose of a matrix [rows, columns].
func across(x []float32, rows, columns int) []float32 {
	y := make([]float32, len(x))
	for r := range rows {
		for c := range columns {
			y[c*rows+r] = x[r*columns+c]
		}
	}
	return y
}

// TestWeightGradient compares with the definition of Multiply, of the transposed
// operands: the same bits.
func TestWeightGradient(t *testing.T) {
	for _, s := range []struct{ rows, out, in int }{
		{0, 3, 5}, {1, 1, 1}, {1, 33, 31}, {2, 64, 32}, {7, 9, 40}, {17, 130, 33}, {257, 15, 34}, {256, 16, 16}, {520, 8, 65}, {40, 0, 3}, {40, 3, 0},
	} {
		gradient, x := normals(1, s.rows*s.out), normals(2, s.rows*s.in)
		want := product(across(gradient, s.rows, s.out), across(x, s.rows, s.in), s.out, s.rows, s.in)
		what := fmt.Sprint("WeightGradient ", s)
		same(t, what, everywhere(t, what, s.out*s.in, func(dst []float32) { kernel.WeightGradient(dst, gradient, x, s.rows, s.out, s.in) }), want)
	}
}

// TestPackTransposed: the other way of a weight is the same as packing its
// transpose, in memory that held another one.
func TestPackTransposed(t *testing.T) {
	var p, q kernel.Panels
	for _, s := range []struct{ rows, out, in int }{{3, 70, 40}, {2, 1, 5}, {5, 33, 257}, {1, 32, 1}, {0, 4, 4}, {2, 3, 0}} {
		x, matrix := normals(1, s.rows*s.in), normals(2, s.in*s.out)
		q.Pack(across(matrix, s.in, s.out), s.out, s.in)
		want := dirty(s.rows * s.out)
		q.Multiply(want, x, s.rows)
		what := fmt.Sprint("PackTransposed ", s)
		same(t, what, everywhere(t, what, s.rows*s.out, func(dst []float32) {
			p.PackTransposed(matrix, s.out, s.in)
			p.Multiply(dst, x, s.rows)
		}), want)
		if out, in := p.Shape(); out != s.out || in != s.in {
			t.Errorf("%s: shape %d, %d", what, out, in)
		}
	}
}

// TestColumnSums compares with float64, and with what one can add in the head.
func TestColumnSums(t *testing.T) {
	for _, s := range [][2]int{{0, 3}, {1, 5}, {63, 2}, {64, 17}, {65, 1}, {257, 40}, {3, 0}} {
		rows, width := s[0], s[1]
		x, want := normals(1, rows*width), make([]float64, width)
		for i, v := range x {
			want[i%width] += float64(v)
		}
		what := fmt.Sprint("ColumnSums ", s)
		closeTo(t, what, everywhere(t, what, width, func(dst []float32) { kernel.ColumnSums(dst, x, rows) }), want, rows)
	}
	dst := dirty(2)
	kernel.ColumnSums(dst, []float32{1, 2, 30, 40, 500, 600}, 3)
	same(t, "ColumnSums by hand", dst, []float32{531, 642})
}

// TestGradientLengths: every slice is looked at, and what is not for training is
// refused.
func TestGradientLengths(t *testing.T) {
	f := func(n int) []float32 { return make([]float32, n) }
	one := []kernel.Segment{{Start: 0, End: 2, Parent: -1}}
	h := kernel.Heads{Query: 4, KV: 2, Dim: 2}
	for i := range 14 {
		off := make([]int, 7)
		off[i%7] = 1 - i/7*2
		attention := func(s []kernel.Segment, h kernel.Heads, off []int) {
			kernel.AttentionGradient(f(16+off[0]), f(8+off[1]), f(8+off[2]), f(16+off[3]), f(16+off[4]), f(8+off[5]), f(8+off[6]), s, h)
		}
		panics(t, fmt.Sprint("AttentionGradient ", i), func() { attention(one, h, off) })
		if i == 0 {
			zero := make([]int, 7)
			attention(one, h, zero)
			panics(t, "a parent", func() { attention([]kernel.Segment{{0, 1, -1}, {1, 2, 0}}, h, zero) })
			panics(t, "a row of no segment", func() { attention([]kernel.Segment{{0, 1, -1}, {1, 1, -1}, {2, 2, -1}, {2, 2, -1}}, h, zero) })
			h := h
			h.Softcap = 1
			panics(t, "soft capping", func() { attention(one, h, zero) })
		}
		if i%7 < 5 {
			panics(t, fmt.Sprint("SwiGLUGradient ", i), func() { kernel.SwiGLUGradient(f(4+off[0]), f(4+off[1]), f(4+off[2]), f(4+off[3]), f(4+off[4])) })
		}
		if i%7 < 4 {
			panics(t, fmt.Sprint("RMSNormGradient ", i), func() { kernel.RMSNormGradient(f(6+off[0]), f(3+off[1]), f(6+off[2]), f(6+off[3]), f(3), 0, 2) })
			panics(t, fmt.Sprint("RoPEGradient ", i), func() { kernel.RoPEGradient(f(24+off[0]), f(24+off[1]), f(4+off[2]), f(4+off[3]), 2, 3, 4, 2) })
		}
		if i%7 < 3 {
			panics(t, fmt.Sprint("WeightGradient ", i), func() { kernel.WeightGradient(f(12+off[0]), f(6+off[1]), f(8+off[2]), 2, 3, 4) })
			panics(t, fmt.Sprint("Divergence ", i), func() { kernel.Divergence(make([]float64, 2), f(6+off[0]), f(6), f(6+off[1]), f(2+off[2])) })
			panics(t, fmt.Sprint("CrossEntropy ", i), func() {
				kernel.CrossEntropy(make([]float64, 2), f(6+off[0]), f(6), make([]int32, 2+off[1]), f(2+off[2]))
			})
		}
		if i%7 < 1 {
			panics(t, fmt.Sprint("ColumnSums ", i), func() { kernel.ColumnSums(f(3), f(6+off[0]), 2) })
			panics(t, fmt.Sprint("PackTransposed ", i), func() { new(kernel.Panels).PackTransposed(f(6+off[0]), 2, 3) })
			panics(t, fmt.Sprint("logits ", i), func() { kernel.CrossEntropy(make([]float64, 2), nil, f(7), make([]int32, 2), f(2)) })
		}
	}
	for _, target := range []int32{-1, 3, 1 << 30} {
		panics(t, fmt.Sprint("target ", target), func() {
			kernel.CrossEntropy(make([]float64, 1), nil, f(3), []int32{target}, []float32{1})
		})
	}
}
