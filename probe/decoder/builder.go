package decoder

import (
	"gorgonia.org/gorgonia"

	"surgeon/probe/decoder/op"
	"surgeon/tensors/kernel"
)

// Builder is a gorgonia graph that blocks are added to. Names are those behind
// "model.layers.N.", without ".weight" and ".bias".
type Builder interface {
	Apply(o *op.Op, in ...*gorgonia.Node) *gorgonia.Node
	// Weight is the node of a vector.
	Weight(name string) *gorgonia.Node
	// Linear is a projection by the matrix of a name, and its bias if it has one.
	Linear(name string, in *gorgonia.Node) *gorgonia.Node
	// Linears are the projections of one node by several matrices.
	Linears(in *gorgonia.Node, names ...string) []*gorgonia.Node
}

// Block adds a decoder block over the residual stream x [rows, hidden] to a
// graph and returns the stream behind it: that of Llama (Touvron et al., arXiv
// 2302.13971), with norms before attention and MLP or behind them, as the Config
// says. Positions, segments and window are those of the Pass at a run.
func (c Config) Block(b Builder, pass *op.Pass, x *gorgonia.Node) *gorgonia.Node {
	norms := c.norms()
	norm := func(name string, in *gorgonia.Node) *gorgonia.Node {
		if name == "" {
			return in
		}
		return b.Apply(op.RMSNorm(name, c.Epsilon), in, b.Weight(name))
	}
	// heads norms queries or keys, if that is in the Config.
	heads := func(name string, in *gorgonia.Node, heads int) *gorgonia.Node {
		switch c.QKNorm {
		case EachHead:
			return b.Apply(op.HeadNorm(name+"_norm", c.Epsilon, heads), in, b.Weight(name+"_norm"))
		case AllHeads:
			return norm(name+"_norm", in)
		}
		return in
	}
	gate := op.SwiGLU("swiglu")
	if c.GELU {
		gate = op.GeGLU("geglu")
	}

	h := norm(norms.BeforeAttention, x)
	qkv := b.Linears(h, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
	q := b.Apply(op.RoPE("rope_q", pass, c.Heads, c.HeadDim), heads("self_attn.q", qkv[0], c.Heads))
	k := b.Apply(op.RoPE("rope_k", pass, c.KVHeads, c.HeadDim), heads("self_attn.k", qkv[1], c.KVHeads))
	attention := op.Attention("attention", pass, kernel.Heads{Query: c.Heads, KV: c.KVHeads, Dim: c.HeadDim, Scale: c.QueryScale, Softcap: c.ScoreCap})
	a := b.Linear("self_attn.o_proj", b.Apply(attention, q, k, qkv[2]))
	x = b.Apply(op.Add("add_attention"), x, norm(norms.AfterAttention, a))

	h = norm(norms.BeforeMLP, x)
	m := b.Apply(gate, b.Linears(h, "mlp.gate_proj", "mlp.up_proj")...)
	return b.Apply(op.Add("add_mlp"), x, norm(norms.AfterMLP, b.Linear("mlp.down_proj", m)))
}
