package token

import "math"

// bpe is byte pair encoding over ids.
type bpe struct {
	begin  func(ids []int32, word string) []int32 // appends the symbols that a word begins as
	merges map[pair]merge                         // what two neighbours may become
	whole  map[string]int32
	// whole holds the vocabulary by what its tokens stand for in text where the
	// file says ignore_merges: a word found in it is that token. Otherwise it is
	// nil.
}

type pair struct{ left, right int32 }

// merge is one line of the list of merges: its place and the joined token.
type merge struct{ rank, id int32 }

// noSymbol stands for what has no token. It is no id.
const noSymbol = -1

// never is the rank of neighbours that no merge names.
const never = math.MaxInt32

// shortWord is the length up to which looking at all neighbours again after
// each merge is faster than keeping them in order.
const shortWord = 64

func (m *bpe) join(left, right int32) merge {
	if found, ok := m.merges[pair{left, right}]; ok {
		return found
	}
	return merge{rank: never}
}

// appendWord appends the ids of one word.
func (m *bpe) appendWord(ids []int32, word string) []int32 {
	if id, ok := m.whole[word]; ok {
		return append(ids, id)
	}
	start := len(ids)
	ids = m.begin(ids, word)
	mergeAll := m.mergeShort
	if len(ids)-start > shortWord {
		mergeAll = m.mergeLong
	}
	return ids[:start+mergeAll(ids[start:])]
}

// mergeShort joins, while there is one, the pair of least rank (the leftmost of
// several), writes what is left to the start of ids and returns its length. It
// takes at most shortWord ids.
func (m *bpe) mergeShort(ids []int32) int {
	var joined [shortWord]merge // joined[i] is what ids[i] and ids[i+1] become
	n := len(ids)
	for i := 0; i+1 < n; i++ {
		joined[i] = m.join(ids[i], ids[i+1])
	}
	for n > 1 {
		best := 0
		for i := 1; i+1 < n; i++ {
			if joined[i].rank < joined[best].rank {
				best = i
			}
		}
		if joined[best].rank == never {
			break
		}
		ids[best] = joined[best].id
		copy(ids[best+1:n-1], ids[best+2:n])
		copy(joined[best:n-2], joined[best+1:n-1])
		n--
		if best+1 < n {
			joined[best] = m.join(ids[best], ids[best+1])
		}
		if best > 0 {
			joined[best-1] = m.join(ids[best-1], ids[best])
		}
	}
	return n
}

// mergeLong does what mergeShort does, for any length in O(n log n): the ids
// are a linked list and the pairs wait in a queue. A pair that has changed
// since it was queued is known by its rank, which no other pair has.
func (m *bpe) mergeLong(ids []int32) int {
	n := len(ids)
	previous, next := make([]int, n+1), make([]int, n)
	var waiting queue
	enqueue := func(left int) {
		if left < 0 || next[left] == n {
			return
		}
		if found := m.join(ids[left], ids[next[left]]); found.rank != never {
			waiting.push(candidate{found.rank, left})
		}
	}
	for i := range ids {
		previous[i], next[i] = i-1, i+1
		if i > 0 {
			enqueue(i - 1)
		}
	}
	for len(waiting) > 0 {
		best := waiting.pop()
		left, right := best.left, next[best.left]
		if right == n {
			continue
		}
		found := m.join(ids[left], ids[right])
		if found.rank != best.rank {
			continue
		}
		ids[left], ids[right] = found.id, noSymbol // which no merge names
		next[left] = next[right]
		previous[next[left]] = left // previous[n] takes it at the end
		enqueue(previous[left])
		enqueue(left)
	}
	kept := 0
	for i := 0; i < n; i = next[i] {
		ids[kept] = ids[i]
		kept++
	}
	return kept
}
