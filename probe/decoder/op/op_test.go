package op_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"surgeon/probe/decoder/op"
	"surgeon/tensors/kernel"
	"surgeon/tensors/tensorstest"
)

// sample draws a tensor around 0 of standard deviation 1.
func sample(name string, shape ...int) *tensor.Dense {
	random := tensorstest.NewRandom(11, name)
	values := make([]float32, tensor.Shape(shape).TotalSize())
	for i := range values {
		values[i] = random.Normal(i)
	}
	return dense(values, shape...)
}

// dense makes a tensor of values.
func dense(values []float32, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))
}

// at reads element i, j, widened.
func at(t *tensor.Dense, i, j int) float64 { return float64(op.Floats(t)[i*t.Shape()[1]+j]) }

// runOp executes one operation as a graph of its own under gorgonia's machine.
func runOp(t *testing.T, o *op.Op, inputs ...gorgonia.Value) *tensor.Dense {
	t.Helper()
	g := gorgonia.NewGraph()
	nodes := leaves(g, inputs...)
	out := gorgonia.Must(gorgonia.ApplyOp(o, nodes...))
	run(t, g)
	if o.Runs != 1 {
		t.Errorf("%s: %d executions, want 1", o.Name, o.Runs)
	}
	return out.Value().(*tensor.Dense)
}

// leaves are inputs of a graph that hold values.
func leaves(g *gorgonia.ExprGraph, inputs ...gorgonia.Value) (nodes gorgonia.Nodes) {
	for i, in := range inputs {
		nodes = append(nodes, gorgonia.NewTensor(g, tensor.Float32, in.Shape().Dims(), gorgonia.WithShape(in.Shape()...), gorgonia.WithName(fmt.Sprint(i)), gorgonia.WithValue(in)))
	}
	return nodes
}

// run executes a graph.
func run(t *testing.T, g *gorgonia.ExprGraph) {
	t.Helper()
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
}

// checkElements compares a result with the loop want, written in float64 here,
// to a part in 1e5 of the sizes involved, which are near 1.
func checkElements(t *testing.T, o *op.Op, rows, columns int, want func(r, c int) float64, inputs ...gorgonia.Value) {
	t.Helper()
	before := make([][]float32, len(inputs))
	for i, in := range inputs {
		if t, ok := in.(*tensor.Dense); ok {
			before[i] = append(before[i], op.Floats(t)...)
		}
	}
	got := runOp(t, o, inputs...)
	if shape := got.Shape(); len(shape) != 2 || shape[0] != rows || shape[1] != columns {
		t.Fatalf("%s: shape %v, want [%d %d]", o.Name, shape, rows, columns)
	}
	for r := range rows {
		for c := range columns {
			if w := want(r, c); !(math.Abs(at(got, r, c)-w) <= 1e-5*max(1, math.Abs(w))) {
				t.Errorf("%s: element %d,%d is %g, the loop gives %g", o.Name, r, c, at(got, r, c), w)
			}
		}
	}
	for i, in := range inputs {
		for j, v := range before[i] {
			if op.Floats(in)[j] != v {
				t.Fatalf("%s: input %d was changed", o.Name, i)
			}
		}
	}
}

func TestLinearOps(t *testing.T) {
	// 7 rows and 5 columns: no multiple of the kernel's tiles.
	x, weight, bias := sample("x", 7, 11), sample("weight", 5, 11), sample("bias", 5)
	product := func(r, c int) (sum float64) {
		for i := range 11 {
			sum += at(x, r, i) * at(weight, c, i)
		}
		return sum
	}
	checkElements(t, op.Linear("linear"), 7, 5, product, x, matrix(weight))
	checkElements(t, op.LinearBias("linear with bias"), 7, 5,
		func(r, c int) float64 { return product(r, c) + float64(op.Floats(bias)[c]) }, x, matrix(weight), bias)
}

// packed is a weight that is packed for the kernel.
type packed struct {
	weight
	panels *kernel.Panels
}

