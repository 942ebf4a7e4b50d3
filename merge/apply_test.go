package merge_test

import (
	"bytes"
	"math"
	"math/big"
	"path/filepath"
	"slices"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// The bits that arithmetic would not keep, on each side of a pair: quiet and
// signalling NaN with payloads, -0, infinities, subnormals.
var (
	oddBase  = []uint32{0x7fc10001, 0x80000000, 0x00000000, 0x3f800000, 0xff810001, 0x7f800000, 0x00010000, 0x3f800000, 0xff800000}
	oddTuned = []uint32{0x3f800000, 0x00000000, 0x80000000, 0xffa50001, 0x7f910001, 0xff800000, 0x80010000, 0x7fa10001, 0x80000000}
)

// TestEnds: alpha 0 gives the base's bytes, alpha 1 the tuned model's, in every
// type and for every pattern of bits.
func TestEnds(t *testing.T) {
	for _, d := range floats {
		base, tuned := patterns(d, oddBase...), patterns(d, oddTuned...)
		for _, m := range []*tensorstest.Memory{base, tuned} { // and something that is no number
			m.AddRaw("ids", tensors.Info{DType: "I64", Shape: []int{1}}, []byte("12345678"))
		}
		sameBytes(t, string(d)+" alpha 0", toward(t, base, tuned, 0), base)
		sameBytes(t, string(d)+" alpha -0", toward(t, base, tuned, math.Copysign(0, -1)), base)
		sameBytes(t, string(d)+" alpha 1", toward(t, base, tuned, 1), tuned)
		sameBytes(t, string(d)+" no terms", apply(t, base), base)
		other := merge.Term{Label: "none", Delta: diff(t, base, patterns(d, 0)), Alpha: merge.Number(5)} // another shape: changes nothing
		off := merge.Term{Label: "off", Delta: diff(t, base, tuned), Alpha: merge.Number(0)}
		on := merge.Term{Label: "on", Delta: diff(t, base, tuned), Alpha: merge.Number(1)}
		sameBytes(t, string(d)+" one of three terms", apply(t, base, off, on, other), tuned)
		for _, alpha := range []float64{0, 1} {
			tensorstest.TestSource(t, toward(t, base, tuned, alpha))
		}
	}
}

// TestUnchanged: an element that is the same in both models keeps its bits at
// any alpha. (Of a NaN this holds at 0 and 1: between them it is computed with.)
func TestUnchanged(t *testing.T) {
	words := []uint32{0x80000000, 0x00000000, 0x7f800000, 0xff800000, 0x00010000, 0x80010000, 0x7f7f0000, 0x3f8f0000, 0xc1230000}
	for _, d := range floats {
		base, tuned := patterns(d, append([]uint32{0x3f800000}, words...)...), patterns(d, append([]uint32{0x40000000}, words...)...)
		size := d.Size()
		for _, alpha := range []float64{0.1, 0.5, -1, 2, 1e-30, 1e30} {
			m := toward(t, base, tuned, alpha)
			if got, want := raw(t, m, "x")[size:], raw(t, base, "x")[size:]; !bytes.Equal(got, want) {
				t.Errorf("%s at alpha %v: %x, want %x", d, alpha, got, want)
			}
		}
	}
}

// TestValues merges what can be computed in the head.
func TestValues(t *testing.T) {
	for _, d := range floats {
		base, a, b := vector(d, 1, 2, -3, 0), vector(d, 3, 2, -1, 1), vector(d, 1, 4, 1, -1)
		check := func(want []float32, terms ...merge.Term) {
			t.Helper()
			if got := values(t, apply(t, base, terms...), "x"); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", d, got, want)
			}
		}
		term := func(tuned tensors.Source, alpha float64) merge.Term {
			return merge.Term{Label: "t", Delta: diff(t, base, tuned), Alpha: merge.Number(alpha)}
		}
		check([]float32{2, 2, -2, 0.5}, term(a, 0.5))
		check([]float32{5, 2, 1, 2}, term(a, 2))
		check([]float32{-1, 2, -5, -1}, term(a, -1))
		check([]float32{2, 3, 0, 0}, term(a, 0.5), term(b, 0.5))
		check([]float32{3, 4, 3, 0}, term(a, 1), term(b, 1))
		check([]float32{1, 2, -3, 0}, term(a, 1), term(a, -1))
	}
}

