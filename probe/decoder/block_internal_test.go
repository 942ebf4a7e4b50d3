package decoder

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"surgeon/probe/decoder/op"
	"surgeon/tensors/tensorstest"
)

// blockOps are the operations of a block without biases, in order.
var blockOps = []string{
	"input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "rope_q", "rope_k", "attention",
	"self_attn.o_proj", "add_attention", "post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj", "swiglu", "mlp.down_proj", "add_mlp",
}

func picoModel(t *testing.T, p tensorstest.Pico) *Model {
	t.Helper()
	c, err := ParseConfig(p.Config())
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(c, p.Weights())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// checkGraph checks that a graph consists of the named operations, in order,
// each a node of gorgonia's graph, and of the named inputs.
func checkGraph(t *testing.T, g *graph, ops, inputs []string) {
	t.Helper()
	var names []string
	for _, o := range g.ops {
		names = append(names, o.Name)
	}
	if !slices.Equal(names, ops) {
		t.Errorf("operations %q, want %q", names, ops)
	}
	inGraph := map[*op.Op]int{}
	var leaves []string
	for _, n := range g.g.AllNodes() {
		if o, ok := n.Op().(*op.Op); ok {
			inGraph[o]++
		} else if n.Op() != nil {
			t.Errorf("node %v is an operation that is not ours", n)
		} else {
			leaves = append(leaves, n.Name())
		}
	}
	for _, o := range g.ops {
		if inGraph[o] != 1 {
			t.Errorf("operation %s stands in gorgonia's graph %d times", o.Name, inGraph[o])
		}
	}
	if len(inGraph) != len(ops) {
		t.Errorf("gorgonia's graph has %d operations, want %d", len(inGraph), len(ops))
	}
	slices.Sort(leaves)
	if want := slices.Sorted(slices.Values(inputs)); !slices.Equal(leaves, want) {
		t.Errorf("inputs %q, want %q", leaves, want)
	}
}

func weightNames(c Config) []string {
	names := []string{"x"}
	for _, w := range c.blockWeights() {
		names = append(names, w.name)
	}
	return names
}

// TestBlockGraph looks at the graphs themselves.
func TestBlockGraph(t *testing.T) {
	c := picoModel(t, tensorstest.Pico{}).config
	if n := len(weightNames(c)); n != 10 { // the stream, two norms, seven matrices
		t.Errorf("%d inputs, want 10", n)
	}
	checkGraph(t, newBlock(c, 5, new(workspace)), blockOps, weightNames(c))
	c.AttentionBias, c.MLPBias = true, true
	if n := len(weightNames(c)); n != 17 { // and a bias for each matrix
		t.Errorf("%d inputs with biases, want 17", n)
	}
	biased := newBlock(c, 5, new(workspace))
	checkGraph(t, biased, blockOps, weightNames(c))
	// One operation multiplies what several projections read; the others are its results.
	arity := map[string]int{"q": 1 + 3 + 3, "k": 1, "v": 1, "o": 3, "gate": 1 + 2 + 2, "up": 1, "down": 3}
	for _, o := range biased.ops {
		if name, found := strings.CutSuffix(o.Name, "_proj"); found && o.Arity() != arity[name[strings.Index(name, ".")+1:]] {
			t.Errorf("%s takes %d inputs", o.Name, o.Arity())
		}
	}
	checkGraph(t, newHead(c, 5, new(workspace)), []string{"norm", "lm_head"}, []string{"x", "norm.weight", "head.weight"})
}

// TestGorgoniaRuns counts: every operation of every graph is executed by
// gorgonia's machine once for each layer of each batch, those of the head once
// for each chunk of rows that requests look at.
func TestGorgoniaRuns(t *testing.T) {
	m := picoModel(t, tensorstest.Pico{Layers: 3})
	var requests []Request
	for i := range 5 {
		prompt := make([]int32, 300) // no two fit into a batch of 512 rows
		for j := range prompt {
			prompt[j] = int32(i + 1)
		}
		requests = append(requests, Request{Prompt: prompt, Continuations: [][]int32{make([]int32, 70)}, Logits: i == 0})
	}
	requests[4].Prompt = requests[4].Prompt[:10] // and one that joins another
	for _, times := range []int{1, 2} {
		if _, err := m.Score(context.Background(), requests, Options{}); err != nil {
			t.Fatal(err)
		}
		// Three batches of 369 = 300 + 70 - 1 rows, and one with 79 more.
		checkRuns(t, "block", m.blocks, map[int]int{369: 3 * 3 * times, 369 + 79: 3 * times}, len(blockOps))
		// 70 rows are asked about in each of three batches: one chunk; 140 in the
		// other: one of 128 and one of 12.
		checkRuns(t, "head", m.heads, map[int]int{70: 3 * times, 128: times, 12: times}, 2)
	}
}

// checkRuns checks the executions of each operation of graphs by their rows.
func checkRuns(t *testing.T, what string, graphs map[int]*graph, want map[int]int, ops int) {
	t.Helper()
	if len(graphs) != len(want) {
		t.Errorf("%d %s graphs, want %d", len(graphs), what, len(want))
	}
	for rows, runs := range want {
		g := graphs[rows]
		if g == nil {
			t.Errorf("no %s graph for %d rows", what, rows)
			continue
		}
		if machine := fmt.Sprintf("%T", g.vm); machine != "*gorgonia.tapeMachine" || len(g.ops) != ops {
			t.Errorf("%s graph of %d rows: machine %s, %d operations, want %d", what, rows, machine, len(g.ops), ops)
		}
		for _, o := range g.ops {
			if o.Runs != runs {
				t.Errorf("%s graph of %d rows: %s ran %d times, want %d", what, rows, o.Name, o.Runs, runs)
			}
		}
	}
}

// TestGraphMisuse asks a graph for what it cannot do.
func TestGraphMisuse(t *testing.T) {
	c := picoModel(t, tensorstest.Pico{}).config
	x := dense(make([]float32, 2*c.Hidden), 2, c.Hidden)
	check := func(inputs map[string]gorgonia.Value, want string) {
		t.Helper()
		if _, err := newHead(c, 2, new(workspace)).run(inputs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	check(map[string]gorgonia.Value{"x": x, "norm.weight": dense(make([]float32, c.Hidden), c.Hidden)}, `no value for input "head.weight"`)
}
