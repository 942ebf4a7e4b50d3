package train

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"surgeon/probe/decoder/op"
	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// parameter is a tensor of a model that may be trained. A matrix is a value of
// gorgonia that the operations multiply by: packed once for x W^T and once for
// x W, whenever it has changed.
type parameter struct {
	name    string
	shape   []int // [out, in], or [width]
	values  []float32
	frozen  bool
	decayed bool // by WeightDecay

	version          int // grows with every change
	forward, back    kernel.Panels
	packed, backward int // the versions that were packed, plus 1

	gradient      *gorgonia.Node
	first, second []float32 // moments of the gradient
	before        []float32 // the values at the start; nil if nothing pulls back to them
}

var (
	_ op.Trained = (*parameter)(nil)
	_ op.Table   = (*parameter)(nil)
)

func readParameter(src tensors.Source, name string, shape []int) (*parameter, error) {
	p := &parameter{name: name, shape: shape, values: make([]float32, tensor.Shape(shape).TotalSize())}
	if err := src.Read(p.values, name, 0); err != nil {
		return nil, err
	}
	if !kernel.Finite(p.values) {
		return nil, fmt.Errorf("tensor %q holds a value that is not finite: it cannot be trained", name)
	}
	p.decayed = len(shape) == 2 && !strings.Contains(name, "embed_tokens") && name != "lm_head.weight"
	return p, nil
}

// begin makes room for what training needs.
func (p *parameter) begin(pull bool) {
	p.first, p.second = make([]float32, len(p.values)), make([]float32, len(p.values))
	if pull {
		p.before = slices.Clone(p.values)
	}
}

// node is the value that a graph sees.
func (p *parameter) node() gorgonia.Value {
	if len(p.shape) == 1 {
		return tensor.New(tensor.WithShape(p.shape...), tensor.WithBacking(p.values))
	}
	return p
}

// Multiply implements op.Weight.
func (p *parameter) Multiply(dst, x []float32, rows int) {
	if p.packed != p.version+1 {
		p.forward.Pack(p.values, p.shape[0], p.shape[1])
		p.packed = p.version + 1
	}
	p.forward.Multiply(dst, x, rows)
}

// MultiplyTransposed implements op.Trained.
func (p *parameter) MultiplyTransposed(dst, x []float32, rows int) {
	if p.backward != p.version+1 {
		p.back.PackTransposed(p.values, p.shape[1], p.shape[0])
		p.backward = p.version + 1
	}
	p.back.Multiply(dst, x, rows)
}

// Values implements op.Table.
func (p *parameter) Values() []float32 { return p.values }

// Shape implements gorgonia.Value.
func (p *parameter) Shape() tensor.Shape { return p.shape }

// Size implements gorgonia.Value.
func (p *parameter) Size() int { return len(p.values) }

// Data implements gorgonia.Value.
func (p *parameter) Data() any { return p.values }

// Dtype implements gorgonia.Value.
func (p *parameter) Dtype() tensor.Dtype { return tensor.Float32 }

// Uintptr implements tensor.Memory.
func (p *parameter) Uintptr() uintptr { return reflect.ValueOf(p).Pointer() }

// MemSize implements tensor.Memory.
func (p *parameter) MemSize() uintptr { return uintptr(4 * len(p.values)) }

// Format implements fmt.Formatter.
func (p *parameter) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s %v", p.name, p.shape) }
