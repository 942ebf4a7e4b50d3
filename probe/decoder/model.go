// Package decoder runs a decoder-only language model over any tensors.Source,
// also one that has never been written, with gorgonia.
//
//  1. ParseConfig reads config.json and refuses by name what it does not
//     understand.
//  2. Open binds a Config to a Source and checks that every tensor is there in
//     the shape the Config asks for. No weight is read yet.
//  3. Score answers Requests: the log-likelihood of continuations after a
//     prompt, and the logits at the prompt's end.
//
// Score packs the token sequences of all requests into batches in which equal
// beginnings are computed once: choices share their prompt, prompts share
// their preamble. One decoder block is one gorgonia graph (block.go), built
// once for a number of rows and run for every layer with that layer's weights
// bound to its inputs. The weights of one layer are in memory at a time, and
// those of the head; of the embedding, the rows that are asked for.
//
// Matrices are packed for the kernel, bfloat16 ones as they are, and everything
// is computed in float32 in the fixed order of package kernel, the log-softmax
// in float64: a result has the same bits for any number of threads, any
// instruction set and any other requests beside it.
package decoder

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"

	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

const (
	batchRows = 512   // rows of a batch: enough to use each weight often, few enough for the caches
	passRows  = 16384 // rows whose residual streams are held while the layers pass by
	headRows  = 32    // rows of logits at a time: the vocabulary is wide
)

// Model is a decoder over a Source. It may be used by one goroutine at a time.
type Model struct {
	config Config
	source tensors.Source
	space  *workspace
	blocks map[int]*graph // by rows
	heads  map[int]*graph // by rows
}

