package decoder

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"surgeon/tensors/kernel"
)

// operation is a gorgonia.Op over float32 matrices and vectors whose Do is a
// loop of tensors/kernel. Its fields are what differs between operations.
type operation struct {
	name   string
	inputs []int                                    // number of dimensions of each input
	shape  func(in []tensor.Shape) tensor.Shape     // of the result
	do     func(dst []float32, in []gorgonia.Value) // fills the result
	runs   int                                      // executions so far
	space  *workspace                               // where results are put; nil for new memory
}

// Arity implements gorgonia.Op.
func (o *operation) Arity() int { return len(o.inputs) }

// Type implements gorgonia.Op: a function of float32 tensors of the stated
// dimensions to a float32 matrix.
func (o *operation) Type() hm.Type {
	types := make([]hm.Type, 0, len(o.inputs)+1)
	for _, dims := range append(o.inputs[:len(o.inputs):len(o.inputs)], 2) {
		types = append(types, gorgonia.TensorType{Dims: dims, Of: tensor.Float32})
	}
	return hm.NewFnType(types...)
}

// InferShape implements gorgonia.Op.
func (o *operation) InferShape(inputs ...gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := gorgonia.DimSizersToShapes(inputs)
	if err != nil {
		return nil, err
	}
	return o.shape(shapes), nil
}

// Do implements gorgonia.Op.
func (o *operation) Do(inputs ...gorgonia.Value) (gorgonia.Value, error) {
	if len(inputs) != len(o.inputs) {
		return nil, fmt.Errorf("%s takes %d inputs, not %d", o.name, len(o.inputs), len(inputs))
	}
	shapes := make([]tensor.Shape, len(inputs))
	for i, value := range inputs {
		switch value.(type) {
		case *tensor.Dense, *panels:
			shapes[i] = value.Shape()
		default:
			return nil, fmt.Errorf("%s: input %d is a %T, neither a dense tensor nor a packed weight", o.name, i, value)
		}
	}
	shape := o.shape(shapes)
	out := o.space.take(o.name, shape.TotalSize())
	o.do(out, inputs)
	o.runs++
	return dense(out, shape...), nil
}

// ReturnsPtr implements gorgonia.Op.
func (o *operation) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op.
func (o *operation) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (o *operation) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op.
func (o *operation) WriteHash(h hash.Hash) { fmt.Fprintf(h, "%s %p", o.name, o) }

// Hashcode implements gorgonia.Op.
func (o *operation) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// String implements gorgonia.Op.
func (o *operation) String() string { return o.name }

func floats(v gorgonia.Value) []float32 { return v.Data().([]float32) }

func same(in []tensor.Shape) tensor.Shape { return in[0].Clone() }

// linearOp: x [rows, in], packed weight [out, in] -> [rows, out].
func linearOp(name string) *operation {
	return &operation{
		name: name, inputs: []int{2, 2},
		shape: func(in []tensor.Shape) tensor.Shape { return tensor.Shape{in[0][0], in[1][0]} },
		do: func(dst []float32, in []gorgonia.Value) {
			in[1].(*panels).Multiply(dst, floats(in[0]), in[0].Shape()[0])
		},
	}
}

// linearBiasOp: x [rows, in], packed weight [out, in], bias [out] -> [rows, out].
func linearBiasOp(name string) *operation {
	o := linearOp(name)
	o.inputs = []int{2, 2, 1}
	o.do = func(dst []float32, in []gorgonia.Value) {
		rows := in[0].Shape()[0]
		in[1].(*panels).Multiply(dst, floats(in[0]), rows)
		kernel.AddRow(dst, floats(in[2]), rows)
	}
	return o
}

// normOp: x [rows, hidden], weight [hidden] -> [rows, hidden].
func normOp(name string, epsilon float32) *operation {
	return &operation{
		name: name, inputs: []int{2, 1}, shape: same,
		do: func(dst []float32, in []gorgonia.Value) {
			kernel.RMSNorm(dst, floats(in[0]), floats(in[1]), epsilon, in[0].Shape()[0])
		},
	}
}

// headNormOp: x [rows, heads*headDim], weight [headDim] -> the same, each head
// normed by itself.
func headNormOp(name string, epsilon float32, heads int) *operation {
	return &operation{
		name: name, inputs: []int{2, 1}, shape: same,
		do: func(dst []float32, in []gorgonia.Value) {
			kernel.RMSNorm(dst, floats(in[0]), floats(in[1]), epsilon, in[0].Shape()[0]*heads)
		},
	}
}

// ropeOp: x [rows, heads*headDim] -> the same, each head rotated as the
// workspace says, or not at all.
func ropeOp(name string, space *workspace, heads, headDim int) *operation {
	return &operation{
		name: name, inputs: []int{2}, shape: same,
		do: func(dst []float32, in []gorgonia.Value) {
			rows, rotation := in[0].Shape()[0], space.rotation
			kernel.RoPE(dst, floats(in[0]), rotation.cos, rotation.sin, rows, heads, headDim, len(rotation.cos)/rows)
		},
	}
}

// attentionOp: q [rows, heads*headDim], k and v [rows, kvHeads*headDim] -> the
// shape of q, along the segments and caches of the workspace.
func attentionOp(space *workspace, c Config) *operation {
	return &operation{
		name: "attention", inputs: []int{2, 2, 2}, shape: same,
		do: func(dst []float32, in []gorgonia.Value) {
			kernel.Attention(dst, floats(in[0]), floats(in[1]), floats(in[2]), space.segments, space.caches,
				kernel.Heads{Query: c.Heads, KV: c.KVHeads, Dim: c.HeadDim, Window: space.window, Scale: c.QueryScale, Softcap: c.ScoreCap})
		},
	}
}

// gateOp: gate and up [rows, intermediate] -> the same.
func gateOp(c Config) *operation {
	name, activation := "swiglu", kernel.SwiGLU
	if c.GELU {
		name, activation = "geglu", kernel.GeGLU
	}
	return &operation{
		name: name, inputs: []int{2, 2}, shape: same,
		do: func(dst []float32, in []gorgonia.Value) { activation(dst, floats(in[0]), floats(in[1])) },
	}
}

// softcapOp: x [rows, width] -> the same, bounded.
func softcapOp(bound float32) *operation {
	return &operation{
		name: "softcap", inputs: []int{2}, shape: same,
		do: func(dst []float32, in []gorgonia.Value) {
			copy(dst, floats(in[0]))
			kernel.Softcap(dst, bound)
		},
	}
}

// addOp: a and b [rows, hidden] -> the same.
func addOp(name string) *operation {
	return &operation{
		name: name, inputs: []int{2, 2}, shape: same,
		do: func(dst []float32, in []gorgonia.Value) { kernel.Add(dst, floats(in[0]), floats(in[1])) },
	}
}
