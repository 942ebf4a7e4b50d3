package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// loop writes what is done to n elements, a multiple of the vector, by body,
// with pointers that go on from vector to vector.
func loop(name string, width registers, n reg.GPVirtual, pointers []reg.Register, body func()) {
	Label(name + "_next")
	body()
	for _, p := range pointers {
		ADDQ(U32(uint32(width.bytes)), p)
	}
	SUBQ(U32(uint32(width.bytes/4)), n)
	JNE(LabelRef(name + "_next"))
	VZEROUPPER()
	RET()
}

// add writes dst = a + b over n elements.
func add(name string, width registers) {
	TEXT(name, NOSPLIT, "func(n int, dst, a, b *float32)")
	Doc(name + " is Add over whole vectors.")
	Pragma("noescape")
	n, dst, a, b := Load(Param("n"), GP64()).(reg.GPVirtual), Load(Param("dst"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	loop(name, width, n, []reg.Register{dst, a, b}, func() {
		x := width.take()
		VMOVUPS(Mem{Base: a}, x)
		VADDPS(Mem{Base: b}, x, x)
		VMOVUPS(x, Mem{Base: dst})
	})
}

// squares writes the sums of squares of n elements in eight chains.
func squares(name string) {
	TEXT(name, NOSPLIT, "func(n int, x *float32, sums *[8]float32)")
	Doc(name + " is eightSquares over whole vectors.")
	Pragma("noescape")
	n, x, sums := Load(Param("n"), GP64()), Load(Param("x"), GP64()), Load(Param("sums"), GP64())
	sum, v := YMM(), YMM()
	VMOVUPS(Mem{Base: sums}, sum)
	Label(name + "_next")
	VMOVUPS(Mem{Base: x}, v)
	VMULPS(v, v, v)
	VADDPS(v, sum, sum)
	ADDQ(Imm(32), x)
	SUBQ(Imm(8), n)
	JNE(LabelRef(name + "_next"))
	VMOVUPS(sum, Mem{Base: sums})
	VZEROUPPER()
	RET()
}

// scaled writes dst = weight * (x * scale) over n elements.
func scaled(name string, width registers) {
	TEXT(name, NOSPLIT, "func(n int, dst, x, weight *float32, scale float32)")
	Doc(name + " writes weight * (x * scale) over whole vectors.")
	Pragma("noescape")
	n, dst, x, weight := Load(Param("n"), GP64()).(reg.GPVirtual), Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("weight"), GP64())
	scale := width.take()
	VBROADCASTSS(NewParamAddr("scale", 32), scale)
	loop(name, width, n, []reg.Register{dst, x, weight}, func() {
		v := width.take()
		VMULPS(Mem{Base: x}, scale, v)
		VMULPS(Mem{Base: weight}, v, v)
		VMOVUPS(v, Mem{Base: dst})
	})
}

// rotate writes the rotation of n pairs of channels, half elements apart.
func rotate(name string, width registers) {
	TEXT(name, NOSPLIT, "func(n int, dst, x, cos, sin *float32, half int)")
	Doc(name + " is rotatePlain over whole vectors, of channels half elements apart.")
	Pragma("noescape")
	n, dst, x := Load(Param("n"), GP64()).(reg.GPVirtual), Load(Param("dst"), GP64()), Load(Param("x"), GP64())
	cos, sin, half := Load(Param("cos"), GP64()), Load(Param("sin"), GP64()), Load(Param("half"), GP64())
	loop(name, width, n, []reg.Register{dst, x, cos, sin}, func() {
		a, b, c, s, first, second := width.take(), width.take(), width.take(), width.take(), width.take(), width.take()
		VMOVUPS(Mem{Base: x}, a)
		VMOVUPS(Mem{Base: x, Index: half, Scale: 4}, b)
		VMOVUPS(Mem{Base: cos}, c)
		VMOVUPS(Mem{Base: sin}, s)
		VMULPS(a, c, first)
		VMULPS(b, s, second)
		VSUBPS(second, first, first)
		VMOVUPS(first, Mem{Base: dst})
		VMULPS(b, c, first)
		VMULPS(a, s, second)
		VADDPS(second, first, first)
		VMOVUPS(first, Mem{Base: dst, Index: half, Scale: 4})
	})
}

// divide writes dst = x / by over n elements.
func divide(name string, width registers) {
	TEXT(name, NOSPLIT, "func(n int, dst, x *float32, by float32)")
	Doc(name + " divides by one value over whole vectors.")
	Pragma("noescape")
	n, dst, x := Load(Param("n"), GP64()).(reg.GPVirtual), Load(Param("dst"), GP64()), Load(Param("x"), GP64())
	by := width.take()
	VBROADCASTSS(NewParamAddr("by", 24), by)
	loop(name, width, n, []reg.Register{dst, x}, func() {
		v := width.take()
		VMOVUPS(Mem{Base: x}, v)
		VDIVPS(by, v, v)
		VMOVUPS(v, Mem{Base: dst})
	})
}