// Open checks a Source against a Config: every tensor that the Config asks for
// is there, in its shape, and no other is that would take part in what the
// model computes. The error names the tensor and the rule.
func Open(c Config, src tensors.Source) (*Model, error) {
	m := &Model{config: c, source: src, space: new(workspace), blocks: map[int]*graph{}, heads: map[int]*graph{}}
	expected := map[string]bool{}
	for _, w := range c.weights() {
		if err := m.expect(w.name, w.shape); err != nil {
			return nil, err
		}
		expected[w.name] = true
	}
	for _, name := range src.Names() {
		if err := m.refuse(name, expected); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// refuse refuses a tensor that the Config does not ask for: without it the
// model would compute something else. Buffers of rotary frequencies repeat the
// Config, and so does the head of a tied model if it is the embedding.
func (m *Model) refuse(name string, expected map[string]bool) error {
	if expected[name] || strings.HasSuffix(name, "rotary_emb.inv_freq") {
		return nil
	}
	if name != headName {
		return fmt.Errorf("tensor %q is not one that config.json asks for: what it does is not understood", name)
	}
	same, err := tensors.SameBytes(m.source, headName, m.source, embedName)
	if err == nil && !same {
		err = fmt.Errorf("tensor %q differs from %q, though config.json ties them (tie_word_embeddings)", headName, embedName)
	}
	return err
}

// Names of the tensors outside the blocks.
const (
	embedName = "model.embed_tokens.weight"
	normName  = "model.norm.weight"
	headName  = "lm_head.weight"
)

// weights lists every tensor of a model as it is stored.
func (c Config) weights() []weight {
	list := []weight{{name: embedName, shape: []int{c.Vocabulary, c.Hidden}}, {name: normName, shape: []int{c.Hidden}}}
	if !c.Tied {
		list = append(list, weight{name: headName, shape: []int{c.Vocabulary, c.Hidden}})
	}
	for layer := range c.Layers {
		for _, w := range c.storedWeights() {
			list = append(list, weight{name: blockName(layer, w.name), shape: w.shape})
		}
	}
	return list
}

func blockName(layer int, name string) string { return fmt.Sprintf("model.layers.%d.%s", layer, name) }

func (m *Model) expect(name string, shape []int) error {
	info, ok := m.source.Info(name)
	if !ok {
		return fmt.Errorf("tensor %q is missing: config.json asks for one of shape %v", name, shape)
	}
	if !slices.Equal(info.Shape, shape) {
		return fmt.Errorf("tensor %q has shape %v: config.json asks for %v", name, info.Shape, shape)
	}
	if !info.DType.Float() {
		return fmt.Errorf("tensor %q has type %s, which is not a number type", name, info.DType)
	}
	return nil
}

// Score answers requests in their order. An error is a *RequestError, or
// names the tensor that cannot be read or the layer whose output is not finite.
func (m *Model) Score(ctx context.Context, requests []Request, opt Options) ([]Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, r := range requests {
		if err := r.Check(m.config); err != nil {
			return nil, &RequestError{i, err}
		}
	}
	s := newScoring(requests)
	batches := plan(s.sequences, batchRows)
	var total, done int64
	for _, b := range batches {
		total += int64(len(b.tokens) * m.config.Layers)
	}
	step := func(rows int) {
		if done += int64(rows); opt.Progress != nil {
			opt.Progress(done, total)
		}
	}
	for len(batches) > 0 {
		n, rows := 1, len(batches[0].tokens)
		for n < len(batches) && rows+len(batches[n].tokens) <= passRows {
			rows += len(batches[n].tokens)
			n++
		}
		if err := m.pass(ctx, batches[:n], s, step); err != nil {
			return nil, err
		}
		batches = batches[n:]
	}
	return s.finish()
}

// pass sends batches through all layers, holding their residual streams.
func (m *Model) pass(ctx context.Context, batches []*batch, s *scoring, step func(rows int)) error {
	c := m.config
	streams := make([][]float32, len(batches)) // [rows, hidden] each
	for i, b := range batches {
		b.rotations = c.rotations(b.positions)
		streams[i] = make([]float32, len(b.tokens)*c.Hidden)
		if err := m.embed(streams[i], b.tokens); err != nil {
			return err
		}
	}
	for layer := range c.Layers {
		weights, err := m.layer(layer)
		if err != nil {
			return err
		}
		for i, b := range batches {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := m.block(layer, weights, b, streams[i]); err != nil {
				return err
			}
			if !finite(streams[i]) {
				return fmt.Errorf("layer %d gives a value that is not finite", layer)
			}
			step(len(b.tokens))
		}
	}
	return m.answer(ctx, batches, streams, s)
}

// embed reads the rows of the embedding that tokens ask for into a residual
// stream [tokens, hidden].
func (m *Model) embed(stream []float32, tokens []int32) error {
	for i, id := range tokens {
		row := stream[i*m.config.Hidden : (i+1)*m.config.Hidden]
		if err := m.source.Read(row, embedName, int(id)*m.config.Hidden); err != nil {
			return err
		}
		if scale := m.config.EmbeddingScale; scale != 0 {
			for j, v := range row {
				row[j] = v * scale
			}
		}
	}
	return nil
}

// layer reads the weights of one block.
func (m *Model) layer(layer int) (map[string]gorgonia.Value, error) {
	weights := map[string]gorgonia.Value{}
	for _, w := range m.config.blockWeights() {
		t, err := m.load(w.name, blockName(layer, w.tensor()), w)
		if err != nil {
			return nil, err
		}
		weights[w.name] = t
	}
	return weights, nil
}

// load reads a vector, or reads and packs rows of a matrix, into the workspace,
// over what that buffer held before.
func (m *Model) load(buffer, name string, w weight) (gorgonia.Value, error) {
	if len(w.shape) == 2 {
		p := m.space.panels(buffer)
		return p, p.pack(m.source, name, w.row, w.shape[0], w.shape[1], m.space)
	}
	values := m.space.take(buffer, w.shape[0])
	err := m.source.Read(values, name, 0)
	if w.plus != 0 {
		for i, v := range values {
			values[i] = v + w.plus
		}
	}
	return dense(values, w.shape...), err
}

// block runs the graph of one block over a batch and puts the result in place
// of its residual stream.
func (m *Model) block(layer int, weights map[string]gorgonia.Value, b *batch, stream []float32) error {
	rows := len(b.tokens)
	g, ok := m.blocks[rows]
	if !ok {
		g = newBlock(m.config, rows, m.space)
		m.blocks[rows] = g
	}
	look := m.config.layer(layer)
	m.space.segments, m.space.rotation, m.space.window = b.segments, b.rotations[look.RoPE], look.Window
	weights["x"] = dense(stream, rows, m.config.Hidden)
	out, err := g.run(weights)
	copy(stream, out)
	return err
}

func finite(values []float32) bool {
	for _, v := range values {
		if v-v != 0 {
			return false
		}
	}
	return true
}

// answer computes the logits of the rows that requests look at, a few at a
// time, and hands them to the scoring.
func (m *Model) answer(ctx context.Context, batches []*batch, streams [][]float32, s *scoring) error {
	c := m.config
	name := headName
	if c.Tied {
		name = embedName
	}
	head, err := m.load("head", name, weight{shape: []int{c.Vocabulary, c.Hidden}})
	if err != nil {
		return err
	}
	norm, err := m.load("final norm", normName, c.normWeight("", c.Hidden))
	if err != nil {
		return err
	}
	for i, b := range batches {
		wanted := s.rows(b)
		for chunk := range slices.Chunk(wanted, headRows) {
			if err := ctx.Err(); err != nil {
				return err
			}
			x := make([]float32, 0, len(chunk)*c.Hidden)
			for _, w := range chunk {
				x = append(x, streams[i][w.row*c.Hidden:(w.row+1)*c.Hidden]...)
			}
			logits, err := m.head(x, len(chunk), norm, head)
			if err != nil {
				return err
			}
			kernel.Parallel(len(chunk), func(low, high int) {
				for j := low; j < high; j++ {
					s.grade(chunk[j], logits[j*c.Vocabulary:(j+1)*c.Vocabulary])
				}
			})
		}
	}
	return nil
}

func (m *Model) head(x []float32, rows int, norm, head gorgonia.Value) ([]float32, error) {
	g, ok := m.heads[rows]
	if !ok {
		g = newHead(m.config, rows, m.space)
		m.heads[rows] = g
	}
	return g.run(map[string]gorgonia.Value{"x": dense(x, rows, m.config.Hidden), "norm.weight": norm, "head.weight": head})
}
