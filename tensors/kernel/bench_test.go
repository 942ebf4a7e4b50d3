package kernel_test

import (
	"fmt"
	"testing"

	"surgeon/tensors/kernel"
)

// BenchmarkLinear has the sizes of a 135 M parameter model: attention output,
// MLP, and the head for a few rows.
func BenchmarkLinear(b *testing.B) {
	for _, size := range [][3]int{{512, 576, 576}, {512, 576, 1536}, {512, 1536, 576}, {32, 576, 49152}, {1, 576, 1536}} {
		rows, in, out := size[0], size[1], size[2]
		dst, x, weight := make([]float32, rows*out), make([]float32, rows*in), make([]float32, out*in)
		for i := range x {
			x[i] = float32(i%7) - 3
		}
		for i := range weight {
			weight[i] = float32(i%5) - 2
		}
		b.Run(fmt.Sprintf("%dx%dx%d", rows, in, out), func(b *testing.B) {
			for b.Loop() {
				kernel.Linear(dst, x, weight, nil, rows, in, out)
			}
			b.ReportMetric(2*float64(rows*in*out)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkConvert(b *testing.B) {
	const n = 1 << 16
	values, raw := make([]float32, n), make([]byte, 2*n)
	for i := range values {
		values[i] = float32(i) * 0.001
	}
	run := func(name string, work func()) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(2 * n)
			for b.Loop() {
				work()
			}
		})
	}
	run("RoundBF16", func() { kernel.RoundBF16(raw, values) })
	run("WidenBF16", func() { kernel.WidenBF16(values, raw) })
	run("RoundF16", func() { kernel.RoundF16(raw, values) })
	run("WidenF16", func() { kernel.WidenF16(values, raw) })
}
