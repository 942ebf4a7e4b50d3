package op

import (
	"gorgonia.org/gorgonia"

	"surgeon/tensors/kernel"
)

// RMSNorm: x [rows, width], weight [width] -> [rows, width], see kernel.RMSNorm.
func RMSNorm(name string, epsilon float32) *Op { return HeadNorm(name, epsilon, 1) }

// HeadNorm: x [rows, heads*dim], weight [dim] -> the same, each head normed by
// itself.
func HeadNorm(name string, epsilon float32, heads int) *Op {
	o := &Op{
		Name: name, inputs: []int{2, 1}, dims: 2, shape: same,
		do: func(dst []float32, in []gorgonia.Value) {
			kernel.RMSNorm(dst, Floats(in[0]), Floats(in[1]), epsilon, in[0].Shape()[0]*heads)
		},
	}
	o.gradient = func(in gorgonia.Nodes, _, of *gorgonia.Node) (gorgonia.Nodes, error) {
		var dweight []float32
		dx := &Op{
			Name: name + " to x", inputs: []int{2, 2, 1}, dims: 2, shape: same,
			do: func(dst []float32, in []gorgonia.Value) {
				if o.wanted(1) {
					dweight = resize(dweight, in[2].Shape()[0])
				}
				kernel.RMSNormGradient(dst, dweight, Floats(in[0]), Floats(in[1]), Floats(in[2]), epsilon, in[0].Shape()[0]*heads)
			},
		}
		nodes, err := apply(term{true, dx, gorgonia.Nodes{of, in[0], in[1]}})
		if err != nil {
			return nil, err
		}
		also, err := apply(term{o.wanted(1), second(name+" to weight", 1, in[1].Shape(), func() []float32 { return dweight }), nodes})
		return append(nodes, also...), err
	}
	return o
}

// RoPE: x [rows, heads*dim] -> the same, each head rotated by the angles of the
// Pass, see kernel.RoPE. The gradient is rotated back.
func RoPE(name string, pass *Pass, heads, dim int) *Op {
	turn := func(name string, by func(dst, x, cos, sin []float32, rows, heads, headDim, half int)) *Op {
		return &Op{
			Name: name, inputs: []int{2}, dims: 2, shape: same,
			do: func(dst []float32, in []gorgonia.Value) {
				rows := in[0].Shape()[0]
				by(dst, Floats(in[0]), pass.Cos, pass.Sin, rows, heads, dim, len(pass.Cos)/rows)
			},
		}
	}
	o := turn(name, kernel.RoPE)
	o.gradient = func(_ gorgonia.Nodes, _, of *gorgonia.Node) (gorgonia.Nodes, error) {
		return apply(term{true, turn(name+" to x", kernel.RoPEGradient), gorgonia.Nodes{of}})
	}
	return o
}

// Attention: q [rows, h.Query*h.Dim], k and v [rows, h.KV*h.Dim] -> the shape of
// q, along the segments and caches of the Pass, whose Window is h's, see
// kernel.Attention.
func Attention(name string, pass *Pass, h kernel.Heads) *Op {
	heads := func() kernel.Heads {
		h.Window = pass.Window
		return h
	}
	return &Op{
		Name: name, inputs: []int{2, 2, 2}, dims: 2, shape: same,
		do: func(dst []float32, in []gorgonia.Value) {
			kernel.Attention(dst, Floats(in[0]), Floats(in[1]), Floats(in[2]), pass.Segments, pass.Caches, heads())
		},
		gradient: func(in gorgonia.Nodes, _, of *gorgonia.Node) (gorgonia.Nodes, error) {
			var dk, dv []float32
			dq := &Op{
				Name: name + " to q", inputs: []int{2, 2, 2, 2}, dims: 2, shape: same,
				do: func(dst []float32, in []gorgonia.Value) {
					dk, dv = resize(dk, in[2].Shape().TotalSize()), resize(dv, in[3].Shape().TotalSize())
					kernel.AttentionGradient(dst, dk, dv, Floats(in[0]), Floats(in[1]), Floats(in[2]), Floats(in[3]), pass.Segments, heads())
				},
			}
			nodes, err := apply(term{true, dq, gorgonia.Nodes{of, in[0], in[1], in[2]}})
			if err != nil {
				return nil, err
			}
			also, err := apply(
				term{true, second(name+" to k", 2, in[1].Shape(), func() []float32 { return dk }), nodes},
				term{true, second(name+" to v", 2, in[2].Shape(), func() []float32 { return dv }), nodes})
			return append(nodes, also...), err
		},
	}
}

