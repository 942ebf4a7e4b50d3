package kernel_test

import (
	"fmt"
	"testing"

	"surgeon/tensors/kernel"
)

// TestPanelsInParts packs a weight in parts of whole panels, in any order: the
// products of the weight packed at once, also in memory that held another.
func TestPanelsInParts(t *testing.T) {
	for _, out := range []int{1, 31, 32, 33, 64, 100} {
		const in, rows = 9, 3
		weight, x := normals(1, out*in), normals(2, rows*in)
		raw := make([]byte, 2*len(weight))
		kernel.RoundBF16(raw, weight)
		var whole, parts kernel.Panels
		parts.Pack(normals(3, 200*in), 200, in)
		product := func(p *kernel.Panels) []float32 {
			dst := dirty(rows * out)
			p.Multiply(dst, x, rows)
			return dst
		}
		whole.Pack(weight, out, in)
		parts.Reset(out, in, false)
		for first := (out - 1) / kernel.PartRows * kernel.PartRows; first >= 0; first -= kernel.PartRows {
			parts.Put(weight[first*in:min(first+kernel.PartRows, out)*in], first)
		}
		same(t, fmt.Sprint("float32, rows ", out), product(&parts), product(&whole))
		whole.PackBF16(raw, out, in)
		parts.Reset(out, in, true)
		for first := 0; first < out; first += 2 * kernel.PartRows {
			parts.PutBF16(raw[2*first*in:2*min(first+2*kernel.PartRows, out)*in], first)
		}
		same(t, fmt.Sprint("bfloat16, rows ", out), product(&parts), product(&whole))
		if want := kernel.PanelsBytes(out, in, true); parts.Bytes() != want {
			t.Errorf("%d rows take %d bytes, PanelsBytes says %d", out, parts.Bytes(), want)
		}
		panics(t, "a part that begins inside a panel", func() { parts.PutBF16(raw[:2*in], 1) })
		panics(t, "a part that ends inside a panel", func() {
			parts.Reset(64, in, false)
			parts.Put(normals(1, 33*in), 0)
		})
	}
}
