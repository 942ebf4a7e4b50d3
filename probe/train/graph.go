package train

import (
	"fmt"
	"runtime"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"surgeon/probe/decoder"
	"surgeon/probe/decoder/op"
)

// graph is a whole model as one gorgonia graph over a number of rows: embedding,
// blocks, head and, if anything is trained, the loss and its gradients.
type graph struct {
	pass   op.Pass
	g      *gorgonia.ExprGraph
	vm     gorgonia.VM
	logits *gorgonia.Node
	ops    []*op.Op       // of the way forward
	slopes gorgonia.Nodes // gradients of what is trained, in its order

	nodes    map[string]*gorgonia.Node // of the parameters
	of       map[string]*parameter
	adapters *LowRank
	prefix   string // of the block that is being added
}

// newGraph builds the graph of a model whose parameters are given; the gradient
// of each one that is trained becomes its node.
func newGraph(c decoder.Config, parameters []*parameter, rows int, trained []*parameter, adapters *LowRank) *graph {
	g := &graph{g: gorgonia.NewGraph(), nodes: map[string]*gorgonia.Node{}, of: map[string]*parameter{}, adapters: adapters}
	for _, p := range parameters {
		g.nodes[p.name] = gorgonia.NewTensor(g.g, tensor.Float32, len(p.shape), gorgonia.WithShape(p.shape...), gorgonia.WithName(p.name))
		g.of[p.name] = p
		must(gorgonia.Let(g.nodes[p.name], p.node()))
	}
	x := g.Apply(op.Embed("embed_tokens", &g.pass, rows), g.nodes["model.embed_tokens.weight"])
	for layer := range c.Layers {
		g.prefix = fmt.Sprintf("model.layers.%d.", layer)
		x = c.Block(g, &g.pass, x)
	}
	g.prefix = ""
	head := "lm_head"
	if c.Tied {
		head = "model.embed_tokens"
	}
	g.logits = g.Linear(head, g.Apply(op.RMSNorm("model.norm", c.Epsilon), x, g.Weight("model.norm")))
	if len(trained) > 0 {
		loss := g.Apply(op.CrossEntropy("cross_entropy", &g.pass), g.logits)
		wrt := make(gorgonia.Nodes, len(trained))
		for i, p := range trained {
			wrt[i] = g.nodes[p.name]
		}
		gradients, err := gorgonia.Grad(loss, wrt...)
		must(err)
		g.slopes = gradients
		for i, p := range trained {
			p.gradient = gradients[i]
		}
	}
	g.vm = gorgonia.NewTapeMachine(g.g, gorgonia.WithEngine(op.Engine{}))
	runtime.SetFinalizer(g.vm, nil) // or it is never collected, see package decoder
	return g
}

// must panics: a graph that does not fit together is a mistake in this package,
// not in a file, whose shapes were checked before.
func must(err error) {
	if err != nil {
		panic("train: " + err.Error())
	}
}

// Apply implements decoder.Builder.
func (g *graph) Apply(o *op.Op, in ...*gorgonia.Node) *gorgonia.Node {
	o.Name = g.prefix + o.Name
	frozen := []int{}
	for i, n := range in {
		if p := g.of[n.Name()]; p != nil && g.nodes[n.Name()] == n && p.frozen {
			frozen = append(frozen, i)
		}
	}
	o.Constant(frozen...)
	g.ops = append(g.ops, o)
	return gorgonia.Must(gorgonia.ApplyOp(o, in...))
}

// Weight implements decoder.Builder.
func (g *graph) Weight(name string) *gorgonia.Node { return g.nodes[g.prefix+name+".weight"] }

// Linears implements decoder.Builder.
func (g *graph) Linears(in *gorgonia.Node, names ...string) (results []*gorgonia.Node) {
	x := new(op.Projected)
	for _, name := range names {
		results = append(results, g.linear(name, in, x))
	}
	return results
}

// Linear implements decoder.Builder.
func (g *graph) Linear(name string, in *gorgonia.Node) *gorgonia.Node {
	return g.linear(name, in, new(op.Projected))
}

// linear is a projection of an x. An adapted one is
//
//	x W^T + scale * (x A^T) B^T
func (g *graph) linear(name string, in *gorgonia.Node, x *op.Projected) *gorgonia.Node {
	var y *gorgonia.Node
	if bias, ok := g.nodes[g.prefix+name+".bias"]; ok {
		y = g.Apply(op.LinearBiasOf(name, x), in, g.Weight(name), bias)
	} else {
		y = g.Apply(op.LinearOf(name, x), in, g.Weight(name))
	}
	a, b := g.nodes[g.prefix+name+".lora_A.weight"], g.nodes[g.prefix+name+".lora_B.weight"]
	if a == nil {
		return y
	}
	low := g.Apply(op.Linear(name+".lora_B"), g.Apply(op.LinearOf(name+".lora_A", x), in, a), b)
	return g.Apply(op.Add(name+".lora"), y, g.Apply(op.Scale(name+".scale", g.adapters.scale()), low))
}

// forward runs the graph and returns the logits [rows, vocabulary], which are
// good until the next run.
func (g *graph) forward() ([]float32, error) {
	if err := g.backward(); err != nil {
		return nil, err
	}
	return op.Floats(g.logits.Value()), nil
}

// backward runs the graph: the losses stand in its pass then, and the gradients
// in the nodes of the parameters.
func (g *graph) backward() error {
	defer g.vm.Reset()
	if err := g.vm.RunAll(); err != nil {
		return fmt.Errorf("train: the graph failed: %w", err)
	}
	return nil
}
