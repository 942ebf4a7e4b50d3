package lora

import (
	"context"
	"math"

	"surgeon/merge"
	"surgeon/tensors"
)

// Lines are factors that change in a line from the first of so many layers to the
// last (LiNeS: Wang et al., arXiv 2410.17146): first + (last-first) * l/(layers-1).
// The embedding has the first layer's, the final norm and the head the last one's.
func Lines(first, last float64, layers int) func(tensor string) float64 {
	return func(tensor string) float64 {
		key := tensors.KeyOf(tensor)
		switch {
		case key.Part == tensors.PartEmbed:
			return first
		case key.Layer == tensors.NoLayer || key.Layer >= layers-1:
			return last
		}
		return first + (last-first)*float64(key.Layer)/float64(layers-1)
	}
}

// Capped are the factors that keep every tensor's change within a share of the
// base's Frobenius norm (merge.Cap), and the tensors where that is not 1.
func Capped(ctx context.Context, base tensors.Source, delta tensors.Delta, limit float64) (func(tensor string) float64, []string, error) {
	ratios, err := RelativeNorms(ctx, base, delta)
	if err != nil {
		return nil, nil, err
	}
	var list []string
	for _, name := range delta.Names() {
		if ratios[name] > limit {
			list = append(list, name)
		}
	}
	return func(tensor string) float64 { return merge.Cap(limit, 1, ratios[tensor]) }, list, nil
}

// RelativeNorms are, by tensor, the Frobenius norms of a task vector over those of
// the base's weights: ||D|| / ||W||; 0 where both are 0.
func RelativeNorms(ctx context.Context, base tensors.Source, delta tensors.Delta) (map[string]float64, error) {
	changes, err := Residuals(ctx, delta, nothing{}, nil)
	if err != nil {
		return nil, err
	}
	weights, err := Residuals(ctx, itself{base, delta.Names()}, nothing{}, nil)
	if err != nil {
		return nil, err
	}
	ratios := map[string]float64{}
	for i, c := range changes {
		if c.Norm2 > 0 {
			ratios[c.Tensor] = math.Sqrt(c.Norm2 / weights[i].Norm2)
		}
	}
	return ratios, nil
}

// nothing is the Delta that changes nothing.
type nothing struct{}

func (nothing) Names() []string                                       { return nil }
func (nothing) Info(string) (tensors.Info, bool)                      { return tensors.Info{}, false }
func (nothing) AddTo([]float32, string, int, float32) error           { return nil }
func (nothing) AddTo64(_ []float64, _ string, _ int, _ float64) error { return nil }

// itself is a Source as a Delta: the weights themselves.
type itself struct {
	tensors.Source
	names []string
}

// Names implements tensors.Delta.
func (s itself) Names() []string { return s.names }

// AddTo implements tensors.Delta.
func (s itself) AddTo(dst []float32, name string, from int, alpha float32) error {
	values := make([]float32, len(dst))
	if err := s.Read(values, name, from); err != nil {
		return err
	}
	for i, v := range values {
		dst[i] += float32(alpha * v)
	}
	return nil
}

// AddTo64 implements tensors.Delta.
func (s itself) AddTo64(dst []float64, name string, from int, alpha float64) error {
	values := make([]float64, len(dst))
	if err := tensors.Read64(s.Source, values, name, from); err != nil {
		return err
	}
	for i, v := range values {
		dst[i] += float64(alpha * v)
	}
	return nil
}
