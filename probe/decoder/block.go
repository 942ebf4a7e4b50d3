package decoder

import (
	"cmp"
	"fmt"
	"runtime"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"surgeon/probe/decoder/op"
)

// weight is a parameter of a decoder block: its name after "model.layers.N.",
// its shape, and the rows it has of a stored tensor, if it is not one itself.
type weight struct {
	name  string
	shape []int
	of    string  // the stored tensor; "" for one of its own name
	row   int     // of that tensor, its first
	plus  float32 // added to each value
}

// tensor is the name of the stored tensor.
func (w weight) tensor() string { return cmp.Or(w.of, w.name) }

// storedWeights lists the tensors of a block as checkpoints have them: parts of
// one are put together.
func (c Config) storedWeights() (list []weight) {
	for _, w := range c.blockWeights() {
		if last := len(list) - 1; w.of != "" && last >= 0 && list[last].name == w.of {
			list[last].shape = []int{w.row + w.shape[0], w.shape[1]}
			continue
		}
		list = append(list, weight{name: w.tensor(), shape: w.shape})
	}
	return list
}

// blockWeights lists what a block is made of.
func (c Config) blockWeights() []weight {
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	// part is a matrix of its own, or rows of another where they are fused.
	part := func(name string, out int, of string, row int) weight {
		if !c.Fused {
			of, row = "", 0
		}
		return weight{name: name, shape: []int{out, c.Hidden}, of: of, row: row}
	}
	list := []weight{
		part("self_attn.q_proj.weight", q, "self_attn.qkv_proj.weight", 0),
		part("self_attn.k_proj.weight", kv, "self_attn.qkv_proj.weight", q),
		part("self_attn.v_proj.weight", kv, "self_attn.qkv_proj.weight", q+kv),
		{name: "self_attn.o_proj.weight", shape: []int{c.Hidden, q}},
		part("mlp.gate_proj.weight", c.Intermediate, "mlp.gate_up_proj.weight", 0),
		part("mlp.up_proj.weight", c.Intermediate, "mlp.gate_up_proj.weight", c.Intermediate),
		{name: "mlp.down_proj.weight", shape: []int{c.Hidden, c.Intermediate}},
	}
	if c.AttentionBias {
		list = append(list, weight{name: "self_attn.q_proj.bias", shape: []int{q}}, weight{name: "self_attn.k_proj.bias", shape: []int{kv}},
			weight{name: "self_attn.v_proj.bias", shape: []int{kv}}, weight{name: "self_attn.o_proj.bias", shape: []int{c.Hidden}})
	}
	if c.QKVBias {
		list = append(list, weight{name: "self_attn.q_proj.bias", shape: []int{q}}, weight{name: "self_attn.k_proj.bias", shape: []int{kv}}, weight{name: "self_attn.v_proj.bias", shape: []int{kv}})
	}
	norms := c.norms()
	for _, name := range []string{norms.BeforeAttention, norms.AfterAttention, norms.BeforeMLP, norms.AfterMLP} {
		if name != "" {
			list = append(list, c.normWeight(name, c.Hidden))
		}
	}
	switch c.QKNorm {
	case EachHead:
		list = append(list, c.normWeight("self_attn.q_norm", c.HeadDim), c.normWeight("self_attn.k_norm", c.HeadDim))
	case AllHeads:
		list = append(list, c.normWeight("self_attn.q_norm", q), c.normWeight("self_attn.k_norm", kv))
	}
	if c.MLPBias {
		list = append(list, weight{name: "mlp.gate_proj.bias", shape: []int{c.Intermediate}}, weight{name: "mlp.up_proj.bias", shape: []int{c.Intermediate}},
			weight{name: "mlp.down_proj.bias", shape: []int{c.Hidden}})
	}
	return list
}

// normWeight is the weight of a norm.
func (c Config) normWeight(name string, width int) weight {
	w := weight{name: name + ".weight", shape: []int{width}}
	if c.OnePlus {
		w.plus = 1
	}
	return w
}

