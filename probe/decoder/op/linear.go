package op

import (
	"sync"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"surgeon/tensors/kernel"
)

// Linear is a projection: x [rows, in], Weight [out, in] -> x W^T [rows, out]. If
// it is to be differentiated, the weight is Trained; the gradients are
//
//	dx = dy W,  dW = dy^T x
func Linear(name string) *Op { return LinearOf(name, new(Projected)) }

// LinearOf is Linear of an x that other projections may share.
func LinearOf(name string, x *Projected) *Op {
	o := &Op{
		Name: name, inputs: []int{2, 2}, dims: 2,
		shape: func(in []tensor.Shape) tensor.Shape { return tensor.Shape{in[0][0], in[1][0]} },
		do: func(dst []float32, in []gorgonia.Value) {
			x.forget()
			in[1].(Weight).Multiply(dst, Floats(in[0]), in[0].Shape()[0])
		},
	}
	o.gradient = func(in gorgonia.Nodes, _, of *gorgonia.Node) (gorgonia.Nodes, error) {
		if o.wanted(1) {
			x.wanted++
		}
		return apply(
			term{o.wanted(0), linearInput(name + " to x"), gorgonia.Nodes{of, in[1]}},
			term{o.wanted(1), linearWeight(name+" to weight", x), gorgonia.Nodes{of, in[0]}})
	}
	return o
}

// LinearBias is Linear with a third input, bias [out], added to every row. The
// gradient of the bias is the sum of the rows of dy.
func LinearBias(name string) *Op { return LinearBiasOf(name, new(Projected)) }

// LinearBiasOf is LinearBias of an x that other projections may share.
func LinearBiasOf(name string, x *Projected) *Op {
	o := LinearOf(name, x)
	weights, product := o.gradient, o.do
	o.inputs = []int{2, 2, 1}
	o.do = func(dst []float32, in []gorgonia.Value) {
		product(dst, in)
		kernel.AddRow(dst, Floats(in[2]), in[0].Shape()[0])
	}
	o.gradient = func(in gorgonia.Nodes, out, of *gorgonia.Node) (gorgonia.Nodes, error) {
		nodes, err := weights(in, out, of)
		if err != nil {
			return nil, err
		}
		bias, err := apply(term{o.wanted(2), columnSums(name + " to bias"), gorgonia.Nodes{of}})
		return append(nodes, bias...), err
	}
	return o
}

// Linears are projections of one x [rows, in], which is arranged for the products
// once: by weights of kernel.Panels [outs[i], in] and, if bias, with a bias [outs[i]]
// for each added to every row. The first operation takes x, the weights and the
// biases, and gives [rows, outs[0]]; each further one takes the first's result, and
// gives the product of its own weight. They have no gradient.
func Linears(names []string, rows int, outs []int, bias bool) []*Op {
	results := make([][]float32, len(names))
	first := &Op{
		Name: names[0], inputs: []int{2}, dims: 2,
		shape: func([]tensor.Shape) tensor.Shape { return tensor.Shape{rows, outs[0]} },
	}
	list := []*Op{first}
	for range names {
		first.inputs = append(first.inputs, 2)
	}
	for i, name := range names {
		if bias {
			first.inputs = append(first.inputs, 1)
		}
		if i > 0 {
			list = append(list, second(name, 2, tensor.Shape{rows, outs[i]}, func() []float32 { return results[i] }))
		}
	}
	first.do = func(dst []float32, in []gorgonia.Value) {
		weights := make([]*kernel.Panels, len(names))
		for i := range names {
			weights[i] = in[1+i].Data().(*kernel.Panels)
			if results[i] = dst; i > 0 {
				results[i] = list[i].memory(rows * outs[i])
			}
		}
		kernel.MultiplyEach(results, Floats(in[0]), rows, weights)
		for i, b := range in[1+len(names):] {
			kernel.AddRow(results[i], Floats(b), rows)
		}
	}
	return list
}

// linearInput: dy [rows, out], Trained [out, in] -> [rows, in].
func linearInput(name string) *Op {
	return &Op{
		Name: name, inputs: []int{2, 2}, dims: 2,
		shape: func(in []tensor.Shape) tensor.Shape { return tensor.Shape{in[0][0], in[1][1]} },
		do: func(dst []float32, in []gorgonia.Value) {
			in[1].(Trained).MultiplyTransposed(dst, Floats(in[0]), in[0].Shape()[0])
		},
	}
}

