package pairsum

import (
	"crypto/sha256"
	"fmt"
	"testing"
)

// BenchmarkPair digests two streams in parts of a length: one after the other
// with crypto/sha256, and side by side. The rate is that of both together.
func BenchmarkPair(b *testing.B) {
	for _, size := range []int{64, 1 << 10, 16 << 10, 1 << 20} {
		x, y := make([]byte, size), make([]byte, size)
		b.Run(fmt.Sprintf("%d/crypto", size), func(b *testing.B) {
			b.SetBytes(2 * int64(size))
			first, second := sha256.New(), sha256.New()
			for b.Loop() {
				first.Write(x)
				second.Write(y)
			}
		})
		b.Run(fmt.Sprintf("%d/pair", size), func(b *testing.B) {
			b.SetBytes(2 * int64(size))
			p := newPair()
			for b.Loop() {
				p.Write(x, y)
			}
		})
	}
}
