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
