#include "textflag.h"
#include "macros_amd64.h"

// Conversions of convert.go for AVX2 and F16C, 16 elements a turn. n is a
// multiple of 16, at least 16. Where a NaN needs care the loop stops before
// its group and returns the number of elements done.

// func widenBF16Groups(dst *float32, raw *byte, n int)
TEXT ·widenBF16Groups(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ raw+8(FP), SI
	MOVQ n+16(FP), CX

widenBF16:
	VPMOVZXWD (SI), Y0
	VPMOVZXWD 16(SI), Y1
	VPSLLD  $16, Y0, Y0
	VPSLLD  $16, Y1, Y1
	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 32(DI)
	ADDQ $32, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JNZ  widenBF16
	VZEROUPPER
	RET

// func widenF16Groups(dst *float32, raw *byte, n int) int
// The instruction makes signalling NaNs quiet, the plain loop does not.
TEXT ·widenF16Groups(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ raw+8(FP), SI
	MOVQ n+16(FP), CX

widenF16:
	VCVTPH2PS (SI), Y0
	VCVTPH2PS 16(SI), Y1
	STOP_AT_NAN(Y0, Y1, Y2, stopWidenF16)
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ $32, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JNZ  widenF16

stopWidenF16:
	MOVQ n+16(FP), AX
	SUBQ CX, AX
	MOVQ AX, ret+24(FP)
	VZEROUPPER
	RET

// func roundBF16Groups(dst *byte, src *float32, n int) int
// Y15 is the constant of ROUND_BF16.
TEXT ·roundBF16Groups(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VPCMPEQD Y15, Y15, Y15
	VPSRLD $17, Y15, Y15

roundBF16:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	STOP_AT_NAN(Y0, Y1, Y2, stopRoundBF16)
	ROUND_BF16(Y0, Y15, Y2)
	ROUND_BF16(Y1, Y15, Y3)
	VPSRLD $16, Y0, Y0
	VPSRLD $16, Y1, Y1
	VPACKUSDW Y1, Y0, Y0  // by halves of registers: elements 0-3, 8-11, 4-7, 12-15
	VPERMQ  $0xd8, Y0, Y0 // quarters 0, 2, 1, 3
	VMOVDQU Y0, (DI)
	ADDQ $64, SI
	ADDQ $32, DI
	SUBQ $16, CX
	JNZ  roundBF16

stopRoundBF16:
	MOVQ n+16(FP), AX
	SUBQ CX, AX
	MOVQ AX, ret+24(FP)
	VZEROUPPER
	RET

// func roundF16Groups(dst *byte, src *float32, n int) int
// The mode 0 is to nearest, ties to even, whatever MXCSR says.
TEXT ·roundF16Groups(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX

roundF16:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	STOP_AT_NAN(Y0, Y1, Y2, stopRoundF16)
	VCVTPS2PH $0, Y0, (DI)
	VCVTPS2PH $0, Y1, 16(DI)
	ADDQ $64, SI
	ADDQ $32, DI
	SUBQ $16, CX
	JNZ  roundF16

stopRoundF16:
	MOVQ n+16(FP), AX
	SUBQ CX, AX
	MOVQ AX, ret+24(FP)
	VZEROUPPER
	RET
