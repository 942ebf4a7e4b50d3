package lora

import (
	"cmp"
	"slices"
	"sync"
)

// allocation gives matrices their ranks under a number of bytes.
type allocation struct {
	ranks    Ranks
	tied     bool
	lock     sync.Mutex
	matrices []Matrix
	known    []int // the matrices that are decomposed, by number
}

// prune cuts what no allocation to these and further matrices can give any more:
// a further matrix only takes bytes away. So the factors of a large model are
// never all in memory. One direction more of each is kept, since the first that does
// not fit ends the spending whatever comes after it: so it is the same in any order.
func (a *allocation) prune(decomposed int) {
	if a.ranks.Bytes == 0 {
		return
	}
	a.lock.Lock()
	defer a.lock.Unlock()
	a.known = append(a.known, decomposed)
	a.cut(1)
}

// finish cuts every matrix to its rank.
func (a *allocation) finish() {
	if a.ranks.Bytes > 0 {
		a.cut(0)
	}
}

// cut leaves so many directions more than are bought.
func (a *allocation) cut(more int) {
	for n, rank := range a.spend() {
		m := &a.matrices[a.known[n]]
		less := m.Truncated(min(rank+more, m.Rank))
		m.A, m.B, m.Rank = less.A, less.B, less.Rank // the others are read by other workers
	}
}

// spend chooses the ranks of the known matrices: directions are bought in the order
// of what a byte of theirs holds, s^2 over the bytes of a column of B and a row of
// A, until one does not fit. Directions of a matrix stand in the order of their
// singular values, so that is the best use of the bytes, but for the last ones.
func (a *allocation) spend() []int {
	type direction struct {
		matrix, rank int // of known; the rank with it
		bytes        int64
		value        float64
	}
	var all []direction
	for n, i := range a.known {
		m := &a.matrices[i]
		bytes := int64(m.In+m.Out) * int64(m.DType.Size())
		if a.tied && m.Layout == Embedding {
			bytes *= 2 // the head's copy
		}
		for r := range m.Rank {
			all = append(all, direction{n, r + 1, bytes, m.Singular[r] * m.Singular[r] / float64(bytes)})
		}
	}
	slices.SortFunc(all, func(x, y direction) int {
		return cmp.Or(cmp.Compare(y.value, x.value), cmp.Compare(a.known[x.matrix], a.known[y.matrix]), cmp.Compare(x.rank, y.rank))
	})
	chosen, spent := make([]int, len(a.known)), int64(0)
	for _, d := range all {
		if spent += d.bytes; spent > a.ranks.Bytes || d.value == 0 {
			break
		}
		chosen[d.matrix] = d.rank
	}
	return chosen
}

// Truncated is the product of the leading directions: the first rows of A and
// columns of B. It is the best approximation of its rank where these are in the
// order of their singular values, as Decompose leaves them. It panics if there are
// fewer.
func (l LowRank) Truncated(rank int) LowRank {
	if rank < 0 || rank > l.Rank {
		panic("lora: a product is truncated to more directions than it has")
	}
	if rank == l.Rank {
		return l
	}
	b := make([]float32, l.Out*rank)
	for o := range l.Out {
		copy(b[o*rank:(o+1)*rank], l.B[o*l.Rank:])
	}
	l.A, l.B, l.Rank = slices.Clone(l.A[:rank*l.In]), b, rank
	return l
}
