#include "textflag.h"

// SHA-256 (FIPS 180-4, 6.2) of two streams for the SHA extensions, which keep
// the words a-h of a digest in two registers: ABEF has f, e, b, a from the
// lowest lane on, CDGH has h, g, d, c.
//
// SHA256RNDS2 does two rounds, with the sums of message and constants in X0,
// and takes about twice the time until its result is there than until the next
// can start: so each step does four rounds of one stream, then of the other.
//
//	X0         message + constants, of either stream
//	X1, X2     ABEF and CDGH of the first stream
//	X3, X4     ABEF and CDGH of the second
//	X5-X8      the last sixteen words of the message of the first, in fours
//	X9-X12     those of the second
//	X13        scratch
//	X14        swap, the mask that makes big-endian words little-endian
//	SI, DX     what is next of the first and the second stream
//	CX         blocks left
//	AX         constants
//	DI, R8     where the words of both digests are

#define FOUR(name, at, a, b, c, d) \
	DATA name<>+(at+0)(SB)/4, a  \
	DATA name<>+(at+4)(SB)/4, b  \
	DATA name<>+(at+8)(SB)/4, c  \
	DATA name<>+(at+12)(SB)/4, d

FOUR(constants, 0, $0x428a2f98, $0x71374491, $0xb5c0fbcf, $0xe9b5dba5)
FOUR(constants, 16, $0x3956c25b, $0x59f111f1, $0x923f82a4, $0xab1c5ed5)
FOUR(constants, 32, $0xd807aa98, $0x12835b01, $0x243185be, $0x550c7dc3)
FOUR(constants, 48, $0x72be5d74, $0x80deb1fe, $0x9bdc06a7, $0xc19bf174)
FOUR(constants, 64, $0xe49b69c1, $0xefbe4786, $0x0fc19dc6, $0x240ca1cc)
FOUR(constants, 80, $0x2de92c6f, $0x4a7484aa, $0x5cb0a9dc, $0x76f988da)
FOUR(constants, 96, $0x983e5152, $0xa831c66d, $0xb00327c8, $0xbf597fc7)
FOUR(constants, 112, $0xc6e00bf3, $0xd5a79147, $0x06ca6351, $0x14292967)
FOUR(constants, 128, $0x27b70a85, $0x2e1b2138, $0x4d2c6dfc, $0x53380d13)
FOUR(constants, 144, $0x650a7354, $0x766a0abb, $0x81c2c92e, $0x92722c85)
FOUR(constants, 160, $0xa2bfe8a1, $0xa81a664b, $0xc24b8b70, $0xc76c51a3)
FOUR(constants, 176, $0xd192e819, $0xd6990624, $0xf40e3585, $0x106aa070)
FOUR(constants, 192, $0x19a4c116, $0x1e376c08, $0x2748774c, $0x34b0bcb5)
FOUR(constants, 208, $0x391c0cb3, $0x4ed8aa4a, $0x5b9cca4f, $0x682e6ff3)
FOUR(constants, 224, $0x748f82ee, $0x78a5636f, $0x84c87814, $0x8cc70208)
FOUR(constants, 240, $0x90befffa, $0xa4506ceb, $0xbef9a3f7, $0xc67178f2)
GLOBL constants<>(SB), RODATA|NOPTR, $256

// swap turns the bytes of each word around, reverse those of the register.
FOUR(swap, 0, $0x00010203, $0x04050607, $0x08090a0b, $0x0c0d0e0f)
GLOBL swap<>(SB), RODATA|NOPTR, $16
FOUR(reverse, 0, $0x0c0d0e0f, $0x08090a0b, $0x04050607, $0x00010203)
GLOBL reverse<>(SB), RODATA|NOPTR, $16

// LOAD_WORDS reads a digest at words. It overwrites X5 and X6.
#define LOAD_WORDS(words, abef, cdgh) \
	VMOVDQU (words), X5           \ // a, b, c, d
	VMOVDQU 16(words), X6         \ // e, f, g, h
	VPSHUFB reverse<>(SB), X5, X5 \ // d, c, b, a
	VPSHUFB reverse<>(SB), X6, X6 \ // h, g, f, e
	VPUNPCKHQDQ X5, X6, abef      \
	VPUNPCKLQDQ X5, X6, cdgh

