package merge

import (
	"math"

	"surgeon/tensors"
)

// stream is a counter-based source of randomness: value i depends on the seed,
// the tensor's name and i only, never on the order or the number of threads.
type stream struct{ key uint64 }

// golden is 2^64 divided by the golden ratio, made odd: the step of SplitMix64.
const golden = 0x9e3779b97f4a7c15

// newStream returns the stream of a tensor under a seed: FNV-1a over the eight
// bytes of the seed, lowest first, and the name, mixed once more.
func newStream(seed uint64, name string) stream {
	const offset, prime = 0xcbf29ce484222325, 0x100000001b3
	hash := uint64(offset)
	for i := range 8 {
		hash = (hash ^ seed>>(8*i)&0xff) * prime
	}
	for _, b := range []byte(name) {
		hash = (hash ^ uint64(b)) * prime
	}
	return stream{mix64(hash)}
}

// mix64 is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators", OOPSLA 2014).
func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// uniform is value i of the stream, in [0,1): 53 bits.
func (s stream) uniform(i int) float64 {
	return float64(mix64(s.key+uint64(i)*golden)>>11) * 0x1p-53
}

// lattice is the set of finite values of a floating-point type: the multiples,
// up to the largest value, of 2^(e-mantissa) where e is the exponent of the
// value, or least where that is less (the subnormal numbers).
type lattice struct {
	mantissa int     // bits after the leading one
	least    int     // exponent of the smallest normal number
	most     float64 // largest finite value
}

// lattices are the types that values are rounded to. F64 has none: its values
// are what is computed.
var lattices = map[tensors.DType]lattice{
	tensors.F32:    {23, -126, math.MaxFloat32},
	tensors.F16:    {10, -14, 65504},
	tensors.BF16:   {7, -126, 0x1.fep127},
	tensors.F8E4M3: {3, -6, 448}, // the variant without infinities
	tensors.F8E5M2: {2, -14, 57344},
}

// roundStochastic rounds values up or down to a neighbour in type d, with
// probabilities in proportion to the nearness, so that the expectation of what
// is stored is the value itself. Values that d holds, infinities, NaN and what
// lies beyond the largest finite value become what tensors.Round64 makes of
// them; so does everything in a type without a lattice (F64). from is the
// index of values[0] in the tensor; raw takes len(values) elements.
func roundStochastic(raw []byte, values []float64, d tensors.DType, s stream, from int) {
	l, ok := lattices[d]
	if !ok {
		tensors.Round64(raw, values, d)
		return
	}
	rounded := make([]float64, len(values))
	for i, v := range values {
		rounded[i] = l.round(v, s.uniform(from+i))
	}
	tensors.Round64(raw, rounded, d)
}

// round returns the neighbour of v that lies away from 0 where the uniform
// number is below v's distance from the other one, measured in the distance
// between both. Dividing by a power of two and taking the whole part away is
// exact, so only the 53 bits of the uniform number limit the probability. It
// works on the magnitude: -v rounds as v does, and keeps its sign at 0.
func (l lattice) round(v, uniform float64) float64 {
	magnitude := math.Abs(v)
	if !(magnitude <= l.most) {
		return v
	}
	exponent := int(math.Float64bits(magnitude)>>52) - 1023
	quantum := max(exponent, l.least) - l.mantissa
	scaled := magnitude * power(-quantum)
	whole := math.Floor(scaled)
	if uniform < scaled-whole {
		whole++
	}
	return math.Copysign(whole*power(quantum), v)
}

// power is 2^n for the n of normal numbers.
func power(n int) float64 { return math.Float64frombits(uint64(n+1023) << 52) }
