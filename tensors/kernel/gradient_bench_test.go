package kernel_test

import (
	"fmt"
	"testing"

	"surgeon/tensors/kernel"
)

// Rows, in and out of the products of a step: those of a model of width 128 with
// a vocabulary of 768, and one of SmolLM2's.
var trainingSizes = [][3]int{{768, 128, 128}, {768, 128, 352}, {768, 352, 128}, {768, 128, 768}, {768, 576, 1536}}

// BenchmarkGradientWeight times WeightGradient.
func BenchmarkGradientWeight(b *testing.B) {
	for _, s := range trainingSizes {
		rows, in, out := s[0], s[1], s[2]
		dst, gradient, x := make([]float32, out*in), normals(1, rows*out), normals(2, rows*in)
		b.Run(fmt.Sprintf("%dx%dx%d", rows, in, out), func(b *testing.B) {
			for b.Loop() {
				kernel.WeightGradient(dst, gradient, x, rows, out, in)
			}
			flops(b, 2*rows*in*out)
		})
	}
}

// BenchmarkGradientInput times the gradient of a product by its x, with the
// packing of the weight.
func BenchmarkGradientInput(b *testing.B) {
	for _, s := range trainingSizes {
		rows, in, out := s[0], s[1], s[2]
		dst, gradient, weight := make([]float32, rows*in), normals(1, rows*out), normals(2, out*in)
		var p kernel.Panels
		b.Run(fmt.Sprintf("%dx%dx%d", rows, in, out), func(b *testing.B) {
			for b.Loop() {
				p.PackTransposed(weight, in, out)
				p.Multiply(dst, gradient, rows)
			}
			flops(b, 2*rows*in*out)
		})
	}
}

// BenchmarkGradientForward times the product itself, with the packing of the
// weight.
func BenchmarkGradientForward(b *testing.B) {
	for _, s := range trainingSizes {
		rows, in, out := s[0], s[1], s[2]
		dst, x, weight := make([]float32, rows*out), normals(1, rows*in), normals(2, out*in)
		b.Run(fmt.Sprintf("%dx%dx%d", rows, in, out), func(b *testing.B) {
			for b.Loop() {
				kernel.Linear(dst, x, weight, nil, rows, in, out)
			}
			flops(b, 2*rows*in*out)
		})
	}
}

// flops reports the speed of products of so many operations.
func flops(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// elements reports the time for each of n elements.
func elements(b *testing.B, n int) {
	b.ReportMetric(b.Elapsed().Seconds()/float64(n)/float64(b.N)*1e9, "ns/element")
}

// BenchmarkGradientAttention has segments of 15 to 60 rows, 768 in all, and one of
// 768.
func BenchmarkGradientAttention(b *testing.B) {
	var short []kernel.Segment
	for start := 0; start < 768; {
		end := min(768, start+15+len(short)*17%46)
		short = append(short, kernel.Segment{Start: start, End: end, Parent: -1})
		start = end
	}
	for what, segments := range map[string][]kernel.Segment{"short": short, "long": {{0, 768, -1}}} {
		for _, h := range []kernel.Heads{{Query: 4, KV: 2, Dim: 32}, {Query: 9, KV: 3, Dim: 64}} {
			pairs := 0 // of a query and a key
			for _, s := range segments {
				n := s.End - s.Start
				pairs += n * (n + 1) / 2 * h.Query
			}
			gradient, q, k, v := operands(768, h)
			dst := make([]float32, len(q)+2*len(k))
			name := fmt.Sprintf("%s/%d-%dx%d", what, h.Query, h.KV, h.Dim)
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					attentionGradient(dst, gradient, q, k, v, segments, h)
				}
				flops(b, pairs*h.Dim*10)
			})
			b.Run(name+"/forward", func(b *testing.B) {
				for b.Loop() {
					kernel.Attention(dst[:len(q)], q, k, v, segments, nil, h)
				}
				flops(b, pairs*h.Dim*4)
			})
		}
	}
}

// BenchmarkGradientLoops times the loops over elements, in the sizes of a model
// of width 128.
func BenchmarkGradientLoops(b *testing.B) {
	const rows, width, wide = 768, 128, 768
	x, y, z := normals(1, rows*wide), normals(2, rows*wide), normals(3, rows*wide)
	dst, more, loss := make([]float32, rows*wide), make([]float32, rows*wide), make([]float64, rows)
	weights, targets := normals(4, rows), make([]int32, rows)
	run := func(name string, n int, work func()) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				work()
			}
			elements(b, n)
		})
	}
	n := rows * width
	run("ColumnSums", n, func() { kernel.ColumnSums(dst[:width], x[:n], rows) })
	run("RMSNorm", n, func() { kernel.RMSNormGradient(dst[:n], more[:width], x[:n], y[:n], z[:width], 1e-5, rows) })
	run("RMSNorm/frozen", n, func() { kernel.RMSNormGradient(dst[:n], nil, x[:n], y[:n], z[:width], 1e-5, rows) })
	run("RMSNorm/forward", n, func() { kernel.RMSNorm(dst[:n], x[:n], z[:width], 1e-5, rows) })
	run("RoPE", n, func() { kernel.RoPEGradient(dst[:n], x[:n], y[:rows*16], z[:rows*16], rows, 4, 32, 16) })
	run("RoPE/forward", n, func() { kernel.RoPE(dst[:n], x[:n], y[:rows*16], z[:rows*16], rows, 4, 32, 16) })
	run("SwiGLU", rows*352, func() {
		kernel.SwiGLUGradient(dst[:rows*352], more[:rows*352], x[:rows*352], y[:rows*352], z[:rows*352])
	})
	run("SwiGLU/forward", rows*352, func() { kernel.SwiGLU(dst[:rows*352], x[:rows*352], y[:rows*352]) })
	run("CrossEntropy", rows*wide, func() { kernel.CrossEntropy(loss, dst, x, targets, weights) })
	run("CrossEntropy/loss", rows*wide, func() { kernel.CrossEntropy(loss, nil, x, targets, weights) })
	run("Divergence", rows*wide, func() { kernel.Divergence(loss, dst, x, y, weights) })
}