func (p packed) Data() any { return p.panels }

// TestLinears: one operation multiplies by two weights and adds two biases, and another
// one hands on its second result.
func TestLinears(t *testing.T) {
	x := sample("x", 7, 11)
	weights, biases := []*tensor.Dense{sample("first", 5, 11), sample("second", 3, 11)}, []*tensor.Dense{sample("a", 5), sample("b", 3)}
	for _, biased := range []bool{false, true} {
		ops := op.Linears([]string{"one", "two"}, 7, []int{5, 3}, biased)
		inputs := []gorgonia.Value{x}
		for _, w := range weights {
			p := packed{matrix(w), new(kernel.Panels)}
			p.panels.Pack(op.Floats(w), w.Shape()[0], 11)
			inputs = append(inputs, p)
		}
		for i := range biases {
			if biased {
				inputs = append(inputs, biases[i])
			}
		}
		g := gorgonia.NewGraph()
		first := gorgonia.Must(gorgonia.ApplyOp(ops[0], leaves(g, inputs...)...))
		results := gorgonia.Nodes{first, gorgonia.Must(gorgonia.ApplyOp(ops[1], first))}
		run(t, g)
		for k, node := range results {
			got, out := node.Value().(*tensor.Dense), weights[k].Shape()[0]
			if !got.Shape().Eq(tensor.Shape{7, out}) {
				t.Fatalf("result %d has the shape %v", k, got.Shape())
			}
			for r := range 7 {
				for c := range out {
					want := 0.0
					for i := range 11 {
						want += at(x, r, i) * at(weights[k], c, i)
					}
					if biased {
						want += float64(op.Floats(biases[k])[c])
					}
					if !(math.Abs(at(got, r, c)-want) <= 1e-5*max(1, math.Abs(want))) {
						t.Errorf("result %d, biased %v: element %d,%d is %g, the loop gives %g", k, biased, r, c, at(got, r, c), want)
					}
				}
			}
		}
	}
}

func TestNormOp(t *testing.T) {
	x, weight := sample("x", 3, 10), sample("weight", 10)
	for _, epsilon := range []float32{1e-6, 0.5} {
		checkElements(t, op.RMSNorm("norm", epsilon), 3, 10, func(r, c int) float64 {
			square := 0.0
			for i := range 10 {
				square += at(x, r, i) * at(x, r, i)
			}
			return at(x, r, c) / math.Sqrt(square/10+float64(epsilon)) * float64(op.Floats(weight)[c])
		}, x, weight)
	}
}

func TestElementOps(t *testing.T) {
	a, b := sample("a", 4, 6), sample("b", 4, 6)
	checkElements(t, op.Add("add"), 4, 6, func(r, c int) float64 { return at(a, r, c) + at(b, r, c) }, a, b)
	checkElements(t, op.SwiGLU("swiglu"), 4, 6, func(r, c int) float64 {
		return at(b, r, c) * at(a, r, c) / (1 + math.Exp(-at(a, r, c)))
	}, a, b)
	checkElements(t, op.GeGLU("geglu"), 4, 6, func(r, c int) float64 {
		x := at(a, r, c)
		return at(b, r, c) * x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}, a, b)
	checkElements(t, op.Softcap("softcap", 2), 4, 6, func(r, c int) float64 { return 2 * math.Tanh(at(a, r, c)/2) }, a)
}

// TestRopeOp turns 3 heads of 4 channels at the positions that the
// Pass gets after the operation was made.
func TestRopeOp(t *testing.T) {
	pass := new(op.Pass)
	o := op.RoPE("rope", pass, 3, 4)
	positions := []int32{0, 1, 7, 3, 3}
	x := sample("x", 5, 12)
	checkElements(t, op.RoPE("none", new(op.Pass), 3, 4), 5, 12, func(r, c int) float64 { return at(x, r, c) }, x) // a layer without a rotation
	for _, p := range positions {
		for _, f := range []float64{1, 0.1} {
			pass.Cos, pass.Sin = append(pass.Cos, float32(math.Cos(float64(p)*f))), append(pass.Sin, float32(math.Sin(float64(p)*f)))
		}
	}
	checkElements(t, o, 5, 12, func(r, c int) float64 {
		pair, head := c%2, c/4*4
		angle := float64(positions[r]) * []float64{1, 0.1}[pair]
		a, b := at(x, r, head+pair), at(x, r, head+pair+2) // the halves of a head are paired
		if c%4 < 2 {
			return a*math.Cos(angle) - b*math.Sin(angle)
		}
		return b*math.Cos(angle) + a*math.Sin(angle)
	}, x)
}

