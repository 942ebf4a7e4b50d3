package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestFMA compares fma with exact arithmetic, with most cases made to lie near
// a half-way point or among the subnormal numbers, where rounding twice goes
// wrong.
func TestFMA(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	draw := func() float32 {
		v := math.Float32frombits(random.Uint32())
		for v-v != 0 {
			v = math.Float32frombits(random.Uint32())
		}
		return v
	}
	twice := 0
	check := func(x, y, z float32) {
		exact := new(big.Float).SetPrec(2000).Mul(big.NewFloat(float64(x)), big.NewFloat(float64(y)))
		want, _ := exact.Add(exact, big.NewFloat(float64(z))).Float32()
		if got := fma(x, y, z); got != want {
			t.Fatalf("%b * %b + %b = %b, want %b", x, y, z, got, want)
		}
		if float32(float64(x)*float64(y)+float64(z)) != want {
			twice++
		}
	}
	for range 100000 {
		check(draw(), draw(), draw())
		// z just beside half a unit of a product in its last place.
		scale := float32(math.Ldexp(1, random.IntN(40)-20))
		x, y := 1+float32(random.IntN(1<<12))/(1<<12), 1+float32(random.IntN(1<<12))/(1<<12)
		check(scale*x, y, scale*float32(math.Ldexp(1+random.Float64(), -24-random.IntN(40))))
		check(scale*(1+0x1p-12), 1+0x1p-12, scale*float32(math.Ldexp(float64(random.IntN(3)-1), -60)))
		// Sums of subnormal size.
		check(float32(math.Ldexp(random.Float64(), -70)), float32(math.Ldexp(random.Float64(), -75)), float32(math.Ldexp(random.NormFloat64(), -130)))
		check(0x1p-75, 0x1p-75+0x1p-98, float32(math.Ldexp(float64(random.IntN(1<<23)), -149)))
	}
	if twice == 0 {
		t.Error("no case needed the second look")
	}
	for _, c := range [][4]float32{{1, 2, float32(math.Inf(1)), float32(math.Inf(1))}, {math.MaxFloat32, 2, 0, float32(math.Inf(1))}, {math.MaxFloat32, 2, -math.MaxFloat32, math.MaxFloat32}, {0, 0, 0, 0}} {
		if got := fma(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("%v * %v + %v = %v, want %v", c[0], c[1], c[2], got, c[3])
		}
	}
	if got := fma(0, float32(math.Inf(1)), 1); got == got {
		t.Errorf("0 * Inf + 1 = %v, want NaN", got)
	}
}
