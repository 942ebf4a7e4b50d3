package kernel_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"surgeon/tensors/kernel"
)

// logProbabilities is the logarithm of the softmax, in float64.
func logProbabilities(logits []float64) []float64 {
	most := slices.Max(logits)
	var sum float64
	for _, v := range logits {
		sum += math.Exp(v - most)
	}
	y := make([]float64, len(logits))
	for i, v := range logits {
		y[i] = v - most - math.Log(sum)
	}
	return y
}

// losses runs a loss everywhere, with a gradient, without one and in place.
func losses(t *testing.T, what string, logits []float32, rows int, do func(loss []float64, dlogits, logits []float32)) (loss []float64, gradient []float32) {
	t.Helper()
	gradient = everywhere(t, what, len(logits), func(dst []float32) {
		again := slices.Repeat([]float64{math.NaN()}, rows)
		do(again, dst, logits)
		alone := slices.Repeat([]float64{math.NaN()}, rows)
		do(alone, nil, logits)
		place := slices.Clone(logits)
		do(alone, place, place)
		same(t, what+", in place", place, dst)
		if loss == nil {
			loss = again
		}
		for r := range loss {
			if loss[r] != again[r] || loss[r] != alone[r] {
				t.Fatalf("%s: row %d loses %v, then %v, and %v in place", what, r, loss[r], again[r], alone[r])
			}
		}
	})
	return loss, gradient
}

// TestCrossEntropy compares losses with float64 and gradients with differences.
func TestCrossEntropy(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {1, 2}, {3, 17}, {5, 33}, {2, 300}} {
		rows, width := s[0], s[1]
		logits, weights, targets := normals(1, rows*width), normals(2, rows), make([]int32, rows)
		for r := range targets {
			targets[r] = int32((r*7 + 3) % width)
		}
		if rows > 2 {
			weights[1], targets[1] = 0, -5
			logits[width] = float32(math.NaN())
		}
		one := func(r int, logits []float64) float64 {
			if weights[r] == 0 {
				return 0
			}
			return -float64(weights[r]) * logProbabilities(logits)[targets[r]]
		}
		what := fmt.Sprint("CrossEntropy ", s)
		loss, gradient := losses(t, what, logits, rows, func(loss []float64, dlogits, logits []float32) {
			kernel.CrossEntropy(loss, dlogits, logits, targets, weights)
		})
		for r := range rows {
			row := logits[r*width : (r+1)*width]
			if want := one(r, widened(row)); math.Abs(loss[r]-want) > 3e-7 {
				t.Errorf("%s: row %d loses %v, want %v", what, r, loss[r], want)
			}
			near(t, fmt.Sprint(what, " row ", r), gradient[r*width:(r+1)*width], numeric(row, func(x []float64) float64 { return one(r, x) }))
		}
	}
	kernel.CrossEntropy(nil, nil, nil, nil, nil)
}

// TestCrossEntropyExtreme: logits of 1e4 neither overflow nor lose the loss, and a
// vocabulary of many chunks keeps its precision.
func TestCrossEntropyExtreme(t *testing.T) {
	loss, gradient := losses(t, "extreme logits", []float32{1e4, -1e4, 0, -1e4, -1e4, -1e4}, 2, func(loss []float64, dlogits, logits []float32) {
		kernel.CrossEntropy(loss, dlogits, logits, []int32{1, 2}, []float32{0.5, 3})
	})
	if loss[0] != 1e4 || math.Abs(loss[1]-3*math.Log(3)) > 1e-7 {
		t.Errorf("losses are %v, want 1e4 and %v", loss, 3*math.Log(3))
	}
	near(t, "extreme logits", gradient, []float64{0.5, -0.5, 0, 1, 1, -2})
	const width = 49152
	logits := normals(5, width)
	loss, gradient = losses(t, "a large vocabulary", logits, 1, func(loss []float64, dlogits, logits []float32) {
		kernel.CrossEntropy(loss, dlogits, logits, []int32{40000}, []float32{1})
	})
	logs := logProbabilities(widened(logits))
	if off := math.Abs(loss[0] + logs[40000]); off > 1e-7 {
		t.Errorf("a large vocabulary: %v off", off)
	}
	for i, v := range gradient {
		if want := math.Exp(logs[i]); i != 40000 && math.Abs(float64(v)-want) > 4e-7*want {
			t.Fatalf("a large vocabulary: element %d is %v, want %v", i, v, want)
		}
	}
}

// TestDivergence compares losses with float64 and gradients with differences; one
// from itself is 0, and so is its gradient.
func TestDivergence(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {3, 17}, {5, 33}, {2, 300}, {1, 1100}} {
		rows, width := s[0], s[1]
		student, teacher, weights := normals(1, rows*width), normals(2, rows*width), normals(3, rows)
		if rows > 2 {
			weights[1] = 0
		}
		one := func(r int, student []float64) (sum float64) {
			q := logProbabilities(student)
			for i, p := range logProbabilities(widened(teacher[r*width : (r+1)*width])) {
				sum += math.Exp(p) * (p - q[i])
			}
			return float64(weights[r]) * sum
		}
		what := fmt.Sprint("Divergence ", s)
		loss, gradient := losses(t, what, student, rows, func(loss []float64, dlogits, student []float32) {
			kernel.Divergence(loss, dlogits, student, teacher, weights)
		})
		for r := range rows {
			row := student[r*width : (r+1)*width]
			if want := one(r, widened(row)); math.Abs(loss[r]-want) > 3e-7 {
				t.Errorf("%s: row %d loses %v, want %v", what, r, loss[r], want)
			}
			near(t, fmt.Sprint(what, " row ", r), gradient[r*width:(r+1)*width], numeric(row, func(x []float64) float64 { return one(r, x) }))
		}
		equal, none := make([]float64, rows), make([]float32, rows*width)
		kernel.Divergence(equal, none, teacher, teacher, weights)
		for r, l := range equal {
			if l != 0 {
				t.Errorf("%s: row %d loses %v against itself", what, r, l)
			}
		}
		near(t, what+" against itself", none, make([]float64, rows*width))
	}
	kernel.Divergence(nil, nil, nil, nil, nil)
	loss, gradient := losses(t, "extreme logits", []float32{-1e4, 1e4}, 1, func(loss []float64, dlogits, student []float32) {
		kernel.Divergence(loss, dlogits, student, []float32{1e4, -1e4}, []float32{1})
	})
	if loss[0] != 2e4 {
		t.Errorf("extreme logits: %v, want 2e4", loss[0])
	}
	near(t, "extreme logits", gradient, []float64{-1, 1})
}
