// Package mersenne draws the numbers of CPython's random.Random, bit for bit.
//
// lm-evaluation-harness draws the examples in front of a question with that
// generator. To show a model the same prompt, the same numbers are needed:
// the Mersenne twister MT19937 (Matsumoto and Nishimura, ACM TOMACS 8, 1998, p. 3)
// with the seeding of its authors' init_by_array, and on top the ways in which
// Lib/random.py of CPython 3.11 turns words into floats, indices and samples.
//
// A Random is not safe for use by several goroutines.
package mersenne

import (
	"fmt"
	"math/big"
	"math/bits"
)

const (
	size  = 624 // words of state
	shift = 397
)

// Random is a generator, the random.Random of CPython.
type Random struct {
	state [size]uint32
	next  int // word of the state that is drawn next
}

// New is random.Random(seed). The sign of a seed does not count, as in CPython.
func New(seed int64) *Random {
	magnitude := uint64(seed)
	if seed < 0 {
		magnitude = -magnitude
	}
	return seeded([]uint32{uint32(magnitude), uint32(magnitude >> 32)})
}

// NewBig is New with a seed of any length.
func NewBig(seed *big.Int) *Random {
	var key []uint32
	rest, low := new(big.Int).Abs(seed), new(big.Int)
	for mask := big.NewInt(1<<32 - 1); rest.Sign() > 0; rest.Rsh(rest, 32) {
		key = append(key, uint32(low.And(rest, mask).Uint64()))
	}
	return seeded(key)
}

// seeded is init_by_array. key is the seed in words, the least significant
// first; leading zero words are left out, except of the seed 0.
func seeded(key []uint32) *Random {
	for len(key) > 0 && key[len(key)-1] == 0 {
		key = key[:len(key)-1]
	}
	if len(key) == 0 {
		key = []uint32{0}
	}
	r := &Random{next: size}
	s := &r.state
	s[0] = 19650218
	for i := 1; i < size; i++ {
		s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + uint32(i)
	}
	i, j := 1, 0
	step := func() {
		if i++; i == size {
			s[0], i = s[size-1], 1
		}
	}
	for range max(size, len(key)) {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1664525) + key[j] + uint32(j)
		j = (j + 1) % len(key)
		step()
	}
	for range size - 1 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1566083941) - uint32(i)
		step()
	}
	s[0] = 1 << 31
	return r
}

// word draws 32 bits.
func (r *Random) word() uint32 {
	if r.next == size {
		r.twist()
	}
	y := r.state[r.next]
	r.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (r *Random) twist() {
	s := &r.state
	for i := range s {
		y := s[i]&(1<<31) | s[(i+1)%size]&(1<<31-1)
		s[i] = s[(i+shift)%size] ^ y>>1 ^ -(y&1)&0x9908b0df
	}
	r.next = 0
}

// Float64 is random(): a number in [0, 1) of 53 bits.
func (r *Random) Float64() float64 {
	high, low := r.word()>>5, r.word()>>6
	return (float64(high)*(1<<26) + float64(low)) / (1 << 53)
}

// Bits is getrandbits(k), k from 0 to 64.
func (r *Random) Bits(k int) uint64 {
	switch {
	case k < 0 || k > 64:
		panic(fmt.Sprintf("mersenne: %d bits", k))
	case k == 0:
		return 0
	case k <= 32:
		return uint64(r.word() >> (32 - k))
	}
	low := uint64(r.word())
	return low | uint64(r.word()>>(64-k))<<32
}

// Below is _randbelow(n): an index from 0 to n-1, n at least 1.
func (r *Random) Below(n int) int {
	if n < 1 {
		panic(fmt.Sprintf("mersenne: an index below %d", n))
	}
	for k := bits.Len(uint(n)); ; {
		if i := r.Bits(k); i < uint64(n) {
			return int(i)
		}
	}
}

// Sample is sample(range(n), k): k different indices below n, in the order in
// which they are drawn.
func (r *Random) Sample(n, k int) []int {
	if k < 0 || k > n {
		panic(fmt.Sprintf("mersenne: a sample of %d out of %d", k, n))
	}
	set := 21 // what a set of k costs, in CPython's estimate
	if k > 5 {
		table := 1
		for table < 3*k {
			table *= 4
		}
		set += table
	}
	sample := make([]int, k)
	if n <= set {
		pool := make([]int, n)
		for i := range pool {
			pool[i] = i
		}
		for i := range sample {
			j := r.Below(n - i)
			sample[i], pool[j] = pool[j], pool[n-i-1]
		}
		return sample
	}
	drawn := map[int]bool{}
	for i := range sample {
		j := r.Below(n)
		for drawn[j] {
			j = r.Below(n)
		}
		drawn[j], sample[i] = true, j
	}
	return sample
}

// Shuffle is shuffle of a list of n, whose elements swap exchanges.
func (r *Random) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, r.Below(i+1))
	}
}
