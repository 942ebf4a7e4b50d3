#include "textflag.h"

// The tiles of Linear for AVX2. Each lane is one element of dst and runs the
// chain of dot in linear.go: the product is rounded, then added, so that the
// bits are those of the plain loop.

// func tile6x16(dst *float32, dstStride uintptr, x *float32, xStride uintptr, panel *float32, in int)
// Strides are in bytes, in is at least 1. Y0-Y11 are the sums of rows 0-5,
// two registers of eight columns a row.
TEXT ·tile6x16(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ dstStride+8(FP), SI
	MOVQ x+16(FP), R8
	MOVQ xStride+24(FP), R9
	MOVQ panel+32(FP), BX
	MOVQ in+40(FP), CX
	LEAQ (R8)(R9*2), R10
	ADDQ R9, R10          // R10 is row 3
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11

loop6:
	VMOVUPS (BX), Y12
	VMOVUPS 32(BX), Y13
	VBROADCASTSS (R8), Y14
	VMULPS  Y12, Y14, Y15
	VADDPS  Y15, Y0, Y0
	VMULPS  Y13, Y14, Y15
	VADDPS  Y15, Y1, Y1
	VBROADCASTSS (R8)(R9*1), Y14
	VMULPS  Y12, Y14, Y15
	VADDPS  Y15, Y2, Y2
	VMULPS  Y13, Y14, Y15
	VADDPS  Y15, Y3, Y3
	VBROADCASTSS (R8)(R9*2), Y14
	VMULPS  Y12, Y14, Y15
	VADDPS  Y15, Y4, Y4
	VMULPS  Y13, Y14, Y15
	VADDPS  Y15, Y5, Y5
	VBROADCASTSS (R10), Y14
	VMULPS  Y12, Y14, Y15
	VADDPS  Y15, Y6, Y6
	VMULPS  Y13, Y14, Y15
	VADDPS  Y15, Y7, Y7
	VBROADCASTSS (R10)(R9*1), Y14
	VMULPS  Y12, Y14, Y15
	VADDPS  Y15, Y8, Y8
	VMULPS  Y13, Y14, Y15
	VADDPS  Y15, Y9, Y9
	VBROADCASTSS (R10)(R9*2), Y14
	VMULPS  Y12, Y14, Y15
	VADDPS  Y15, Y10, Y10
	VMULPS  Y13, Y14, Y15
	VADDPS  Y15, Y11, Y11
	ADDQ $64, BX
	ADDQ $4, R8
	ADDQ $4, R10
	DECQ CX
	JNZ  loop6

	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ SI, DI
	VMOVUPS Y2, (DI)
	VMOVUPS Y3, 32(DI)
	ADDQ SI, DI
	VMOVUPS Y4, (DI)
	VMOVUPS Y5, 32(DI)
	ADDQ SI, DI
	VMOVUPS Y6, (DI)
	VMOVUPS Y7, 32(DI)
	ADDQ SI, DI
	VMOVUPS Y8, (DI)
	VMOVUPS Y9, 32(DI)
	ADDQ SI, DI
	VMOVUPS Y10, (DI)
	VMOVUPS Y11, 32(DI)
	VZEROUPPER
	RET

// func tile1x16(dst *float32, x *float32, panel *float32, in int)
// One row; in is at least 1.
TEXT ·tile1x16(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), R8
	MOVQ panel+16(FP), BX
	MOVQ in+24(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1

loop1:
	VBROADCASTSS (R8), Y14
	VMULPS  (BX), Y14, Y12
	VADDPS  Y12, Y0, Y0
	VMULPS  32(BX), Y14, Y13
	VADDPS  Y13, Y1, Y1
	ADDQ $64, BX
	ADDQ $4, R8
	DECQ CX
	JNZ  loop1

	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VZEROUPPER
	RET
