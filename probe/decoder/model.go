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
// those of the head, unless all are kept (Keep, WaveOptions.Keep); of the
// embedding, the rows that are asked for.
//
// Matrices are packed for the kernel, bfloat16 ones as they are, and everything
// is computed in float32 in the fixed order of package kernel, the log-softmax
// in float64: a result has the same bits for any number of threads, any
// instruction set but kernel's amx, and any other requests beside it.
package decoder

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"surgeon/probe/decoder/op"
	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

const (
	batchRows = 512 // rows of a batch: enough to use each weight often, few enough for the caches
	// streamBytes bounds the residual streams that are held while the layers pass
	// by, and waveRows their rows over all models: a run that is stopped loses what
	// it was about, and more rows would not make the reading of weights much
	// cheaper than it is.
	streamBytes = 256 << 20
	waveRows    = 4096
	// Logits are computed for so many rows at a time: the head comes from memory for
	// each of them, and the vocabulary may be wide.
	mostHeadRows, fewestHeadRows = 128, 32
	headBytes                    = 32 << 20
)

// Model is a decoder over a Source. It may be used by one goroutine at a time.
type Model struct {
	config Config
	source tensors.Source
	space  *workspace
	blocks map[int]*graph // by rows
	heads  map[int]*graph // by rows

	keep   bool
	layers []map[string]gorgonia.Value // the weights of each block, if they are kept
	final  map[string]gorgonia.Value   // those behind the blocks, once they were read
}

// Open checks a Source against a Config: every tensor that the Config asks for
// is there, in its shape, and no other is that would take part in what the
// model computes. The error names the tensor and the rule.
func Open(c Config, src tensors.Source) (*Model, error) {
	m := &Model{config: c, source: src, space: new(workspace), blocks: map[int]*graph{}, heads: map[int]*graph{},
		layers: make([]map[string]gorgonia.Value, c.Layers)}
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

// Score answers requests in their order. An error is a *RequestError, or
// names the tensor that cannot be read or the layer whose output is not finite.
func (m *Model) Score(ctx context.Context, requests []Request, opt Options) ([]Response, error) {
	all := WaveOptions{Streams: opt.Streams, Progress: opt.Progress}
	if opt.Done != nil {
		all.Done = func(_, request int, r Response) { opt.Done(request, r) }
	}
	out, err := ScoreAll(ctx, []*Model{m}, requests, all)
	if err != nil {
		return nil, err
	}
	return out[0].Responses, out[0].Err
}

// streams are the residual streams of batches before the first layer, [rows,
// hidden] each.
func (m *Model) streams(batches []*batch) (streams [][]float32, err error) {
	for _, b := range batches {
		if b.rotations == nil {
			b.rotations = m.config.rotations(b.positions)
		}
		stream := make([]float32, len(b.tokens)*m.config.Hidden)
		if err := m.embed(stream, b.tokens); err != nil {
			return nil, err
		}
		streams = append(streams, stream)
	}
	return streams, nil
}

// advance sends the residual streams of batches through a layer.
func (m *Model) advance(ctx context.Context, layer int, batches []*batch, streams [][]float32, step func(rows int)) error {
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
		if !kernel.Finite(streams[i]) {
			return fmt.Errorf("layer %d gives a value that is not finite", layer)
		}
		step(len(b.tokens))
	}
	return nil
}

// answer grades the rows of batches that requests look at.
func (m *Model) answer(ctx context.Context, batches []*batch, streams [][]float32, s *scoring) error {
	for i, b := range batches {
		wanted := s.rows(b)
		rows := make([]int, len(wanted))
		for j, w := range wanted {
			rows[j] = w.row
		}
		grade := func(j int, logits []float32) error { s.grade(wanted[j], logits); return nil }
		if err := m.logits(ctx, streams[i], rows, grade); err != nil {
			return err
		}
		if err := s.graded(b); err != nil {
			return err
		}
	}
	return nil
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
	rotation := b.rotations[look.RoPE]
	m.space.pass = op.Pass{Segments: b.segments, Cos: rotation.cos, Sin: rotation.sin, Window: look.Window}
	if b.caches != nil {
		m.space.pass.Caches = b.caches[layer]
	}
	weights["x"] = dense(stream, rows, m.config.Hidden)
	out, err := g.run(weights)
	copy(stream, out)
	return err
}

// logits computes the logits of some rows of a residual stream, a few at a time,
// and hands each to visit with its place among rows, several at once.
func (m *Model) logits(ctx context.Context, stream []float32, rows []int, visit func(i int, logits []float32) error) error {
	c := m.config
	if err := m.readFinal(); err != nil {
		return err
	}
	most := min(mostHeadRows, max(fewestHeadRows, headBytes/(4*c.Vocabulary)))
	for start := 0; start < len(rows); start += most {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk := rows[start:min(start+most, len(rows))]
		x := make([]float32, 0, len(chunk)*c.Hidden)
		for _, row := range chunk {
			x = append(x, stream[row*c.Hidden:(row+1)*c.Hidden]...)
		}
		logits, err := m.head(x, len(chunk))
		if err != nil {
			return err
		}
		failed := make([]error, len(chunk))
		kernel.Parallel(len(chunk), func(low, high int) {
			for j := low; j < high; j++ {
				failed[j] = visit(start+j, logits[j*c.Vocabulary:(j+1)*c.Vocabulary])
			}
		})
		if err := cmp.Or(failed...); err != nil {
			return err
		}
	}
	return nil
}

// head runs the graph of the head over rows of a residual stream.
func (m *Model) head(x []float32, rows int) ([]float32, error) {
	g, ok := m.heads[rows]
	if !ok {
		g = newHead(m.config, rows, m.space)
		m.heads[rows] = g
	}
	m.final["x"] = dense(x, rows, m.config.Hidden)
	return g.run(m.final)
}
