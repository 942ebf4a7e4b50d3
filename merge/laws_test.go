package merge_test

import (
	"bytes"
	"math"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// written is a model as a file would hold it.
func written(t testing.TB, src tensors.Source) *tensorstest.Memory {
	t.Helper()
	m := tensorstest.NewMemory()
	for _, name := range src.Names() {
		m.AddRaw(name, infoOf(src, name), raw(t, src, name))
	}
	return m
}

// withinPlace checks that two merges differ by at most some places of the type
// at the largest of the magnitudes, and returns how many elements do.
func withinPlace(t *testing.T, what string, d tensors.DType, places float64, one, other tensors.Source, sides ...tensors.Source) (differ int) {
	t.Helper()
	a, b := wide(t, one, "x"), wide(t, other, "x")
	largest := make([]float64, len(a))
	for _, side := range sides {
		for i, v := range wide(t, side, "x") {
			largest[i] = max(largest[i], math.Abs(v))
		}
	}
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		differ++
		if limit := places * quantum(d, max(largest[i], math.Abs(a[i]))); !(math.Abs(a[i]-b[i]) <= limit) {
			t.Fatalf("%s, %s: element %d is %v and %v", d, what, i, a[i], b[i])
		}
	}
	return differ
}

// TestLinear: the mean of two models with weights 1-w and w is task arithmetic
// with w, within a place; written as a sum of differences from nothing, too.
func TestLinear(t *testing.T) {
	for _, d := range everyType {
		base, tuned, zero := long(d, 0, 0), long(d, 1, 0.1), row(d)
		zero.AddRaw("x", infoOf(base, "x"), make([]byte, infoOf(base, "x").Bytes()))
		for _, w := range []float64{0.3, 0.5, 0.9, 1.5, -0.4} {
			arithmetic := toward(t, base, tuned, w)
			linear := apply(t, zero, term(diff(t, zero, base), 1-w), term(diff(t, zero, tuned), w))
			other := toward(t, tuned, base, 1-w)
			places := map[tensors.DType]float64{tensors.F64: 4}[d] + 1 // F64 has no spare bits for the sums
			withinPlace(t, "linear", d, places, arithmetic, linear, base, tuned)
			withinPlace(t, "from the other side", d, places, arithmetic, other, base, tuned)
		}
	}
}

// TestAlphasAdd: going 0.2 and 0.17 of the way is going 0.37 of it, within the
// roundings of the arithmetic.
func TestAlphasAdd(t *testing.T) {
	for _, d := range everyType {
		base, tuned := long(d, 0, 0), long(d, 1, 0.1)
		delta := diff(t, base, tuned)
		twice := apply(t, base, term(delta, 0.2), term(delta, 0.17))
		differ := withinPlace(t, "0.2 + 0.17", d, map[tensors.DType]float64{tensors.F64: 2}[d]+1, twice, toward(t, base, tuned, 0.37), base, tuned)
		if d == tensors.F16 && differ > longLen/100 || d == tensors.F32 && differ > 100 {
			t.Errorf("%s: %d of %d elements differ", d, differ, longLen)
		}
	}
}

// TestOrder: terms are added in their order. Where the sum of a type has bits
// to spare the order shows nowhere; where it has none, it does.
func TestOrder(t *testing.T) {
	for _, d := range everyType {
		base := long(d, 0, 0)
		a, b := long(d, 1, 0.1), long(d, 2, 0.1)
		one, two := term(diff(t, base, a), 0.3), term(diff(t, base, b), -0.4)
		differ := withinPlace(t, "order", d, map[tensors.DType]float64{tensors.F64: 2}[d]+1, apply(t, base, one, two), apply(t, base, two, one), base, a, b)
		if d != tensors.F64 && differ > longLen/500 {
			t.Errorf("%s: the order shows in %d of %d elements", d, differ, longLen)
		}
	}
	base := row(tensors.F64, 0x1p53)
	one, two := term(diff(t, base, row(tensors.F64, 0x1p53+2)), 0.5), term(diff(t, base, row(tensors.F64, 0)), 1)
	if a, b := wide(t, apply(t, base, one, two), "x")[0], wide(t, apply(t, base, two, one), "x")[0]; a != 0 || b != 1 { // 2^53+1 is none
		t.Errorf("%v and %v, want 0 and 1", a, b)
	}
}

