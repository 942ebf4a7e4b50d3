// Package pairsum computes the SHA-256 of streams of bytes, two at once on one
// core, where the processor has instructions for it.
//
// Each of these instructions waits for the one before it, so that one stream
// leaves the unit that computes them idle half of the time. Write gives the
// idle half to a second stream: it takes a part of each, of any length, and any
// two streams can be written side by side at any time. The gain is in what both
// parts have in common; the rest of the longer part goes the way of
// crypto/sha256, as does everything on processors without the instructions. The
// results are those of crypto/sha256 in any case.
package pairsum

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"hash"
)

const (
	// blockLen is the number of bytes that SHA-256 takes at a time.
	blockLen = sha256.BlockSize
	// turn is the most blocks that one call of the assembly takes: while it
	// runs, nothing can stop the goroutine.
	turn = 1024
)

// Stream digests one stream of bytes. One goroutine at a time may use it.
type Stream struct {
	hash  hash.Hash
	begun int       // bytes of a block that hash keeps until it is complete
	state [108]byte // of hash, as below, while its blocks are digested elsewhere
}

// New returns an empty Stream.
func New() *Stream { return &Stream{hash: sha256.New()} }

// Write feeds x to one stream and y to another. Their lengths may differ, and
// either may be empty.
func Write(first, second *Stream, x, y []byte) {
	if first == second {
		panic("pairsum: a stream beside itself")
	}
	if abreast {
		x, y = first.complete(x), second.complete(y)
		if n := min(len(x), len(y)) / blockLen; n > 0 {
			blocks(first, second, x, y, n)
			x, y = x[n*blockLen:], y[n*blockLen:]
		}
	}
	first.Write(x)
	second.Write(y)
}

// blocks digests n blocks of both streams, which have no block begun.
func blocks(first, second *Stream, x, y []byte, n int) {
	a, b := first.load(), second.load()
	for at := 0; at < n; at += turn {
		digestBlocks(a, b, &x[at*blockLen], &y[at*blockLen], min(turn, n-at))
	}
	first.store(n)
	second.store(n)
}

// Write feeds b to the stream alone. It returns its length, and never an error.
func (s *Stream) Write(b []byte) (int, error) {
	s.hash.Write(b)
	s.begun = (s.begun + len(b)) % blockLen
	return len(b), nil
}

// Sum returns the digest of what was written so far. It does not change the
// state: more can be written afterwards.
func (s *Stream) Sum() [sha256.Size]byte { return [sha256.Size]byte(s.hash.Sum(nil)) }

// The state of a hash of crypto/sha256 outside of it: a name, eight words of
// the digest so far, a block begun, the number of bytes; numbers big-endian.
const (
	wordsAt = 4
	blockAt = wordsAt + sha256.Size
	countAt = blockAt + blockLen
)

// complete writes what the block begun lacks, or less if b has less, and
// returns the rest of b.
func (s *Stream) complete(b []byte) []byte {
	if s.begun == 0 {
		return b
	}
	n := min(len(b), blockLen-s.begun)
	s.Write(b[:n])
	return b[n:]
}

// load moves the state out of the hash and returns the words.
func (s *Stream) load() *[sha256.Size]byte {
	if _, err := s.hash.(encoding.BinaryAppender).AppendBinary(s.state[:0]); err != nil {
		panic("pairsum: " + err.Error())
	}
	return (*[sha256.Size]byte)(s.state[wordsAt:blockAt])
}

// store moves the state back after n blocks.
func (s *Stream) store(n int) {
	count := s.state[countAt:]
	binary.BigEndian.PutUint64(count, binary.BigEndian.Uint64(count)+uint64(n)*blockLen)
	if err := s.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(s.state[:]); err != nil {
		panic("pairsum: " + err.Error())
	}
}

// abreast says that both streams can be digested at once: the processor has
// the instructions, and the states are as they are described here, which
// crypto/sha256 does not promise.
var abreast = instructions && isKnown(sha256.New())

// isKnown says whether a new hash has the state that it should have.
func isKnown(h hash.Hash) bool {
	appender, ok := h.(encoding.BinaryAppender)
	_, back := h.(encoding.BinaryUnmarshaler)
	if !ok || !back {
		return false
	}
	state, err := appender.AppendBinary(nil)
	return err == nil && bytes.Equal(state, emptyState())
}

// emptyState is the state of a hash that nothing was written to. Its words are
// those of FIPS 180-4, 5.3.3.
func emptyState() []byte {
	state := []byte("sha\x03")
	for _, word := range []uint32{
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	} {
		state = binary.BigEndian.AppendUint32(state, word)
	}
	return append(state, make([]byte, blockLen+8)...)
}
