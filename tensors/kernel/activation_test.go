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

// TestGeGLU and its neighbour compare the instruction sets, bit for bit, and
// with float64.
func TestGeGLU(t *testing.T) {
	var gate []float32
	for g := float32(-20); g < 20; g += 0.0173 {
		gate = append(gate, g)
	}
	up := normals(2, len(gate))
	againstFloat64(t, "GeGLU", len(gate), func(dst []float32) { kernel.GeGLU(dst, gate[:len(dst)], up[:len(dst)]) }, func(i int) float64 {
		g := float64(gate[i])
		return g / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(g+0.044715*g*g*g))) * float64(up[i])
	}, func(want float64) float64 { return 2e-6*math.Abs(want) + 1e-7 })
}

func TestSoftcap(t *testing.T) {
	values := append(normals(3, 2000), 0, 1e-30, 1e5, -1e5, float32(math.Inf(1)), float32(math.Inf(-1)))
	for i := range values[:2000] {
		values[i] *= 40
	}
	againstFloat64(t, "Softcap", len(values), func(dst []float32) { copy(dst, values); kernel.Softcap(dst, 30) }, func(i int) float64 {
		return 30 * math.Tanh(float64(values[i])/30)
	}, func(float64) float64 { return 30 * 2e-7 })
	nan := []float32{float32(math.NaN()), 1}
	if kernel.Softcap(nan, 1); nan[0] == nan[0] || nan[1] != nan[1] {
		t.Errorf("Softcap of NaN and 1 is %v", nan)
	}
}

// againstFloat64 checks do at all lengths around a vector's, and n.
func againstFloat64(t *testing.T, what string, n int, do func(dst []float32), want func(i int) float64, tolerance func(want float64) float64) {
	t.Helper()
	var reference []float32
	instructionSets(t, func(t *testing.T) {
		dst := dirty(n)
		do(dst)
		for i, got := range dst {
			if w := want(i); !(math.Abs(float64(got)-w) <= tolerance(w)) {
				t.Fatalf("%s: element %d is %v, want %v", what, i, got, w)
			}
		}
		if reference == nil {
			reference = dst
		}
		same(t, what, dst, reference)
		for _, short := range []int{0, 1, 7, 8, 9, 15, 16, 17, 33, 257} {
			dst := dirty(short)
			do(dst)
			same(t, what, dst, reference[:short])
		}
	})
}
