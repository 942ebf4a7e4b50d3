package spectrum_test

import (
	"fmt"
	"testing"

	"surgeon/tensors/drift/spectrum"
)

// BenchmarkDecompose measures whole decompositions to rank 32 of matrices of
// the shapes of well-known models. Their rows repeat a pattern, so that the
// reader costs a copy.
func BenchmarkDecompose(b *testing.B) {
	for _, shape := range [][2]int{{576, 1536}, {4096, 4096}, {11008, 4096}, {4096, 11008}, {49152, 576}, {128256, 4096}} {
		rows, columns := shape[0], shape[1]
		pattern := planted(1, 64, 4099, 0.01, powers(20, 0.9)...).values
		m := spectrum.Matrix{Rows: rows, Columns: columns, Read: func(dst []float32, row, n int) error {
			for at := row * columns % len(pattern); len(dst) > 0; at = 0 {
				dst = dst[copy(dst, pattern[at:]):]
			}
			return nil
		}}
		b.Run(fmt.Sprintf("%dx%d", rows, columns), func(b *testing.B) {
			for b.Loop() {
				if _, err := spectrum.Decompose(b.Context(), m, spectrum.Options{Rank: 32}); err != nil {
					b.Fatal(err)
				}
			}
			// Six products with 48 vectors.
			work := 6 * 48 * 2 * float64(rows) * float64(columns) * float64(b.N)
			b.ReportMetric(work/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
