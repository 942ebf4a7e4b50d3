package kernel_test

import (
	"fmt"
	"math"
	"testing"

	"surgeon/tensors/kernel"
)

// splitProduct is the definition of Multiply by tiles of bfloat16: steps of 32,
// three parts of x, a chain over even indices and one over odd ones.
func splitProduct(x, weight []float32, rows, in, out int) []float32 {
	dst := make([]float32, rows*out)
	for r := range rows {
		for o := range out {
			sum := &dst[r*out+o]
			for start := 0; start < in; start += 32 {
				end := min(start+32, in)
				rest := append([]float32(nil), x[r*in+start:r*in+end]...)
				for range 3 {
					var chains [2]float32
					for i, v := range rest {
						part := math.Float32frombits(math.Float32bits(v) & 0xffff0000)
						chains[i%2] = exactFMA(part, weight[o*in+start+i], chains[i%2])
						rest[i] -= part
					}
					*sum += chains[0] + chains[1]
				}
			}
		}
	}
	return dst
}

// useTiles runs the rest of a test with AMX, where there is any.
func useTiles(t *testing.T) {
	best := kernel.Instructions()
	if err := kernel.Use("amx"); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { kernel.Use(best) })
}

// TestSplit compares the products of tiles with their definition, bit for bit,
// in shapes around the sizes of tiles, panels and blocks.
func TestSplit(t *testing.T) {
	useTiles(t)
	for _, s := range [][3]int{{1, 3, 33}, {15, 40, 31}, {16, 64, 32}, {17, 33, 65}, {31, 32, 5}, {32, 96, 32}, {33, 65, 64}, {49, 31, 96},
		{2, 513, 33}, {33, 600, 40}, {290, 20, 33}, {3, 0, 5}, {3, 5, 0}} {
		rows, in, out := s[0], s[1], s[2]
		x, weight, raw := normals(1, rows*in), normals(2, out*in), make([]byte, 2*out*in)
		kernel.RoundBF16(raw, weight)
		kernel.WidenBF16(weight, raw)
		var p kernel.Panels
		p.PackBF16(raw, out, in)
		got := dirty(rows * out)
		p.Multiply(got, x, rows)
		same(t, fmt.Sprint(s), got, splitProduct(x, weight, rows, in, out))
	}
}

// TestSplitRows: a row's result depends on no row beside it.
func TestSplitRows(t *testing.T) {
	useTiles(t)
	const rows, in, out = 300, 1100, 70
	x, raw := normals(3, rows*in), make([]byte, 2*out*in)
	kernel.RoundBF16(raw, normals(4, out*in))
	var p kernel.Panels
	p.PackBF16(raw, out, in)
	whole, one := dirty(rows*out), dirty(out)
	p.Multiply(whole, x, rows)
	for r := range rows {
		p.Multiply(one, x[r*in:(r+1)*in], 1)
		same(t, fmt.Sprint("row ", r), one, whole[r*out:(r+1)*out])
	}
}

// TestSplitClose: both orders are close to the sum in float64.
func TestSplitClose(t *testing.T) {
	useTiles(t)
	const rows, in, out = 40, 4096, 64
	x, weight, raw := normals(5, rows*in), normals(6, out*in), make([]byte, 2*out*in)
	kernel.RoundBF16(raw, weight)
	kernel.WidenBF16(weight, raw)
	var p kernel.Panels
	p.PackBF16(raw, out, in)
	split, chains := dirty(rows*out), dirty(rows*out)
	p.Multiply(split, x, rows)
	if err := kernel.Use("avx512"); err != nil {
		t.Fatal(err)
	}
	p.Multiply(chains, x, rows)
	var worst [2]float64
	for r := range rows {
		for o := range out {
			var sum float64
			for i := range in {
				sum += float64(x[r*in+i]) * float64(weight[o*in+i])
			}
			worst[0] = max(worst[0], math.Abs(float64(split[r*out+o])-sum))
			worst[1] = max(worst[1], math.Abs(float64(chains[r*out+o])-sum))
		}
	}
	t.Logf("greatest distance from the sum in float64: %.2g by tiles, %.2g by chains", worst[0], worst[1])
	if worst[0] > 3*worst[1] {
		t.Error("tiles are far less exact than chains")
	}
}

// TestSplitSpecial: what is not finite stays so.
func TestSplitSpecial(t *testing.T) {
	useTiles(t)
	var p kernel.Panels
	raw := make([]byte, 2*32)
	kernel.RoundBF16(raw, append(make([]float32, 31), 1))
	p.PackBF16(raw, 1, 32)
	for _, bits := range []uint32{0x7f800000, 0xff800000, 0x7f800001, 0x7fc00000, 0xffffffff} {
		x, got := make([]float32, 32), make([]float32, 1)
		x[31] = math.Float32frombits(bits)
		if p.Multiply(got, x, 1); got[0]-got[0] == 0 {
			t.Errorf("%#x gives %v", bits, got[0])
		}
	}
}
