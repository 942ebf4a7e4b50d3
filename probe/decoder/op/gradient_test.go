package op_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"surgeon/probe/decoder/op"
)

// loop is an operation as loops over float64. It is given the values of its
// inputs and the shape of the first.
type loop func(in [][]float64, rows, width int) []float64

// differentiate builds sum(coefficients * operation) and runs it with gorgonia's
// gradients with respect to some inputs.
func differentiate(t *testing.T, o *op.Op, coefficients []float32, wrt []int, inputs ...gorgonia.Value) (out []float32, gradients [][]float32) {
	t.Helper()
	g := gorgonia.NewGraph()
	nodes := leaves(g, inputs...)
	result := gorgonia.Must(gorgonia.ApplyOp(o, nodes...))
	var of gorgonia.Nodes
	for _, i := range wrt {
		of = append(of, nodes[i])
	}
	slopes, err := gorgonia.Grad(weighted(g, result, coefficients), of...)
	if err != nil {
		t.Fatalf("%s: %v", o.Name, err)
	}
	run(t, g)
	for i, slope := range slopes {
		if !slope.Shape().Eq(inputs[wrt[i]].Shape()) {
			t.Fatalf("%s: the gradient of input %d has shape %v, want %v", o.Name, wrt[i], slope.Shape(), inputs[wrt[i]].Shape())
		}
		gradients = append(gradients, slices.Clone(op.Floats(slope.Value())))
	}
	if scalar, ok := result.Value().Data().(float32); ok {
		return []float32{scalar}, gradients
	}
	return slices.Clone(op.Floats(result.Value())), gradients
}

// weighted is the scalar sum of a node's values times coefficients.
func weighted(g *gorgonia.ExprGraph, node *gorgonia.Node, coefficients []float32) *gorgonia.Node {
	if node.Shape().IsScalar() {
		return gorgonia.Must(gorgonia.Mul(node, gorgonia.NewScalar(g, tensor.Float32, gorgonia.WithName("coefficient"), gorgonia.WithValue(coefficients[0]))))
	}
	by := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(node.Shape()...), gorgonia.WithName("coefficients"),
		gorgonia.WithValue(dense(coefficients, node.Shape()...)))
	return gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(node, by))))
}

// checkGradients compares an operation with a loop, and the gradients of all of
// its inputs with central differences of the loop: both are float64, so that what
// is left is the rounding of the operation, a few parts in a million of values
// near 1.
func checkGradients(t *testing.T, o *op.Op, f loop, inputs ...gorgonia.Value) {
	t.Helper()
	var all []int
	var in [][]float64
	for i, value := range inputs {
		all = append(all, i)
		in = append(in, widened(op.Floats(value)))
	}
	shape := inputs[0].Shape()
	want := f(in, shape[0], shape[1])
	coefficients := op.Floats(sample("coefficients of "+o.Name, len(want), 1))
	out, gradients := differentiate(t, o, coefficients, all, inputs...)
	near := func(what string, i, j int, got float32, want float64) {
		t.Helper()
		if !(math.Abs(float64(got)-want) <= 1e-5*max(1, math.Abs(want))) {
			t.Errorf("%s: %s %d, element %d, is %g, the loop gives %g", o.Name, what, i, j, got, want)
		}
	}
	for j, w := range want {
		near("result", 0, j, out[j], w)
	}
	const h = 1e-4
	at := func(i, j int, by float64) (sum float64) {
		before := in[i][j]
		in[i][j] += by
		for k, v := range f(in, shape[0], shape[1]) {
			sum += float64(coefficients[k]) * v
		}
		in[i][j] = before
		return sum
	}
	for i, gradient := range gradients {
		largest := 0.0
		for j, got := range gradient {
			slope := (at(i, j, h) - at(i, j, -h)) / (2 * h)
			near("the gradient of input", i, j, got, slope)
			largest = max(largest, math.Abs(slope))
		}
		if largest == 0 {
			t.Errorf("%s: input %d does not matter: nothing is proved", o.Name, i)
		}
	}
	checkConstant(t, o, coefficients, gradients, inputs...)
}

