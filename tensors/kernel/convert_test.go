package kernel_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"sort"
	"testing"

	"surgeon/tensors/kernel"
)

// format is a 16-bit type described by its definition alone: the value of a
// pattern is worked out with Ldexp, and rounding is a search among all values.
type format struct {
	name           string
	fraction, bias int // bits of the fraction; of the exponent's offset
	widen          func(dst []float32, raw []byte)
	round          func(dst []byte, src []float32)
	values         []float64 // of the patterns 0, 1, ... up to the first infinity, which stands for the next power of two
	infinity       uint16
}

func newFormat(name string, fraction, bias int, widen func([]float32, []byte), round func([]byte, []float32)) *format {
	f := &format{name: name, fraction: fraction, bias: bias, widen: widen, round: round}
	f.infinity = uint16((2*bias + 1) << fraction)
	for pattern := range int(f.infinity) + 1 {
		f.values = append(f.values, f.value(uint16(pattern)))
	}
	return f
}

// value is the definition of IEEE 754, without infinities.
func (f *format) value(pattern uint16) float64 {
	exponent, fraction := int(pattern>>f.fraction), int(pattern)&(1<<f.fraction-1)
	if exponent == 0 {
		return math.Ldexp(float64(fraction), 1-f.bias-f.fraction)
	}
	return math.Ldexp(float64(1<<f.fraction+fraction), exponent-f.bias-f.fraction)
}

// nearest is the pattern of the value next to v, the even one of two.
func (f *format) nearest(v float64) uint16 {
	sign := uint16(0)
	if math.Signbit(v) {
		sign, v = 0x8000, -v
	}
	above := sort.SearchFloat64s(f.values, v) // the first pattern with a value >= v
	switch {
	case above == len(f.values):
		return sign | f.infinity
	case f.values[above] == v:
		return sign | uint16(above)
	}
	// The middle of two neighbours is exact in float64.
	middle := (f.values[above-1] + f.values[above]) / 2
	if v > middle || v == middle && above&1 == 0 {
		return sign | uint16(above)
	}
	return sign | uint16(above-1)
}

func formats() []*format {
	return []*format{
		newFormat("bf16", 7, 127, kernel.WidenBF16, kernel.RoundBF16),
		newFormat("f16", 10, 15, kernel.WidenF16, kernel.RoundF16),
	}
}

func each(t *testing.T, test func(t *testing.T, f *format)) {
	for _, f := range formats() {
		t.Run(f.name, func(t *testing.T) { test(t, f) })
	}
}

// TestAllPatterns widens every 16-bit pattern, compares it with the definition
// and rounds it back to itself. Of a NaN the sign and payload come back with
// the quiet bit set: that is what RoundBF16 and RoundF16 promise.
func TestAllPatterns(t *testing.T) {
	each(t, func(t *testing.T, f *format) {
		raw, back := make([]byte, 1<<17), make([]byte, 1<<17)
		for pattern := range 1 << 16 {
			binary.LittleEndian.PutUint16(raw[2*pattern:], uint16(pattern))
		}
		wide := make([]float32, 1<<16)
		f.widen(wide, raw)
		f.round(back, wide)
		for i, v := range wide {
			pattern, got := uint16(i), binary.LittleEndian.Uint16(back[2*i:])
			magnitude, want := pattern&0x7fff, float64(0)
			switch {
			case magnitude > f.infinity:
				if v == v || math.Signbit(float64(v)) != (pattern >= 0x8000) {
					t.Fatalf("%#04x is a NaN, widened to %v", pattern, v)
				}
				if payload := math.Float32bits(v) << 9 >> (32 - f.fraction); payload != uint32(pattern)&(1<<f.fraction-1) {
					t.Fatalf("%#04x lost its payload: %#x", pattern, math.Float32bits(v))
				}
				if got != pattern {
					t.Fatalf("%#04x comes back as %#04x, want %#04x", pattern, got, pattern)
				}
				continue
			case magnitude == f.infinity:
				want = math.Inf(1)
			default:
				want = f.value(magnitude)
			}
			if pattern >= 0x8000 {
				want = -want
			}
			if math.Float64bits(float64(v)) != math.Float64bits(want) {
				t.Fatalf("%#04x is %v, want %v", pattern, v, want)
			}
			if got != pattern {
				t.Fatalf("%#04x comes back as %#04x", pattern, got)
			}
		}
	})
}

