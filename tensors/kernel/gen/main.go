// Command gen writes the assembly of package kernel's matrix product and of its
// loops over rows:
//
//	go generate surgeon/tensors/kernel
//
// It is a module of its own, so that nobody who builds surgeon needs the
// generator.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Of package kernel: the columns of a panel, and the bytes from one row of a
// packed block of x to the next.
const (
	panelColumns = 32
	blockStride  = 4 * (256 + 16)
	// ahead is how many rows of a panel are asked for before they are used: a
	// panel streams from memory once for each tile, and with few rows of x
	// that is what takes the time.
	ahead = 32
)

func main() {
	arm64 := flag.String("arm64", "", "the file of the NEON tiles, without its .s and .go")
	tiles := flag.String("amx", "", "the file of the AMX tiles, without its .s and .go")
	ConstraintExpr("amd64")
	for rows := 1; rows <= 14; rows++ {
		tile(fmt.Sprintf("tile512f32x%d", rows), rows, wide, false)
		tile(fmt.Sprintf("tile512bf16x%d", rows), rows, wide, true)
	}
	for rows := 1; rows <= 6; rows++ {
		tile(fmt.Sprintf("tile256f32x%d", rows), rows, narrow, false)
		tile(fmt.Sprintf("tile256bf16x%d", rows), rows, narrow, true)
	}
	exponentials("exponentials512", wide)
	exponentials("exponentials256", narrow)
	swiglu("swiglu512", wide)
	swiglu("swiglu256", narrow)
	add("add512", wide)
	add("add256", narrow)
	squares("squares256")
	scaled("scaled512", wide)
	scaled("scaled256", narrow)
	rotate("rotate512", wide)
	rotate("rotate256", narrow)
	splitter()
	transpose("transpose256")
	largest("largest256")
	sums("sums256")
	dots("dots256")
	for _, width := range []registers{wide, narrow} {
		suffix := fmt.Sprint(8 * width.bytes)
		swigluGradient("swigluGradient"+suffix, width)
		addScaled("addScaled"+suffix, width)
		reject("reject"+suffix, width)
		centre("centre"+suffix, width)
		multiply("multiply"+suffix, width)
		divide("divide"+suffix, width)
		adamw("adamw"+suffix, width)
	}
	Generate()
	if err := errors.Join(neon(*arm64), amx(*tiles)); err != nil {
		log.Fatal(err)
	}
}

// registers is a width of vector registers.
type registers struct {
	bytes int
	take  func() reg.VecVirtual
}

var (
	wide   = registers{64, func() reg.VecVirtual { return ZMM() }}
	narrow = registers{32, func() reg.VecVirtual { return YMM() }}
)

// tile writes a function that adds a tile of the product to what c holds or, with
// add false, to 0:
//
//	c[r][j] += sum over i < k of x[r][i] * panel[i][j]
//
// for rows rows and, of the 32 columns of a panel, the vector at the start of
// each half. Each sum is one chain of fused multiply-adds from 0 over ascending
// i. x has rows of blockStride bytes, c rows of stride bytes. A bf16 panel holds
// two neighbours i in one 32-bit word, the even one in its low half, which a
// shift widens as a mask does the other; k counts such pairs.
func tile(name string, rows int, width registers, bf16 bool) {
	count, kind, neighbours := "k", "float32", 1
	if bf16 {
		count, kind, neighbours = "pairs", "uint32", 2
	}
	TEXT(name, NOSPLIT, "func("+count+" int, x *float32, panel *"+kind+", c *float32, stride uintptr, add bool)")
	Doc(fmt.Sprintf("%s writes %d rows of the product with two vectors of columns to c, or adds them.", name, rows))
	Pragma("noescape")
	k, x := Load(Param(count), GP64()), Load(Param("x"), GP64())
	panel, c, stride := Load(Param("panel"), GP64()), Load(Param("c"), GP64()), Load(Param("stride"), GP64())

	sums := make([][2]reg.VecVirtual, rows)
	for r := range sums {
		for half := range sums[r] {
			sums[r][half] = zero(width)
		}
	}
	low, high, value := width.take(), width.take(), width.take()
	var mask reg.VecVirtual
	if bf16 {
		mask = upperHalves(width)
	}

	Label(name + "_next")
	PREFETCHT0(Mem{Base: panel, Disp: 4 * panelColumns * ahead})
	PREFETCHT0(Mem{Base: panel, Disp: 4*panelColumns*ahead + 64})
	for i := range neighbours {
		VMOVUPS(Mem{Base: panel}, low)
		VMOVUPS(Mem{Base: panel, Disp: 4 * panelColumns / 2}, high)
		for _, v := range []reg.VecVirtual{low, high} {
			switch {
			case bf16 && i == 0:
				VPSLLD(Imm(16), v, v)
			case bf16:
				and(width, mask, v)
			}
		}
		for r := range sums {
			VBROADCASTSS(Mem{Base: x, Disp: r*blockStride + 4*i}, value)
			VFMADD231PS(low, value, sums[r][0])
			VFMADD231PS(high, value, sums[r][1])
		}
	}
	ADDQ(Imm(uint64(4*neighbours)), x)
	ADDQ(U32(4*panelColumns), panel)
	DECQ(k)
	JNE(LabelRef(name + "_next"))

	add := Load(Param("add"), GP8())
	TESTB(add, add)
	JE(LabelRef(name + "_write"))
	store := func(added func(half int) Op) {
		for r := range sums {
			for half, sum := range sums[r] {
				VADDPS(added(half), sum, sum)
				VMOVUPS(sum, Mem{Base: c, Disp: half * 4 * panelColumns / 2})
			}
			if r < rows-1 {
				ADDQ(stride, c)
			}
		}
		VZEROUPPER()
		RET()
	}
	store(func(half int) Op { return Mem{Base: c, Disp: half * 4 * panelColumns / 2} })
	Label(name + "_write")
	clearRegister(width, low) // -0 becomes 0, as it does when it is added
	store(func(int) Op { return low })
}

// zero clears a new register.
func zero(width registers) reg.VecVirtual {
	v := width.take()
	clearRegister(width, v)
	return v
}

func clearRegister(width registers, v reg.VecVirtual) {
	if width.bytes == wide.bytes {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

// upperHalves sets the upper 16 bits of each word of a new register.
func upperHalves(width registers) reg.VecVirtual {
	v := width.take()
	if width.bytes == wide.bytes {
		VPTERNLOGD(Imm(0xff), v, v, v)
	} else {
		VPCMPEQD(v, v, v)
	}
	VPSLLD(Imm(16), v, v)
	return v
}

func and(width registers, mask, v reg.VecVirtual) {
	if width.bytes == wide.bytes {
		VPANDD(mask, v, v)
	} else {
		VPAND(mask, v, v)
	}
}
