package kernel_test

import (
	"fmt"
	"testing"

	"surgeon/tensors/kernel"
)

// BenchmarkMultiply has the sizes of a model of 7 B and of 135 M parameters.
func BenchmarkMultiply(b *testing.B) {
	best := kernel.Instructions()
	defer kernel.Use(best)
	for _, name := range []string{"amx", "avx512", "avx2", "neon"} {
		for _, size := range [][3]int{{1, 4096, 4096}, {32, 4096, 4096}, {256, 4096, 4096}, {1024, 4096, 4096}, {512, 576, 576}, {512, 576, 1536}, {4096, 576, 1536}, {32, 576, 576}} {
			rows, in, out := size[0], size[1], size[2]
			dst, x, weight := make([]float32, rows*out), normals(1, rows*in), normals(2, out*in)
			raw := make([]byte, 2*len(weight))
			kernel.RoundBF16(raw, weight)
			var single, half kernel.Panels
			single.Pack(weight, out, in)
			half.PackBF16(raw, out, in)
			for what, p := range map[string]*kernel.Panels{"f32": &single, "bf16": &half} {
				b.Run(fmt.Sprintf("%s/%s/%dx%dx%d", name, what, rows, in, out), func(b *testing.B) {
					if err := kernel.Use(name); err != nil {
						b.Skip(err)
					}
					for b.Loop() {
						p.Multiply(dst, x, rows)
					}
					b.ReportMetric(2*float64(rows*in*out)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}

// BenchmarkPack packs a weight of 4096 x 4096.
func BenchmarkPack(b *testing.B) {
	const out, in = 4096, 4096
	weight := normals(2, out*in)
	raw := make([]byte, 2*len(weight))
	kernel.RoundBF16(raw, weight)
	var p kernel.Panels
	b.Run("f32", func(b *testing.B) {
		b.SetBytes(4 * out * in)
		for b.Loop() {
			p.Pack(weight, out, in)
		}
	})
	b.Run("bf16", func(b *testing.B) {
		b.SetBytes(2 * out * in)
		for b.Loop() {
			p.PackBF16(raw, out, in)
		}
	})
}