// TestAlphaByPlace asks the alpha of each tensor by its place.
func TestAlphaByPlace(t *testing.T) {
	base, tuned := tensorstest.Pico{Seed: 1}.Weights(), tensorstest.Pico{Seed: 1, Drift: 0.2}.Weights()
	m := apply(t, base, merge.Term{Label: "t", Delta: diff(t, base, tuned), Alpha: func(name string) float64 {
		return map[string]float64{"0": 0, "1": 1, "embed": 0.5}[tensors.KeyOf(name).Row()]
	}})
	half := toward(t, base, tuned, 0.5)
	for _, name := range base.Names() {
		want := map[string]tensors.Source{"0": base, "1": tuned, "embed": half, "norm": base}[tensors.KeyOf(name).Row()]
		if !bytes.Equal(raw(t, m, name), raw(t, want, name)) {
			t.Errorf("%s is not what its alpha asks for", name)
		}
	}
	if bytes.Equal(raw(t, half, "model.embed_tokens.weight"), raw(t, base, "model.embed_tokens.weight")) {
		t.Error("half way is no way: the test does not test")
	}
}

// TestOneRounding compares F32 merges with float64 arithmetic rounded once,
// 16-bit ones with float32 arithmetic rounded once, and both with the exact
// value.
func TestOneRounding(t *testing.T) {
	for _, types := range [][2]tensors.DType{{"F32", "F32"}, {"F32", "BF16"}, {"F16", "F16"}, {"BF16", "BF16"}, {"BF16", "F16"}} {
		d := types[0]
		base, _ := large(d)
		_, tuned := large(types[1])
		const alpha = 0.3
		got, b, u := values(t, toward(t, base, tuned, alpha), "x"), values(t, base, "x"), values(t, tuned, "x")
		want := make([]float32, len(b))
		for i := range b {
			want[i] = b[i] + float32(float32(alpha)*(u[i]-b[i]))
			if d == tensors.F32 {
				want[i] = float32(float64(b[i]) + float64(alpha*(float64(u[i])-float64(b[i]))))
			}
		}
		moved, rounded := 0, values(t, vector(d, want...), "x")
		for i := range got {
			if got[i] != b[i] {
				moved++
			}
			if got[i] != rounded[i] {
				t.Fatalf("%s: element %d is %v, want %v", d, i, got[i], rounded[i])
			}
			// Half a place, and in 16 bits what float32 adds to it: at most
			// 2^-11 of a place, in three roundings. 0.3 times a multiple of 5
			// is a tie to float64, and not quite one to big.Float.
			half := 0.501 * place(d, math.Abs(float64(got[i])))
			if d == tensors.F32 {
				half = 0.5000001 * place(d, math.Abs(float64(got[i])))
			}
			if distance := exactly(b[i], u[i], alpha, got[i]); distance > half {
				t.Fatalf("%s: element %d is %v, off by %v", d, i, got[i], distance)
			}
		}
		if moved < len(got)/3 {
			t.Errorf("%s: only %d of %d elements moved: the test does not test", d, moved, len(got))
		}
	}
}

// exactly is the distance of y from b + alpha*(u-b), in 200 bits: more than
// 24-bit values and a 53-bit alpha can fill.
func exactly(b, u float32, alpha float64, y float32) float64 {
	number := func(v float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(v) }
	x := number(0).Sub(number(float64(u)), number(float64(b)))
	x.Mul(x, number(alpha))
	x.Add(x, number(float64(b)))
	distance, _ := x.Sub(x, number(float64(y))).Float64()
	return math.Abs(distance)
}

// TestOverflow: what no longer fits becomes an infinity, not a wrapped number.
func TestOverflow(t *testing.T) {
	inf := float32(math.Inf(1))
	check := func(d tensors.DType, largest float32) {
		t.Helper()
		if got := values(t, toward(t, vector(d, 0, 0), vector(d, largest, -largest), 2), "x"); !slices.Equal(got, []float32{inf, -inf}) {
			t.Errorf("%s: %v", d, got)
		}
	}
	check("F16", 65504)
	check("BF16", 0x1.fep127)
	check("F32", math.MaxFloat32)
}

