// Package activation measures what the matrices of a model are multiplied by on
// given prompts, without labels or gradients, and what that says of a fine-tune.
//
//  1. Collect runs prompts through a model, layer by layer, and keeps of every
//     matrix the Gram matrix of its inputs x, a row for each token:
//
//     G = X'X / tokens   [width, width]
//
//  2. What a change D of a matrix does to its outputs is decided by the inputs:
//     the mean over tokens of |D x|^2 is tr(D G D'), WeightedNorm its root.
//
//  3. Drift compares that with the outputs themselves on inputs of two kinds: how
//     far a fine-tune moved as general prompts feel it, and as those of its
//     domain do.
//
// Package merge takes the same matrices for RegMean (Jin et al., arXiv
// 2212.09849).
package activation

import (
	"context"
	"fmt"
	"slices"

	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// Options of Collect; the zero value is ready to use.
type Options struct {
	Progress func(done, total int64) // tokens times layers; may be nil
	// Want says which matrices are measured; nil: all. A Gram matrix that some share
	// is kept for all of them if one is wanted.
	Want func(tensor string) bool
}

// Collect measures the inputs of every matrix of the blocks over all tokens of the
// prompts. Query, key and value share one Gram matrix, gate and up another, o and
// down have their own; embedding, norms and head have none. Products are added up
// in float32 in the fixed order of package kernel, some hundreds of tokens at a
// time, and those sums in float64: the result has the same bits for any number of
// threads. It takes 2*width*(width+1) bytes for each Gram matrix and 4*hidden for
// each token. An error is that of the model, or names the prompt that does not fit
// it (a *decoder.RequestError) or the tensor whose inputs are not finite.
func Collect(ctx context.Context, cfg decoder.Config, src tensors.Source, prompts [][]int32, opt Options) (*Grams, error) {
	m, err := decoder.Open(cfg, src)
	if err != nil {
		return nil, err
	}
	s := sums{grams: &Grams{of: map[string]*gram{}}, want: opt.Want}
	for _, prompt := range prompts {
		s.grams.tokens += len(prompt)
	}
	if err := m.Inputs(ctx, prompts, s.add, opt.Progress); err != nil {
		return nil, err
	}
	if err := s.settle(); err != nil {
		return nil, err
	}
	return s.grams, nil
}

// sums add up the products of the inputs of one layer after the other.
type sums struct {
	grams   *Grams
	want    func(tensor string) bool
	layer   int
	open    []*sum    // of the layer
	product []float32 // of some rows
}

// sum is that of one input: the lower triangle, row by row.
type sum struct {
	tensors []string
	width   int
	lower   []float64
}

// add adds some rows of an input.
func (s *sums) add(in decoder.Input) error {
	if s.want != nil && !slices.ContainsFunc(in.Tensors, s.want) {
		return nil
	}
	if in.Layer != s.layer {
		if err := s.settle(); err != nil {
			return err
		}
		s.layer = in.Layer
	}
	to, n := s.of(in), in.Width
	s.product = slices.Grow(s.product[:0], n*n)[:n*n]
	kernel.WeightGradient(s.product, in.Values, in.Values, in.Rows, n, n)
	kernel.Parallel(n, func(low, high int) {
		for i := low; i < high; i++ {
			row := to.lower[i*(i+1)/2:][:i+1]
			for j, v := range s.product[i*n:][:i+1] {
				row[j] += float64(v)
			}
		}
	})
	return nil
}

// of is the sum of an input.
func (s *sums) of(in decoder.Input) *sum {
	for _, open := range s.open {
		if open.tensors[0] == in.Tensors[0] {
			return open
		}
	}
	s.open = append(s.open, &sum{in.Tensors, in.Width, make([]float64, in.Width*(in.Width+1)/2)})
	return s.open[len(s.open)-1]
}

// settle makes Gram matrices of the sums of a layer.
func (s *sums) settle() error {
	for _, open := range s.open {
		g := &gram{open.width, make([]float32, len(open.lower))}
		for i, v := range open.lower {
			g.lower[i] = float32(v / float64(s.grams.tokens))
		}
		if !kernel.Finite(g.lower) {
			return fmt.Errorf("tensor %q: the squares of its inputs are not finite in float32", open.tensors[0])
		}
		for _, tensor := range open.tensors {
			s.grams.of[tensor] = g
		}
	}
	s.open = nil
	return nil
}
