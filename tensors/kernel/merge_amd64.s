#include "textflag.h"
#include "go_asm.h"
#include "macros_amd64.h"

// The loops of merge.go for AVX2, 16 elements a turn. A double word has an
// even element below and an odd one above; both are widened where they are, so
// that even and odd elements are worked on apart and need no shuffling.

// mostBelow is the constant of ROUND_BF16, oddMask keeps the odd element of a
// double word, exponents keeps the exponent of each word.
#define CONSTANT(name, bits) \
	DATA name<>+0(SB)/8, bits  \
	DATA name<>+8(SB)/8, bits  \
	DATA name<>+16(SB)/8, bits \
	DATA name<>+24(SB)/8, bits \
	GLOBL name<>(SB), RODATA|NOPTR, $32

CONSTANT(mostBelow, $0x00007fff00007fff)
CONSTANT(oddMask, $0xffff0000ffff0000)
CONSTANT(exponents, $0x7f807f807f807f80)

// MERGE merges and writes the group at SI (base) and DX (tuned) to DI. Even
// and odd elements are afterwards in Y2 and Y3 (base), Y4 and Y5 (tuned), Y6
// and Y7 (merged, in the upper half of a lane; the lower half is anything).
// Y15 is alpha, Y10 the largest exponents so far; Y0, Y1, Y8, Y9 are scratch.
// A group without a NaN in its results had none in its operands and no equal
// infinities, whose difference is one: what is left to keep is -0.
#define MERGE(stop) \
	VMOVDQU (SI), Y0                   \
	VMOVDQU (DX), Y1                   \
	VPSLLD $16, Y0, Y2                 \
	VPSLLD $16, Y1, Y4                 \
	VPAND  oddMask<>(SB), Y0, Y3       \
	VPAND  oddMask<>(SB), Y1, Y5       \
	VSUBPS Y2, Y4, Y6                  \
	VSUBPS Y3, Y5, Y7                  \
	VMULPS Y15, Y6, Y6                 \
	VMULPS Y15, Y7, Y7                 \
	VADDPS Y6, Y2, Y6                  \
	VADDPS Y7, Y3, Y7                  \
	STOP_AT_NAN(Y6, Y7, Y8, stop)      \
	VCMPPS $0, Y2, Y4, Y8              \ // equal
	VCMPPS $0, Y3, Y5, Y9              \
	VBLENDVPS Y8, Y2, Y6, Y6           \
	VBLENDVPS Y9, Y3, Y7, Y7           \
	ROUND_BF16(Y6, mostBelow<>(SB), Y8) \
	ROUND_BF16(Y7, mostBelow<>(SB), Y9) \
	VPSRLD $16, Y6, Y8                 \
	VPBLENDW $0xaa, Y7, Y8, Y8         \
	VPAND  exponents<>(SB), Y8, Y9     \
	VPMAXUW Y9, Y10, Y10               \
	VMOVDQU Y8, (DI)

// FINITE leaves in AX whether none of Y10 is the exponent of infinity and NaN.
#define FINITE \
	VPCMPEQW exponents<>(SB), Y10, Y10 \
	VPTEST Y10, Y10 \ // sets ZF if no word is equal
	SETEQ  AX

// func mergeBF16Groups(dst, base, tuned *byte, alpha float32, n int) (done int, finite bool)
TEXT ·mergeBF16Groups(SB), NOSPLIT, $0-49
	MOVQ dst+0(FP), DI
	MOVQ base+8(FP), SI
	MOVQ tuned+16(FP), DX
	VBROADCASTSS alpha+24(FP), Y15
	MOVQ n+32(FP), CX
	VPXOR Y10, Y10, Y10

merge:
	MERGE(stopMerge)
	ADDQ $32, SI
	ADDQ $32, DX
	ADDQ $32, DI
	SUBQ $16, CX
	JNZ  merge

stopMerge:
	FINITE
	MOVB AX, finite+48(FP)
	MOVQ n+32(FP), AX
	SUBQ CX, AX
	MOVQ AX, done+40(FP)
	VZEROUPPER
	RET

// PROJECT adds the products of four differences, merged from base and tuned
// from base, to the chains.
#define PROJECT(merged, tuned, moved, full) \
	VCVTPS2PD merged, Y0 \
	VCVTPS2PD tuned, Y1  \
	VFMADD231PD Y0, Y1, moved \
	VFMADD231PD Y1, Y1, full

// func mergeProjectBF16Groups(p *projection, dst, base, tuned *byte, alpha float32, n int) (done int, finite bool)
// Y11 and Y12 are the even and odd chains of moved, Y13 and Y14 those of full.
TEXT ·mergeProjectBF16Groups(SB), NOSPLIT, $0-57
	MOVQ p+0(FP), R8
	MOVQ dst+8(FP), DI
	MOVQ base+16(FP), SI
	MOVQ tuned+24(FP), DX
	VBROADCASTSS alpha+32(FP), Y15
	MOVQ n+40(FP), CX
	VPXOR Y10, Y10, Y10
	LOAD_CHAINS(Y11, Y12, Y0, Y1, projection_moved(R8), (projection_moved+32)(R8))
	LOAD_CHAINS(Y13, Y14, Y0, Y1, projection_full(R8), (projection_full+32)(R8))

mergeProject:
	MERGE(stopMergeProject)
	VPAND oddMask<>(SB), Y6, Y6
	VPAND oddMask<>(SB), Y7, Y7
	VSUBPS Y2, Y6, Y6
	VSUBPS Y3, Y7, Y7
	VSUBPS Y2, Y4, Y4
	VSUBPS Y3, Y5, Y5
	PROJECT(X6, X4, Y11, Y13)
	PROJECT(X7, X5, Y12, Y14)
	VEXTRACTF128 $1, Y4, X4
	VEXTRACTF128 $1, Y5, X5
	VEXTRACTF128 $1, Y6, X6
	VEXTRACTF128 $1, Y7, X7
	PROJECT(X6, X4, Y11, Y13)
	PROJECT(X7, X5, Y12, Y14)
	ADDQ $32, SI
	ADDQ $32, DX
	ADDQ $32, DI
	SUBQ $16, CX
	JNZ  mergeProject

stopMergeProject:
	FINITE
	MOVB AX, finite+56(FP)
	STORE_CHAINS(Y11, Y12, Y0, Y1, projection_moved(R8), (projection_moved+32)(R8))
	STORE_CHAINS(Y13, Y14, Y0, Y1, projection_full(R8), (projection_full+32)(R8))
	MOVQ n+40(FP), AX
	SUBQ CX, AX
	MOVQ AX, done+48(FP)
	VZEROUPPER
	RET