// TestMixedTypes keeps the base's type and, with 32 bits on either side, the
// arithmetic of float64.
func TestMixedTypes(t *testing.T) {
	base := vector(tensors.BF16, 1, 1)
	// 1 + 2^-8 is the middle between 1 and its bf16 neighbour; 2^-24 of the
	// way more, and the nearest is the neighbour. float32 cannot hold the sum.
	tuned := vector(tensors.F32, 1+0x1p-7+0x1p-23, 2)
	m := toward(t, base, tuned, 0.5)
	if info, _ := m.Info("x"); info.DType != tensors.BF16 {
		t.Errorf("the merge is stored as %s, its base as BF16", info.DType)
	}
	if got := values(t, m, "x"); got[0] != 1+0x1p-7 || got[1] != 1.5 {
		t.Errorf("%v, want [1.0078125 1.5]", got)
	}
	tensorstest.TestSource(t, m)
	// At alpha 1 the tuned values are rounded to the base's type.
	if got := values(t, toward(t, base, tuned, 1), "x"); got[0] != 1+0x1p-7 || got[1] != 2 {
		t.Errorf("at alpha 1: %v, want [1.0078125 2]", got)
	}
	wide := toward(t, vector(tensors.F32, 1+0x1p-23), vector(tensors.BF16, 2), 0.5)
	if got := values(t, wide, "x")[0]; got != 1.5 { // 1.5 + 2^-24: a tie, to the even one
		t.Errorf("%v, want 1.5", got)
	}
}

// TestContracts: a merged model is a Source like any other, also one that is
// merged from merged ones and one that was scaled by place.
func TestContracts(t *testing.T) {
	for _, d := range floats {
		base, tuned := tensorstest.Pico{Seed: 5, DType: d}.Weights(), tensorstest.Pico{Seed: 5, DType: d, Drift: 0.3}.Weights()
		base.AddRaw("ids", tensors.Info{DType: "I64", Shape: []int{1}}, []byte("12345678"))
		base.Add("empty", d, []int{0, 3}, nil)
		tuned.Add("empty", d, []int{0, 3}, nil)
		base.Add("scalar", d, nil, []float32{1})
		tuned.Add("scalar", d, nil, []float32{2})
		half := toward(t, base, tuned, 0.5)
		again := apply(t, half, merge.Term{Label: "back", Delta: diff(t, half, base), Alpha: merge.Number(0.25)})
		tensorstest.TestSource(t, half)
		tensorstest.TestSource(t, again)
		tensorstest.TestDelta(t, base, diff(t, base, half))
		b, u := large(d)
		tensorstest.TestSource(t, toward(t, b, u, 0.7))
	}
}

// TestWrite: what was scored is what is written.
func TestWrite(t *testing.T) {
	for _, d := range floats {
		base, tuned := tensorstest.Pico{Seed: 5, DType: d}.Weights(), tensorstest.Pico{Seed: 5, DType: d, Drift: 0.3}.Weights()
		m := toward(t, base, tuned, 0.37)
		path := filepath.Join(t.TempDir(), "merged")
		if _, err := tensors.Write(t.Context(), path, m, tensors.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		c, err := tensors.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		sameBytes(t, string(d), c, m)
	}
}

// TestThreads: the same bytes for any number of processors.
func TestThreads(t *testing.T) {
	for _, d := range floats {
		base, tuned := large(d)
		m := toward(t, base, tuned, 0.37)
		var first []byte
		for _, n := range []int{1, 2, 3} {
			threads(n, func() {
				got := raw(t, m, "x")
				if first == nil {
					first = got
				}
				if !bytes.Equal(got, first) {
					t.Errorf("%s: other bytes with %d processors", d, n)
				}
			})
		}
	}
}

// TestOrderOfTerms: two terms commute but for the rounding of their sum.
func TestOrderOfTerms(t *testing.T) {
	for _, d := range floats {
		base := tensorstest.Pico{Seed: 5, DType: d}.Weights()
		var terms []merge.Term
		for i, seed := range []float32{0.2, 0.5} {
			tuned := tensorstest.Pico{Seed: 5, DType: d, Drift: seed}.Weights()
			terms = append(terms, merge.Term{Label: "t", Delta: diff(t, base, tuned), Alpha: merge.Number(0.3 + float64(i))})
		}
		one, other := apply(t, base, terms[0], terms[1]), apply(t, base, terms[1], terms[0])
		for _, name := range base.Names() {
			a, b, c := values(t, one, name), values(t, other, name), values(t, base, name)
			for i := range a {
				// The sum may pass through twice the largest of both.
				if unit := place(d, 2*max(math.Abs(float64(a[i])), math.Abs(float64(c[i])))); math.Abs(float64(a[i])-float64(b[i])) > unit {
					t.Fatalf("%s: %s[%d] is %v one way and %v the other", d, name, i, a[i], b[i])
				}
			}
		}
	}
}
