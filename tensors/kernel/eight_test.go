package kernel_test

import (
	"math"
	"testing"

	"surgeon/tensors/kernel"
)

// eight are the 8-bit types. The constants inside their range were read off
// PyTorch 2.15 (torch.float8_e4m3fn, torch.float8_e5m2).
var eight = []struct {
	name     string
	widen    func(dst []float32, raw []byte)
	round    func(dst []byte, src []float32)
	values   map[byte]float32 // of codes
	overflow map[float32]byte // of values at the end of the range
}{
	{"E4M3", kernel.WidenE4M3, kernel.RoundE4M3,
		map[byte]float32{0x00: 0, 0x01: 0x1p-9, 0x07: 7 * 0x1p-9, 0x08: 0x1p-6, 0x38: 1, 0x3c: 1.5, 0x7e: 448, 0xfe: -448, 0xb8: -1},
		map[float32]byte{448: 0x7e, 464: 0x7e, 464.1: 0x7f, 480: 0x7f, -1e30: 0xff, float32(math.Inf(1)): 0x7f}},
	{"E5M2", kernel.WidenE5M2, kernel.RoundE5M2,
		map[byte]float32{0x00: 0, 0x01: 0x1p-16, 0x03: 3 * 0x1p-16, 0x04: 0x1p-14, 0x3c: 1, 0x3e: 1.5, 0x7b: 57344, 0xfb: -57344, 0x7c: float32(math.Inf(1)), 0xfc: float32(math.Inf(-1))},
		map[float32]byte{57344: 0x7b, 61439: 0x7b, 61440: 0x7c, 1e30: 0x7c, -1e30: 0xfc, float32(math.Inf(-1)): 0xfc}},
}

// TestEightBits decodes every code and rounds every value that lies on, and
// next to, the middle of two neighbours.
func TestEightBits(t *testing.T) {
	for _, e := range eight {
		var codes [256]byte
		for i := range codes {
			codes[i] = byte(i)
		}
		var values [256]float32
		e.widen(values[:], codes[:])
		round := func(v float32) byte {
			var raw [1]byte
			e.round(raw[:], []float32{v})
			return raw[0]
		}
		for code, want := range e.values {
			if values[code] != want {
				t.Errorf("%s: %#x is %v, want %v", e.name, code, values[code], want)
			}
		}
		for v, want := range e.overflow {
			if got := round(v); got != want {
				t.Errorf("%s of %v: %#x, want %#x", e.name, v, got, want)
			}
		}
		for code, v := range values {
			if got := round(v); got != byte(code) && !(v != v && e.name == "E4M3") {
				t.Errorf("%s: %#x is %v, which rounds to %#x", e.name, code, v, got)
			}
		}
		for code := byte(0); !math.IsInf(float64(values[code+1]), 0) && values[code+1] == values[code+1]; code++ {
			low, high := values[code], values[code+1]
			middle := (low + high) / 2
			even := code + code&1
			check := func(v float32, want byte) {
				if got, mirrored := round(v), round(-v); got != want || mirrored != want|0x80 {
					t.Errorf("%s of %v, between %v and %v: %#x and %#x, want %#x", e.name, v, low, high, got, mirrored, want)
				}
			}
			check(middle, even)
			check(math.Nextafter32(middle, low), code)
			check(math.Nextafter32(middle, high), code+1)
		}
	}
}

// TestEightBitNaN keeps the sign, and the payload where there is one.
func TestEightBitNaN(t *testing.T) {
	check := func(round func([]byte, []float32), bits uint32, want byte) {
		t.Helper()
		var raw [1]byte
		round(raw[:], []float32{math.Float32frombits(bits)})
		if raw[0] != want {
			t.Errorf("%#x rounds to %#x, want %#x", bits, raw[0], want)
		}
	}
	check(kernel.RoundE4M3, 0x7fc00000, 0x7f)
	check(kernel.RoundE4M3, 0xff800001, 0xff)
	check(kernel.RoundE5M2, 0x7fc00000, 0x7e)
	check(kernel.RoundE5M2, 0x7fe00000, 0x7f)
	check(kernel.RoundE5M2, 0xffa00000, 0xfd)
	check(kernel.RoundE5M2, 0x7f800001, 0x7e)
}
