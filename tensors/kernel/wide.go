package kernel

import (
	"encoding/binary"
	"math"
)

// DecodeF64 decodes little-endian IEEE binary64 values, bit for bit. raw holds
// 8*len(dst) bytes.
func DecodeF64(dst []float64, raw []byte) {
	check("raw float64", len(raw), 8*len(dst))
	for i := range dst {
		dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
}

// NarrowF64 decodes little-endian IEEE binary64 values and rounds them to
// binary32, to nearest and ties to even. raw holds 8*len(dst) bytes.
func NarrowF64(dst []float32, raw []byte) {
	check("raw float64", len(raw), 8*len(dst))
	for i := range dst {
		dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
	}
}

// EncodeF64 encodes binary64 values, bit for bit. dst holds 8*len(src) bytes.
func EncodeF64(dst []byte, src []float64) {
	check("float64 bytes", len(dst), 8*len(src))
	for i, v := range src {
		binary.LittleEndian.PutUint64(dst[8*i:], math.Float64bits(v))
	}
}

// WidenToF64 encodes binary32 values as binary64, exactly. dst holds
// 8*len(src) bytes.
func WidenToF64(dst []byte, src []float32) {
	check("float64 bytes", len(dst), 8*len(src))
	for i, v := range src {
		binary.LittleEndian.PutUint64(dst[8*i:], math.Float64bits(float64(v)))
	}
}
