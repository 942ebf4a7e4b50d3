package merge_test

import (
	"testing"

	"surgeon/tensors"
)

// BenchmarkRaw merges a tensor of 192 Ki elements in each stored type.
func BenchmarkRaw(b *testing.B) {
	for _, d := range floats {
		base, tuned := large(d)
		m := toward(b, base, tuned, 0.4)
		info, _ := base.Info("x")
		b.Run(string(d), func(b *testing.B) {
			b.SetBytes(2 * info.Bytes())
			for b.Loop() {
				if _, err := tensors.Raw(m, "x"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
