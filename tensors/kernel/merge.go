package kernel

import "encoding/binary"

// MergeBF16 moves little-endian bfloat16 values from base towards tuned:
//
//	dst[i] = base[i] + alpha * (tuned[i] - base[i])
//
// in float32, each step rounded, then rounded to bfloat16 as RoundBF16 does.
// Where tuned and base are equal and where base is NaN, dst has the bits of
// base; which NaN any other element becomes, if it becomes one, is not
// specified. It reports whether all of dst is finite. The three blocks are of
// equal length, 2 bytes for each value; dst may be base or tuned itself.
func MergeBF16(dst, base, tuned []byte, alpha float32) (finite bool) {
	checkMerge("MergeBF16", dst, base, tuned)
	return mergeBF16(dst, base, tuned, alpha)
}

// MergeProjectBF16 is MergeBF16 and in the same pass the sums that tell how much
// of a difference d = tuned - base is in what it wrote,
//
//	moved = sum of (dst[i]-base[i]) * d[i]
//	full  = sum of d[i] * d[i]
//
// over the elements where tuned and base are neither equal nor both NaN.
// moved/full is the least-squares coefficient of what was moved on d. The
// differences are in float32, where those of neighbouring bfloat16 are exact,
// products and sums in float64, in the eight chains of Compare.
func MergeProjectBF16(dst, base, tuned []byte, alpha float32) (moved, full float64, finite bool) {
	checkMerge("MergeProjectBF16", dst, base, tuned)
	var p projection
	finite = mergeProjectBF16(&p, dst, base, tuned, alpha)
	return p.moved.total(), p.full.total(), finite
}

// projection are the sums of MergeProjectBF16 in the making.
type projection struct{ moved, full chains }

func checkMerge(what string, dst, base, tuned []byte) {
	check("dst of "+what, len(dst), len(dst)/2*2)
	check("base of "+what, len(base), len(dst))
	check("tuned of "+what, len(tuned), len(dst))
}

func mergeBF16Plain(dst, base, tuned []byte, alpha float32) (finite bool) {
	finite = true
	for i := 0; i < len(dst); i += 2 {
		b, t := binary.LittleEndian.Uint16(base[i:]), binary.LittleEndian.Uint16(tuned[i:])
		m := mergeWord(b, t, alpha)
		binary.LittleEndian.PutUint16(dst[i:], m)
		if m&0x7f80 == 0x7f80 {
			finite = false
		}
	}
	return finite
}

// mergeWord is the specification of one element of MergeBF16.
func mergeWord(base, tuned uint16, alpha float32) uint16 {
	b, t := widenBFloat(base), widenBFloat(tuned)
	if t == b || b != b {
		return base
	}
	return roundBFloat(b + float32(alpha*(t-b)))
}

// mergeProjectBF16Plain adds to p. It works in pieces that fit on the stack;
// their length is a multiple of eight, so that chains go on from piece to
// piece.
func mergeProjectBF16Plain(p *projection, dst, base, tuned []byte, alpha float32) (finite bool) {
	var m, b, t [512]float32
	finite = true
	for len(dst) > 0 {
		n := min(len(dst)/2, len(m))
		widenBF16Plain(b[:n], base[:2*n])
		widenBF16Plain(t[:n], tuned[:2*n]) // before dst is written, which may be tuned
		if !mergeBF16Plain(dst[:2*n], base[:2*n], tuned[:2*n], alpha) {
			finite = false
		}
		widenBF16Plain(m[:n], dst[:2*n])
		p.accumulate(m[:n], b[:n], t[:n])
		dst, base, tuned = dst[2*n:], base[2*n:], tuned[2*n:]
	}
	return finite
}

// accumulate is the specification of the sums. What came before must be a
// multiple of eight elements. Products of two float32 are exact in float64, so
// that a fused multiply-add gives the same bits.
func (p *projection) accumulate(merged, base, tuned []float32) {
	base, tuned = base[:len(merged)], tuned[:len(merged)]
	for i, m := range merged {
		b, t, k := base[i], tuned[i], i%8
		if t == b || t != t && b != b {
			continue
		}
		d := float64(t - b)
		p.moved[k] += float64(float64(m-b) * d)
		p.full[k] += float64(d * d)
	}
}