// checkConstant: an input that is constant has no gradient, the others have the
// bits that they had.
func checkConstant(t *testing.T, o *op.Op, coefficients []float32, want [][]float32, inputs ...gorgonia.Value) {
	t.Helper()
	defer o.Constant()
	for i := range inputs {
		o.Constant(i)
		for j, is := range o.DiffWRT(len(inputs)) {
			if is == (i == j) {
				t.Errorf("%s, input %d constant: a gradient of input %d is given: %v", o.Name, i, j, is)
			}
		}
		g := gorgonia.NewGraph()
		nodes := leaves(g, inputs...)
		out := gorgonia.Must(gorgonia.ApplyOp(o, nodes...))
		if _, err := gorgonia.Grad(weighted(g, out, coefficients), nodes[i]); err == nil {
			t.Errorf("%s: a gradient by input %d, which is constant", o.Name, i)
		}
		var others []int
		for j := range inputs {
			if j != i {
				others = append(others, j)
			}
		}
		if others == nil {
			continue
		}
		_, got := differentiate(t, o, coefficients, others, inputs...)
		for k, j := range others {
			if !slices.Equal(got[k], want[j]) {
				t.Errorf("%s: the gradient of input %d is another one where input %d is constant", o.Name, j, i)
			}
		}
	}
}

func widened(values []float32) []float64 {
	wide := make([]float64, len(values))
	for i, v := range values {
		wide[i] = float64(v)
	}
	return wide
}

// silu is the gate of SwiGLU.
func silu(x float64) float64 { return x / (1 + math.Exp(-x)) }

func TestLinearGradients(t *testing.T) {
	// 7 rows, 11 channels, 5 results: no multiple of the kernel's tiles.
	product := func(in [][]float64, rows, width int) []float64 {
		out := len(in[1]) / width
		y := make([]float64, rows*out)
		for r := range rows {
			for c := range out {
				for i := range width {
					y[r*out+c] += in[0][r*width+i] * in[1][c*width+i]
				}
				if len(in) > 2 {
					y[r*out+c] += in[2][c]
				}
			}
		}
		return y
	}
	x, w, bias := sample("x", 7, 11), matrix(sample("weight", 5, 11)), sample("bias", 5)
	checkGradients(t, op.Linear("linear"), product, x, w)
	checkGradients(t, op.LinearBias("linear with bias"), product, x, w, bias)
}

// TestProjected: projections that share their x have the gradients that they have
// alone, run after run, and leave nothing in memory, also where one is constant.
func TestProjected(t *testing.T) {
	x := sample("x", 6, 5)
	weights := []gorgonia.Value{matrix(sample("w0", 4, 5)), matrix(sample("w1", 3, 5)), matrix(sample("w2", 7, 5))}
	build := func(shared func() *op.Projected) (run func() [][]float32) {
		g := gorgonia.NewGraph()
		nodes := leaves(g, append([]gorgonia.Value{x}, weights...)...)
		var loss *gorgonia.Node
		for i, w := range nodes[1:] {
			o := op.LinearOf("projection", shared())
			if i == 0 {
				o.Constant(1)
			}
			y := gorgonia.Must(gorgonia.ApplyOp(o, nodes[0], w))
			term := weighted(g, y, op.Floats(sample("coefficients", y.Shape().TotalSize(), 1)))
			if loss == nil {
				loss = term
				continue
			}
			loss = gorgonia.Must(gorgonia.Add(loss, term))
		}
		slopes, err := gorgonia.Grad(loss, nodes[0], nodes[2], nodes[3])
		if err != nil {
			t.Fatal(err)
		}
		vm := gorgonia.NewTapeMachine(g)
		return func() (gradients [][]float32) {
			defer vm.Reset()
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			for _, slope := range slopes {
				gradients = append(gradients, slices.Clone(op.Floats(slope.Value())))
			}
			return gradients
		}
	}
	one := new(op.Projected)
	together, alone := build(func() *op.Projected { return one }), build(func() *op.Projected { return new(op.Projected) })
	for range 3 {
		for i, gradient := range together() {
			if want := alone()[i]; !slices.Equal(gradient, want) {
				t.Errorf("gradient %d is %v, alone %v", i, gradient, want)
			}
		}
		if op.Held(one) {
			t.Error("what the gradients read of x is still in memory")
		}
		op.Floats(x)[7]++
	}
}

func TestEmbedGradient(t *testing.T) {
	pass := &op.Pass{Tokens: []int32{3, 0, 3, 5, 3}} // a token thrice, some never
	checkGradients(t, op.Embed("embed", pass, len(pass.Tokens)), func(in [][]float64, _, width int) (y []float64) {
		for _, id := range pass.Tokens {
			y = append(y, in[0][int(id)*width:(int(id)+1)*width]...)
		}
		return y
	}, matrix(sample("table", 6, 4)))
}

