//go:build amd64

package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSplitParts compares the assembly with the plain loop, and the sum of the
// parts with what was cut.
func TestSplitParts(t *testing.T) {
	if !splits() {
		t.Skip("no AVX-512 with words of 16 bits here")
	}
	random := rand.New(rand.NewPCG(1, 2))
	const steps, next = 5, stepWords + 64
	x := make([]float32, steps*2*stepPairs)
	for i := range x {
		x[i] = math.Float32frombits(random.Uint32())
		if x[i]-x[i] != 0 {
			x[i] = float32(random.NormFloat64())
		}
	}
	got, want := make([]uint16, steps*next), make([]uint16, steps*next)
	split(got, x, steps, next)
	splitPlain(want, x, steps, next)
	if !slices.Equal(got, want) {
		t.Error("the parts are not those of the plain loop")
	}
	for i, v := range x {
		var sum float32
		for part := 2; part >= 0; part-- {
			sum += math.Float32frombits(uint32(got[i/(2*stepPairs)*next+part*partWords+i%(2*stepPairs)]) << 16)
		}
		if abs(v) > 1e-30 && sum != v { // below, the last part may not be normal
			t.Fatalf("the parts of %v add up to %v", v, sum)
		}
	}
}
