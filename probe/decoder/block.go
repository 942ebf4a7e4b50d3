package decoder

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// weight is a tensor of a decoder block: its name after "model.layers.N." and
// its shape.
type weight struct {
	name  string
	shape []int
}

// blockWeights lists what a block is made of.
func (c Config) blockWeights() []weight {
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	list := []weight{
		{"input_layernorm.weight", []int{c.Hidden}},
		{"self_attn.q_proj.weight", []int{q, c.Hidden}},
		{"self_attn.k_proj.weight", []int{kv, c.Hidden}},
		{"self_attn.v_proj.weight", []int{kv, c.Hidden}},
		{"self_attn.o_proj.weight", []int{c.Hidden, q}},
		{"post_attention_layernorm.weight", []int{c.Hidden}},
		{"mlp.gate_proj.weight", []int{c.Intermediate, c.Hidden}},
		{"mlp.up_proj.weight", []int{c.Intermediate, c.Hidden}},
		{"mlp.down_proj.weight", []int{c.Hidden, c.Intermediate}},
	}
	if c.AttentionBias {
		list = append(list, weight{"self_attn.q_proj.bias", []int{q}}, weight{"self_attn.k_proj.bias", []int{kv}},
			weight{"self_attn.v_proj.bias", []int{kv}}, weight{"self_attn.o_proj.bias", []int{c.Hidden}})
	}
	if c.QKVBias {
		list = append(list, weight{"self_attn.q_proj.bias", []int{q}}, weight{"self_attn.k_proj.bias", []int{kv}}, weight{"self_attn.v_proj.bias", []int{kv}})
	}
	if c.QKNorm {
		list = append(list, weight{"self_attn.q_norm.weight", []int{c.HeadDim}}, weight{"self_attn.k_norm.weight", []int{c.HeadDim}})
	}
	if c.MLPBias {
		list = append(list, weight{"mlp.gate_proj.bias", []int{c.Intermediate}}, weight{"mlp.up_proj.bias", []int{c.Intermediate}},
			weight{"mlp.down_proj.bias", []int{c.Hidden}})
	}
	return list
}

// graph is a gorgonia graph with inputs that are bound by name before a run.
type graph struct {
	g      *gorgonia.ExprGraph
	inputs map[string]*gorgonia.Node
	out    *gorgonia.Node
	vm     gorgonia.VM
	ops    []*operation
	space  *workspace
}

func newGraph(space *workspace) *graph {
	return &graph{g: gorgonia.NewGraph(), inputs: map[string]*gorgonia.Node{}, space: space}
}

// input declares a float32 input of a shape.
func (g *graph) input(name string, shape ...int) *gorgonia.Node {
	n := gorgonia.NewTensor(g.g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
	g.inputs[name] = n
	return n
}

// apply adds an operation. A graph that does not fit together is a mistake in
// this package, not in a file: shapes of files are checked before.
func (g *graph) apply(o *operation, inputs ...*gorgonia.Node) *gorgonia.Node {
	o.space = g.space
	g.ops = append(g.ops, o)
	return gorgonia.Must(gorgonia.ApplyOp(o, inputs...))
}

// run binds the inputs, executes the graph and returns the values of out, which
// are good until the next run of any graph of the workspace.
func (g *graph) run(inputs map[string]gorgonia.Value) ([]float32, error) {
	for name, node := range g.inputs {
		value, ok := inputs[name]
		if !ok {
			return nil, fmt.Errorf("decoder: no value for input %q of the graph", name)
		}
		if err := gorgonia.Let(node, value); err != nil {
			return nil, fmt.Errorf("decoder: input %q: %w", name, err)
		}
	}
	if g.vm == nil {
		g.vm = gorgonia.NewTapeMachine(g.g)
	}
	defer g.vm.Reset()
	if err := g.vm.RunAll(); err != nil {
		return nil, fmt.Errorf("decoder: the graph failed: %w", err)
	}
	return floats(g.out.Value().(*tensor.Dense)), nil
}

// newBlock builds the graph of one decoder block for a number of rows: the
// pre-norm block of Llama (Touvron et al., arXiv 2302.13971), with the norms of
// query and key that Qwen3 has (arXiv 2505.09388). It is built once
// and run for every layer with that layer's weights bound to its inputs, which
// are called as in blockWeights; "x" is the residual stream [rows, hidden].
// Positions and segments are those of the batch that the workspace holds at the
// run.
func newBlock(c Config, rows int, space *workspace) *graph {
	g := newGraph(space)
	w := map[string]*gorgonia.Node{}
	x := g.input("x", rows, c.Hidden)
	for _, weight := range c.blockWeights() {
		w[weight.name] = g.input(weight.name, weight.shape...)
	}
	linear := func(name string, in *gorgonia.Node) *gorgonia.Node {
		if bias, ok := w[name+".bias"]; ok {
			return g.apply(linearBiasOp(name), in, w[name+".weight"], bias)
		}
		return g.apply(linearOp(name), in, w[name+".weight"])
	}
	heads := func(name string, in *gorgonia.Node, heads int) *gorgonia.Node {
		if norm, ok := w[name+"_norm.weight"]; ok {
			return g.apply(headNormOp(name+"_norm", c.Epsilon, heads), linear(name+"_proj", in), norm)
		}
		return linear(name+"_proj", in)
	}

	h := g.apply(normOp("input_layernorm", c.Epsilon), x, w["input_layernorm.weight"])
	q := g.apply(ropeOp("rope_q", space, c.Heads, c.HeadDim), heads("self_attn.q", h, c.Heads))
	k := g.apply(ropeOp("rope_k", space, c.KVHeads, c.HeadDim), heads("self_attn.k", h, c.KVHeads))
	v := linear("self_attn.v_proj", h)
	a := g.apply(attentionOp(space, c), q, k, v)
	x = g.apply(addOp("add_attention"), x, linear("self_attn.o_proj", a))

	h = g.apply(normOp("post_attention_layernorm", c.Epsilon), x, w["post_attention_layernorm.weight"])
	m := g.apply(swigluOp(), linear("mlp.gate_proj", h), linear("mlp.up_proj", h))
	g.out = g.apply(addOp("add_mlp"), x, linear("mlp.down_proj", m))
	return g
}

// newHead builds the graph from the residual stream "x" [rows, hidden] to the
// logits [rows, vocabulary], with inputs "norm.weight" and "head.weight".
func newHead(c Config, rows int, space *workspace) *graph {
	g := newGraph(space)
	x := g.input("x", rows, c.Hidden)
	norm, head := g.input("norm.weight", c.Hidden), g.input("head.weight", c.Vocabulary, c.Hidden)
	g.out = g.apply(linearOp("lm_head"), g.apply(normOp("norm", c.Epsilon), x, norm), head)
	return g
}
