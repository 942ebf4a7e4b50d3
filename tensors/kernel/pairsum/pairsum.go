// Package pairsum computes the SHA-256 of two streams of bytes at once on one
// core, where the processor has instructions for it.
//
// Each of these instructions waits for the one before it, so that one stream
// leaves the unit that computes them idle half of the time. A Pair gives the
// idle half to a second stream: New one, Write both streams to it side by
// side, in parts as long as they come, and ask for the Sum. The gain is in what
// both parts of a Write have in common; the rest of the longer part goes the
// way of crypto/sha256, as does everything on processors without the
// instructions. The results are those of crypto/sha256 in any case.
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

// Pair digests two streams at once. One goroutine at a time may use it.
type Pair struct {
	first, second stream
}

// New returns a Pair of two empty streams.
func New() *Pair {
	return &Pair{newStream(), newStream()}
}

// Write feeds x to the first stream and y to the second. Their lengths may
// differ, and either may be empty.
func (p *Pair) Write(x, y []byte) {
	if abreast {
		x, y = p.first.complete(x), p.second.complete(y)
		if n := min(len(x), len(y)) / blockLen; n > 0 {
			p.blocks(x, y, n)
			x, y = x[n*blockLen:], y[n*blockLen:]
		}
	}
	p.first.write(x)
	p.second.write(y)
}

// Sum returns the digests of what was written so far. It does not change the
// state: more can be written afterwards.
func (p *Pair) Sum() (first, second [sha256.Size]byte) {
	return [sha256.Size]byte(p.first.hash.Sum(nil)), [sha256.Size]byte(p.second.hash.Sum(nil))
}

// blocks digests n blocks of both streams, which have no block begun.
func (p *Pair) blocks(x, y []byte, n int) {
	first, second := p.first.load(), p.second.load()
	for at := 0; at < n; at += turn {
		digestBlocks(first, second, &x[at*blockLen], &y[at*blockLen], min(turn, n-at))
	}
	p.first.store(n)
	p.second.store(n)
}

// stream is one of the two.
type stream struct {
	hash  hash.Hash
	begun int       // bytes of a block that hash keeps until it is complete
	state [108]byte // of hash, as below, while its blocks are digested elsewhere
}

// The state of a hash of crypto/sha256 outside of it: a name, eight words of
// the digest so far, a block begun, the number of bytes; numbers big-endian.
const (
	wordsAt = 4
	blockAt = wordsAt + sha256.Size
	countAt = blockAt + blockLen
)

func newStream() stream { return stream{hash: sha256.New()} }

func (s *stream) write(b []byte) {
	s.hash.Write(b)
	s.begun = (s.begun + len(b)) % blockLen
}

// complete writes what the block begun lacks, or less if b has less, and
// returns the rest of b.
func (s *stream) complete(b []byte) []byte {
	if s.begun == 0 {
		return b
	}
	n := min(len(b), blockLen-s.begun)
	s.write(b[:n])
	return b[n:]
}

// load moves the state out of the hash and returns the words.
func (s *stream) load() *[sha256.Size]byte {
	if _, err := s.hash.(encoding.BinaryAppender).AppendBinary(s.state[:0]); err != nil {
		panic("pairsum: " + err.Error())
	}
	return (*[sha256.Size]byte)(s.state[wordsAt:blockAt])
}

// store moves the state back after n blocks.
func (s *stream) store(n int) {
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
