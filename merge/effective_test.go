package merge_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

func effective(t *testing.T, m *merge.Model) float64 {
	t.Helper()
	alpha, err := m.EffectiveAlpha(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return alpha
}

// TestEffectiveEnds: 0 and 1 are themselves, whatever was stored.
func TestEffectiveEnds(t *testing.T) {
	for _, d := range floats {
		base, tuned := tensorstest.Pico{Seed: 6, DType: d}.Weights(), tensorstest.Pico{Seed: 6, DType: d, Drift: 0.01}.Weights()
		for _, alpha := range []float64{0, 1} {
			if got := effective(t, toward(t, base, tuned, alpha)); got != alpha {
				t.Errorf("%s: %v, asked for %v", d, got, alpha)
			}
		}
		if got := effective(t, toward(t, base, base, 0.5)); got == got {
			t.Errorf("%s: %v where nothing changes", d, got)
		}
	}
}

// TestEffectiveNear: rounding is a small part of a large difference, and of
// any in 32 bits.
func TestEffectiveNear(t *testing.T) {
	check := func(d tensors.DType, drift float32, alpha, tolerance float64) {
		t.Helper()
		base, tuned := tensorstest.Pico{Seed: 6, DType: d}.Weights(), tensorstest.Pico{Seed: 6, DType: d, Drift: drift}.Weights()
		if got := effective(t, toward(t, base, tuned, alpha)); math.Abs(got-alpha) > tolerance {
			t.Errorf("%s with drift %v: %v, asked for %v", d, drift, got, alpha)
		}
	}
	for _, alpha := range []float64{0.1, 0.5, 0.9, -0.5, 1.5} {
		check("F32", 0.1, alpha, 1e-6)
		check("F32", 1e-3, alpha, 1e-5)
		check("F16", 0.1, alpha, 1e-3)
		check("BF16", 0.1, alpha, 1e-2)
	}
}

// TestEffectiveByHand: bf16 has the neighbours 1, 1+2^-7, 1+2^-6 above 1. At
// alpha 0.3 a change of 2^-7 vanishes and one of 2^-5 becomes 2^-7 (0.3*4 is
// 1.2 places): of the squares 1 and 16, in places, 4*1 of 17 moved.
func TestEffectiveByHand(t *testing.T) {
	base, tuned := vector(tensors.BF16, 1, 1), vector(tensors.BF16, 1+0x1p-7, 1+0x1p-5)
	if got := effective(t, toward(t, base, tuned, 0.3)); got != 4./17 {
		t.Errorf("%v, want 4/17", got)
	}
	// All vanish.
	if got := effective(t, toward(t, base, vector(tensors.BF16, 1+0x1p-7, 1+0x1p-7), 0.3)); got != 0 {
		t.Errorf("%v, want 0", got)
	}
	// All are rounded up: 0.7 of a place is one.
	if got := effective(t, toward(t, base, vector(tensors.BF16, 1+0x1p-7, 1+0x1p-7), 0.7)); got != 1 {
		t.Errorf("%v, want 1", got)
	}
}

// TestEffectiveByPlace: an alpha by rule gives the mean weighted by squares.
func TestEffectiveByPlace(t *testing.T) {
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	for name, delta := range map[string]float32{"model.layers.0.a.weight": 1, "model.layers.1.a.weight": 3} {
		base.Add(name, tensors.F32, []int{1}, []float32{1})
		tuned.Add(name, tensors.F32, []int{1}, []float32{1 + delta})
	}
	m := apply(t, base, merge.Term{Label: "t", Delta: diff(t, base, tuned), Alpha: func(name string) float64 { return float64(tensors.KeyOf(name).Layer) }})
	if got := effective(t, m); got != 0.9 { // (0*1 + 1*9) / (1 + 9)
		t.Errorf("%v, want 0.9", got)
	}
}

// TestEffectiveThreads: the same bits for any number of processors.
func TestEffectiveThreads(t *testing.T) {
	for _, d := range floats {
		base, tuned := large(d)
		m := toward(t, base, tuned, 0.37)
		var first uint64
		for _, n := range []int{1, 2, 3} {
			threads(n, func() {
				got := math.Float64bits(effective(t, m))
				if first == 0 {
					first = got
				}
				if got != first {
					t.Errorf("%s: %x with %d processors, %x with one", d, got, n, first)
				}
			})
		}
	}
}

// TestEffectiveProgress counts the bytes of the base and stops when told to.
func TestEffectiveProgress(t *testing.T) {
	base, tuned := tensorstest.Pico{Seed: 6}.Weights(), tensorstest.Pico{Seed: 6, Drift: 0.1}.Weights()
	var want, last int64
	for _, name := range base.Names() {
		info, _ := base.Info(name)
		want += info.Bytes()
	}
	m := toward(t, base, tuned, 0.5)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := m.EffectiveAlpha(ctx, func(done, total int64) {
		if done <= last || total != want {
			t.Errorf("%d of %d after %d; the base has %d bytes", done, total, last, want)
		}
		last = done
	}); err != nil || last != want {
		t.Errorf("ended at %d of %d: %v", last, want, err)
	}
	calls := 0
	if _, err := m.EffectiveAlpha(ctx, func(int64, int64) { calls++; cancel() }); !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("%v after %d tensors", err, calls)
	}
}

// TestEffectiveTerms: with more than one term there is no such number.
func TestEffectiveTerms(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic for a model of no term")
		}
	}()
	effective(t, apply(t, vector(tensors.F32, 1)))
}