// SwiGLU: gate and up [rows, width] -> silu(gate) * up, see kernel.SwiGLU.
func SwiGLU(name string) *Op {
	return &Op{
		Name: name, inputs: []int{2, 2}, dims: 2, shape: same,
		do: func(dst []float32, in []gorgonia.Value) { kernel.SwiGLU(dst, Floats(in[0]), Floats(in[1])) },
		gradient: func(in gorgonia.Nodes, _, of *gorgonia.Node) (gorgonia.Nodes, error) {
			var dup []float32
			dgate := &Op{
				Name: name + " to gate", inputs: []int{2, 2, 2}, dims: 2, shape: same,
				do: func(dst []float32, in []gorgonia.Value) {
					dup = resize(dup, len(dst))
					kernel.SwiGLUGradient(dst, dup, Floats(in[0]), Floats(in[1]), Floats(in[2]))
				},
			}
			nodes, err := apply(term{true, dgate, gorgonia.Nodes{of, in[0], in[1]}})
			if err != nil {
				return nil, err
			}
			also, err := apply(term{true, second(name+" to up", 2, in[1].Shape(), func() []float32 { return dup }), nodes})
			return append(nodes, also...), err
		},
	}
}

// GeGLU: gate and up [rows, width] -> gelu(gate) * up by tanh, see kernel.GeGLU.
// It has no gradient here.
func GeGLU(name string) *Op {
	return &Op{
		Name: name, inputs: []int{2, 2}, dims: 2, shape: same,
		do: func(dst []float32, in []gorgonia.Value) { kernel.GeGLU(dst, Floats(in[0]), Floats(in[1])) },
	}
}

// Softcap: x [rows, width] -> the same, bounded, see kernel.Softcap. It has no
// gradient here.
func Softcap(name string, bound float32) *Op {
	return &Op{
		Name: name, inputs: []int{2}, dims: 2, shape: same,
		do: func(dst []float32, in []gorgonia.Value) {
			copy(dst, Floats(in[0]))
			kernel.Softcap(dst, bound)
		},
	}
}

// Add: a and b [rows, width] -> a + b. The gradient of both is that of the sum.
func Add(name string) *Op {
	return &Op{
		Name: name, inputs: []int{2, 2}, dims: 2, shape: same,
		do: func(dst []float32, in []gorgonia.Value) { kernel.Add(dst, Floats(in[0]), Floats(in[1])) },
		gradient: func(_ gorgonia.Nodes, _, of *gorgonia.Node) (gorgonia.Nodes, error) {
			return gorgonia.Nodes{of, of}, nil
		},
	}
}

// Scale: x [rows, width] -> factor * x.
func Scale(name string, factor float32) *Op {
	return &Op{
		Name: name, inputs: []int{2}, dims: 2, shape: same,
		do: func(dst []float32, in []gorgonia.Value) {
			x := Floats(in[0])
			kernel.Parallel(len(dst), func(low, high int) {
				for i := low; i < high; i++ {
					dst[i] = factor * x[i]
				}
			})
		},
		gradient: func(_ gorgonia.Nodes, _, of *gorgonia.Node) (gorgonia.Nodes, error) {
			return apply(term{true, Scale(name+" to x", factor), gorgonia.Nodes{of}})
		},
	}
}
