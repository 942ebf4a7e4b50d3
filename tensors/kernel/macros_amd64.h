// Macros of the assembly files. Scratch registers are overwritten.

// STOP_AT_NAN goes to label if a lane of a or b is NaN: the comparison
// "unordered" (3) is true where either operand is. It overwrites AX.
#define STOP_AT_NAN(a, b, scratch, label) \
	VCMPPS    $3, a, b, scratch \
	VMOVMSKPS scratch, AX       \
	TESTL     AX, AX            \
	JNZ       label

// ROUND_BF16 adds to the bits of floats that are not NaN what carries into the
// upper half if they are to be rounded up: 0x7fff, and 1 if the upper half is
// odd. most is 0x7fff in every lane, in a register or in memory.
#define ROUND_BF16(floats, most, scratch) \
	VPSLLD $15, floats, scratch    \
	VPSRLD $31, scratch, scratch   \
	VPADDD most, floats, floats    \
	VPADDD scratch, floats, floats

// STORE_CHAINS writes even, the chains 0, 2, 4, 6 of a sum, and odd, the
// chains 1, 3, 5, 7, in order to low and high, and overwrites both registers.
#define STORE_CHAINS(even, odd, scratch0, scratch1, low, high) \
	VUNPCKLPD  odd, even, scratch0             \ // 0, 1, 4, 5
	VUNPCKHPD  odd, even, scratch1             \ // 2, 3, 6, 7
	VPERM2F128 $0x20, scratch1, scratch0, even \ // 0, 1, 2, 3
	VPERM2F128 $0x31, scratch1, scratch0, odd  \ // 4, 5, 6, 7
	VMOVUPD    even, low                       \
	VMOVUPD    odd, high

// LOAD_CHAINS is the inverse of STORE_CHAINS.
#define LOAD_CHAINS(even, odd, scratch0, scratch1, low, high) \
	VMOVUPD    low, even                           \
	VMOVUPD    high, odd                           \
	VPERM2F128 $0x20, odd, even, scratch0          \ // 0, 1, 4, 5
	VPERM2F128 $0x31, odd, even, scratch1          \ // 2, 3, 6, 7
	VUNPCKLPD  scratch1, scratch0, even            \ // 0, 2, 4, 6
	VUNPCKHPD  scratch1, scratch0, odd             // 1, 3, 5, 7
