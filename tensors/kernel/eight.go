package kernel

import "math"

// The two 8-bit floating-point types of Micikevicius et al., "FP8 formats for
// deep learning" (arXiv 2209.05433). E4M3 is the variant that checkpoints use
// (PyTorch's float8_e4m3fn): bias 7, no infinities, one NaN of either sign,
// largest value 448. E5M2 is built as binary16 is: bias 15, infinities, NaNs,
// largest value 57344.

var e4m3, e5m2 = table(widenE4M3), table(widenE5M2)

func table(widen func(byte) float32) (t [256]float32) {
	for i := range t {
		t[i] = widen(byte(i))
	}
	return t
}

func widenE4M3(b byte) float32 {
	sign, exponent, fraction := uint32(b&0x80)<<24, uint32(b>>3&15), uint32(b&7)
	switch {
	case b&0x7f == 0x7f:
		return math.Float32frombits(sign | 0x7fc00000)
	case exponent == 0: // fraction * 2^-9
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-9))
	}
	return math.Float32frombits(sign | (exponent+120)<<23 | fraction<<20)
}

// widenE5M2 widens by way of binary16, whose upper half this type is.
func widenE5M2(b byte) float32 { return widenHalf(uint16(b) << 8) }

// WidenE4M3 decodes 8-bit floats of type E4M3, exactly. raw holds len(dst)
// bytes.
func WidenE4M3(dst []float32, raw []byte) { look(dst, raw, &e4m3) }

// WidenE5M2 decodes 8-bit floats of type E5M2, exactly; NaN payloads are kept
// in the upper bits. raw holds len(dst) bytes.
func WidenE5M2(dst []float32, raw []byte) { look(dst, raw, &e5m2) }

func look(dst []float32, raw []byte, t *[256]float32) {
	check("raw 8-bit floats", len(raw), len(dst))
	for i, b := range raw {
		dst[i] = t[b]
	}
}

// RoundE4M3 rounds to 8-bit floats of type E4M3, to nearest and ties to even.
// What rounds to more than 448 becomes NaN, for the type has no infinity; that
// is what ml_dtypes does, where PyTorch clamps: weights that overflow are to be
// seen, not clipped. dst holds len(src) bytes.
func RoundE4M3(dst []byte, src []float32) {
	check("8-bit floats", len(dst), len(src))
	for i, v := range src {
		dst[i] = roundE4M3(v)
	}
}

func roundE4M3(v float32) byte {
	bits := math.Float32bits(v)
	sign, magnitude := byte(bits>>24&0x80), bits&0x7fffffff
	switch {
	case magnitude > 0x43e80000: // above 464, half way from 448 to the 480 that is not there
		return sign | 0x7f
	case magnitude < 0x3c800000: // below 2^-6: a multiple of 2^-9
		return sign | byte(math.RoundToEven(float64(math.Float32frombits(magnitude))*0x1p9))
	}
	magnitude += 0x7ffff + magnitude>>20&1
	return sign | byte((magnitude-120<<23)>>20)
}

// RoundE5M2 rounds to 8-bit floats of type E5M2, to nearest and ties to even.
// Overflow gives infinity; NaN stays NaN and keeps its sign and the upper bits
// of its payload, and becomes quiet where nothing is left of it. dst holds
// len(src) bytes.
func RoundE5M2(dst []byte, src []float32) {
	check("8-bit floats", len(dst), len(src))
	for i, v := range src {
		dst[i] = roundE5M2(v)
	}
}

func roundE5M2(v float32) byte {
	bits := math.Float32bits(v)
	sign, magnitude := byte(bits>>24&0x80), bits&0x7fffffff
	switch {
	case magnitude > 0x7f800000: // NaN
		if payload := byte(magnitude >> 21 & 3); payload != 0 {
			return sign | 0x7c | payload
		}
		return sign | 0x7e
	case magnitude >= 0x47700000: // 61440 and more round to infinity
		return sign | 0x7c
	case magnitude < 0x38800000: // below 2^-14: a multiple of 2^-16
		return sign | byte(math.RoundToEven(float64(math.Float32frombits(magnitude))*0x1p16))
	}
	magnitude += 0xfffff + magnitude>>21&1
	return sign | byte((magnitude-112<<23)>>21)
}
