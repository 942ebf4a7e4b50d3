package tensors_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestDifference holds every pair of types to the contract of a Delta.
func TestDifference(t *testing.T) {
	for _, d := range floats {
		for _, e := range floats {
			base, tuned := tensorstest.Pico{Seed: 3, DType: d}.Weights(), tensorstest.Pico{Seed: 3, DType: e, Drift: 0.1}.Weights()
			difference, err := tensors.Diff(base, tuned)
			if err != nil {
				t.Fatal(err)
			}
			if len(difference.Unmatched) > 0 || !slices.Equal(difference.Names(), base.Names()) {
				t.Errorf("%s and %s: unmatched %v", d, e, difference.Unmatched)
			}
			tensorstest.TestDelta(t, base, difference)
		}
	}
}

// TestDifferenceValues adds differences that can be computed in the head.
func TestDifferenceValues(t *testing.T) {
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	negative := float32(math.Copysign(0, -1))
	inf := float32(math.Inf(1))
	base.Add("x", tensors.BF16, []int{6}, []float32{1, -2, 0, negative, inf, 3})
	tuned.Add("x", tensors.F32, []int{6}, []float32{1.5, -2, negative, 0, inf, 1})
	difference, err := tensors.Diff(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	// An infinity on both sides and zeros of either sign are no difference.
	want := []float32{10.25, 10, negative, negative, 10, 9}
	narrow, wide := []float32{10, 10, negative, negative, 10, 10}, []float64{10, 10, math.Copysign(0, -1), math.Copysign(0, -1), 10, 10}
	if err := errors.Join(difference.AddTo(narrow, "x", 0, 0.5), difference.AddTo64(wide, "x", 0, 0.5)); err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		if math.Float32bits(narrow[i]) != math.Float32bits(w) || math.Float64bits(wide[i]) != math.Float64bits(float64(w)) {
			t.Errorf("element %d: %v and %v, want %v", i, narrow[i], wide[i], w)
		}
	}
	part := []float32{0}
	if err := difference.AddTo(part, "x", 5, 1); err != nil || part[0] != -2 {
		t.Errorf("element 5 alone: %v, %v; want -2", part[0], err)
	}
	if err := difference.AddTo(part, "x", 6, 1); err == nil {
		t.Error("a range past the end gives no error")
	}
	if err := difference.AddTo64([]float64{0}, "x", 6, 1); err == nil {
		t.Error("a range past the end gives no error in float64")
	}
}

// TestWideDifference: AddTo64 keeps what float32 cannot hold.
func TestWideDifference(t *testing.T) {
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	base.Add("x", tensors.F32, []int{1}, []float32{1})
	tuned.Add("x", tensors.F32, []int{1}, []float32{0x1p-28}) // 28 binary places below: float32 has 24
	difference, err := tensors.Diff(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	wide := []float64{0}
	if err := difference.AddTo64(wide, "x", 0, 1); err != nil || wide[0] != 0x1p-28-1 {
		t.Errorf("%v, %v", wide[0], err)
	}
}

// TestUnmatched says of every tensor of either side why it has no difference.
func TestUnmatched(t *testing.T) {
	type side struct {
		d     tensors.DType
		shape []int
		fill  byte
	}
	check := func(name string, base, tuned *side, where, reason string) {
		t.Helper()
		sources := [2]*tensorstest.Memory{tensorstest.NewMemory(), tensorstest.NewMemory()}
		for i, s := range []*side{base, tuned} {
			if s != nil {
				info := tensors.Info{DType: s.d, Shape: s.shape}
				sources[i].AddRaw("x", info, slices.Repeat([]byte{s.fill}, int(info.Bytes())))
			}
			sources[i].Add("y", tensors.F32, []int{1}, []float32{1})
		}
		d, err := tensors.Diff(sources[0], sources[1])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var want []tensors.Unmatched
		names := []string{"y"}
		if reason != "" {
			want = []tensors.Unmatched{{Name: "x", Side: where, Reason: reason}}
		} else if base.d.Float() {
			names = []string{"x", "y"}
		}
		if !slices.Equal(d.Unmatched, want) || !slices.Equal(d.Names(), names) {
			t.Errorf("%s: unmatched %q, names %q; want %q, %q", name, d.Unmatched, d.Names(), want, names)
		}
	}
	f32 := &side{"F32", []int{2, 3}, 1}
	i64 := &side{"I64", []int{2}, 1}
	check("same", f32, f32, "", "")
	check("types to be widened", f32, &side{"BF16", []int{2, 3}, 1}, "", "")
	check("only in the base", f32, nil, tensors.SideBase, "the tuned model has no such tensor")
	check("only in the tuned", nil, f32, tensors.SideTuned, "the base has no such tensor")
	check("transposed", f32, &side{"F32", []int{3, 2}, 1}, tensors.SideBoth, "shape [2 3] in the base, [3 2] in the tuned model")
	check("flattened", f32, &side{"F32", []int{6}, 1}, tensors.SideBoth, "shape [2 3] in the base, [6] in the tuned model")
	check("scalar", &side{"F32", []int{}, 1}, &side{"F32", nil, 2}, "", "")
	check("scalar and vector", &side{"F32", []int{}, 1}, &side{"F32", []int{1}, 1}, tensors.SideBoth, "shape [] in the base, [1] in the tuned model")
	check("integers, same", i64, &side{"I64", []int{2}, 1}, "", "")
	check("integers, other bytes", i64, &side{"I64", []int{2}, 2}, tensors.SideBoth, "type I64 cannot be subtracted and the bytes differ")
	check("integers, other type", i64, &side{"U64", []int{2}, 1}, tensors.SideBoth, "type I64 in the base, U64 in the tuned model")
	check("number and integer", f32, &side{"I32", []int{2, 3}, 1}, tensors.SideBoth, "type F32 in the base, I32 in the tuned model")
	check("integers, other shape", i64, &side{"I64", []int{3}, 1}, tensors.SideBoth, "shape [2] in the base, [3] in the tuned model")
	check("64 bits", &side{"F64", []int{2}, 1}, &side{"F64", []int{2}, 2}, "", "")
	check("complex numbers", &side{"C64", []int{2}, 1}, &side{"C64", []int{2}, 2}, tensors.SideBoth, "type C64 cannot be subtracted and the bytes differ")
}

// TestUnmatchedOrder lists the tensors of both sides by name.
func TestUnmatchedOrder(t *testing.T) {
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	for _, name := range []string{"d", "b", "é"} {
		base.Add(name, tensors.F32, []int{1}, []float32{1})
	}
	for _, name := range []string{"c", "a", "z"} {
		tuned.Add(name, tensors.F32, []int{1}, []float32{1})
	}
	d, err := tensors.Diff(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, u := range d.Unmatched {
		got += u.Name + u.Side[:1] + " "
	}
	if want := "at bb ct db zt éb "; got != want {
		t.Errorf("order %q, want %q", got, want)
	}
}

// TestDiffErrors hands on the error of a Source.
func TestDiffErrors(t *testing.T) {
	broken := errors.New("unreadable")
	good := mixed(tensors.F32)
	bad := failing{Memory: good, raw: func([]byte, string, int64) error { return broken }}
	for _, pair := range [][2]tensors.Source{{good, bad}, {bad, good}} {
		if _, err := tensors.Diff(pair[0], pair[1]); !errors.Is(err, broken) { // the integers are compared by bytes
			t.Errorf("%v, want %v", err, broken)
		}
	}
}
