package lora

import (
	"fmt"
	"slices"

	"surgeon/tensors"
)

// Concatenated is the weighted sum of adapters, exactly: the factors of a tensor
// stand side by side, so that no factor of one is multiplied by one of another
// (what PEFT calls cat; its linear has such cross terms). Products that share
// their A share it still, and what sums to zero is left out: an adapter less
// itself is empty. Ranks add up; factors are in float32. There is one weight for
// each adapter, or it panics. An error names an adapter that holds more than plain
// products: DoRA, single elements, or whole tensors or rows in the base's place.
func Concatenated(list []*Adapter, weights []float64) (*Adapter, error) {
	if len(list) != len(weights) {
		panic(fmt.Sprintf("lora: %d adapters and %d weights", len(list), len(weights)))
	}
	sum := &Adapter{}
	if len(list) > 0 {
		sum.Config = list[0].Config
	}
	parts := map[string][]LowRank{}
	var names []string
	for i, a := range list {
		if err := a.plain(); err != nil {
			return nil, err
		}
		for _, l := range a.LowRank {
			if parts[l.Tensor] == nil {
				names = append(names, l.Tensor)
			}
			l.Scale *= weights[i]
			parts[l.Tensor] = append(parts[l.Tensor], l)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		l, err := beside(parts[name])
		if err != nil {
			return nil, err
		}
		if l.Rank > 0 || l.Bias != nil {
			sum.LowRank = append(sum.LowRank, l)
		}
	}
	return sum, nil
}

// plain refuses an adapter that is more than products.
func (a *Adapter) plain() error {
	if len(a.Replaced) > 0 {
		return fmt.Errorf("%s: tensor %q takes the base's place as a whole: only products of factors can be added up; merge the adapters into the base instead", a.Path, a.Replaced[0].Tensor)
	}
	if len(a.Rows) > 0 {
		return fmt.Errorf("%s: rows of tensor %q take the base's place: only products of factors can be added up; merge the adapters into the base instead", a.Path, a.Rows[0].Tensor)
	}
	if len(a.Sparse) > 0 {
		return fmt.Errorf("%s: single elements of tensor %q are changed (%s): only products of factors can be added up; remove that file, or merge the adapters into the base instead", a.Path, a.Sparse[0].Tensor, remainderFile)
	}
	for _, l := range a.LowRank {
		if l.Magnitude != nil {
			return fmt.Errorf("%s: tensor %q is adapted by DoRA, which is no sum: only products of factors can be added up; merge the adapters into the base instead", a.Path, l.Tensor)
		}
	}
	return nil
}

// beside puts products of one tensor side by side, with their scales in B.
func beside(list []LowRank) (LowRank, error) {
	first := list[0]
	for i, l := range list {
		list[i] = l.relaid(first.Layout)
	}
	var a, b [][]float32 // rows of A, columns of B
	var bias []float32
	for _, l := range list {
		if l.Layout != first.Layout || l.In != first.In || l.Out != first.Out {
			return LowRank{}, fmt.Errorf("tensor %q is adapted as [%d %d] by one adapter and as [%d %d] by another: they are not of one base", l.Tensor, first.Out, first.In, l.Out, l.In)
		}
		for r := range l.Rank {
			row, column := l.A[r*l.In:(r+1)*l.In], make([]float32, l.Out)
			for o := range column {
				column[o] = float32(l.Scale * float64(l.B[o*l.Rank+r]))
			}
			if at := slices.IndexFunc(a, func(known []float32) bool { return slices.Equal(known, row) }); at >= 0 {
				for o, v := range column {
					b[at][o] += v
				}
				continue
			}
			a, b = append(a, row), append(b, column)
		}
		if l.Bias != nil && bias == nil {
			bias = make([]float32, l.Out)
		}
		for o, v := range l.Bias {
			bias[o] += float32(l.Scale * float64(v))
		}
	}
	sum := LowRank{Tensor: first.Tensor, Layout: first.Layout, In: first.In, Out: first.Out, Scale: 1, DType: tensors.F32}
	if slices.ContainsFunc(bias, func(v float32) bool { return v != 0 }) {
		sum.Bias = bias
	}
	var columns [][]float32
	for r, column := range b {
		if slices.ContainsFunc(column, func(v float32) bool { return v != 0 }) {
			sum.A, columns = append(sum.A, a[r]...), append(columns, column)
		}
	}
	sum.Rank = len(columns)
	sum.B = make([]float32, sum.Out*sum.Rank)
	for r, column := range columns {
		for o, v := range column {
			sum.B[o*sum.Rank+r] = v
		}
	}
	return sum, nil
}

// Folded is a product of another scale, which is not 0, that changes the same: B takes
// up what the scale gives, rounded to the type of the factors, or in float32 where
// that type is too small.
func (l LowRank) Folded(scale float64) LowRank {
	if l.Scale == scale {
		return l
	}
	b := make([]float32, len(l.B))
	for i, v := range l.B {
		b[i] = float32(l.Scale / scale * float64(v))
	}
	bias := slices.Clone(l.Bias)
	for i, v := range bias {
		bias[i] = float32(l.Scale / scale * float64(v))
	}
	l.B, l.Bias, l.Scale = b, bias, scale
	if rounded := stored(l.B, l.DType); finite(rounded) {
		l.B = rounded
	} else {
		l.DType = tensors.F32 // which has room for them
	}
	return l
}

// relaid is a product that changes the same tensor alike, by factors of another
// layout: where B A is transposed, the factors change places.
func (l LowRank) relaid(layout Layout) LowRank {
	if (l.Layout == Linear) != (layout == Linear) {
		a, b := make([]float32, len(l.B)), make([]float32, len(l.A))
		for o := range l.Out {
			for r := range l.Rank {
				a[r*l.Out+o] = l.B[o*l.Rank+r]
			}
		}
		for r := range l.Rank {
			for i := range l.In {
				b[i*l.Rank+r] = l.A[r*l.In+i]
			}
		}
		l.A, l.B, l.In, l.Out = a, b, l.Out, l.In
	}
	l.Layout = layout
	return l
}

func finite(values []float32) bool {
	return !slices.ContainsFunc(values, func(v float32) bool { return v-v != 0 })
}

// Padded is a product of a higher rank that changes the same: its further
// directions are zero.
func (l LowRank) Padded(rank int) LowRank {
	if rank <= l.Rank {
		return l
	}
	b := make([]float32, l.Out*rank)
	for o := range l.Out {
		copy(b[o*rank:], l.B[o*l.Rank:(o+1)*l.Rank])
	}
	l.A = append(slices.Clone(l.A), make([]float32, (rank-l.Rank)*l.In)...)
	l.B, l.Rank = b, rank
	return l
}
