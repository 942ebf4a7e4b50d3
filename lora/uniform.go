package lora

import (
	"slices"

	"surgeon/tensors"
)

// Tensors are the names of all tensors of a base that an adapter changes, sorted,
// but for the biases that come with a product.
func (a *Adapter) Tensors() []string {
	var list []string
	for _, l := range a.LowRank {
		list = append(list, l.Tensor)
	}
	for _, r := range a.Replaced {
		list = append(list, r.Tensor)
	}
	for _, r := range a.Rows {
		list = append(list, r.Tensor)
	}
	for _, s := range a.Sparse {
		list = append(list, s.Tensor)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Bytes is what the tensors of an adapter take in its files.
func (a *Adapter) Bytes() (n int64) {
	for _, t := range newSaved(a.ranked()).tensors {
		n += tensors.Info{DType: t.dtype, Shape: t.shape}.Bytes()
	}
	for _, s := range a.Sparse {
		n += 8 * int64(len(s.Values))
	}
	return n
}

// Uniform is an adapter that changes the same and whose products all have one rank,
// padded with zeros, and one scale, which B takes up: as loaders need it that know
// one r and one lora_alpha.
func (a *Adapter) Uniform() *Adapter {
	u := *a
	u.LowRank = slices.Clone(a.LowRank)
	highest, scale := a.Highest(), 1.0
	if at := slices.IndexFunc(a.LowRank, func(l LowRank) bool { return l.Scale != 0 }); at >= 0 {
		scale = a.LowRank[at].Scale
	}
	for i, l := range u.LowRank {
		u.LowRank[i] = l.Padded(highest).Folded(scale)
	}
	return &u
}

// Highest is the highest rank of its products.
func (a *Adapter) Highest() (rank int) {
	for _, l := range a.LowRank {
		rank = max(rank, l.Rank)
	}
	return rank
}

// Conv1D reports whether its products are those of a model that stores its matrices
// [in, out].
func (a *Adapter) Conv1D() bool {
	return slices.ContainsFunc(a.LowRank, func(l LowRank) bool { return l.Layout == Conv1D })
}
