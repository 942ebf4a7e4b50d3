package kernel

import "golang.org/x/sys/cpu"

const (
	avx2   instructions = 1 + iota // with FMA and F16C
	avx512                         // AVX512F
	amx                            // tiles of bfloat16, which sum in another order
)

var instructionNames = []string{"generic", "avx2", "avx512", "amx"}

// splitting reports whether Multiply works with parts of x.
func splitting() bool { return active == amx }

// detected asks the processor. Every one with AVX2 so far has the fused
// multiply-add and the half-precision conversions of F16C too.
func detected() instructions {
	switch {
	case !cpu.X86.HasAVX2 || !cpu.X86.HasFMA || !cpu.X86.HasF16C:
		return generic
	case !cpu.X86.HasAVX512F:
		return avx2
	}
	return avx512
}

func allowed(i instructions) bool { return i <= detected() || i == amx && splits() && tilesAllowed() }

// splits reports whether split runs, which moves 16-bit words in registers of 512 bits.
func splits() bool { return detected() == avx512 && cpu.X86.HasAVX512BW }
