package tensorstest

import "math"

// Random is a counter-based generator: number i of a stream depends on the
// seed, the stream's name and i only (SplitMix64; Steele, Lea and Flood,
// OOPSLA 2014).
type Random struct{ key uint64 }

// NewRandom returns the stream of a name under a seed.
func NewRandom(seed uint64, name string) Random {
	key := mix(seed + 0x9e3779b97f4a7c15)
	for _, b := range []byte(name) {
		key = mix(key ^ uint64(b))
	}
	return Random{key}
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Uint64 is number i of the stream.
func (r Random) Uint64(i int) uint64 { return mix(r.key + uint64(i+1)*0x9e3779b97f4a7c15) }

// Normal is number i of the stream as a sum of twelve uniforms less 6, which
// has mean 0, variance 1 and nearly the shape of a normal. It uses no function
// whose last bit differs between processors.
func (r Random) Normal(i int) float32 {
	var sum float64
	for k := range 12 {
		sum += float64(r.Uint64(12*i+k)>>11) * 0x1p-53
	}
	return float32(sum - 6)
}

// Intn is number i of the stream reduced to 0..n-1.
func (r Random) Intn(i, n int) int {
	return int(r.Uint64(i) % uint64(n)) // the bias is below n/2^64
}

// scale keeps the standard deviation of a product of in terms near 1.
func scale(in int) float32 { return float32(1 / math.Sqrt(float64(in))) }