// TestRounding rounds the middle of every pair of neighbours, what lies next
// to it on both sides, and random patterns.
func TestRounding(t *testing.T) {
	each(t, func(t *testing.T, f *format) {
		var inputs []float32
		for i := range len(f.values) - 1 {
			middle := float32((f.values[i] + f.values[i+1]) / 2) // exact: at most 12 bits
			inputs = append(inputs, middle, math.Nextafter32(middle, 0), math.Nextafter32(middle, float32(math.Inf(1))))
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range 200_000 {
			if v := math.Float32frombits(random.Uint32()); v == v {
				inputs = append(inputs, v)
			}
		}
		// Both ends of binary32, and where float16 overflows: 65520 is the
		// middle between its largest value 65504 and 65536.
		inputs = append(inputs, 0, math.SmallestNonzeroFloat32, math.MaxFloat32, float32(math.Inf(1)), 65519.996, 65520, 65504, 0x1p-25, math.Nextafter32(0x1p-25, 1))
		for _, v := range inputs[:len(inputs):len(inputs)] {
			inputs = append(inputs, -v)
		}
		raw := make([]byte, 2*len(inputs))
		f.round(raw, inputs)
		for i, v := range inputs {
			if got, want := binary.LittleEndian.Uint16(raw[2*i:]), f.nearest(float64(v)); got != want {
				t.Fatalf("%v (%#08x) rounds to %#04x, want %#04x", v, math.Float32bits(v), got, want)
			}
		}
	})
}

// TestNaNs: no NaN becomes an infinity, wherever its payload lies.
func TestNaNs(t *testing.T) {
	each(t, func(t *testing.T, f *format) {
		for _, bits := range []uint32{0x7f800001, 0xff800001, 0x7fbfffff, 0x7fc00000, 0xffffffff, 0x7f801000} {
			raw := make([]byte, 2)
			f.round(raw, []float32{math.Float32frombits(bits)})
			got := binary.LittleEndian.Uint16(raw)
			if got&0x7fff <= f.infinity || uint32(got>>15) != bits>>31 {
				t.Errorf("NaN %#08x rounds to %#04x", bits, got)
			}
		}
	})
}

// TestF32 encodes and decodes every kind of binary32 bit for bit.
func TestF32(t *testing.T) {
	var raw []byte
	for _, bits := range []uint32{0, 0x80000000, 1, 0x3f800000, 0x7f800000, 0xff800000, 0x7f800001, 0xffc12345, 0x01020304} {
		raw = binary.LittleEndian.AppendUint32(raw, bits)
	}
	values, back := make([]float32, len(raw)/4), make([]byte, len(raw))
	kernel.WidenF32(values, raw)
	kernel.EncodeF32(back, values)
	if string(back) != string(raw) {
		t.Errorf("%x comes back as %x", raw, back)
	}
	if last := math.Float32bits(values[8]); last != 0x01020304 {
		t.Errorf("little-endian 04 03 02 01 is %#x", last)
	}
}

// TestRoundF32 compares with math/big, which rounds to nearest even too.
func TestRoundF32(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	check := func(v float64) {
		t.Helper()
		raw := make([]byte, 4)
		kernel.RoundF32(raw, []float64{v})
		got := math.Float32frombits(binary.LittleEndian.Uint32(raw))
		want, _ := big.NewFloat(v).Float32()
		if math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("%v rounds to %v, want %v", v, got, want)
		}
	}
	for range 100_000 {
		check(math.Ldexp(random.Float64()*2-1, random.IntN(300)-160)) // subnormal to overflow
	}
	check(1 + 0x1p-24)              // a tie: to the even 1
	check(1 + 3*0x1p-24)            // a tie: to the even 1+2^-22
	check(1 + 0x1p-24 + 0x1p-52)    // above the tie
	check(math.Copysign(0, -1))     // keeps its sign
	check(0x1p-150)                 // half the smallest: a tie, to 0
	check(math.MaxFloat32 * 1.0001) // overflows
}

