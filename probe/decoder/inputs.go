package decoder

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"gorgonia.org/gorgonia"

	"surgeon/probe/decoder/op"
	"surgeon/tensors/kernel"
)

// Input is what tensors of a block multiply: the rows of a few prompts.
type Input struct {
	Layer   int
	Tensors []string  // that read it, as checkpoints store them: query, key and value read one input, gate and up another
	Rows    int       // tokens
	Width   int       // channels
	Values  []float32 // [Rows, Width]; good until the function that sees them returns
}

// Inputs sends prompts through the model and shows what every projection of every
// block multiplies, one layer after the other, and in each the tokens of all
// prompts in their order, some hundreds at a time. Tokens that prompts have in
// common are shown for each of them. After an error of see nothing more is shown and
// the layer is the last one; the error is that of Inputs, as are one of the model, one
// of ctx and a *RequestError of a prompt that does not fit. The residual streams of
// all prompts are held at once, 4*Hidden bytes a token. progress counts tokens times
// layers and may be nil.
func (m *Model) Inputs(ctx context.Context, prompts [][]int32, see func(Input) error, progress func(done, total int64)) error {
	if len(prompts) == 0 {
		return errors.New("there are no prompts: activations are those of at least one")
	}
	total := int64(0)
	for i, prompt := range prompts {
		if err := (Request{Prompt: prompt}).Check(m.config); err != nil {
			return &RequestError{i, err}
		}
		total += int64(len(prompt)) * int64(m.config.Layers)
	}
	batches := apart(prompts, batchRows)
	streams, err := m.streams(batches)
	if err != nil {
		return err
	}
	done, failed := int64(0), error(nil)
	step := func(rows int) {
		if done += int64(rows); progress != nil {
			progress(done, total)
		}
	}
	defer func() { m.space.see = nil }()
	for layer := range m.config.Layers {
		m.space.see = func(tensors []string, rows, width int, values []float32) {
			if failed == nil {
				failed = see(Input{layer, blockNames(layer, tensors), rows, width, values})
			}
		}
		if err := m.advance(ctx, layer, batches, streams, step); failed != nil || err != nil {
			return cmp.Or(failed, err)
		}
	}
	return nil
}

// apart packs sequences into batches of at most limit rows, in their order and
// without sharing what they have in common. A longer one has a batch of its own.
func apart(sequences [][]int32, limit int) (batches []*batch) {
	b := new(batch)
	for _, s := range sequences {
		if len(b.tokens) > 0 && len(b.tokens)+len(s) > limit {
			batches, b = append(batches, b), new(batch)
		}
		start := len(b.tokens)
		b.tokens = append(b.tokens, s...)
		for p := range s {
			b.positions = append(b.positions, int32(p))
		}
		b.segments = append(b.segments, kernel.Segment{Start: start, End: len(b.tokens), Parent: -1})
	}
	return append(batches, b)
}

// blockNames are the names of tensors of a block, as checkpoints store them.
func blockNames(layer int, tensors []string) (names []string) {
	for _, name := range tensors {
		names = append(names, blockName(layer, name))
	}
	return names
}

// seeing is shown an input [rows, width] and the tensors of a block that read it.
type seeing func(tensors []string, rows, width int, values []float32)

// shown is a node that projections read, and their tensors.
type shown struct{ tensors []string }

// watched lets the first projection that reads a node show it for all that do.
func (b *blockBuilder) watched(o *op.Op, in *gorgonia.Node) *op.Op {
	tensor := b.stored[o.Name+".weight"]
	if s := b.read[in]; s != nil {
		if !slices.Contains(s.tensors, tensor) {
			s.tensors = append(s.tensors, tensor)
		}
		return o
	}
	s, space := &shown{[]string{tensor}}, b.space
	b.read[in] = s
	o.Before = func(values []gorgonia.Value) {
		if space.see != nil {
			shape := values[0].Shape()
			space.see(s.tensors, shape[0], shape[1], op.Floats(values[0]))
		}
	}
	return o
}