// TestAttentionOp attends along a forest of two trees. Which rows a row sees
// is spelled out.
func TestAttentionOp(t *testing.T) {
	pass := new(op.Pass)
	o := op.Attention("attention", pass, kernel.Heads{Query: 4, KV: 2, Dim: 3})
	pass.Segments = []kernel.Segment{{Start: 0, End: 3, Parent: -1}, {Start: 3, End: 5, Parent: 0}, {Start: 5, End: 6, Parent: 0}, {Start: 6, End: 7, Parent: 2}, {Start: 7, End: 9, Parent: -1}}
	sees := [][]int{{0}, {0, 1}, {0, 1, 2}, {0, 1, 2, 3}, {0, 1, 2, 3, 4}, {0, 1, 2, 5}, {0, 1, 2, 5, 6}, {7}, {7, 8}}
	q, k, v := sample("q", 9, 12), sample("k", 9, 6), sample("v", 9, 6)
	checkElements(t, o, 9, 12, func(r, column int) float64 {
		head, channel := column/3, column%3
		kv := head / 2 * 3 // heads 0 and 1 read keys 0, heads 2 and 3 keys 1
		above, below := 0.0, 0.0
		for _, row := range sees[r] {
			product := 0.0
			for i := range 3 {
				product += at(q, r, head*3+i) * at(k, row, kv+i)
			}
			weight := math.Exp(product / math.Sqrt(3))
			above, below = above+weight*at(v, row, kv+channel), below+weight
		}
		return above / below
	}, q, k, v)
}

// TestMisuse gives an operation what it cannot take.
func TestMisuse(t *testing.T) {
	x := dense(make([]float32, 8), 2, 4)
	o := op.Linear("l")
	if _, err := o.Do(x); err == nil || !strings.Contains(err.Error(), "l takes 2 inputs, not 1") {
		t.Errorf("one input of two: error %v", err)
	}
	if _, err := o.Do(x, gorgonia.NewF32(1)); err == nil || !strings.Contains(err.Error(), "input 1 is a *gorgonia.F32") {
		t.Errorf("a scalar for a matrix: error %v", err)
	}
	if o.Runs != 0 {
		t.Errorf("refused inputs count as %d executions", o.Runs)
	}
	if l, m := op.Linear("l"), op.Linear("l"); l.Hashcode() == m.Hashcode() {
		t.Error("two operations of one name have one hash: gorgonia may take one for the other")
	}
	if o.ReturnsPtr() != true || o.CallsExtern() || o.OverwritesInput() != -1 || o.String() != "l" {
		t.Error("an operation gives a new tensor, calls nothing outside and overwrites nothing")
	}
}

// matrix is a trained weight over a dense tensor, by loops.
type weight struct{ *tensor.Dense }

func matrix(t *tensor.Dense) weight { return weight{t} }

func (w weight) Values() []float32 { return op.Floats(w.Dense) }

func (w weight) Multiply(dst, x []float32, rows int) {
	out, in := w.Shape()[0], w.Shape()[1]
	kernel.Linear(dst, x, w.Values(), nil, rows, in, out)
}

func (w weight) MultiplyTransposed(dst, x []float32, rows int) {
	out, in := w.Shape()[0], w.Shape()[1]
	var p kernel.Panels
	p.PackTransposed(w.Values(), in, out)
	p.Multiply(dst, x, rows)
}
