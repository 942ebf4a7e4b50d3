package decoder

import (
	"slices"

	"surgeon/tensors/kernel"
)

// batch is a forest of tokens that go through the model together: sequences
// with a common beginning share its rows.
type batch struct {
	tokens    []int32          // [rows]
	positions []int32          // [rows], from 0
	segments  []kernel.Segment // cover the rows in order
	rotations map[RoPE]rotation
	caches    [][]*kernel.Cache // [layers][segments]; nil for none
	leaves    map[int]int       // sequence number -> the segment that ends it
}

// plan packs sequences into batches of at most limit rows each. A longer
// sequence goes beyond that, and so do sequences that share most of their
// tokens with the one before, up to four times the limit or the batch's first
// sequence: a batch that ends between them makes the next one compute again
// what they share. Sequences in lexical order share most, and the forest of a
// run of them has sum of (length - prefix shared with the one before) rows.
func plan(sequences [][]int32, limit int) []*batch {
	order := make([]int, len(sequences))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(sequences[a], sequences[b]) })
	var batches []*batch
	for start := 0; start < len(order); {
		rows, end := len(sequences[order[start]]), start+1
		most := 4 * max(limit, rows)
		for ; end < len(order); end++ {
			previous, next := sequences[order[end-1]], sequences[order[end]]
			more := len(next) - shared(previous, next)
			repeats := 2*more <= len(next)
			if rows+more > limit && !(repeats && rows+more <= most) {
				break
			}
			rows += more
		}
		b := &batch{leaves: map[int]int{}}
		b.grow(sequences, order[start:end], 0, -1)
		batches = append(batches, b)
		start = end
	}
	return batches
}

// shared is the length of the longest common prefix.
func shared(a, b []int32) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// grow adds the segments of sequences that agree on their first depth tokens,
// which stand in segment parent and its ancestors. order is lexical, so what
// all share is what the first and the last share.
func (b *batch) grow(sequences [][]int32, order []int, depth, parent int) {
	first, last := sequences[order[0]], sequences[order[len(order)-1]]
	common := shared(first, last)
	if common > depth {
		start := len(b.tokens)
		b.tokens = append(b.tokens, first[depth:common]...)
		for p := depth; p < common; p++ {
			b.positions = append(b.positions, int32(p))
		}
		b.segments = append(b.segments, kernel.Segment{Start: start, End: len(b.tokens), Parent: parent})
		parent = len(b.segments) - 1
	}
	for len(order) > 0 && len(sequences[order[0]]) == common {
		b.leaves[order[0]] = parent
		order = order[1:]
	}
	for len(order) > 0 {
		n := 1
		for n < len(order) && sequences[order[n]][common] == sequences[order[0]][common] {
			n++
		}
		b.grow(sequences, order[:n], common, parent)
		order = order[n:]
	}
}

// row returns the row of a position of a sequence.
func (b *batch) row(sequence, position int) int {
	s := b.segments[b.leaves[sequence]]
	for int(b.positions[s.Start]) > position {
		s = b.segments[s.Parent]
	}
	return s.Start + position - int(b.positions[s.Start])
}
