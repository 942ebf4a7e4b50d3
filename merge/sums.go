package merge

import (
	"math"
	"sync"

	"gonum.org/v1/gonum/mat"

	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// tensorSums are what a Record notes of one tensor: for each block of it, in
// places of its own so that the order of threads does not show, the sums of
// which the effective alphas are made. With k terms these are the k sums
// (y-b)*d and the k*(k+1)/2 different sums d*d' of pairs of terms.
type tensorSums struct {
	mu             sync.Mutex // of the two lists below: a block may be read twice at once
	terms          int
	len            int // elements
	blocks         [][]float64
	allowNonfinite bool
	nonfinite      []int64 // of each block
}

func sumsLen(terms int) int { return terms + terms*(terms+1)/2 }

// gram is the sum d*d' of two terms, j <= k.
func gram(sums []float64, terms, j, k int) float64 { return sums[terms+k*(k+1)/2+j] }

func newSums(t tensor, allowNonfinite bool) *tensorSums {
	n := t.stored.Len()
	return &tensorSums{terms: len(t.terms), len: n, blocks: make([][]float64, (n+blockLen-1)/blockLen),
		nonfinite: make([]int64, (n+blockLen-1)/blockLen), allowNonfinite: allowNonfinite}
}

// add notes the sums of the block that begins at an element. What is not a
// whole block is left for complete.
func (s *tensorSums) add(from, n int, sums []float64) {
	if s.whole(from, n) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.blocks[from/blockLen] = sums
	}
}

// noted reports whether the block that begins at an element was noted.
func (s *tensorSums) noted(from int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blocks[from/blockLen] != nil
}

// whole reports whether a range is a whole block.
func (s *tensorSums) whole(from, n int) bool {
	return from%blockLen == 0 && n == min(blockLen, s.len-from)
}

// project computes and notes the sums of a merged block.
func (s *tensorSums) project(t tensor, raw []byte, b *buffer, from, n int) error {
	if !s.whole(from, n) {
		return nil
	}
	merged, base, deltas := make([]float64, n), make([]float64, n), make([][]float64, 0, s.terms)
	if t.stored.DType == tensors.F64 {
		kernel.DecodeF64(merged, raw)
	} else {
		values := b.narrow(n)
		tensors.Widen(values, raw, t.stored.DType)
		widen(merged, values)
	}
	if err := tensors.Read64(t.Model.base, base, t.name, from); err != nil {
		return err
	}
	for k, term := range t.terms {
		d := make([]float64, n)
		if t.has[k][t.name] {
			if err := term.Delta.AddTo64(d, t.name, from, 1); err != nil {
				return err
			}
		}
		deltas = append(deltas, d)
	}
	s.add(from, n, projections(merged, base, deltas))
	return nil
}

// projections are the sums of a block, over the elements that a term changes:
// both sides may be the same infinity, whose y-b is not a number.
func projections(merged, base []float64, deltas [][]float64) []float64 {
	sums := make([]float64, sumsLen(len(deltas)))
	for k, d := range deltas {
		for i, v := range d {
			if v != 0 {
				sums[k] += float64((merged[i] - base[i]) * v)
			}
		}
		for j, other := range deltas[:k+1] {
			at := len(deltas) + k*(k+1)/2 + j
			for i, v := range d {
				if w := other[i]; v != 0 && w != 0 {
					sums[at] += float64(v * w)
				}
			}
		}
	}
	return sums
}

// complete computes the blocks that were not noted.
func (s *tensorSums) complete(t tensor) error {
	return eachBlock(0, s.len, func(from, n int) error {
		if s.noted(from) {
			return nil
		}
		b := buffers.Get().(*buffer)
		defer buffers.Put(b)
		raw := make([]byte, n*t.stored.DType.Size())
		if t.origin == nil {
			return t.block(raw, from, s)
		}
		if err := t.origin.ReadRaw(raw, t.name, int64(from*t.stored.DType.Size())); err != nil {
			return err
		}
		if !finite(raw, t.stored.DType, b) {
			if err := s.broken(t, raw, from); err != nil {
				return err
			}
		}
		return s.project(t, raw, b, from, n)
	})
}

// total adds the blocks in their order.
func (s *tensorSums) total() []float64 {
	sums := make([]float64, sumsLen(s.terms))
	for _, block := range s.blocks {
		for i, v := range block {
			sums[i] += v
		}
	}
	return sums
}

// broken counts the values of a whole block that are no finite numbers, or
// refuses the first of any range.
func (s *tensorSums) broken(t tensor, raw []byte, from int) error {
	if !s.allowNonfinite {
		return nonfiniteError(t, raw, from)
	}
	if s.whole(from, len(raw)/t.stored.DType.Size()) {
		n := nonfinite(raw, t.stored.DType)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.nonfinite[from/blockLen] = n
	}
	return nil
}

// effects pairs requested alphas with the effective ones.
func effects(requested, sums []float64) []TermEffect {
	list := make([]TermEffect, len(requested))
	for k, alpha := range leastSquares(sums, len(requested)) {
		list[k] = TermEffect{requested[k], alpha}
	}
	return list
}

// mostCondition is the condition of the sums from which on their solution has
// few digits left, and rounding of the weights shows as alphas.
const mostCondition = 1e8

// leastSquares solves the normal equations G a = c of the sums. Terms that
// change nothing have no coefficient, nor has any term where one is a sum of
// others.
func leastSquares(sums []float64, terms int) []float64 {
	a, index := make([]float64, terms), make([]int, 0, terms)
	for k := range a {
		a[k] = math.NaN()
		if gram(sums, terms, k, k) != 0 {
			index = append(index, k)
		}
	}
	if len(index) == 1 { // without the square roots of a decomposition: 1 is 1
		a[index[0]] = sums[index[0]] / gram(sums, terms, index[0], index[0])
	}
	if len(index) < 2 {
		return a
	}
	// Of differences scaled to length 1, so that only their directions matter.
	size := func(k int) float64 { return math.Sqrt(gram(sums, terms, k, k)) }
	g, c := mat.NewSymDense(len(index), nil), mat.NewVecDense(len(index), nil)
	for i, k := range index {
		c.SetVec(i, sums[k]/size(k))
		for j, l := range index[:i+1] {
			g.SetSym(j, i, gram(sums, terms, l, k)/size(k)/size(l))
		}
	}
	var decomposed mat.Cholesky
	solution := mat.NewVecDense(len(index), nil)
	if !decomposed.Factorize(g) || decomposed.Cond() > mostCondition || decomposed.SolveVecTo(solution, c) != nil {
		return a // singular, or nearly so
	}
	for i, k := range index {
		a[k] = solution.AtVec(i) / size(k)
	}
	return a
}