// graph is a gorgonia graph with inputs that are bound by name before a run.
type graph struct {
	g      *gorgonia.ExprGraph
	inputs map[string]*gorgonia.Node
	out    *gorgonia.Node
	vm     gorgonia.VM
	ops    []*op.Op
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
func (g *graph) apply(o *op.Op, inputs ...*gorgonia.Node) *gorgonia.Node {
	if g.space != nil {
		o.Memory = g.space.take
	}
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
		// gorgonia gives a machine a finalizer, for devices. The machine is part of a
		// cycle, through its operations and what they work on, and such a cycle with a
		// finalizer is never collected.
		runtime.SetFinalizer(g.vm, nil)
	}
	defer g.vm.Reset()
	if err := g.vm.RunAll(); err != nil {
		return nil, fmt.Errorf("decoder: the graph failed: %w", err)
	}
	return op.Floats(g.out.Value()), nil
}

// newBlock builds the graph of one decoder block for a number of rows. It is
// built once and run for every layer with that layer's weights bound to its
// inputs, which are called as in blockWeights; "x" is the residual stream [rows,
// hidden]. Positions, segments and what the layer looks at are those of the
// workspace at the run.
func newBlock(c Config, rows int, space *workspace) *graph {
	b := &blockBuilder{graph: newGraph(space), w: map[string]*gorgonia.Node{}, stored: map[string]string{}, read: map[*gorgonia.Node]*shown{}}
	x := b.input("x", rows, c.Hidden)
	for _, weight := range c.blockWeights() {
		b.w[weight.name] = b.input(weight.name, weight.shape...)
		b.stored[weight.name] = weight.tensor()
	}
	b.out = c.Block(b, &space.pass, x)
	return b.graph
}

// blockBuilder is a block's graph while it grows.
type blockBuilder struct {
	*graph
	w      map[string]*gorgonia.Node // the weights, by name
	stored map[string]string         // the tensors that they are, or are rows of, by name
	read   map[*gorgonia.Node]*shown // what projections read
}

// Apply implements Builder.
func (b *blockBuilder) Apply(o *op.Op, in ...*gorgonia.Node) *gorgonia.Node { return b.apply(o, in...) }

// Weight implements Builder.
func (b *blockBuilder) Weight(name string) *gorgonia.Node { return b.w[name+".weight"] }

// Linear implements Builder.
func (b *blockBuilder) Linear(name string, in *gorgonia.Node) *gorgonia.Node {
	if bias, ok := b.w[name+".bias"]; ok {
		return b.apply(b.watched(op.LinearBias(name), in), in, b.w[name+".weight"], bias)
	}
	return b.apply(b.watched(op.Linear(name), in), in, b.w[name+".weight"])
}

// Linears implements Builder: what is projected is arranged for all products once.
func (b *blockBuilder) Linears(in *gorgonia.Node, names ...string) (results []*gorgonia.Node) {
	inputs, outs := []*gorgonia.Node{in}, make([]int, len(names))
	for i, name := range names {
		w := b.w[name+".weight"]
		inputs, outs[i] = append(inputs, w), w.Shape()[0]
	}
	for _, name := range names {
		if bias, ok := b.w[name+".bias"]; ok {
			inputs = append(inputs, bias)
		}
	}
	for i, o := range op.Linears(names, in.Shape()[0], outs, len(inputs) > 1+len(names)) {
		if b.watched(o, in); i > 0 {
			inputs = results[:1]
		}
		results = append(results, b.apply(o, inputs...))
	}
	return results
}

// newHead builds the graph from the residual stream "x" [rows, hidden] to the
// logits [rows, vocabulary], with inputs "norm.weight" and "head.weight".
func newHead(c Config, rows int, space *workspace) *graph {
	g := newGraph(space)
	x := g.input("x", rows, c.Hidden)
	norm, head := g.input("norm.weight", c.Hidden), g.input("head.weight", c.Vocabulary, c.Hidden)
	g.out = g.apply(op.Linear("lm_head"), g.apply(op.RMSNorm("norm", c.Epsilon), x, norm), head)
	if c.LogitCap != 0 {
		g.out = g.apply(op.Softcap("softcap", c.LogitCap), g.out)
	}
	return g
}
