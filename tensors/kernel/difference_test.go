package kernel_test

import (
	"math"
	"testing"

	"surgeon/tensors/kernel"
)

// payload is a signalling NaN, which no arithmetic leaves as it is.
var payload = math.Float32frombits(0x7fa12345)

// TestAddDifferenceValues adds single differences, alone and among 40 zeros at
// every place.
func TestAddDifferenceValues(t *testing.T) {
	for _, c := range []struct{ dst, base, tuned, alpha, want float32 }{
		{10, 1, 3, 0.5, 11},
		{10, 3, 1, 0.5, 9},
		{10, 1, 1, 0.5, 10},
		{neg, 1, 1, 0.5, neg},
		{neg, neg, 0, 0.5, neg},
		{neg, 1, 2, 0, 0}, // it did change: -0 + 0
		{payload, 2, 2, 1, payload},
		{payload, nan, payload, 1, payload},
		{5, payload, nan, 1, 5},
		{5, inf, inf, 1, 5},
		{5, -inf, -inf, 1, 5},
		{5, inf, 0, 1, -inf},
		{5, 2, 2, inf, 5},
		{5, 2, 2, nan, 5},
		{1, 0, 1, 0x1p-24, 1},                          // a tie: to the even 1
		{1, 0, 3, 0x1p-24, 1 + 0x1p-22},                // a tie: to the even one
		{1, 0, 1 + 0x1p-23, 1 - 0x1p-24, 2},            // the product is rounded first: fused it would be below 2 - 2^-24
		{0, -1, 0x1p-24 + 0x1p-40, 1, 1 + 0x1p-23},     // and so is the difference
		{0, 3e38, -3e38, 0.1, float32(math.Inf(-1))},   // which can overflow
		{0, 0x1p-149, 0x1p-148, 1, 0x1p-149},           // subnormal
		{1e30, 0x1p-149, -0x1p-149, 1e38, 1e30},        // and times something large
		{0, 1, 2, math.MaxFloat32, math.MaxFloat32},    // the largest
		{-2, 1, 2, -math.MaxFloat32, -math.MaxFloat32}, // and of the other sign
	} {
		for at := range 41 {
			dst, base, tuned := make([]float32, 41), make([]float32, 41), make([]float32, 41)
			want := make([]float32, 41)
			dst[at], base[at], tuned[at], want[at] = c.dst, c.base, c.tuned, c.want
			kernel.AddDifference(dst, base, tuned, c.alpha)
			for i := range dst {
				if math.Float32bits(dst[i]) != math.Float32bits(want[i]) {
					t.Fatalf("%+v at %d: element %d is %v (%#x), want %v", c, at, i, dst[i], math.Float32bits(dst[i]), want[i])
				}
			}
		}
	}
	for _, sides := range [][2]float32{{nan, 1}, {1, nan}, {inf, -nan}} {
		dst := []float32{1}
		kernel.AddDifference(dst, sides[:1], sides[1:], 1)
		if dst[0] == dst[0] {
			t.Errorf("NaN on one side, %v: %v", sides, dst)
		}
	}
}

// TestAddDifferenceItself: dst may be an operand.
func TestAddDifferenceItself(t *testing.T) {
	base, tuned := fineTune(1, 50)
	want := append([]float32(nil), base...)
	kernel.AddDifference(want, base, tuned, 0.3)
	other := append([]float32(nil), base...)
	kernel.AddDifference(other, other, tuned, 0.3)
	same(t, "dst is base", other, want)
	want = append([]float32(nil), tuned...)
	kernel.AddDifference(want, base, tuned, -0.3)
	kernel.AddDifference(tuned, base, tuned, -0.3)
	same(t, "dst is tuned", tuned, want)
}

// TestFinite puts what is not finite at each place, and what nearly is not.
func TestFinite(t *testing.T) {
	for n := range 70 {
		values := make([]float32, n)
		if !kernel.Finite(values) {
			t.Errorf("%d zeros are not finite", n)
		}
		for at := range n {
			for v, want := range map[float32]bool{
				inf: false, -inf: false, payload: false, -nan: false,
				math.MaxFloat32: true, -math.MaxFloat32: true, 0x1p-149: true, neg: true,
			} {
				values[at] = v
				if got := kernel.Finite(values); got != want {
					t.Fatalf("%v at %d of %d: %v", v, at, n, got)
				}
			}
			values[at] = 0
		}
	}
}

func TestDifferenceLengths(t *testing.T) {
	f := func(n int) []float32 { return make([]float32, n) }
	panics(t, "AddDifference", func() { kernel.AddDifference(f(3), f(4), f(3), 1) })
	panics(t, "AddDifference", func() { kernel.AddDifference(f(3), f(3), f(2), 1) })
}
