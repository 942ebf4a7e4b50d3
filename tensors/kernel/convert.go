package kernel

import (
	"encoding/binary"
	"math"
)

// WidenBF16 decodes little-endian bfloat16 values (the upper half of an IEEE
// binary32). It is exact. raw holds 2*len(dst) bytes.
func WidenBF16(dst []float32, raw []byte) {
	check("raw bfloat16", len(raw), 2*len(dst))
	widenBF16(dst, raw)
}

func widenBF16Plain(dst []float32, raw []byte) {
	for i := range dst {
		dst[i] = widenBFloat(binary.LittleEndian.Uint16(raw[2*i:]))
	}
}

func widenBFloat(word uint16) float32 { return math.Float32frombits(uint32(word) << 16) }

// WidenF16 decodes little-endian IEEE binary16 values. It is exact; NaN
// payloads are kept in the upper bits. raw holds 2*len(dst) bytes.
func WidenF16(dst []float32, raw []byte) {
	check("raw float16", len(raw), 2*len(dst))
	widenF16(dst, raw)
}

func widenF16Plain(dst []float32, raw []byte) {
	for i := range dst {
		dst[i] = widenHalf(binary.LittleEndian.Uint16(raw[2*i:]))
	}
}

func widenHalf(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, fraction := uint32(h>>10)&31, uint32(h&0x3ff)
	switch exponent {
	case 31: // infinity or NaN
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	case 0: // zero or subnormal: fraction * 2^-24, exact in binary32
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// WidenF32 decodes little-endian IEEE binary32 values, bit for bit.
// raw holds 4*len(dst) bytes.
func WidenF32(dst []float32, raw []byte) {
	check("raw float32", len(raw), 4*len(dst))
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
}

// RoundBF16 rounds to bfloat16, to nearest and ties to even, and encodes.
// Overflow gives infinity; NaN stays NaN and keeps its sign and the upper bits
// of its payload, and becomes quiet where nothing is left of it. dst holds
// 2*len(src) bytes.
func RoundBF16(dst []byte, src []float32) {
	check("bfloat16 bytes", len(dst), 2*len(src))
	roundBF16(dst, src)
}

func roundBF16Plain(dst []byte, src []float32) {
	for i, v := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], roundBFloat(v))
	}
}

func roundBFloat(v float32) uint16 {
	bits := math.Float32bits(v)
	if v != v {
		if bits&0x007f0000 == 0 {
			bits |= 0x00400000 // or a payload in the lower bits would become infinity
		}
	} else {
		bits += 0x7fff + bits>>16&1
	}
	return uint16(bits >> 16)
}

// RoundF16 rounds to IEEE binary16, to nearest and ties to even, and encodes.
// Overflow gives infinity, small values become subnormal; NaN stays NaN as in
// RoundBF16. dst holds 2*len(src) bytes.
func RoundF16(dst []byte, src []float32) {
	check("float16 bytes", len(dst), 2*len(src))
	roundF16(dst, src)
}

func roundF16Plain(dst []byte, src []float32) {
	for i, v := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], roundHalf(v))
	}
}

func roundHalf(v float32) uint16 {
	bits := math.Float32bits(v)
	sign := uint16(bits >> 16 & 0x8000)
	magnitude := bits & 0x7fffffff
	switch {
	case magnitude > 0x7f800000: // NaN
		if payload := uint16(magnitude >> 13 & 0x3ff); payload != 0 {
			return sign | 0x7c00 | payload
		}
		return sign | 0x7e00
	case magnitude >= 0x477ff000: // 65520 and more round to infinity
		return sign | 0x7c00
	case magnitude < 0x38800000: // below 2^-14: a multiple of 2^-24
		scaled := float64(math.Float32frombits(magnitude)) * 0x1p24
		return sign | uint16(math.RoundToEven(scaled))
	}
	magnitude += 0xfff + magnitude>>13&1
	return sign | uint16((magnitude-112<<23)>>13)
}

// EncodeF32 encodes binary32 values, bit for bit. dst holds 4*len(src) bytes.
func EncodeF32(dst []byte, src []float32) {
	check("float32 bytes", len(dst), 4*len(src))
	for i, v := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(v))
	}
}

// RoundF32 rounds to binary32, to nearest and ties to even, and encodes.
// dst holds 4*len(src) bytes.
func RoundF32(dst []byte, src []float64) {
	check("float32 bytes", len(dst), 4*len(src))
	for i, v := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(float32(v)))
	}
}

// RoundToOdd rounds to binary32 so that a second rounding to a type of at most
// 22 bits gives what one rounding from float64 would: an inexact result is the
// neighbour whose last bit is 1 (Boldo and Melquiond, IEEE Trans. Comput.
// 57(4), 2008). NaN and infinities stay what they are.
func RoundToOdd(v float64) float32 {
	f := float32(v)
	if float64(f) == v || v != v {
		return f
	}
	bits := math.Float32bits(f)
	if math.Abs(float64(f)) > math.Abs(v) { // rounded away from zero (or to infinity): step back
		bits--
	}
	return math.Float32frombits(bits | 1)
}
