package kernel

import "math"

// AddDifference adds the scaled difference of two blocks of values:
//
//	dst[i] += alpha * (tuned[i] - base[i])
//
// in float32, each of the three steps rounded. An element of dst whose tuned
// and base are equal, or both NaN, keeps its bits: -0 stays -0 and a NaN its
// payload. Which NaN a changed element becomes, if it becomes one, is not
// specified. dst may be base or tuned itself.
func AddDifference(dst, base, tuned []float32, alpha float32) {
	check("base of AddDifference", len(base), len(dst))
	check("tuned of AddDifference", len(tuned), len(dst))
	addDifference(dst, base, tuned, alpha)
}

func addDifferencePlain(dst, base, tuned []float32, alpha float32) {
	base, tuned = base[:len(dst)], tuned[:len(dst)]
	for i, b := range base {
		if t := tuned[i]; t != b && (t == t || b == b) {
			dst[i] += float32(alpha * (t - b))
		}
	}
}

// Project returns the sums that tell how much of a difference d = tuned - base
// is in a merged model,
//
//	moved = sum of (merged[i]-base[i]) * d[i]
//	full  = sum of d[i] * d[i]
//
// over the elements that changed: those where tuned and base are neither equal
// nor both NaN. moved/full is the least-squares coefficient of what was moved
// on d. Differences, products and sums are in float64, in the eight chains of
// Compare.
func Project(merged, base, tuned []float32) (moved, full float64) {
	check("base of Project", len(base), len(merged))
	check("tuned of Project", len(tuned), len(merged))
	return project(merged, base, tuned)
}

// projection are the sums of Project in the making.
type projection struct{ moved, full chains }

func projectPlain(merged, base, tuned []float32) (moved, full float64) {
	var p projection
	p.accumulate(merged, base, tuned)
	return p.moved.total(), p.full.total()
}

// accumulate is the specification of Project. What came before must be a
// multiple of eight elements.
func (p *projection) accumulate(merged, base, tuned []float32) {
	base, tuned = base[:len(merged)], tuned[:len(merged)]
	for i, m := range merged {
		b, t, k := float64(base[i]), float64(tuned[i]), i%8
		if t == b || t != t && b != b {
			continue
		}
		d := t - b
		p.moved[k] += float64((float64(m) - b) * d)
		p.full[k] += float64(d * d)
	}
}

// Finite reports whether all values are finite numbers.
func Finite(values []float32) bool { return finite(values) }

func finitePlain(values []float32) bool {
	for _, v := range values {
		if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
			return false
		}
	}
	return true
}
