// Package kernel holds the loops over float32 that everything else is made of:
// widening and rounding between stored types, the operations of a decoder block
// with their gradients, and the losses that a decoder is trained by. Each
// function's comment is the formula or the loop it computes, and the plain Go here
// is that loop: it is the specification that any faster version is tested against.
//
// Conventions. The slice that is written is called dst and comes first.
// Matrices are row-major and stand with their shape in the comment. Wrong
// lengths are a programmer's mistake and panic with the package's name.
//
// Order of accumulation. A matrix product (Panels.Multiply, Linear,
// WeightGradient, and those of Attention and of its gradient) adds chains of 256
// fused multiply-adds, as its comment says. Every other sum runs over ascending
// indices in one chain of float32 additions (of float64 in LogSumExp), its products
// rounded before they are added; those of a softmax, of RMSNorm, of Compare and of
// MergeProjectBF16 run in eight chains, and those of gradients and losses as their
// comments say. Work is split between goroutines by whole output elements, or by
// blocks of rows of a fixed size whose sums are added in their order. So a result
// has the same bits for any number of threads and, but for gradients that are sums
// over rows, for any other rows in the batch. Between kinds of processors the bits
// are the same too, but for which NaN it is that arithmetic makes, and for
// LogSumExp and the losses of CrossEntropy and Divergence, which take exp and log
// from package math, whose last bit differs there. One set of instructions, amx,
// which Use must be asked for, takes the sums of Multiply in an order of its own
// (split.go).
package kernel

import (
	"fmt"
)

// check panics unless a slice has the length its shape asks for.
func check(what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("kernel: %s has %d elements, its shape asks for %d", what, got, want))
	}
}
