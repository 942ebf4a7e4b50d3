#include "textflag.h"
#include "go_asm.h"
#include "macros_amd64.h"

// The sums of compare.go for AVX2, for finite values only: then d is 0 where
// the values are equal, and adds zeros, which change no sum. Squares of
// differences lie between 2^-298 and 2^258, where the root of a rounded square
// is the number itself (Boldo, Math. Struct. Comput. Sci. 25(7), 2015): so the
// largest d*d gives the largest |d|. n is a multiple of 16, at least 16.
//
// While the loop runs, lanes of Y0-Y5 are the eight chains of base2, delta2
// and dot, two registers each, and Y6 has the largest d*d.

// SUM adds four elements b and t, in float64, to the chains. b*b is exact, as
// b has 24 bits, so that here a fused multiply-add has the bits of two steps.
#define SUM(b, t, product, base2, delta2, dot) \
	VSUBPD b, t, t                 \
	VFMADD231PD b, b, base2        \
	VMULPD t, b, product           \
	VADDPD product, dot, dot       \
	VMULPD t, t, product           \
	VADDPD product, delta2, delta2 \
	VMAXPD product, Y6, Y6

// STORE_LARGEST reduces Y6 and writes its root.
#define STORE_LARGEST \
	VEXTRACTF128 $1, Y6, X7  \
	VMAXPD  X7, X6, X6       \
	VPERMILPD $1, X6, X7     \
	VMAXSD  X7, X6, X6       \
	VSQRTSD X6, X6, X6       \
	VMOVSD  X6, sums_maxAbs(DI)

#define ZERO_CHAINS \
	VXORPS Y0, Y0, Y0 \
	VXORPS Y1, Y1, Y1 \
	VXORPS Y2, Y2, Y2 \
	VXORPS Y3, Y3, Y3 \
	VXORPS Y4, Y4, Y4 \
	VXORPS Y5, Y5, Y5 \
	VXORPS Y6, Y6, Y6

// COUNT adds the number of changed and of flipped ones of eight elements, in
// float32, to R8 and R9. Y15 is zero. 4 is "not equal", 1 is "less than":
// flipped is min(b, t) < 0 < max(b, t).
#define COUNT(b, t) \
	VCMPPS $4, b, t, Y11     \
	VMOVMSKPS Y11, AX        \
	VMINPS b, t, Y11         \
	VMAXPS b, t, Y12         \
	VCMPPS $1, Y15, Y11, Y11 \
	VCMPPS $1, Y12, Y15, Y12 \
	VANDPS Y11, Y12, Y12     \
	VMOVMSKPS Y12, BX        \
	POPCNTL AX, AX           \
	POPCNTL BX, BX           \
	ADDQ   AX, R8            \
	ADDQ   BX, R9

// func compareGroups(s *sums, base, tuned *float32, n int)
TEXT ·compareGroups(SB), NOSPLIT, $0-32
	MOVQ s+0(FP), DI
	MOVQ base+8(FP), SI
	MOVQ tuned+16(FP), DX
	MOVQ n+24(FP), CX
	ZERO_CHAINS
	VXORPS Y15, Y15, Y15
	XORQ R8, R8
	XORQ R9, R9

compare:
	VMOVUPS (SI), Y9
	VMOVUPS (DX), Y10
	COUNT(Y9, Y10)
	VCVTPS2PD (SI), Y9
	VCVTPS2PD (DX), Y10
	SUM(Y9, Y10, Y11, Y0, Y2, Y4)
	VCVTPS2PD 16(SI), Y13
	VCVTPS2PD 16(DX), Y14
	SUM(Y13, Y14, Y12, Y1, Y3, Y5)
	ADDQ $32, SI
	ADDQ $32, DX
	SUBQ $8, CX
	JNZ  compare

	VMOVUPD Y0, sums_base2(DI)
	VMOVUPD Y1, (sums_base2+32)(DI)
	VMOVUPD Y2, sums_delta2(DI)
	VMOVUPD Y3, (sums_delta2+32)(DI)
	VMOVUPD Y4, sums_dot(DI)
	VMOVUPD Y5, (sums_dot+32)(DI)
	STORE_LARGEST
	MOVQ R8, sums_changed(DI)
	MOVQ R9, sums_flipped(DI)
	VZEROUPPER
	RET

