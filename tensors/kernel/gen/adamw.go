package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// adamw writes a step of AdamW over n weights, a multiple of the vector.
func adamw(name string, width registers) {
	TEXT(name, NOSPLIT, "func(n int, weight, first, second, gradient *float32, step *[9]float32)")
	Doc(name + " is AdamW.update over whole vectors.")
	Pragma("noescape")
	n, weight, first := Load(Param("n"), GP64()).(reg.GPVirtual), Load(Param("weight"), GP64()), Load(Param("first"), GP64())
	second, gradient, step := Load(Param("second"), GP64()), Load(Param("gradient"), GP64()), Load(Param("step"), GP64())
	var numbers [9]reg.VecVirtual
	for i := range numbers {
		numbers[i] = width.take()
		VBROADCASTSS(Mem{Base: step, Disp: 4 * i}, numbers[i])
	}
	scale, decay, beta1, rest1, beta2, rest2, size, root, epsilon := numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]
	loop(name, width, n, []reg.Register{weight, first, second, gradient}, func() {
		g, m, v, w := width.take(), width.take(), width.take(), width.take()
		VMULPS(Mem{Base: gradient}, scale, g)
		VMULPS(Mem{Base: first}, beta1, m)
		VMULPS(g, rest1, w)
		VADDPS(w, m, m)
		VMOVUPS(m, Mem{Base: first})
		VMULPS(g, g, g)
		VMULPS(g, rest2, g)
		VMULPS(Mem{Base: second}, beta2, v)
		VADDPS(g, v, v)
		VMOVUPS(v, Mem{Base: second})
		VSQRTPS(v, v)
		VDIVPS(root, v, v)
		VADDPS(epsilon, v, v)
		VMULPS(m, size, m)
		VDIVPS(v, m, m)
		VMULPS(Mem{Base: weight}, decay, w)
		VSUBPS(m, w, w)
		VMOVUPS(w, Mem{Base: weight})
	})
}
