package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose writes the transposition of 8 rows of n columns, a multiple of 8. Of
// the rows i and i+4, four columns at a time lie in the halves of one register:
// four such registers are transposed without crossing the halves.
func transpose(name string) {
	TEXT(name, NOSPLIT, "func(n int, dst, src *float32, dstStride, srcStride uintptr)")
	Doc(name + " turns 8 rows of n columns into columns. The strides are in bytes.")
	Pragma("noescape")
	n, dst, src := Load(Param("n"), GP64()), Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	to, from := Load(Param("dstStride"), GP64()), Load(Param("srcStride"), GP64())
	to3, from3, dst4, src4 := GP64(), GP64(), GP64(), GP64()
	LEAQ(Mem{Base: to, Index: to, Scale: 2}, to3)
	LEAQ(Mem{Base: from, Index: from, Scale: 2}, from3)
	LEAQ(Mem{Base: src, Index: from, Scale: 4}, src4)
	// line is row i < 4 of a matrix at base.
	line := func(base, stride, triple reg.Register, i int) Mem {
		return []Mem{{Base: base}, {Base: base, Index: stride, Scale: 1}, {Base: base, Index: stride, Scale: 2}, {Base: base, Index: triple, Scale: 1}}[i]
	}

	Label(name + "_next")
	LEAQ(Mem{Base: dst, Index: to, Scale: 4}, dst4)
	for half, base := range []reg.Register{dst, dst4} {
		var rows [4]reg.VecVirtual
		for i := range rows {
			rows[i] = YMM()
			upper, lower := line(src, from, from3, i), line(src4, from, from3, i)
			upper.Disp, lower.Disp = 16*half, 16*half
			VMOVUPS(upper, rows[i].AsX())
			VINSERTF128(Imm(1), lower, rows[i], rows[i])
		}
		low, high := [2]reg.VecVirtual{YMM(), YMM()}, [2]reg.VecVirtual{YMM(), YMM()}
		for pair := range 2 {
			VUNPCKLPS(rows[2*pair+1], rows[2*pair], low[pair])
			VUNPCKHPS(rows[2*pair+1], rows[2*pair], high[pair])
		}
		for i, columns := range [][2]reg.VecVirtual{low, high} {
			even, odd := YMM(), YMM()
			VUNPCKLPD(columns[1], columns[0], even)
			VUNPCKHPD(columns[1], columns[0], odd)
			VMOVUPS(even, line(base, to, to3, 2*i))
			VMOVUPS(odd, line(base, to, to3, 2*i+1))
		}
	}
	ADDQ(Imm(32), src)
	ADDQ(Imm(32), src4)
	LEAQ(Mem{Base: dst4, Index: to, Scale: 4}, dst)
	SUBQ(Imm(8), n)
	JNE(LabelRef(name + "_next"))
	VZEROUPPER()
	RET()
}

