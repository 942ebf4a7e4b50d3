package tensors

import (
	"bytes"
	"hash/maphash"
)

// set is a set of strings of a header, by where they stand: open addressing,
// eight bytes a slot.
type set struct {
	slots []text
	used  int
	seed  maphash.Seed
}

// newSet returns a set with room for n strings before it grows.
func newSet(n int) set {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return set{slots: make([]text, size), seed: maphash.MakeSeed()}
}

// add adds a string, or reports that an equal one is there.
func (s *set) add(r *reader, t text) bool {
	if s.used*2 >= len(s.slots) {
		s.grow(r)
	}
	slot, found := s.find(r, t)
	if found {
		return false
	}
	s.slots[slot] = t
	s.used++
	return true
}

// find returns the slot that holds a string equal to t, or the free one for it.
// A string begins behind a quote, so its place is never 0.
func (s *set) find(r *reader, t text) (slot int, found bool) {
	name := r.decodeBytes(t)
	for slot = int(maphash.Bytes(s.seed, name) & uint64(len(s.slots)-1)); ; slot = (slot + 1) & (len(s.slots) - 1) {
		other := s.slots[slot]
		if other.from == 0 {
			return slot, false
		}
		if bytes.Equal(name, r.decodeBytes(other)) {
			return slot, true
		}
	}
}

func (s *set) grow(r *reader) {
	old := s.slots
	s.slots = make([]text, 2*len(old))
	for _, t := range old {
		if t.from != 0 {
			slot, _ := s.find(r, t)
			s.slots[slot] = t
		}
	}
}