// STORE_WORDS is the inverse.
#define STORE_WORDS(words, abef, cdgh) \
	VPUNPCKHQDQ abef, cdgh, X5    \
	VPUNPCKLQDQ abef, cdgh, X6    \
	VPSHUFB reverse<>(SB), X5, X5 \
	VPSHUFB reverse<>(SB), X6, X6 \
	VMOVDQU X5, (words)           \
	VMOVDQU X6, 16(words)

// LOAD_BLOCK reads a block of a message.
#define LOAD_BLOCK(block, m0, m1, m2, m3) \
	VMOVDQU (block), m0   \
	VMOVDQU 16(block), m1 \
	VMOVDQU 32(block), m2 \
	VMOVDQU 48(block), m3 \
	VPSHUFB X14, m0, m0   \
	VPSHUFB X14, m1, m1   \
	VPSHUFB X14, m2, m2   \
	VPSHUFB X14, m3, m3

// ROUNDS does four rounds of one stream: after two, what was ABEF is CDGH.
#define ROUNDS(at, m, abef, cdgh) \
	VPADDD at(AX), m, X0       \
	SHA256RNDS2 X0, abef, cdgh \
	VPSHUFD $0x0e, X0, X0      \
	SHA256RNDS2 X0, cdgh, abef

// EXTEND replaces m0, the earliest of sixteen words, by the next four.
#define EXTEND(m0, m1, m2, m3) \
	SHA256MSG1 m1, m0         \
	VPALIGNR $4, m2, m3, X13  \
	VPADDD   X13, m0, m0      \
	SHA256MSG2 m3, m0

// STEP does four rounds of both streams and extends their messages, LAST does
// the rounds only.
#define STEP(at, m0, m1, m2, m3, n0, n1, n2, n3) \
	LAST(at, m0, n0)       \
	EXTEND(m0, m1, m2, m3) \
	EXTEND(n0, n1, n2, n3)

#define LAST(at, m, n) \
	ROUNDS(at, m, X1, X2) \
	ROUNDS(at, n, X3, X4)

// func digestBlocks(first, second *[32]byte, x, y *byte, n int)
// The frame keeps the registers X1-X4 as they are before a block.
TEXT ·digestBlocks(SB), NOSPLIT, $64-40
	MOVQ first+0(FP), DI
	MOVQ second+8(FP), R8
	MOVQ x+16(FP), SI
	MOVQ y+24(FP), DX
	MOVQ n+32(FP), CX
	LEAQ constants<>(SB), AX
	VMOVDQU swap<>(SB), X14
	LOAD_WORDS(DI, X1, X2)
	LOAD_WORDS(R8, X3, X4)

block:
	VMOVDQU X1, 0(SP)
	VMOVDQU X2, 16(SP)
	VMOVDQU X3, 32(SP)
	VMOVDQU X4, 48(SP)
	LOAD_BLOCK(SI, X5, X6, X7, X8)
	LOAD_BLOCK(DX, X9, X10, X11, X12)
	STEP(0, X5, X6, X7, X8, X9, X10, X11, X12)
	STEP(16, X6, X7, X8, X5, X10, X11, X12, X9)
	STEP(32, X7, X8, X5, X6, X11, X12, X9, X10)
	STEP(48, X8, X5, X6, X7, X12, X9, X10, X11)
	STEP(64, X5, X6, X7, X8, X9, X10, X11, X12)
	STEP(80, X6, X7, X8, X5, X10, X11, X12, X9)
	STEP(96, X7, X8, X5, X6, X11, X12, X9, X10)
	STEP(112, X8, X5, X6, X7, X12, X9, X10, X11)
	STEP(128, X5, X6, X7, X8, X9, X10, X11, X12)
	STEP(144, X6, X7, X8, X5, X10, X11, X12, X9)
	STEP(160, X7, X8, X5, X6, X11, X12, X9, X10)
	STEP(176, X8, X5, X6, X7, X12, X9, X10, X11)
	LAST(192, X5, X9)
	LAST(208, X6, X10)
	LAST(224, X7, X11)
	LAST(240, X8, X12)
	VPADDD 0(SP), X1, X1
	VPADDD 16(SP), X2, X2
	VPADDD 32(SP), X3, X3
	VPADDD 48(SP), X4, X4
	ADDQ $64, SI
	ADDQ $64, DX
	DECQ CX
	JNZ  block

	STORE_WORDS(DI, X1, X2)
	STORE_WORDS(R8, X3, X4)
	RET

// func features() uint32
TEXT ·features(SB), NOSPLIT, $0-4
	MOVL $7, AX
	XORL CX, CX
	CPUID
	MOVL BX, ret+0(FP)
	RET