func TestNormGradients(t *testing.T) {
	norm := func(epsilon float64, heads int) loop {
		return func(in [][]float64, rows, width int) []float64 {
			y, dim := make([]float64, rows*width), width/heads
			for at := 0; at < len(y); at += dim {
				square := epsilon
				for _, v := range in[0][at : at+dim] {
					square += v * v / float64(dim)
				}
				for i, v := range in[0][at : at+dim] {
					y[at+i] = v / math.Sqrt(square) * in[1][i]
				}
			}
			return y
		}
	}
	checkGradients(t, op.RMSNorm("norm", 1e-5), norm(1e-5, 1), sample("x", 4, 10), sample("weight", 10))
	checkGradients(t, op.RMSNorm("norm of a large epsilon", 0.5), norm(0.5, 1), sample("x", 4, 10), sample("weight", 10))
	checkGradients(t, op.HeadNorm("norm of 3 heads", 1e-5, 3), norm(1e-5, 3), sample("x", 4, 18), sample("weight", 6))
}

// TestRopeGradient turns all channels of a head, some, and none.
func TestRopeGradient(t *testing.T) {
	const heads, dim = 2, 6
	for name, frequencies := range map[string][]float64{"rope": {1, 0.3, 0.1}, "rope of 4 of 6 channels": {1, 0.1}, "no rotation": nil} {
		pass, half := new(op.Pass), len(frequencies)
		for _, position := range []float64{0, 1, 7, 2} {
			for _, f := range frequencies {
				pass.Cos, pass.Sin = append(pass.Cos, float32(math.Cos(position*f))), append(pass.Sin, float32(math.Sin(position*f)))
			}
		}
		checkGradients(t, op.RoPE(name, pass, heads, dim), func(in [][]float64, rows, width int) []float64 {
			y := slices.Clone(in[0])
			for r := range rows {
				for h := range heads {
					for i := range half {
						a, b := r*width+h*dim+i, r*width+h*dim+i+half
						cos, sin := float64(pass.Cos[r*half+i]), float64(pass.Sin[r*half+i])
						y[a], y[b] = in[0][a]*cos-in[0][b]*sin, in[0][b]*cos+in[0][a]*sin
					}
				}
			}
			return y
		}, sample("x", 4, heads*dim))
	}
}

func TestElementGradients(t *testing.T) {
	a, b := sample("a", 4, 6), sample("b", 4, 6)
	each := func(f func(a, b float64) float64) loop {
		return func(in [][]float64, _, _ int) []float64 {
			y := make([]float64, len(in[0]))
			for i, v := range in[0] {
				y[i] = f(v, in[len(in)-1][i])
			}
			return y
		}
	}
	checkGradients(t, op.SwiGLU("swiglu"), each(func(a, b float64) float64 { return silu(a) * b }), a, b)
	checkGradients(t, op.Add("add"), each(func(a, b float64) float64 { return a + b }), a, b)
	checkGradients(t, op.Scale("scale", -2.5), each(func(a, _ float64) float64 { return -2.5 * a }), a)
	large := dense([]float32{-80, -30, -1, 0, 30, 80}, 1, 6) // where the gate is flat
	checkGradients(t, op.SwiGLU("swiglu of large gates"), each(func(a, b float64) float64 { return silu(a) * b }), large, sample("b", 1, 6))
}

// TestNoGradient: what cannot be differentiated is refused by its name, also
// where another path goes by it.
func TestNoGradient(t *testing.T) {
	refused := func(build func(x *gorgonia.Node) *gorgonia.Node, name string) {
		t.Helper()
		g := gorgonia.NewGraph()
		x := leaves(g, sample("x", 2, 4))[0]
		_, err := gorgonia.Grad(weighted(g, build(x), make([]float32, 8)), x)
		if err == nil || !strings.Contains(err.Error(), name+" has no gradient") {
			t.Errorf("%s is differentiated: error %v", name, err)
		}
	}
	apply := func(o *op.Op, in ...*gorgonia.Node) *gorgonia.Node { return gorgonia.Must(gorgonia.ApplyOp(o, in...)) }
	refused(func(x *gorgonia.Node) *gorgonia.Node { return apply(op.GeGLU("the gate"), x, x) }, "the gate")
	refused(func(x *gorgonia.Node) *gorgonia.Node { return apply(op.Softcap("the cap", 2), x) }, "the cap")
	refused(func(x *gorgonia.Node) *gorgonia.Node {
		return apply(op.Add("residual"), x, apply(op.Softcap("the cap", 2), x))
	}, "the cap")
}
