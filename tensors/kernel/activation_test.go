package kernel_test

import (
	"math"
	"testing"

	"surgeon/tensors/kernel"
)

// TestSwiGLUInstructions compares the instruction sets, bit for bit, and with
// float64, over the whole range and at lengths around a vector's.
func TestSwiGLUInstructions(t *testing.T) {
	var gate []float32
	for g := float32(-110); g < 110; g += 0.0371 {
		gate = append(gate, g)
	}
	gate = append(gate, 0, float32(math.Copysign(0, -1)), 1e-40, math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)))
	up := normals(2, len(gate))
	reference := make([]float32, len(gate))
	best := kernel.Instructions()
	defer kernel.Use(best)
	if err := kernel.Use("generic"); err != nil {
		t.Fatal(err)
	}
	kernel.SwiGLU(reference, gate, up)
	for i, g := range gate {
		want := float64(g) / (1 + math.Exp(-float64(g))) * float64(up[i])
		if got := float64(reference[i]); !(math.Abs(got-want) <= 3e-7*math.Abs(want)+1e-34) && got != want {
			t.Errorf("SwiGLU of %v and %v is %v, want %v", g, up[i], got, want)
		}
	}
	instructionSets(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 7, 8, 9, 15, 16, 17, 33, len(gate)} {
			dst := dirty(n)
			kernel.SwiGLU(dst, gate[len(gate)-n:], up[len(gate)-n:])
			same(t, "SwiGLU", dst, reference[len(gate)-n:])
		}
		for i := range 16 {
			gate, dst := make([]float32, 16), dirty(16)
			gate[i] = float32(math.NaN())
			kernel.SwiGLU(dst, gate, normals(1, 16))
			for j, v := range dst {
				if (v != v) != (i == j) {
					t.Fatalf("NaN at %d: element %d is %v", i, j, v)
				}
			}
		}
	})
}
