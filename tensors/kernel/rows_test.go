package kernel_test

import (
	"fmt"
	"testing"

	"surgeon/tensors/kernel"
)

// TestRows: the loops over rows give the bits of plain Go in every instruction
// set, in widths around those of vectors.
func TestRows(t *testing.T) {
	const rows = 3
	for _, half := range []int{1, 4, 7, 8, 9, 15, 16, 17, 24, 32, 33, 100} {
		width := 2*half + half%3 // with channels that are not rotated
		x, y, weight := normals(1, rows*width), normals(2, rows*width), normals(3, width)
		cos, sin := normals(4, rows*half), normals(5, rows*half)
		run := func() []float32 {
			all := make([]float32, 0, 4*rows*width)
			for _, fill := range []func(dst []float32){
				func(dst []float32) { kernel.Add(dst, x, y) },
				func(dst []float32) { kernel.RMSNorm(dst, x, weight, 1e-6, rows) },
				func(dst []float32) { kernel.RoPE(dst, x, cos, sin, rows, 1, width, half) },
				func(dst []float32) { kernel.SwiGLU(dst, x, y) },
			} {
				dst := dirty(rows * width)
				fill(dst)
				all = append(all, dst...)
			}
			return all
		}
		best := kernel.Instructions()
		if err := kernel.Use("generic"); err != nil {
			t.Fatal(err)
		}
		want := run()
		kernel.Use(best)
		t.Run(fmt.Sprint(half), func(t *testing.T) {
			instructionSets(t, func(t *testing.T) { same(t, kernel.Instructions(), run(), want) })
		})
	}
}
