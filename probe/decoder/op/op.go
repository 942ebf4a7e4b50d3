// Package op holds the operations of a decoder-only language model as gorgonia
// Ops over float32 matrices, each a few lines over tensors/kernel, and their
// gradients.
//
// A forward graph is made of the constructors here (Linear, RMSNorm, RoPE,
// Attention, SwiGLU, ...), applied by gorgonia.ApplyOp. What an operation looks
// at beside its inputs, such as positions and which rows continue each other, is
// the Pass that it was made with, as it stands when the graph runs.
//
// Those of a Llama-shaped block and of its loss can be differentiated:
// gorgonia.Grad asks them for the nodes of their gradient (gorgonia.SDOp), which
// are operations of this package again. Where a gradient has several results,
// one operation computes all and the others pass on what it left (second).
//
// Results stand in memory that the next run of the same operation uses again:
// its own, or what Memory gives.
package op

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"surgeon/tensors/kernel"
)

// Op is an operation: a gorgonia.SDOp whose Do is a loop of tensors/kernel.
type Op struct {
	Name   string
	Runs   int                                      // executions so far
	Memory func(name string, n int) []float32       // where results are put; nil: memory of its own
	Around func(o *Op, do func())                   // measures an execution; nil: nothing does
	Before func(in []gorgonia.Value)                // looks at the inputs of an execution; nil: nothing does
	inputs []int                                    // number of dimensions of each input
	dims   int                                      // of the result; 0 is a scalar
	shape  func(in []tensor.Shape) tensor.Shape     // of the result
	do     func(dst []float32, in []gorgonia.Value) // fills the result
	// gradient adds the nodes of the gradients with respect to each input; nil
	// where there is none.
	gradient func(in gorgonia.Nodes, out, of *gorgonia.Node) (gorgonia.Nodes, error)
	constant []bool // inputs that no gradient is wanted for
	own      []float32
	left     func() []float32 // in the place of do: what another operation has left
}

// Pass is what operations look at beside their inputs.
type Pass struct {
	Segments []kernel.Segment
	Caches   []*kernel.Cache // per segment; nil for none
	Cos, Sin []float32       // of the angle of each channel pair, [rows, half]; empty: no rotation
	Window   int             // see kernel.Heads
	Tokens   []int32         // [rows], of Embed
	Loss     Loss
}

var _ gorgonia.SDOp = (*Op)(nil)

// Weight is a matrix [out, in] that rows are multiplied by.
type Weight interface {
	gorgonia.Value
	// Multiply is dst = x W^T: dst [rows, out], x [rows, in].
	Multiply(dst, x []float32, rows int)
}

// Trained is a Weight whose products can be differentiated.
type Trained interface {
	Weight
	// MultiplyTransposed is dst = x W: dst [rows, in], x [rows, out].
	MultiplyTransposed(dst, x []float32, rows int)
}

// Constant says that no gradient is wanted for some inputs, by number.
func (o *Op) Constant(inputs ...int) *Op {
	o.constant = make([]bool, len(o.inputs))
	for _, i := range inputs {
		o.constant[i] = true
	}
	return o
}

// Arity implements gorgonia.Op.
func (o *Op) Arity() int { return len(o.inputs) }

// Type implements gorgonia.Op: a function of float32 tensors of the stated
// dimensions.
func (o *Op) Type() hm.Type {
	types := make([]hm.Type, 0, len(o.inputs)+1)
	for _, dims := range append(o.inputs[:len(o.inputs):len(o.inputs)], o.dims) {
		if dims == 0 {
			types = append(types, tensor.Float32)
			continue
		}
		types = append(types, gorgonia.TensorType{Dims: dims, Of: tensor.Float32})
	}
	return hm.NewFnType(types...)
}

// InferShape implements gorgonia.Op.
func (o *Op) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := gorgonia.DimSizersToShapes(inputs)
	if err != nil {
		return nil, err
	}
	return o.shape(shapes), nil
}

// Do implements gorgonia.Op.
func (o *Op) Do(inputs ...gorgonia.Value) (gorgonia.Value, error) {
	if len(inputs) != len(o.inputs) {
		return nil, fmt.Errorf("%s takes %d inputs, not %d", o.Name, len(o.inputs), len(inputs))
	}
	shapes := make([]tensor.Shape, len(inputs))
	for i, value := range inputs {
		_, dense := value.(*tensor.Dense)
		_, weight := value.(Weight)
		if !dense && !weight && o.inputs[i] > 0 {
			return nil, fmt.Errorf("%s: input %d is a %T, neither a dense tensor nor a packed weight", o.Name, i, value)
		}
		shapes[i] = value.Shape()
	}
	shape := o.shape(shapes)
	if o.Before != nil {
		o.Before(inputs)
	}
	out := o.out(shape.TotalSize())
	if o.Around != nil {
		o.Around(o, func() { o.do(out, inputs) })
	} else {
		o.do(out, inputs)
	}
	o.Runs++
	if o.dims == 0 {
		return gorgonia.NewF32(out[0]), nil
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(out)), nil
}

// out is memory for n values of a result, of any content, or where it stands
// already.
func (o *Op) out(n int) []float32 {
	if o.left != nil {
		return o.left()
	}
	return o.memory(n)
}

// memory is where n values of a result stand.
func (o *Op) memory(n int) []float32 {
	if o.Memory != nil {
		return o.Memory(o.Name, n)
	}
	o.own = resize(o.own, max(1, n)) // a scalar has a value too
	return o.own
}

// DiffWRT implements gorgonia.SDOp. It says yes also where there is no gradient:
// gorgonia then asks for one and is refused, while a no would make it leave the
// operation out of the sum.
func (o *Op) DiffWRT(inputs int) []bool {
	all := make([]bool, inputs)
	for i := range all {
		all[i] = o.inputs[i] > 0 && o.wanted(i)
	}
	return all
}

// SymDiff implements gorgonia.SDOp.
func (o *Op) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if o.gradient == nil {
		return nil, fmt.Errorf("%s has no gradient", o.Name)
	}
	return o.gradient(inputs, output, grad)
}

// wanted reports whether the gradient of an input is.
func (o *Op) wanted(input int) bool { return o.constant == nil || !o.constant[input] }

// ReturnsPtr implements gorgonia.Op.
func (o *Op) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op.
func (o *Op) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (o *Op) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op. No two operations are the same one.
func (o *Op) WriteHash(h hash.Hash) { fmt.Fprintf(h, "%s %p", o.Name, o) }

// Hashcode implements gorgonia.Op.
func (o *Op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// String implements gorgonia.Op.
func (o *Op) String() string { return o.Name }

// Floats are the values of a dense tensor.
func Floats(v gorgonia.Value) []float32 { return v.Data().([]float32) }

func same(in []tensor.Shape) tensor.Shape { return in[0].Clone() }

// resize returns n values of any content, in the memory of s if that is enough.
func resize(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// second is a further result of an operation that has left values: its input is
// that operation's, so that it runs later.
func second(name string, dims int, shape tensor.Shape, values func() []float32) *Op {
	return &Op{
		Name: name, inputs: []int{2}, dims: dims,
		shape: func([]tensor.Shape) tensor.Shape { return shape },
		do:    func([]float32, []gorgonia.Value) {},
		left:  values,
	}
}
