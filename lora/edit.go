package lora

import (
	"context"
	"fmt"
	"slices"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/drift/spectrum"
)

// Rescaled is an adapter whose changes are multiplied, tensor by tensor, by a
// factor. Factors of a product stay as they are, its Scale changes, so that a
// factor of 1 changes nothing and every other one is exact. What takes the base's
// place is moved between the base and itself, which needs the base; nil is good
// for adapters without. What has a factor of 0 is left out. An error names a tensor
// that is adapted by DoRA, whose effect is no multiple of anything.
func (a *Adapter) Rescaled(factor func(tensor string) float64, base tensors.Source) (*Adapter, error) {
	r := &Adapter{Path: a.Path, Config: a.Config}
	for _, l := range a.LowRank {
		f := factor(l.Tensor)
		if f != 1 && l.Magnitude != nil {
			return nil, fmt.Errorf("%s: tensor %q is adapted by DoRA, which sets the norms of its rows: it cannot be multiplied by %g, but merged with that alpha", a.Path, l.Tensor, f)
		}
		if l.Scale *= f; f != 0 {
			r.LowRank = append(r.LowRank, l)
		}
	}
	moved, err := a.moved(factor, base)
	if err != nil {
		return nil, err
	}
	for _, p := range a.Replaced {
		if f := factor(p.Tensor); f != 0 {
			if f != 1 {
				p.Values, p.Name = moved, p.Tensor
			}
			r.Replaced = append(r.Replaced, p)
		}
	}
	for _, rows := range a.Rows {
		f := factor(rows.Tensor)
		if f != 0 && f != 1 {
			values := make([]float32, len(rows.Values))
			for i, row := range rows.Index {
				if err := moved.Read(values[i*rows.Width:(i+1)*rows.Width], rows.Tensor, row*rows.Width); err != nil {
					return nil, err
				}
			}
			rows.Values = values
		}
		if f != 0 {
			r.Rows = append(r.Rows, rows)
		}
	}
	for _, s := range a.Sparse {
		f := factor(s.Tensor)
		if f == 0 {
			continue
		}
		values := make([]float32, len(s.Values))
		for i, v := range s.Values {
			values[i] = float32(f * float64(v))
		}
		s.Values = values
		r.Sparse = append(r.Sparse, s)
	}
	return r, nil
}

// moved is the base with what takes its place between the two: base + factor *
// (replaced - base).
func (a *Adapter) moved(factor func(tensor string) float64, base tensors.Source) (tensors.Source, error) {
	whole := &Adapter{Path: a.Path, Replaced: a.Replaced, Rows: a.Rows}
	between := func(tensor string) bool { f := factor(tensor); return f != 0 && f != 1 }
	if !slices.ContainsFunc(a.Replaced, func(r Replaced) bool { return between(r.Tensor) }) &&
		!slices.ContainsFunc(a.Rows, func(r Rows) bool { return between(r.Tensor) }) {
		return nil, nil
	}
	if base == nil {
		return nil, fmt.Errorf("%s: holds whole tensors that take the base's place: to rescale them the base is needed", a.Path)
	}
	delta, err := whole.Over(base)
	if err != nil {
		return nil, err
	}
	return merge.Apply(base, merge.Term{Label: a.Path, Delta: delta, Alpha: factor})
}

// Decomposed is the product by its singular values, with its scale in the factors:
// Scale is 1. Bias and Magnitude mean what they did.
func (l LowRank) Decomposed() (Matrix, error) {
	svd, err := spectrum.Product(l.B, l.A, l.Out, l.Rank, l.In)
	if err != nil {
		return Matrix{}, fmt.Errorf("tensor %q: %w", l.Tensor, err)
	}
	size, sign := l.Scale, float32(1)
	if size < 0 {
		size, sign = -size, -1
	}
	svd.Norm2 *= size * size
	for i := range svd.S {
		svd.S[i] *= size
	}
	m := Matrix{LowRank: l}
	if l.Layout != Linear { // take reads a tensor that is [In, Out]
		svd.U, svd.V = svd.V, svd.U
	}
	m.take(svd, len(svd.S))
	m.Scale, m.Exact, m.Bias = 1, true, slices.Clone(l.Bias)
	for i := range m.B {
		m.B[i] *= sign
	}
	for i, v := range l.Bias {
		m.Bias[i] = float32(l.Scale * float64(v))
	}
	return m, nil
}

// Decomposed are the products of an adapter by their singular values, as many at
// once as there are processors.
func (a *Adapter) Decomposed(ctx context.Context) ([]Matrix, error) {
	list := make([]Matrix, len(a.LowRank))
	err := eachMatrix(ctx, list, 0, nil, func(_ context.Context, i int) (err error) {
		if list[i], err = a.LowRank[i].Decomposed(); err != nil {
			return fmt.Errorf("%s: %w", a.Path, err)
		}
		return nil
	})
	return list, err
}

// Truncated is an adapter whose products are cut to the leading directions: to at
// most a rank (0 for any), and to the least that holds a share of each product's
// squared norm (0 for all). The sizes of the results are those of the factors'
// core, no product is multiplied out. Beside it stands the decomposition of every
// product before, of which LowRank.Rank is what is kept.
func (a *Adapter) Truncated(ctx context.Context, rank int, energy float64) (*Adapter, []Matrix, error) {
	r := &Adapter{Path: a.Path, Config: a.Config, Replaced: a.Replaced, Rows: a.Rows, Sparse: a.Sparse}
	list, err := a.Decomposed(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i, m := range list {
		keep := m.Rank
		if rank > 0 {
			keep = min(keep, rank)
		}
		if energy > 0 {
			keep = min(keep, m.Holding(energy))
		}
		m.LowRank = m.LowRank.Truncated(keep)
		list[i] = m
		if keep > 0 || m.Bias != nil || m.Magnitude != nil {
			r.LowRank = append(r.LowRank, m.rounded())
		}
	}
	return r, list, nil
}

// Holding is the least rank that holds a share of the squared norm.
func (m *Matrix) Holding(share float64) int {
	sum := 0.0
	for r, s := range m.Singular {
		if sum >= share*m.Norm2 {
			return r
		}
		sum += s * s
	}
	return len(m.Singular)
}
