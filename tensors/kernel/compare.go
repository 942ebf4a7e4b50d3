package kernel

import "math"

// Moments are the sums that tell how far tuned values t are from base values
// b. With d = t - b they are the second moments of b and d about zero, from
// which norms and angles follow. d is 0 where t equals b, which includes equal
// infinities and zeros of either sign, and where both are NaN: nothing moved
// there, and such an element counts in Base2 only. If just one of b and t is
// NaN then so is d, and with it Delta2, Dot and MaxAbs.
type Moments struct {
	Base2   float64 // sum of b*b
	Delta2  float64 // sum of d*d
	Dot     float64 // sum of b*d
	MaxAbs  float64 // largest |d|; NaN if any d is
	Changed int64   // elements with t != b that are not both NaN
	Flipped int64   // elements with b < 0 < t or t < 0 < b
}

// chains are the eight partial sums of one sum of Moments or of MergeProjectBF16:
// element i is added to chain i mod 8, products rounded before they are added.
type chains [8]float64

// total adds the chains: in pairs, then pairs of pairs.
func (c *chains) total() float64 {
	return ((c[0] + c[1]) + (c[2] + c[3])) + ((c[4] + c[5]) + (c[6] + c[7]))
}

// Compare returns the Moments of two blocks of equal length. Differences,
// products and sums are in float64: each sum has eight chains, element i is
// added to chain i mod 8, and the chains are added as
// ((0+1)+(2+3))+((4+5)+(6+7)). So sums of pieces are not in general the bits
// of the sum of the whole.
func Compare(base, tuned []float32) Moments {
	check("tuned of Compare", len(tuned), len(base))
	return compare(base, tuned)
}

// Compare64 is Compare for float64, with the same order of sums.
func Compare64(base, tuned []float64) Moments {
	check("tuned of Compare64", len(tuned), len(base))
	return comparePlain(base, tuned)
}

// CompareBF16 is Compare of two blocks of little-endian bfloat16 values, with
// the bits that WidenBF16 and Compare give, in one pass. base and tuned hold
// whole values, 2 bytes each.
func CompareBF16(base, tuned []byte) Moments {
	check("base of CompareBF16", len(base), len(base)/2*2)
	check("tuned of CompareBF16", len(tuned), len(base))
	return compareBF16(base, tuned)
}

// sums are the Moments in the making.
type sums struct {
	base2, delta2, dot chains
	maxAbs             float64
	changed, flipped   int64
}

func (s *sums) moments() Moments {
	return Moments{s.base2.total(), s.delta2.total(), s.dot.total(), s.maxAbs, s.changed, s.flipped}
}

func comparePlain[T float32 | float64](base, tuned []T) Moments {
	var s sums
	accumulate(&s, base, tuned)
	return s.moments()
}

// accumulate is the specification of Moments. What came before must be a
// multiple of eight elements.
func accumulate[T float32 | float64](s *sums, base, tuned []T) {
	tuned = tuned[:len(base)]
	largest, changed, flipped := s.maxAbs, s.changed, s.flipped
	for i := range base {
		b, t, k := float64(base[i]), float64(tuned[i]), i%8
		s.base2[k] += float64(b * b)
		if t == b || t != t && b != b {
			continue
		}
		d := t - b
		s.delta2[k] += float64(d * d)
		s.dot[k] += float64(b * d)
		if a := math.Abs(d); a > largest || a != a { // a NaN stays: nothing is greater
			largest = a
		}
		changed++
		// The first test, without a branch, leaves the processor few signs to guess.
		if (b < 0) != (t < 0) && (b < 0 && t > 0 || t < 0 && b > 0) {
			flipped++
		}
	}
	s.maxAbs, s.changed, s.flipped = largest, changed, flipped
}

func compareBF16Plain(base, tuned []byte) Moments {
	var s sums
	accumulateBF16(&s, base, tuned)
	return s.moments()
}

// accumulateBF16 widens pieces that fit on the stack; their length is a
// multiple of eight, so that chains go on from piece to piece.
func accumulateBF16(s *sums, base, tuned []byte) {
	var b, t [512]float32
	for len(base) > 0 {
		n := min(len(base)/2, len(b))
		widenBF16Plain(b[:n], base[:2*n])
		widenBF16Plain(t[:n], tuned[:2*n])
		accumulate(s, b[:n], t[:n])
		base, tuned = base[2*n:], tuned[2*n:]
	}
}
