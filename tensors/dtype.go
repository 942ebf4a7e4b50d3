package tensors

import (
	"fmt"

	"github.com/nlpodyssey/safetensors"

	"surgeon/tensors/kernel"
)

// DType is an element type of the safetensors format, by its name in the
// format: "F32", "BF16", "I64" and so on.
type DType string

// The element types whose values surgeon reads, merges and writes. Tensors of
// any other type are copied as bytes.
const (
	F32  DType = "F32"  // IEEE 754 binary32
	F16  DType = "F16"  // IEEE 754 binary16
	BF16 DType = "BF16" // the upper half of a binary32
)

// Size returns the number of bytes of one element. It panics for a type the
// format does not have: types are checked when a file is opened.
func (d DType) Size() int {
	t, err := safetensors.ParseDType(string(d))
	if err != nil {
		panic(fmt.Sprintf("tensors: no element type %q", d))
	}
	return int(t.Size())
}

// Float reports whether values of this type can be read as numbers and merged.
func (d DType) Float() bool { return d == F32 || d == F16 || d == BF16 }

// Widen decodes stored values of a Float type into float32, exactly. raw holds
// len(dst) elements. It panics for any other type.
func Widen(dst []float32, raw []byte, d DType) {
	switch d {
	case BF16:
		kernel.WidenBF16(dst, raw)
	case F16:
		kernel.WidenF16(dst, raw)
	case F32:
		kernel.WidenF32(dst, raw)
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
	default:
		panic("tensors: cannot round to " + string(d))
	}
}

// Round64 encodes float64 values in a Float type with one rounding, to nearest
// with ties to even: not by way of float32, whose rounding would come first.
// raw takes len(src) elements.
func Round64(raw []byte, src []float64, d DType) {
	if d == F32 {
		kernel.RoundF32(raw, src)
		return
	}
	odd := make([]float32, len(src))
	for i, v := range src {
		odd[i] = kernel.RoundToOdd(v)
	}
	Round(raw, odd, d)
}