// TestRoundToOdd rounds float64 to 16 bits by way of RoundToOdd and compares
// with one rounding: exactly on, just above and just below the middle of every
// pair of neighbours, where rounding to binary32 first would go wrong.
func TestRoundToOdd(t *testing.T) {
	each(t, func(t *testing.T, f *format) {
		wrong := 0
		check := func(v float64) {
			t.Helper()
			raw := make([]byte, 4)
			f.round(raw, []float32{kernel.RoundToOdd(v), float32(v)})
			want := f.nearest(v)
			if got := binary.LittleEndian.Uint16(raw); got != want {
				t.Fatalf("%v (%x) rounds to %#04x, want %#04x", v, v, got, want)
			}
			if binary.LittleEndian.Uint16(raw[2:]) != want {
				wrong++
			}
		}
		for i := range len(f.values) - 1 {
			middle := (f.values[i] + f.values[i+1]) / 2
			for _, v := range []float64{middle, math.Nextafter(middle, 0), math.Nextafter(middle, math.Inf(1)), middle * (1 + 0x1p-30), middle * (1 - 0x1p-30)} {
				check(v)
				check(-v)
			}
		}
		random := rand.New(rand.NewPCG(5, 6))
		for range 100_000 {
			check(math.Ldexp(random.Float64()*2-1, random.IntN(330)-190))
		}
		for _, v := range []float64{1e300, -1e300, math.Inf(1), math.Inf(-1), 1e-300, -1e-300, math.SmallestNonzeroFloat64, 0, math.Copysign(0, -1)} {
			check(v)
		}
		if wrong == 0 {
			t.Error("rounding twice was never wrong: the test does not test")
		}
	})
}

// TestRoundToOddItself: exact values stay, others become a neighbour whose
// last bit is 1.
func TestRoundToOddItself(t *testing.T) {
	check := func(v float64, want float32) {
		t.Helper()
		if got := kernel.RoundToOdd(v); math.Float32bits(got) != math.Float32bits(want) {
			t.Errorf("%v becomes %v (%#x), want %v", v, got, math.Float32bits(got), want)
		}
	}
	check(1.5, 1.5)
	check(1+0x1p-30, 1+0x1p-23)                  // between the even 1 and its odd neighbour
	check(1+0x1p-23+0x1p-30, 1+0x1p-23)          // just above the odd one
	check(1+0x1p-22-0x1p-30, 1+0x1p-23)          // just below the even one after it
	check(-1-0x1p-30, -1-0x1p-23)                // the same below zero
	check(1e300, math.MaxFloat32)                // odd, and not yet infinite
	check(-1e-300, -math.SmallestNonzeroFloat32) // odd, and not yet zero
	check(math.Inf(-1), float32(math.Inf(-1)))
	check(math.Copysign(0, -1), float32(math.Copysign(0, -1)))
	if got := kernel.RoundToOdd(math.NaN()); got == got {
		t.Errorf("NaN becomes %v", got)
	}
}

// panics checks that wrong lengths panic with the package's name.
func panics(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		value := recover()
		if text := fmt.Sprint(value); value == nil || len(text) < 8 || text[:8] != "kernel: " {
			t.Errorf("%s: panic %v", what, value)
		}
	}()
	f()
}

func TestConvertLengths(t *testing.T) {
	f32, f64 := make([]float32, 3), make([]float64, 3)
	panics(t, "WidenBF16", func() { kernel.WidenBF16(f32, make([]byte, 5)) })
	panics(t, "WidenBF16", func() { kernel.WidenBF16(f32, make([]byte, 8)) })
	panics(t, "WidenF16", func() { kernel.WidenF16(f32, make([]byte, 8)) })
	panics(t, "WidenF32", func() { kernel.WidenF32(f32, make([]byte, 13)) })
	panics(t, "RoundBF16", func() { kernel.RoundBF16(make([]byte, 7), f32) })
	panics(t, "RoundF16", func() { kernel.RoundF16(make([]byte, 5), f32) })
	panics(t, "EncodeF32", func() { kernel.EncodeF32(make([]byte, 16), f32) })
	panics(t, "RoundF32", func() { kernel.RoundF32(make([]byte, 24), f64) })
}
