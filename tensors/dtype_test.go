package tensors_test

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"surgeon/tensors"
)

func TestInfo(t *testing.T) {
	check := func(d tensors.DType, shape []int, length int, bytes int64, float bool) {
		t.Helper()
		info := tensors.Info{DType: d, Shape: shape}
		if info.Len() != length || info.Bytes() != bytes || d.Float() != float {
			t.Errorf("%v: %d elements, %d bytes, a number %v", info, info.Len(), info.Bytes(), d.Float())
		}
	}
	check("F32", nil, 1, 4, true)
	check("F16", []int{}, 1, 2, true)
	check("BF16", []int{2, 3, 4}, 24, 48, true)
	check("I64", []int{5, 0}, 0, 0, false)
	check("F64", []int{5}, 5, 40, true)
	check("F8_E4M3", []int{5}, 5, 5, true)
	check("F8_E8M0", []int{5}, 5, 5, false)
	check("F4", []int{6}, 6, 3, false)
	check("F6_E3M2", []int{4}, 4, 3, false)
	check("C64", []int{2}, 2, 16, false)
	check("BOOL", []int{5}, 5, 5, false)
	check("U8", []int{1 << 20, 1 << 20}, 1<<40, 1<<40, false)
}

// TestRound checks that each type is reached by its name, and that Round64
// rounds once where a way over float32 would round twice.
func TestRound(t *testing.T) {
	check := func(d tensors.DType, v float64, narrow, wide uint32) {
		t.Helper()
		pad := func(raw []byte) uint32 { return binary.LittleEndian.Uint32(append(raw, 0, 0, 0, 0)) }
		a, b := make([]byte, d.Size()), make([]byte, d.Size())
		tensors.Round(a, []float32{float32(v)}, d)
		tensors.Round64(b, []float64{v}, d)
		if pad(a) != narrow || pad(b) != wide {
			t.Errorf("%s of %v: %#x by float32, %#x at once; want %#x, %#x", d, v, pad(a), pad(b), narrow, wide)
		}
		back := []float32{0}
		tensors.Widen(back, b, d)
		if math.Abs(float64(back[0])-v) > math.Abs(v)/128 { // half a place of the coarsest type, bf16
			t.Errorf("%s of %v reads back as %v", d, v, back[0])
		}
	}
	check("F32", 1.5, 0x3fc00000, 0x3fc00000)
	check("F16", 1.5, 0x3e00, 0x3e00)
	check("BF16", 1.5, 0x3fc0, 0x3fc0)
	// Just above the middle of 1 and its neighbour: the nearest is the
	// neighbour, but float32 makes it the middle, which goes to the even 1.
	check("F16", 1+0x1p-11+0x1p-40, 0x3c00, 0x3c01)
	check("BF16", 1+0x1p-8+0x1p-40, 0x3f80, 0x3f81)
	check("BF16", -1-0x1p-8-0x1p-40, 0xbf80, 0xbf81)
	check("F8_E4M3", 1.5, 0x3c, 0x3c)
	check("F8_E5M2", 1.5, 0x3e, 0x3e)
	check("F8_E4M3", 448, 0x7e, 0x7e)
}

func TestUnknownTypes(t *testing.T) {
	check := func(what string, f func()) {
		t.Helper()
		defer func() {
			if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "tensors: ") {
				t.Errorf("%s panics with %v", what, text)
			}
		}()
		f()
	}
	check("Size", func() { tensors.DType("F7").Size() })
	check("Widen", func() { tensors.Widen(make([]float32, 1), make([]byte, 8), "I64") })
	check("Round", func() { tensors.Round(make([]byte, 8), make([]float32, 1), "I64") })
	check("Round64", func() { tensors.Round64(make([]byte, 8), make([]float64, 1), "I64") })
	check("Size of F4", func() { tensors.DType("F4").Size() })
}
