package kernel_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"surgeon/tensors/kernel"
)

// exactFMA is x*y + z rounded once, by arithmetic of any precision.
func exactFMA(x, y, z float32) float32 {
	product := new(big.Float).SetPrec(2000).Mul(big.NewFloat(float64(x)), big.NewFloat(float64(y)))
	sum, _ := product.Add(product, big.NewFloat(float64(z))).Float32()
	return sum
}

// product is the definition of Multiply: chains of 256 fused multiply-adds,
// added up.
func product(x, weight []float32, rows, in, out int) []float32 {
	dst := make([]float32, rows*out)
	for r := range rows {
		for o := range out {
			for start := 0; start < in; start += 256 {
				var chain float32
				for i := start; i < min(start+256, in); i++ {
					chain = exactFMA(x[r*in+i], weight[o*in+i], chain)
				}
				dst[r*out+o] += chain
			}
		}
	}
	return dst
}

// instructionSets runs a test with everything that this processor has.
func instructionSets(t *testing.T, test func(t *testing.T)) {
	best := kernel.Instructions()
	for _, name := range []string{"generic", "neon", "avx2", "avx512"} {
		t.Run(name, func(t *testing.T) {
			if err := kernel.Use(name); err != nil {
				t.Skip(err)
			}
			defer kernel.Use(best)
			test(t)
		})
	}
}

// TestMultiply compares every instruction set with the definition, bit for
// bit, in shapes around the sizes of tiles, panels and blocks.
func TestMultiply(t *testing.T) {
	type shape struct{ rows, in, out int }
	var shapes []shape
	for rows := range 16 {
		shapes = append(shapes, shape{rows, 3, 33})
	}
	shapes = append(shapes, shape{1, 256, 32}, shape{2, 257, 31}, shape{5, 600, 65}, shape{29, 40, 100}, shape{3, 0, 5}, shape{3, 5, 0}, shape{43, 17, 1})
	random := rand.New(rand.NewPCG(3, 4))
	for _, s := range shapes {
		x, raw := make([]float32, s.rows*s.in), make([]byte, 2*s.out*s.in)
		for i := range x {
			x[i] = float32(random.NormFloat64())
		}
		weight := make([]float32, s.out*s.in)
		for i := range weight {
			weight[i] = float32(random.NormFloat64())
		}
		kernel.RoundBF16(raw, weight)
		kernel.WidenBF16(weight, raw)
		want := product(x, weight, s.rows, s.in, s.out)
		var single, half kernel.Panels
		single.Pack(weight, s.out, s.in)
		half.PackBF16(raw, s.out, s.in)
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			instructionSets(t, func(t *testing.T) {
				for what, p := range map[string]*kernel.Panels{"float32": &single, "bfloat16": &half} {
					got := make([]float32, s.rows*s.out)
					for i := range got {
						got[i] = float32(math.NaN()) // what was there before must not show
					}
					p.Multiply(got, x, s.rows)
					for i := range got {
						if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
							t.Fatalf("%s: row %d, column %d is %v, want %v", what, i/s.out, i%s.out, got[i], want[i])
						}
					}
				}
			})
		})
	}
}

// TestMultiplyRows: a row's result does not depend on the rows beside it.
func TestMultiplyRows(t *testing.T) {
	const rows, in, out = 61, 300, 70
	random := rand.New(rand.NewPCG(5, 6))
	x, weight := make([]float32, rows*in), make([]float32, out*in)
	for i := range x {
		x[i] = random.Float32() - 0.5
	}
	for i := range weight {
		weight[i] = random.Float32() - 0.5
	}
	var p kernel.Panels
	p.Pack(weight, out, in)
	whole, one := make([]float32, rows*out), make([]float32, out)
	p.Multiply(whole, x, rows)
	for r := range rows {
		p.Multiply(one, x[r*in:(r+1)*in], 1)
		for o, v := range one {
			if v != whole[r*out+o] {
				t.Fatalf("row %d, column %d: %v alone, %v among others", r, o, v, whole[r*out+o])
			}
		}
	}
}

// TestPackAgain: memory that held another weight leaves nothing behind.
func TestPackAgain(t *testing.T) {
	var p kernel.Panels
	p.PackBF16([]byte{0x80, 0x3f, 0, 0x40, 0x40, 0x40, 0x80, 0x40}, 4, 1)
	p.Pack([]float32{5, 6}, 1, 2)
	got := make([]float32, 1)
	p.Multiply(got, []float32{1, 10}, 1)
	if out, in := p.Shape(); got[0] != 65 || out != 1 || in != 2 || p.Bytes() != 4*2*32 {
		t.Errorf("got %v, shape %d, %d, %d bytes; want 65, 1, 2, 256", got, out, in, p.Bytes())
	}
}

func TestUse(t *testing.T) {
	best := kernel.Instructions()
	if err := kernel.Use("mmx"); err == nil || kernel.Instructions() != best {
		t.Errorf("mmx: error %v, in use %s", err, kernel.Instructions())
	}
}
