package lora

import (
	"surgeon/tensors"
)

// Adapter is a decomposition as an adapter: its matrices to at most a rank (0 for
// as much as was kept), with factors rounded to their type, and, if saved is not
// nil, the Rest as whole tensors of saved, the fine-tuned model. Matrices of rank 0
// are left out.
func (d *Decomposition) Adapter(rank int, saved tensors.Source) *Adapter {
	a := &Adapter{}
	for _, m := range d.Matrices {
		l := m.LowRank
		if rank > 0 {
			l = l.Truncated(min(rank, l.Rank))
		}
		if l.Rank > 0 {
			a.LowRank = append(a.LowRank, l.rounded())
		}
	}
	if saved != nil {
		for _, name := range d.Rest {
			a.Replaced = append(a.Replaced, Replaced{Tensor: name, Values: saved, Name: name})
		}
	}
	return a
}

// rounded is the product of the factors as a file will hold them.
func (l LowRank) rounded() LowRank {
	if l.DType != tensors.F32 {
		l.A, l.B = stored(l.A, l.DType), stored(l.B, l.DType)
	}
	return l
}

// stored rounds values to a type and widens them again.
func stored(values []float32, d tensors.DType) []float32 {
	raw := make([]byte, len(values)*d.Size())
	tensors.Round(raw, values, d)
	wide := make([]float32, len(values))
	tensors.Widen(wide, raw, d)
	return wide
}

// Optimum is the relative Frobenius error of the best approximation of D of a rank
// (Eckart and Young, Psychometrika 1, 1936): sqrt(1 - sum of the leading s^2 /
// ||D||^2). Unless Exact, the singular values are from below, and the optimum is
// never less than what this says by more than they are.
func (m *Matrix) Optimum(rank int) float64 {
	left := m.Norm2
	for _, s := range m.Singular[:min(rank, len(m.Singular))] {
		left -= s * s
	}
	return relative(left, m.Norm2)
}