// TestUntouched: tensors that no term changes are the base's to the bit, and
// elements that none changes are, whatever the terms do elsewhere.
func TestUntouched(t *testing.T) {
	for _, d := range everyType {
		base, pico := tensorstest.Pico{Seed: 5, DType: d}.Weights(), tensorstest.Pico{Seed: 5, DType: d, Drift: 0.3}.Weights()
		some := tensors.Keep(pico, func(name string) bool { return tensors.KeyOf(name).Layer == 1 })
		m := apply(t, base, term(diff(t, base, some), 0.5), term(hidden{diff(t, base, tensors.Keep(some, func(name string) bool { return tensors.KeyOf(name).Norm() }))}, 2))
		changed := 0
		for _, name := range base.Names() {
			if same := bytes.Equal(raw(t, m, name), raw(t, base, name)); same == (tensors.KeyOf(name).Layer == 1) {
				t.Errorf("%s: %s is the same as in the base: %v", d, name, same)
			} else if !same {
				changed++
			}
		}
		if changed != 9 {
			t.Errorf("%s: %d tensors changed, want the 9 of a layer", d, changed)
		}
		long := long(d, 0, 0)
		got, before := wide(t, apply(t, long, term(outer{d}, 0.3), term(outer{d}, -7)), "x"), wide(t, long, "x")
		for i := range got {
			if (outer{d}).at(i) == 0 && math.Float64bits(got[i]) != math.Float64bits(before[i]) {
				t.Fatalf("%s: element %d became %v, was %v", d, i, got[i], before[i])
			}
		}
	}
}

// TestMergeOfMerge: merging a model that was never written gives what merging
// the written one gives, as base and as tuned model, at any alpha and option.
func TestMergeOfMerge(t *testing.T) {
	for _, d := range everyType {
		base, tuned, other := long(d, 0, 0), long(d, 1, 0.1), long(d, 2, 0.1)
		lazy := toward(t, base, tuned, 0.4)
		file := written(t, lazy)
		for _, alpha := range []float64{0.3, 1} {
			everyOption(func(options merge.Options) {
				sameBytes(t, string(d)+": as base", toward(t, lazy, other, alpha).With(options), toward(t, file, other, alpha).With(options))
				sameBytes(t, string(d)+": as tuned", toward(t, other, lazy, alpha).With(options), toward(t, other, file, alpha).With(options))
			})
		}
	}
}

// endless is a Source of one tensor "x" whose bytes repeat.
type endless struct {
	info tensors.Info
	data []byte
}

func (e *endless) Names() []string                       { return []string{"x"} }
func (e *endless) Info(name string) (tensors.Info, bool) { return e.info, name == "x" }
func (e *endless) ReadRaw(dst []byte, _ string, at int64) error {
	for n := 0; n < len(dst); {
		n += copy(dst[n:], e.data[(at+int64(n))%int64(len(e.data)):])
	}
	return nil
}

func (e *endless) Read(dst []float32, name string, from int) error {
	data := make([]byte, len(dst)*e.info.DType.Size())
	if err := e.ReadRaw(data, name, int64(from*e.info.DType.Size())); err != nil {
		return err
	}
	tensors.Widen(dst, data, e.info.DType)
	return nil
}

// TestMemory merges a tensor of 64 Mi elements in pieces of 4 MiB: all that is
// allocated on the way is a small part of it, whether notes are taken or not.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long and counts allocations: left out by -short, which the race detector runs with")
	}
	const elements, piece, limit = 64 << 20, 4 << 20, 100 << 20
	base, tuned := long(tensors.BF16, 0, 0), long(tensors.BF16, 1, 0.1)
	info := tensors.Info{DType: tensors.BF16, Shape: []int{1 << 10, elements >> 10}}
	m := toward(t, &endless{info, raw(t, base, "x")}, &endless{info, raw(t, tuned, "x")}, 0.4)
	for what, src := range map[string]tensors.Source{"model": m, "record": m.Record(false)} {
		dst := make([]byte, piece)
		n := allocated(func() {
			for at := int64(0); at < info.Bytes(); at += piece {
				if err := src.ReadRaw(dst, "x", at); err != nil {
					t.Fatal(err)
				}
			}
		})
		if n > limit {
			t.Errorf("%s: %d MiB allocated for %d MiB", what, n>>20, info.Bytes()>>20)
		}
	}
}
