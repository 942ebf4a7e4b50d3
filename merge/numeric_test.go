package merge_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// summed is what the numeric contract says of one element: base plus alphas
// times differences, one after another, in float32 or in float64, every step
// rounded there, and the end rounded once more to the stored type.
func summed(stored tensors.DType, inFloat64 bool, base float64, tuned []float64, alphas ...float64) float64 {
	narrow, whole := float32(base), base
	for k, alpha := range alphas {
		if tuned[k] == base {
			continue
		}
		narrow += float32(float32(alpha) * (float32(tuned[k]) - float32(base)))
		whole += float64(alpha * (tuned[k] - base))
	}
	if inFloat64 {
		return nearest(stored, whole)
	}
	return nearest(stored, float64(narrow))
}

// sameValues compares a merge with what it should hold, element by element.
func sameValues(t *testing.T, what string, got, want []float64) {
	t.Helper()
	wrong := 0
	for i := range want {
		if !alike(got[i], want[i]) || want[i] == 0 && math.Signbit(got[i]) != math.Signbit(want[i]) {
			if wrong++; wrong <= 3 {
				t.Errorf("%s: element %d is %v, want %v", what, i, got[i], want[i])
			}
		}
	}
}

// TestEveryMixture merges every type with every other one into every third,
// one term and two, and compares with the contract. Any side of more than 16
// bits makes it float64. The stored values overflow and underflow too.
func TestEveryMixture(t *testing.T) {
	const n = 300
	draw := func(k, i int) float64 { // mostly near 1, sometimes of any size
		v := draws()[k][i]
		if i%10 == 0 {
			return math.Ldexp(v, i/2-80)
		}
		return draws()[0][i] + 0.05*float64(k)*v
	}
	lists := make([][]float64, 3)
	for k := range lists {
		for i := range n {
			lists[k] = append(lists[k], draw(k, i))
		}
	}
	models := make([]map[tensors.DType]*tensorstest.Memory, 3)
	for k, list := range lists {
		models[k] = map[tensors.DType]*tensorstest.Memory{}
		for _, d := range everyType {
			finite := slices.Clone(list)
			for i, v := range finite {
				if v = nearest(d, v); v-v != 0 {
					finite[i] = math.Copysign(formats[d].most, list[i])
				}
			}
			models[k][d] = row(d, finite...)
		}
	}
	moved := 0
	for _, d := range everyType {
		for _, e := range everyType {
			base, one, two := models[0][d], models[1][e], models[2][d]
			for _, alphas := range [][]float64{{0.3}, {-1.7}, {0.3, 0.45}} {
				tuned := []*tensorstest.Memory{one, two}[:len(alphas)]
				var terms []merge.Term
				var sides [][]float64
				for k := range tuned {
					terms = append(terms, term(diff(t, base, tuned[k]), alphas[k]))
					sides = append(sides, wide(t, tuned[k], "x"))
				}
				m, b := apply(t, base, terms...), wide(t, base, "x")
				for _, out := range append([]tensors.DType{""}, everyType...) {
					kept := out
					if out == "" {
						kept = d
					}
					want := make([]float64, n)
					for i := range want {
						at := make([]float64, len(sides))
						for k := range sides {
							at[k] = sides[k][i]
						}
						want[i] = summed(kept, max(d.Bits(), e.Bits(), kept.Bits()) > 16, b[i], at, alphas...)
						if want[i] != b[i] {
							moved++
						}
					}
					sameValues(t, string(d+" "+e+" "+out), wide(t, m.With(merge.Options{DType: out}), "x"), want)
				}
			}
		}
	}
	if moved < 100*n {
		t.Errorf("%d elements moved: the test does not test", moved)
	}
}

// TestFloat64 holds values that float32 does not: their merge is within the
// three roundings of float64 of the exact one, and is no float32 either.
func TestFloat64(t *testing.T) {
	base, tuned := long(tensors.F64, 0, 0), long(tensors.F64, 1, 0.1)
	for _, alpha := range []float64{0.1, 0.7, -0.3, 1.7} {
		b, u, got, narrow := wide(t, base, "x"), wide(t, tuned, "x"), wide(t, toward(t, base, tuned, alpha), "x"), 0
		for i := range 5000 {
			x := new(big.Float).SetPrec(300).Sub(number300(u[i]), number300(b[i]))
			x.Add(x.Mul(x, number300(alpha)), number300(b[i]))
			off, _ := x.Sub(x, number300(got[i])).Float64()
			if limit := 1.5 * quantum(tensors.F64, 2*max(math.Abs(b[i]), math.Abs(u[i]))); !(math.Abs(off) <= limit) {
				t.Fatalf("alpha %v: element %d is %v, off by %v, at most %v", alpha, i, got[i], off, limit)
			}
			if float64(float32(got[i])) == got[i] {
				narrow++
			}
		}
		if narrow > 5 {
			t.Errorf("alpha %v: %d of 5000 results are float32 numbers", alpha, narrow)
		}
	}
	if got := wide(t, toward(t, row(tensors.F64, 1e300, 1), row(tensors.F64, 3e300, 1+0x1p-52), 0.5), "x"); got[0] != 2e300 || got[1] != 1 {
		t.Errorf("%v, want [2e300 1]", got)
	}
}

func number300(v float64) *big.Float { return new(big.Float).SetPrec(300).SetFloat64(v) }

// TestOneRoundingOut: a value just above the middle of two numbers of the out
// type is rounded up, also where float32 or the base's type would first make
// it the middle.
func TestOneRoundingOut(t *testing.T) {
	check := func(base, tuned, out tensors.DType, b, u, alpha, want float64) {
		t.Helper()
		if got := wide(t, toward(t, row(base, b), row(tuned, u), alpha).With(merge.Options{DType: out}), "x")[0]; got != want {
			t.Errorf("%s towards %s as %s: %v, want %v", base, tuned, out, got, want)
		}
	}
	check("F64", "F64", "BF16", 1, 1+0x1p-7+0x1p-40, 0.5, 1+0x1p-7)
	check("F64", "F64", "F16", 1, 1+0x1p-10+0x1p-40, 0.5, 1+0x1p-10)
	check("F64", "F64", "F32", 1, 1+0x1p-23+0x1p-50, 0.5, 1+0x1p-23)
	check("F64", "F64", "F8_E4M3", 1, 1.125+0x1p-40, 0.5, 1.125)
	check("F64", "F64", "F8_E5M2", 1, 1.25+0x1p-40, 0.5, 1.25)
	check("F16", "F16", "BF16", 1, 1+0x1p-7+0x1p-9, 0.5, 1+0x1p-7)
	check("BF16", "BF16", "F8_E4M3", 1, 1.125+0x1p-7, 0.5, 1.125)
	check("BF16", "BF16", "F32", 1, 1+0x1p-7, 0.3, float64(float32(1+0.3*0x1p-7))) // float32 arithmetic and float64 differ in nothing here
	check("BF16", "BF16", "F64", 1, 1+0x1p-7, 0.3, 1+0.3*0x1p-7)                   // and here they do
	check("BF16", "F32", "", 1, 1+0x1p-7+0x1p-23, 0.5, 1+0x1p-7)
}
