package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// constants are 64 bytes of one value each, by name.
var constants = map[string]Mem{}

// constant returns the memory that holds a value in every lane.
func constant(name string, bits uint32) Mem {
	if at, ok := constants[name]; ok {
		return at
	}
	at := GLOBL(name, 8|16) // read-only, no pointers
	for lane := range 16 {
		DATA(4*lane, U32(bits))
	}
	constants[name] = at
	return at
}

func float(name string, value float32) Mem { return constant(name, math.Float32bits(value)) }

// exponential writes y = exp(x) as exp of package kernel computes it. x is
// overwritten.
func exponential(width registers, x reg.VecVirtual) (y reg.VecVirtual) {
	bound, n, square := width.take(), width.take(), width.take()
	y = width.take()
	// The bound comes first: where x is NaN, the instruction gives x.
	VMOVUPS(float("exp_most", 88.8), bound)
	VMINPS(x, bound, x)
	VMOVUPS(float("exp_least", -87.33), bound)
	VMAXPS(x, bound, x)

	VMULPS(float("exp_log2e", 1.44269504088896341), x, n)
	round(width, n)
	VMOVUPS(float("exp_ln2high", -0.693359375), y)
	VFMADD231PS(y, n, x)
	VMOVUPS(float("exp_ln2low", 2.12194440e-4), y)
	VFMADD231PS(y, n, x)

	VMOVUPS(float("exp_c0", 1.9875691500e-4), y)
	for i, c := range []float32{1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		VFMADD213PS(float(fmt.Sprintf("exp_c%d", i+1), c), x, y)
	}
	VMULPS(x, x, square)
	VFMADD213PS(x, square, y)
	VADDPS(float("exp_one", 1), y, y)

	VCVTPS2DQ(n, n)
	VPADDD(constant("exp_bias", 127), n, n)
	VPSLLD(Imm(23), n, n)
	VMULPS(n, y, y)
	return y
}

// round rounds to the nearest integer, halves to even.
func round(width registers, x reg.VecVirtual) {
	if width.bytes == wide.bytes {
		VRNDSCALEPS(Imm(0), x, x)
	} else {
		VROUNDPS(Imm(0), x, x)
	}
}

// exponentials writes exp(x - shift) over n elements, a multiple of the vector.
func exponentials(name string, width registers) {
	TEXT(name, NOSPLIT, "func(n int, values *float32, shift float32)")
	Doc(name + " puts exp(x - shift) in the place of each x, over whole vectors.")
	Pragma("noescape")
	n, values := Load(Param("n"), GP64()), Load(Param("values"), GP64())
	shift := width.take()
	VBROADCASTSS(NewParamAddr("shift", 16), shift)
	Label(name + "_next")
	x := width.take()
	VMOVUPS(Mem{Base: values}, x)
	VSUBPS(shift, x, x)
	VMOVUPS(exponential(width, x), Mem{Base: values})
	ADDQ(U32(uint32(width.bytes)), values)
	SUBQ(U32(uint32(width.bytes/4)), n)
	JNE(LabelRef(name + "_next"))
	VZEROUPPER()
	RET()
}

// swiglu writes the gated activation over n elements, a multiple of the vector.
func swiglu(name string, width registers) {
	TEXT(name, NOSPLIT, "func(n int, dst, gate, up *float32)")
	Doc(name + " is SwiGLU over whole vectors.")
	Pragma("noescape")
	n, dst := Load(Param("n"), GP64()), Load(Param("dst"), GP64())
	gate, up := Load(Param("gate"), GP64()), Load(Param("up"), GP64())
	Label(name + "_next")
	x, g := width.take(), width.take()
	VMOVUPS(Mem{Base: gate}, g)
	negate(width, g, x)
	y := exponential(width, x)
	VADDPS(float("exp_one", 1), y, y)
	VDIVPS(y, g, y)
	VMULPS(Mem{Base: up}, y, y)
	VMOVUPS(y, Mem{Base: dst})
	for _, p := range []reg.Register{gate, up, dst} {
		ADDQ(U32(uint32(width.bytes)), p)
	}
	SUBQ(U32(uint32(width.bytes/4)), n)
	JNE(LabelRef(name + "_next"))
	VZEROUPPER()
	RET()
}

// negate writes y = -x.
func negate(width registers, x, y reg.VecVirtual) {
	sign := constant("sign", 1<<31)
	if width.bytes == wide.bytes {
		VPXORD(sign, x, y)
	} else {
		VXORPS(sign, x, y)
	}
}
