package record

import (
	"crypto/sha256"
	"encoding/binary"
)

// logIndex says where the line of a key begins: a table of the keys' hashes with
// open addressing, 24 bytes a place, since ten million of them are usual enough
// and a map is slower and no smaller.
type logIndex struct {
	places []indexPlace // a power of two of them
	used   int
}

type indexPlace struct {
	key  keyHash
	line int64 // the offset of its line and 1; 0 for a free place
}

// keyHash is the index's name of a key: the first half of its SHA-256. That two
// among ten million are equal has a chance of 1e-25.
type keyHash [16]byte

func hashKey(key []byte) keyHash {
	sum := sha256.Sum256(key)
	return keyHash(sum[:16])
}

// newLogIndex makes an index with room for some keys.
func newLogIndex(keys int64) *logIndex {
	size := 64
	for int64(size)*3 < keys*4 {
		size *= 2
	}
	return &logIndex{places: make([]indexPlace, size)}
}

// place is where a key is, or the free place where it would be. The places of a
// hash are tried one after another.
func (x *logIndex) place(key keyHash) *indexPlace {
	mask := len(x.places) - 1
	for at := int(binary.LittleEndian.Uint64(key[:])) & mask; ; at = (at + 1) & mask {
		if p := &x.places[at]; p.line == 0 || p.key == key {
			return p
		}
	}
}

// find is the offset of a key's line.
func (x *logIndex) find(key keyHash) (offset int64, ok bool) {
	p := x.place(key)
	return p.line - 1, p.line != 0
}

// add puts a key into the index, and reports false if it is there already. A
// quarter of the places at least stays free.
func (x *logIndex) add(key keyHash, offset int64) bool {
	p := x.place(key)
	if p.line != 0 {
		return false
	}
	*p = indexPlace{key, offset + 1}
	if x.used++; x.used*4 > len(x.places)*3 {
		old := x.places
		x.places = make([]indexPlace, 2*len(old))
		for _, p := range old {
			if p.line != 0 {
				*x.place(p.key) = p
			}
		}
	}
	return true
}
