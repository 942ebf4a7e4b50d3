package pairsum

import "golang.org/x/sys/cpu"

// instructions says that the processor has what the assembly here needs: the
// SHA extensions, and AVX. A processor with AVX2 says so in the words that
// features returns, which are there then.
var instructions = cpu.X86.HasAVX2 && features()&sha != 0

// sha is the bit of the SHA extensions.
const sha = 1 << 29

// features returns EBX of CPUID with EAX = 7 and ECX = 0.
func features() uint32

// digestBlocks digests n blocks, at least one, at x to the words of first, and
// as many at y to those of second. Words are big-endian.
//
//go:noescape
func digestBlocks(first, second *[32]byte, x, y *byte, n int)
