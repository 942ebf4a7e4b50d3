package drift_test

import (
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/tensorstest"
)

// BenchmarkMeasure reads a bfloat16 tensor of 4 Mi elements on both sides.
func BenchmarkMeasure(b *testing.B) {
	const n = 1 << 22
	values, draw := make([]float32, n), tensorstest.NewRandom(1, "bench")
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	for i := range values {
		values[i] = draw.Normal(i)
	}
	base.Add("x", tensors.BF16, []int{n}, values)
	for i := range values {
		values[i] *= 1.01
	}
	tuned.Add("x", tensors.BF16, []int{n}, values)
	d, err := tensors.Diff(base, tuned)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(2 * 2 * n)
	for b.Loop() {
		if _, err := drift.Measure(b.Context(), base, d, drift.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
