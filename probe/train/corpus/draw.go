package corpus

import (
	"hash/fnv"
	"math/rand/v2"
)

// draw is the source of randomness of one thing: number index of a purpose. It
// depends on nothing else, so that things may be drawn in any order.
func (c *Corpus) draw(purpose string, index int) *rand.Rand {
	sum := fnv.New64a()
	sum.Write([]byte(purpose))
	return rand.New(rand.NewPCG(mix(c.seed^mix(sum.Sum64())), mix(uint64(index))))
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), in
// which every bit of the result depends on every bit of z.
func mix(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// pick is one of a list.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// several are n different ones of a list, in random order.
func several[T any](r *rand.Rand, list []T, n int) []T {
	chosen := make([]T, n)
	for i, k := range r.Perm(len(list))[:n] {
		chosen[i] = list[k]
	}
	return chosen
}

// between is a whole number from low to high.
func between(r *rand.Rand, low, high int) int { return low + r.IntN(high-low+1) }