// largest writes the largest of n elements, a multiple of 16. A NaN counts for
// nothing: where one is, the instruction gives what was largest before.
func largest(name string) {
	TEXT(name, NOSPLIT, "func(n int, x *float32) float32")
	Doc(name + " is largestPlain over whole vectors.")
	Pragma("noescape")
	n, x := Load(Param("n"), GP64()), Load(Param("x"), GP64())
	a, b, v, w := YMM(), YMM(), YMM(), YMM()
	VMOVUPS(float("minus_infinity", float32(math.Inf(-1))), a)
	VMOVUPS(a, b)
	Label(name + "_next")
	VMOVUPS(Mem{Base: x}, v)
	VMOVUPS(Mem{Base: x, Disp: 32}, w)
	VMAXPS(a, v, a)
	VMAXPS(b, w, b)
	ADDQ(Imm(64), x)
	SUBQ(Imm(16), n)
	JNE(LabelRef(name + "_next"))
	VMAXPS(a, b, a)
	VEXTRACTF128(Imm(1), a, b.AsX())
	VMAXPS(a.AsX(), b.AsX(), a.AsX())
	VPSHUFD(Imm(0xe), a.AsX(), b.AsX())
	VMAXPS(a.AsX(), b.AsX(), a.AsX())
	VPSHUFD(Imm(1), a.AsX(), b.AsX())
	VMAXSS(a.AsX(), b.AsX(), a.AsX())
	Store(a.AsX(), ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// sums writes the sums of n elements in eight chains.
func sums(name string) {
	TEXT(name, NOSPLIT, "func(n int, x *float32, sums *[8]float32)")
	Doc(name + " is eightSums over whole vectors.")
	Pragma("noescape")
	n, x, sums := Load(Param("n"), GP64()), Load(Param("x"), GP64()), Load(Param("sums"), GP64())
	sum := YMM()
	VMOVUPS(Mem{Base: sums}, sum)
	Label(name + "_next")
	VADDPS(Mem{Base: x}, sum, sum)
	ADDQ(Imm(32), x)
	SUBQ(Imm(8), n)
	JNE(LabelRef(name + "_next"))
	VMOVUPS(sum, Mem{Base: sums})
	VZEROUPPER()
	RET()
}

// dots writes the sums of a[i]*b[i] over n elements in eight chains.
func dots(name string) {
	TEXT(name, NOSPLIT, "func(n int, a, b *float32, sums *[8]float32)")
	Doc(name + " is eightDots over whole vectors.")
	Pragma("noescape")
	n, a, b := Load(Param("n"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	sums := Load(Param("sums"), GP64())
	sum, v := YMM(), YMM()
	VMOVUPS(Mem{Base: sums}, sum)
	Label(name + "_next")
	VMOVUPS(Mem{Base: a}, v)
	VMULPS(Mem{Base: b}, v, v)
	VADDPS(v, sum, sum)
	ADDQ(Imm(32), a)
	ADDQ(Imm(32), b)
	SUBQ(Imm(8), n)
	JNE(LabelRef(name + "_next"))
	VMOVUPS(sum, Mem{Base: sums})
	VZEROUPPER()
	RET()
}

// swigluGradient writes the gradients of the gated activation over n elements, a
// multiple of the vector.
func swigluGradient(name string, width registers) {
	TEXT(name, NOSPLIT, "func(n int, dgate, dup, gradient, gate, up *float32)")
	Doc(name + " is SwiGLUGradient over whole vectors.")
	Pragma("noescape")
	n, dgate, dup := Load(Param("n"), GP64()).(reg.GPVirtual), Load(Param("dgate"), GP64()), Load(Param("dup"), GP64())
	gradient, gate, up := Load(Param("gradient"), GP64()), Load(Param("gate"), GP64()), Load(Param("up"), GP64())
	loop(name, width, n, []reg.Register{dgate, dup, gradient, gate, up}, func() {
		g, x, one, slope := width.take(), width.take(), width.take(), width.take()
		VMOVUPS(Mem{Base: gate}, g)
		negate(width, g, x)
		s := exponential(width, x)
		VMOVUPS(float("exp_one", 1), one)
		VADDPS(one, s, s)
		VDIVPS(s, one, s)
		VMOVUPS(Mem{Base: gradient}, slope)
		VMULPS(g, s, x)
		VMULPS(slope, x, x)
		VMOVUPS(x, Mem{Base: dup})
		VSUBPS(s, one, x)
		VMULPS(g, x, x)
		VADDPS(one, x, x)
		VMULPS(s, x, x)
		VMULPS(Mem{Base: up}, slope, slope)
		VMULPS(slope, x, x)
		VMOVUPS(x, Mem{Base: dgate})
	})
}

// addScaled writes sum += slope * (x * scale) over n elements.
func addScaled(name string, width registers) {
	TEXT(name, NOSPLIT, "func(n int, sum, slope, x *float32, scale float32)")
	Doc(name + " adds slope * (x * scale) to sum over whole vectors.")
	Pragma("noescape")
	n, sum := Load(Param("n"), GP64()).(reg.GPVirtual), Load(Param("sum"), GP64())
	slope, x := Load(Param("slope"), GP64()), Load(Param("x"), GP64())
	scale := width.take()
	VBROADCASTSS(NewParamAddr("scale", 32), scale)
	loop(name, width, n, []reg.Register{sum, slope, x}, func() {
		v := width.take()
		VMULPS(Mem{Base: x}, scale, v)
		VMULPS(Mem{Base: slope}, v, v)
		VADDPS(Mem{Base: sum}, v, v)
		VMOVUPS(v, Mem{Base: sum})
	})
}

// reject writes dst = (dst - x * along) * scale over n elements.
func reject(name string, width registers) {
	TEXT(name, NOSPLIT, "func(n int, dst, x *float32, along, scale float32)")
	Doc(name + " writes (dst - x * along) * scale over whole vectors.")
	Pragma("noescape")
	n, dst, x := Load(Param("n"), GP64()).(reg.GPVirtual), Load(Param("dst"), GP64()), Load(Param("x"), GP64())
	along, scale := width.take(), width.take()
	VBROADCASTSS(NewParamAddr("along", 24), along)
	VBROADCASTSS(NewParamAddr("scale", 28), scale)
	loop(name, width, n, []reg.Register{dst, x}, func() {
		v, part := width.take(), width.take()
		VMOVUPS(Mem{Base: dst}, v)
		VMULPS(Mem{Base: x}, along, part)
		VSUBPS(part, v, v)
		VMULPS(scale, v, v)
		VMOVUPS(v, Mem{Base: dst})
	})
}

// centre writes dst = (dst - mean) * weight * scale over n elements.
func centre(name string, width registers) {
	TEXT(name, NOSPLIT, "func(n int, dst, weight *float32, mean, scale float32)")
	Doc(name + " writes (dst - mean) * weight * scale over whole vectors.")
	Pragma("noescape")
	n, dst, weight := Load(Param("n"), GP64()).(reg.GPVirtual), Load(Param("dst"), GP64()), Load(Param("weight"), GP64())
	mean, scale := width.take(), width.take()
	VBROADCASTSS(NewParamAddr("mean", 24), mean)
	VBROADCASTSS(NewParamAddr("scale", 28), scale)
	loop(name, width, n, []reg.Register{dst, weight}, func() {
		v := width.take()
		VMOVUPS(Mem{Base: dst}, v)
		VSUBPS(mean, v, v)
		VMULPS(Mem{Base: weight}, v, v)
		VMULPS(scale, v, v)
		VMOVUPS(v, Mem{Base: dst})
	})
}

// multiply writes dst = dst * factor over n elements.
func multiply(name string, width registers) {
	TEXT(name, NOSPLIT, "func(n int, dst *float32, factor float32)")
	Doc(name + " multiplies by a factor over whole vectors.")
	Pragma("noescape")
	n, dst := Load(Param("n"), GP64()).(reg.GPVirtual), Load(Param("dst"), GP64())
	factor := width.take()
	VBROADCASTSS(NewParamAddr("factor", 16), factor)
	loop(name, width, n, []reg.Register{dst}, func() {
		v := width.take()
		VMULPS(Mem{Base: dst}, factor, v)
		VMOVUPS(v, Mem{Base: dst})
	})
}
