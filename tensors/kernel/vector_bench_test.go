package kernel

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkVectors times each loop over two blocks of a model and its
// fine-tune that lie in a core's cache, as the plain loop and as this
// processor does it. A pair of bfloat16 values is 4 bytes, of float32 8.
func BenchmarkVectors(b *testing.B) {
	const n = 16 << 10
	base, tuned, merged := make([]float32, n), make([]float32, n), make([]float32, n)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range base {
		base[i] = float32(random.NormFloat64() * 0.02)
		tuned[i] = base[i] + float32(random.NormFloat64()*0.001)
	}
	rawBase, rawTuned, rawMerged := make([]byte, 2*n), make([]byte, 2*n), make([]byte, 2*n)
	roundBF16(rawBase, base)
	roundBF16(rawTuned, tuned)
	widenBF16(base, rawBase)
	widenBF16(tuned, rawTuned)
	halves := make([]byte, 2*n)
	roundF16(halves, base)

	run := func(name string, bytes int64, plain, vector func()) {
		for _, way := range []struct {
			name string
			work func()
		}{{"plain", plain}, {"vector", vector}} {
			b.Run(name+"/"+way.name, func(b *testing.B) {
				b.SetBytes(bytes)
				for b.Loop() {
					way.work()
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelem/s")
			})
		}
	}
	run("WidenBF16", 2*n, func() { widenBF16Plain(merged, rawBase) }, func() { widenBF16(merged, rawBase) })
	run("WidenF16", 2*n, func() { widenF16Plain(merged, halves) }, func() { widenF16(merged, halves) })
	run("RoundBF16", 2*n, func() { roundBF16Plain(rawMerged, tuned) }, func() { roundBF16(rawMerged, tuned) })
	run("RoundF16", 2*n, func() { roundF16Plain(rawMerged, tuned) }, func() { roundF16(rawMerged, tuned) })
	run("Compare", 8*n, func() { comparePlain(base, tuned) }, func() { compare(base, tuned) })
	run("WidenCompareBF16", 4*n,
		func() { widenBF16Plain(base, rawBase); widenBF16Plain(tuned, rawTuned); comparePlain(base, tuned) },
		func() { widenBF16(base, rawBase); widenBF16(tuned, rawTuned); compare(base, tuned) })
	run("CompareBF16", 4*n, func() { compareBF16Plain(rawBase, rawTuned) }, func() { compareBF16(rawBase, rawTuned) })
	clear(merged)
	run("AddDifference", 8*n, func() { addDifferencePlain(merged, base, tuned, 1e-3) }, func() { addDifference(merged, base, tuned, 1e-3) })
	run("Finite", 4*n, func() { finitePlain(base) }, func() { finite(base) })
	run("WidenAddRoundBF16", 4*n,
		func() {
			widenBF16Plain(base, rawBase)
			widenBF16Plain(tuned, rawTuned)
			copy(merged, base)
			addDifferencePlain(merged, base, tuned, 0.5)
			finitePlain(merged)
			roundBF16Plain(rawMerged, merged)
		},
		func() {
			widenBF16(base, rawBase)
			widenBF16(tuned, rawTuned)
			copy(merged, base)
			addDifference(merged, base, tuned, 0.5)
			finite(merged)
			roundBF16(rawMerged, merged)
		})
	run("MergeBF16", 4*n, func() { mergeBF16Plain(rawMerged, rawBase, rawTuned, 0.5) }, func() { mergeBF16(rawMerged, rawBase, rawTuned, 0.5) })
	run("MergeProjectBF16", 4*n,
		func() {
			var p projection
			mergeProjectBF16Plain(&p, rawMerged, rawBase, rawTuned, 0.5)
		},
		func() {
			var p projection
			mergeProjectBF16(&p, rawMerged, rawBase, rawTuned, 0.5)
		})
}
