package op_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"surgeon/probe/decoder/op"
	"surgeon/tensors/kernel"
)

// attend is attention over sequences in float64: heads queries, of which group
// read one head of keys, and so many tokens are seen.
func attend(segments []kernel.Segment, heads, group, dim, window int, scale float64) loop {
	return func(in [][]float64, rows, width int) []float64 {
		q, k, v, y := in[0], in[1], in[2], make([]float64, rows*width)
		kv := width / group
		for _, s := range segments {
			for r := s.Start; r < s.End; r++ {
				first := s.Start
				if window > 0 {
					first = max(first, r+1-window)
				}
				for h := range heads {
					from, to := r*width+h*dim, h/group*dim
					below := 0.0
					for j := first; j <= r; j++ {
						score := 0.0
						for i := range dim {
							score += q[from+i] * k[j*kv+to+i] * scale
						}
						e := math.Exp(score)
						below += e
						for i := range dim {
							y[from+i] += e * v[j*kv+to+i]
						}
					}
					for i := range dim {
						y[from+i] /= below
					}
				}
			}
		}
		return y
	}
}

// TestAttentionGradient: sequences of 5, 1 and 3 tokens, which do not see each
// other, with grouped queries, a window and a scale of its own.
func TestAttentionGradient(t *testing.T) {
	segments := []kernel.Segment{{Start: 0, End: 5, Parent: -1}, {Start: 5, End: 6, Parent: -1}, {Start: 6, End: 9, Parent: -1}}
	check := func(heads, kv, dim, window int, scale float32) {
		t.Helper()
		name := fmt.Sprintf("attention of %d heads over %d, window %d, scale %g", heads, kv, window, scale)
		o := op.Attention(name, &op.Pass{Segments: segments, Window: window}, kernel.Heads{Query: heads, KV: kv, Dim: dim, Scale: scale})
		by := float64(scale)
		if scale == 0 {
			by = 1 / math.Sqrt(float64(dim))
		}
		checkGradients(t, o, attend(segments, heads, heads/kv, dim, window, by), sample("q", 9, heads*dim), sample("k", 9, kv*dim), sample("v", 9, kv*dim))
	}
	check(2, 2, 4, 0, 0)
	check(4, 2, 3, 0, 0)
	check(4, 1, 3, 3, 0)
	check(4, 2, 3, 2, 0.25)
}

// logSoftmax is log(softmax(row)).
func logSoftmax(row []float64) []float64 {
	below := 0.0
	for _, v := range row {
		below += math.Exp(v)
	}
	logs := make([]float64, len(row))
	for i, v := range row {
		logs[i] = v - math.Log(below)
	}
	return logs
}

// TestCrossEntropyGradient has rows with targets and rows with a teacher, some of
// weight 0, in one pass and each alone.
func TestCrossEntropyGradient(t *testing.T) {
	const width = 6
	check := func(name string, l op.Loss) {
		t.Helper()
		pass := &op.Pass{Loss: l}
		n := len(l.Targets)
		rows := len(l.Weights)
		losses := func(logits []float64) []float64 {
			each := make([]float64, rows)
			for r, w := range l.Weights {
				logs := logSoftmax(logits[r*width : (r+1)*width])
				if r < n {
					each[r] = -float64(w) * logs[l.Targets[r]]
					continue
				}
				for j, log := range logSoftmax(widened(l.Teacher[(r-n)*width : (r-n+1)*width])) {
					each[r] += float64(w) * math.Exp(log) * (log - logs[j])
				}
			}
			return each
		}
		x := sample("logits of "+name, rows, width)
		checkGradients(t, op.CrossEntropy(name, pass), func(in [][]float64, _, _ int) []float64 {
			total := 0.0
			for _, v := range losses(in[0]) {
				total += v
			}
			return []float64{total}
		}, x)
		for r, want := range losses(widened(op.Floats(x))) {
			if !(math.Abs(pass.Loss.Rows[r]-want) <= 1e-5) {
				t.Errorf("%s: the loss of row %d is %g, the loop gives %g", name, r, pass.Loss.Rows[r], want)
			}
		}
	}
	teacher := op.Floats(sample("teacher", 3, width))
	check("targets", op.Loss{Targets: []int32{0, 5, 2, 2}, Weights: []float32{0.25, 1, 0, 2}})
	check("teacher", op.Loss{Teacher: teacher, Weights: []float32{1, 0, 0.5}})
	check("both", op.Loss{Targets: []int32{4, 1}, Teacher: teacher, Weights: []float32{0, 0.5, 2, 0.25, 0}})
}

// TestGradientsAdd: a node that several operations read gets the sum of their
// gradients, and a second run gives the bits of the first, in the same memory.
func TestGradientsAdd(t *testing.T) {
	g := gorgonia.NewGraph()
	x, w := sample("x", 3, 5), matrix(sample("weight", 5, 5))
	nodes := leaves(g, x, w)
	apply := func(o *op.Op, in ...*gorgonia.Node) *gorgonia.Node { return gorgonia.Must(gorgonia.ApplyOp(o, in...)) }
	// y = x + x' swiglu x with x' = W x, then x + y and W (x + y): x and W are read again and again.
	y := apply(op.Add("residual"), nodes[0], apply(op.SwiGLU("swiglu"), apply(op.Linear("linear"), nodes[0], nodes[1]), nodes[0]))
	y = apply(op.Linear("again"), apply(op.Add("twice"), nodes[0], y), nodes[1])
	coefficients := op.Floats(sample("coefficients", 3, 5))
	gradients, err := gorgonia.Grad(weighted(g, y, coefficients), nodes...)
	if err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	var last [][]float32
	for pass := range 2 {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		for i, gradient := range gradients {
			values := slices.Clone(op.Floats(gradient.Value()))
			if last = append(last, values); pass == 1 && !slices.Equal(last[i], values) {
				t.Errorf("the gradient of input %d is another one in the second run", i)
			}
		}
		vm.Reset()
	}
	loss := func(x, w []float64) (sum float64) {
		for r := range 3 {
			var y [5]float64
			for c := range 5 {
				gate := 0.0
				for i := range 5 {
					gate += x[r*5+i] * w[c*5+i]
				}
				y[c] = 2*x[r*5+c] + silu(gate)*x[r*5+c]
			}
			for c := range 5 {
				for i := range 5 {
					sum += float64(coefficients[r*5+c]) * y[i] * w[c*5+i]
				}
			}
		}
		return sum
	}
	in := [][]float64{widened(op.Floats(x)), widened(op.Floats(w))}
	const h = 1e-4
	for i, gradient := range last[:2] {
		for j, got := range gradient {
			before := in[i][j]
			in[i][j] = before + h
			above := loss(in[0], in[1])
			in[i][j] = before - h
			slope := (above - loss(in[0], in[1])) / (2 * h)
			in[i][j] = before
			if !(math.Abs(float64(got)-slope) <= 1e-5*max(1, math.Abs(slope))) {
				t.Errorf("the gradient of input %d, element %d, is %g, the loop gives %g", i, j, got, slope)
			}
		}
	}
}
