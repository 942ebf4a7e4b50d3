#include "textflag.h"
#include "go_asm.h"
#include "macros_amd64.h"

// The loops of difference.go for AVX2. n is a multiple of 16, at least 16.

// func addDifferenceGroups(dst, base, tuned *float32, alpha float32, n int) int
// Y15 is alpha. A group without a NaN in its results had none in its operands
// and no equal infinities, whose difference is one: what is left to keep is -0.
TEXT ·addDifferenceGroups(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ base+8(FP), SI
	MOVQ tuned+16(FP), DX
	VBROADCASTSS alpha+24(FP), Y15
	MOVQ n+32(FP), CX

add:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS (DX), Y2
	VMOVUPS 32(DX), Y3
	VMOVUPS (DI), Y4
	VMOVUPS 32(DI), Y5
	VSUBPS  Y0, Y2, Y6
	VSUBPS  Y1, Y3, Y7
	VMULPS  Y15, Y6, Y6
	VMULPS  Y15, Y7, Y7
	VADDPS  Y6, Y4, Y6
	VADDPS  Y7, Y5, Y7
	STOP_AT_NAN(Y6, Y7, Y8, stopAdd)
	VCMPPS  $0, Y0, Y2, Y0 // equal
	VCMPPS  $0, Y1, Y3, Y1
	VBLENDVPS Y0, Y4, Y6, Y6
	VBLENDVPS Y1, Y5, Y7, Y7
	VMOVUPS Y6, (DI)
	VMOVUPS Y7, 32(DI)
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ $64, DI
	SUBQ $16, CX
	JNZ  add

stopAdd:
	MOVQ n+32(FP), AX
	SUBQ CX, AX
	MOVQ AX, ret+40(FP)
	VZEROUPPER
	RET

// func finiteGroups(values *float32, n int) bool
// Y0 and Y1 are the largest exponents, Y15 is that of infinity and NaN.
TEXT ·finiteGroups(SB), NOSPLIT, $0-17
	MOVQ values+0(FP), SI
	MOVQ n+8(FP), CX
	VPCMPEQD Y15, Y15, Y15
	VPSRLD $24, Y15, Y15
	VPSLLD $23, Y15, Y15
	VPXOR  Y0, Y0, Y0
	VPXOR  Y1, Y1, Y1

finite:
	VPAND   (SI), Y15, Y2
	VPAND   32(SI), Y15, Y3
	VPMAXUD Y2, Y0, Y0
	VPMAXUD Y3, Y1, Y1
	ADDQ $64, SI
	SUBQ $16, CX
	JNZ  finite

	VPMAXUD Y0, Y1, Y0
	VPCMPEQD Y15, Y0, Y0
	VPTEST Y0, Y0 // sets ZF if no lane is equal
	SETEQ  ret+16(FP)
	VZEROUPPER
	RET