// COUNT_BF16 adds twice the number of unchanged and once the number of flipped
// ones of 16 elements, b and t in words, to R8 and R9, and overwrites b.
// Unchanged are equal words and zeros of either sign; flipped are words of
// unlike signs none of which is a zero. Y15 is zero. The mask of bytes has two
// bits for a word, of which the upper one is the sign.
#define COUNT_BF16(b, t) \
	VPADDW b, b, Y9           \ // without the sign
	VPADDW t, t, Y10          \
	VPOR   Y9, Y10, Y11       \
	VPMINUW Y9, Y10, Y9       \
	VPCMPEQW Y15, Y11, Y11    \ // both are zero
	VPCMPEQW Y15, Y9, Y9      \ // one is zero
	VPCMPEQW b, t, Y10        \
	VPOR   Y10, Y11, Y11      \
	VPXOR  b, t, b            \
	VPANDN b, Y9, b           \
	VPMOVMSKB Y11, AX         \
	VPMOVMSKB b, BX           \
	ANDL   $0xaaaaaaaa, BX    \
	POPCNTL AX, AX            \
	POPCNTL BX, BX            \
	ADDQ   AX, R8             \
	ADDQ   BX, R9

// SUM_BF16 adds eight elements at offset to the chains, even ones and odd ones
// apart: a double word has an even element below and an odd one above, and
// both are widened where they are. Y14 is 0xffff0000 in every lane.
#define SUM_BF16(offset) \
	VMOVDQU offset(SI), X7         \
	VMOVDQU offset(DX), X8         \
	VPSLLD $16, X7, X9             \
	VPSLLD $16, X8, X10            \
	VPAND  X14, X7, X7             \
	VPAND  X14, X8, X8             \
	VCVTPS2PD X9, Y9               \
	VCVTPS2PD X10, Y10             \
	SUM(Y9, Y10, Y11, Y0, Y2, Y4)  \
	VCVTPS2PD X7, Y7               \
	VCVTPS2PD X8, Y8               \
	SUM(Y7, Y8, Y12, Y1, Y3, Y5)

// func compareBF16Groups(s *sums, base, tuned *byte, n int)
// The first register of each sum has the even chains, the second the odd ones.
TEXT ·compareBF16Groups(SB), NOSPLIT, $0-32
	MOVQ s+0(FP), DI
	MOVQ base+8(FP), SI
	MOVQ tuned+16(FP), DX
	MOVQ n+24(FP), CX
	ZERO_CHAINS
	VXORPS Y15, Y15, Y15
	VPCMPEQD Y14, Y14, Y14
	VPSLLD $16, Y14, Y14
	XORQ R8, R8
	XORQ R9, R9

compareBF16:
	VMOVDQU (SI), Y7
	VMOVDQU (DX), Y8
	COUNT_BF16(Y7, Y8)
	SUM_BF16(0)
	SUM_BF16(16)
	ADDQ $32, SI
	ADDQ $32, DX
	SUBQ $16, CX
	JNZ  compareBF16

	STORE_CHAINS(Y0, Y1, Y7, Y8, sums_base2(DI), (sums_base2+32)(DI))
	STORE_CHAINS(Y2, Y3, Y7, Y8, sums_delta2(DI), (sums_delta2+32)(DI))
	STORE_CHAINS(Y4, Y5, Y7, Y8, sums_dot(DI), (sums_dot+32)(DI))
	STORE_LARGEST
	SHRQ $1, R8
	MOVQ n+24(FP), CX
	SUBQ R8, CX
	MOVQ CX, sums_changed(DI)
	MOVQ R9, sums_flipped(DI)
	VZEROUPPER
	RET
