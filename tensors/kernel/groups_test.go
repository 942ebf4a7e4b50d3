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

// TestMultiplyEach: products of one x by several weights, of few rows and of many, are
// those of each weight alone, bit for bit, in whatever types the weights are packed.
func TestMultiplyEach(t *testing.T) {
	best := kernel.Instructions()
	t.Cleanup(func() { kernel.Use(best) })
	const in = 300
	outs := []int{70, 32, 200}
	var single, half [3]kernel.Panels
	for i, out := range outs {
		weight, raw := normals(uint64(2+i), out*in), make([]byte, 2*out*in)
		kernel.RoundBF16(raw, weight)
		single[i].Pack(weight, out, in)
		half[i].PackBF16(raw, out, in)
	}
	for _, set := range []string{"generic", "avx2", "avx512", "amx"} {
		if kernel.Use(set) != nil {
			continue
		}
		for what, weights := range map[string][]*kernel.Panels{
			"float32": {&single[0], &single[1], &single[2]}, "bfloat16": {&half[0], &half[1], &half[2]}, "mixed": {&half[0], &single[1], &half[2]},
		} {
			for _, rows := range []int{1, 5, 40, 600} {
				x := normals(uint64(rows), rows*in)
				processors(t, func(t *testing.T) {
					dst, one := make([][]float32, len(outs)), make([][]float32, len(outs))
					for i, out := range outs {
						dst[i], one[i] = dirty(rows*out), dirty(rows*out)
						weights[i].Multiply(one[i], x, rows)
					}
					kernel.MultiplyEach(dst, x, rows, weights)
					for i := range outs {
						same(t, fmt.Sprint(set, " ", what, " ", rows, " rows, weight ", i), dst[i], one[i])
					}
				})
			}
		}
	}
}
