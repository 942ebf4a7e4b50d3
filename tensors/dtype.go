package tensors

import (
	"fmt"

	"surgeon/tensors/kernel"
)

// DType is an element type of the safetensors format, by its name in the
// format: "F32", "BF16", "F4", "I64" and so on.
type DType string

// The number types, whose values surgeon reads, merges and writes. Tensors of
// any other type of the format are inspected, compared, copied and digested as
// bytes.
const (
	F64    DType = "F64"     // IEEE 754 binary64
	F32    DType = "F32"     // IEEE 754 binary32
	F16    DType = "F16"     // IEEE 754 binary16
	BF16   DType = "BF16"    // the upper half of a binary32
	F8E5M2 DType = "F8_E5M2" // 8 bits, 5 of exponent, with infinities
	F8E4M3 DType = "F8_E4M3" // 8 bits, 4 of exponent, largest value 448, no infinities
)

// dtypes are all types of the format in the order in which the reference
// writes their tensors, last first, with their size in bits
// (huggingface/safetensors, safetensors/src/tensor.rs, Dtype).
var dtypes = []struct {
	name DType
	bits int
}{
	{"BOOL", 8}, {"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8}, {"I8", 8},
	{F8E5M2, 8}, {F8E4M3, 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
	{"I16", 16}, {"U16", 16}, {F16, 16}, {BF16, 16}, {"I32", 32}, {"U32", 32}, {F32, 32},
	{"C64", 64}, {F64, 64}, {"I64", 64}, {"U64", 64},
}

// rank is the place of each type in dtypes.
var rank = func() map[DType]int {
	m := make(map[DType]int, len(dtypes))
	for i, d := range dtypes {
		m[d.name] = i
	}
	return m
}()

// Known reports whether the format has the type.
func (d DType) Known() bool { _, ok := rank[d]; return ok }

// Bits returns the number of bits of one element. It panics for a type the
// format does not have: types are checked when a file is opened.
func (d DType) Bits() int {
	i, ok := rank[d]
	if !ok {
		panic(fmt.Sprintf("tensors: no element type %q", d))
	}
	return dtypes[i].bits
}

// Size returns the number of bytes of one element. It panics for a type whose
// elements do not fill bytes.
func (d DType) Size() int {
	if d.Bits()%8 != 0 {
		panic(fmt.Sprintf("tensors: an element of %s has %d bits", d, d.Bits()))
	}
	return d.Bits() / 8
}

// Float reports whether values of this type can be read as numbers and merged.
func (d DType) Float() bool {
	switch d {
	case F64, F32, F16, BF16, F8E5M2, F8E4M3:
		return true
	}
	return false
}

// Widen decodes stored values of a Float type into float32: exactly, but for
// F64, which is rounded to nearest. raw holds len(dst) elements. It panics for
// any other type.
func Widen(dst []float32, raw []byte, d DType) {
	switch d {
	case BF16:
		kernel.WidenBF16(dst, raw)
	case F16:
		kernel.WidenF16(dst, raw)
	case F32:
		kernel.WidenF32(dst, raw)
	case F64:
		kernel.NarrowF64(dst, raw)
	case F8E4M3:
		kernel.WidenE4M3(dst, raw)
	case F8E5M2:
		kernel.WidenE5M2(dst, raw)
	default:
		panic("tensors: cannot widen " + string(d))
	}
}

// Round encodes values in a Float type, to nearest with ties to even. raw
// takes len(src) elements. It panics for any other type.
func Round(raw []byte, src []float32, d DType) {
	switch d {
	case BF16:
		kernel.RoundBF16(raw, src)
	case F16:
		kernel.RoundF16(raw, src)
	case F32:
		kernel.EncodeF32(raw, src)
	case F64:
		kernel.WidenToF64(raw, src)
	case F8E4M3:
		kernel.RoundE4M3(raw, src)
	case F8E5M2:
		kernel.RoundE5M2(raw, src)
	default:
		panic("tensors: cannot round to " + string(d))
	}
}

// Round64 encodes float64 values in a Float type with one rounding, to nearest
// with ties to even: not by way of float32, whose rounding would come first.
// raw takes len(src) elements.
func Round64(raw []byte, src []float64, d DType) {
	switch d {
	case F64:
		kernel.EncodeF64(raw, src)
		return
	case F32:
		kernel.RoundF32(raw, src)
		return
	}
	odd := make([]float32, len(src))
	for i, v := range src {
		odd[i] = kernel.RoundToOdd(v)
	}
	Round(raw, odd, d)
}