// linearWeight: dy [rows, out], x [rows, in] -> [out, in].
func linearWeight(name string, shared *Projected) *Op {
	return &Op{
		Name: name, inputs: []int{2, 2}, dims: 2,
		shape: func(in []tensor.Shape) tensor.Shape { return tensor.Shape{in[0][1], in[1][1]} },
		do: func(dst []float32, in []gorgonia.Value) {
			shared.use(in[1], func(x *kernel.Panels) { x.WeightGradient(dst, Floats(in[0]), in[0].Shape()[1]) })
		},
	}
}

// Projected is an x [rows, in] that several projections of one graph multiply; the
// zero value is ready. What the gradients of their weights read of it is packed
// once, for the first of them, and is there until the last is done or x is another.
type Projected struct {
	wanted, done int // gradients
	packed       *kernel.Panels
}

// packs keeps the memory of an x from one to the next.
var packs = sync.Pool{New: func() any { return new(kernel.Panels) }}

// use calls a function with x [rows, in], packed.
func (p *Projected) use(x gorgonia.Value, gradient func(x *kernel.Panels)) {
	if p.packed == nil {
		p.packed = packs.Get().(*kernel.Panels)
		p.packed.PackTransposed(Floats(x), x.Shape()[1], x.Shape()[0])
	}
	gradient(p.packed)
	if p.done++; p.done == p.wanted {
		p.forget()
	}
}

// forget frees what was packed: the last gradient is done, or x has changed.
func (p *Projected) forget() {
	if p.packed != nil {
		packs.Put(p.packed)
	}
	p.packed, p.done = nil, 0
}

// columnSums: x [rows, width] -> [width].
func columnSums(name string) *Op {
	return &Op{
		Name: name, inputs: []int{2}, dims: 1,
		shape: func(in []tensor.Shape) tensor.Shape { return tensor.Shape{in[0][1]} },
		do:    func(dst []float32, in []gorgonia.Value) { kernel.ColumnSums(dst, Floats(in[0]), in[0].Shape()[0]) },
	}
}

// Embed looks up the rows of an embedding [vocabulary, width] that the Pass's
// tokens ask for -> [rows, width]. The gradient of an embedding's row is the sum
// of those of the rows that it became, in their order.
func Embed(name string, pass *Pass, rows int) *Op {
	return &Op{
		Name: name, inputs: []int{2}, dims: 2,
		shape: func(in []tensor.Shape) tensor.Shape { return tensor.Shape{rows, in[0][1]} },
		do: func(dst []float32, in []gorgonia.Value) {
			table, width := in[0].(Table).Values(), in[0].Shape()[1]
			for r, id := range pass.Tokens {
				copy(dst[r*width:(r+1)*width], table[int(id)*width:])
			}
		},
		gradient: func(in gorgonia.Nodes, _, of *gorgonia.Node) (gorgonia.Nodes, error) {
			return apply(term{true, embedGradient(name+" to weight", pass, in[0].Shape()), gorgonia.Nodes{of}})
		},
	}
}

// Table is a matrix whose rows can be read.
type Table interface {
	Values() []float32 // [rows, width]
}

// embedGradient: dy [rows, width] -> [vocabulary, width].
func embedGradient(name string, pass *Pass, shape tensor.Shape) *Op {
	return &Op{
		Name: name, inputs: []int{2}, dims: 2,
		shape: func([]tensor.Shape) tensor.Shape { return shape.Clone() },
		do: func(dst []float32, in []gorgonia.Value) {
			clear(dst)
			dy, width := Floats(in[0]), shape[1]
			kernel.Parallel(width, func(low, high int) {
				for r, id := range pass.Tokens {
					to, from := dst[int(id)*width:(int(id)+1)*width], dy[r*width:(r+1)*width]
					for i := low; i < high; i++ {
						to[i] += from[i]
					}
				}
			})
		},
	}
}

// term is a gradient with respect to one input.
type term struct {
	wanted bool
	op     *Op
	inputs gorgonia.Nodes
}

// apply adds the operations of the gradients that are wanted; others are nil.
func apply(terms ...term) (gorgonia.Nodes, error) {
	nodes := make(gorgonia.Nodes, len(terms))
	for i, t := range terms {
		if !t.wanted {
			continue
		}
		n, err := gorgonia.ApplyOp(t.op, t.inputs...)
		if err != nil {
			return nil, err
		}
		nodes[i] = n
	}
	return nodes, nil
}
