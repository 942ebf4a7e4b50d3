package kernel_test

import (
	"fmt"
	"testing"

	"surgeon/tensors/kernel"
)

// TestMultiplyGroups: products of so many rows that they are multiplied in
// groups, by small weights and by large ones, give each row what it gets alone.
func TestMultiplyGroups(t *testing.T) {
	best := kernel.Instructions()
	t.Cleanup(func() { kernel.Use(best) })
	for _, s := range [][3]int{{600, 300, 70}, {600, 40, 1200}, {2100, 520, 1100}} {
		rows, in, out := s[0], s[1], s[2]
		x, weight, raw := normals(1, rows*in), normals(2, out*in), make([]byte, 2*out*in)
		kernel.RoundBF16(raw, weight)
		kernel.WidenBF16(weight, raw)
		var single, half kernel.Panels
		single.Pack(weight, out, in)
		half.PackBF16(raw, out, in)
		for _, set := range []string{"generic", "neon", "avx2", "avx512", "amx"} {
			if kernel.Use(set) != nil || set == "generic" && rows*in*out > 600*300*70 {
				continue
			}
			for what, p := range map[string]*kernel.Panels{"float32": &single, "bfloat16": &half} {
				processors(t, func(t *testing.T) {
					whole, one := dirty(rows*out), dirty(out)
					p.Multiply(whole, x, rows)
					for r := 0; r < rows; r += 37 {
						p.Multiply(one, x[r*in:(r+1)*in], 1)
						same(t, fmt.Sprint(set, " ", what, " ", s, " row ", r), whole[r*out:(r+1)*out], one)
					}
				})
			}
		}
	}
}
