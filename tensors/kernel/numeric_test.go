package kernel_test

import (
	"fmt"
	"math"
	"testing"

	"surgeon/tensors/kernel"
)

// numeric is the gradient of f at x by central differences, in float64: exact to
// about 1e-9 for functions near 1.
func numeric(x []float32, f func(x []float64) float64) []float64 {
	at, gradient := widened(x), make([]float64, len(x))
	for i, v := range at {
		const step = 1e-4
		at[i] = v + step
		above := f(at)
		at[i] = v - step
		gradient[i] = (above - f(at)) / (2 * step)
		at[i] = v
	}
	return gradient
}

func widened(x []float32) []float64 {
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	return wide
}

// weighted is the loss whose gradient by values is the one that a test hands to a
// kernel.
func weighted(gradient []float32, values []float64) (sum float64) {
	for i, v := range values {
		sum += float64(gradient[i]) * v
	}
	return sum
}

// everywhere runs a kernel with every instruction set and number of threads, and
// checks that it gives the same bits. It returns what the kernel writes.
func everywhere(t *testing.T, what string, n int, do func(dst []float32)) (first []float32) {
	t.Helper()
	instructionSets(t, func(t *testing.T) {
		processors(t, func(t *testing.T) {
			dst := dirty(n)
			do(dst)
			if first == nil {
				first = dst
			}
			same(t, what, dst, first)
		})
	})
	return first
}

// closeTo checks values against a computation in float64 of sums of n terms near 1.
func closeTo(t *testing.T, what string, got []float32, want []float64, n int) {
	t.Helper()
	worst := 0.0
	for i, v := range got {
		off := math.Abs(float64(v)-want[i]) / max(1, math.Abs(want[i]))
		if worst = max(worst, off); !(off <= 3e-7*math.Sqrt(float64(n))+1e-6) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, v, want[i])
		}
	}
	t.Logf("%s: at most %.1e off", what, worst)
}

// TestRMSNormGradient compares with differences of the formula.
func TestRMSNormGradient(t *testing.T) {
	for _, s := range []struct {
		rows, width int
		epsilon     float32
	}{{1, 1, 0.5}, {3, 7, 1e-5}, {65, 9, 1e-5}, {130, 2, 0.1}, {2, 33, 1e-2}, {0, 4, 1}} {
		x, weight, gradient := normals(1, s.rows*s.width), normals(2, s.width), normals(3, s.rows*s.width)
		norm := func(x, weight []float64) []float64 {
			y := make([]float64, len(x))
			for r := range s.rows {
				var squares float64
				for _, v := range x[r*s.width : (r+1)*s.width] {
					squares += v * v
				}
				for i, w := range weight {
					y[r*s.width+i] = w * x[r*s.width+i] / math.Sqrt(squares/float64(s.width)+float64(s.epsilon))
				}
			}
			return y
		}
		what := fmt.Sprint("RMSNormGradient ", s)
		got := everywhere(t, what, len(x)+s.width, func(dst []float32) {
			kernel.RMSNormGradient(dst[:len(x)], dst[len(x):], gradient, x, weight, s.epsilon, s.rows)
			dx, dweight := dirty(len(x)), dirty(s.width)
			kernel.RMSNormGradient(dx, nil, gradient, x, weight, s.epsilon, s.rows)
			same(t, what+", frozen weight", dx, dst[:len(x)])
			kernel.RMSNormGradient(nil, dweight, gradient, x, weight, s.epsilon, s.rows)
			same(t, what+", no dx", dweight, dst[len(x):])
		})
		near(t, what+" dx", got[:len(x)], numeric(x, func(x []float64) float64 { return weighted(gradient, norm(x, widened(weight))) }))
		near(t, what+" dweight", got[len(x):], numeric(weight, func(w []float64) float64 { return weighted(gradient, norm(widened(x), w)) }))
	}
}

// TestRoPEGradient: a rotation's gradient is its inverse, and has its own
// differences.
func TestRoPEGradient(t *testing.T) {
	for _, s := range []struct{ rows, heads, headDim, half int }{{3, 2, 8, 4}, {2, 1, 9, 3}, {257, 1, 34, 17}, {0, 1, 2, 1}} {
		x, cos, sin := normals(1, s.rows*s.heads*s.headDim), make([]float32, s.rows*s.half), make([]float32, s.rows*s.half)
		for i := range cos {
			cos[i], sin[i] = float32(math.Cos(float64(i))), float32(math.Sin(float64(i)))
		}
		what := fmt.Sprint("RoPEGradient ", s)
		turned := dirty(len(x))
		kernel.RoPE(turned, x, cos, sin, s.rows, s.heads, s.headDim, s.half)
		back := everywhere(t, what, len(x), func(dst []float32) {
			kernel.RoPEGradient(dst, turned, cos, sin, s.rows, s.heads, s.headDim, s.half)
		})
		near(t, what+", turned back", back, widened(x))
	}
}

// TestSwiGLUGradient compares with differences of the formula, and at gates where
// exponentials overflow with its limits.
func TestSwiGLUGradient(t *testing.T) {
	for _, n := range []int{0, 1, 7, 16, 33, 1025} {
		gate, up, gradient := normals(1, n), normals(2, n), normals(3, n)
		for i := range gate {
			gate[i] *= 4
		}
		swiglu := func(gate, up []float64) []float64 {
			y := make([]float64, n)
			for i, g := range gate {
				y[i] = g / (1 + math.Exp(-g)) * up[i]
			}
			return y
		}
		what := fmt.Sprint("SwiGLUGradient of ", n)
		got := everywhere(t, what, 2*n, func(dst []float32) { kernel.SwiGLUGradient(dst[:n], dst[n:], gradient, gate, up) })
		if n > 100 {
			continue
		}
		near(t, what+" dgate", got[:n], numeric(gate, func(x []float64) float64 { return weighted(gradient, swiglu(x, widened(up))) }))
		near(t, what+" dup", got[n:], numeric(up, func(x []float64) float64 { return weighted(gradient, swiglu(widened(gate), x)) }))
	}
	extreme := everywhere(t, "extreme gates", 10, func(dst []float32) {
		kernel.SwiGLUGradient(dst[:5], dst[5:], []float32{2, 2, 2, 2, 2}, []float32{-1e4, 1e4, 0, -100, 100}, []float32{3, 3, 3, 3, 3})
	})
	near(t, "extreme gates", extreme, []float64{0, 6, 3, 0, 6, 0, 2e4, 0, 0, 200})
}
