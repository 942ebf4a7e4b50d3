package drift_test

import (
	"math"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/tensorstest"
)

// TestNonfinite counts values that are no finite numbers, in each stored type
// that has them and in the second block of a tensor as in the first.
func TestNonfinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	check := func(what string, base, tuned []float32, inBase, inTuned, changed, flipped int64) {
		t.Helper()
		for _, d := range []tensors.DType{tensors.F64, tensors.F32, tensors.F16, tensors.BF16, tensors.F8E5M2} {
			for _, before := range []int{0, 3, 1<<16 - 1, 1<<16 + 9} {
				b, u := make([]float32, before), make([]float32, before)
				row := measure(t, first(pair(d, append(b, base...), append(u, tuned...))), second(pair(d, append(b, base...), append(u, tuned...)))).Tensors[0]
				if row.NonfiniteBase != inBase || row.NonfiniteTuned != inTuned || row.Changed != changed || row.Flipped != flipped {
					t.Errorf("%s, %s after %d zeros: %d and %d not finite, %d changed, %d flipped; want %d and %d, %d, %d", what, d, before,
						row.NonfiniteBase, row.NonfiniteTuned, row.Changed, row.Flipped, inBase, inTuned, changed, flipped)
				}
			}
		}
	}
	check("numbers", []float32{1, 2}, []float32{1, -2}, 0, 0, 1, 1)
	check("NaN in the base", []float32{1, nan, nan}, []float32{1, 2, 3}, 2, 0, 2, 0)
	check("NaN in the tuned model", []float32{1, 2}, []float32{nan, 2}, 0, 1, 1, 0)
	check("NaN in both", []float32{1, nan}, []float32{1, nan}, 1, 1, 0, 0)
	check("infinite in both", []float32{inf, -inf}, []float32{inf, -inf}, 2, 2, 0, 0)
	check("from one infinity to the other", []float32{inf, 1}, []float32{-inf, 1}, 1, 1, 1, 1)
	check("to infinity", []float32{-1, 1}, []float32{inf, inf}, 0, 2, 2, 1)
	check("nothing but NaN", []float32{nan, nan, nan}, []float32{nan, nan, nan}, 3, 3, 0, 0)
	check("all spoiled", []float32{1, 2, 3}, []float32{nan, nan, nan}, 0, 3, 3, 0)
}

// TestNaNInF8: E4M3 has NaN but no infinities.
func TestNaNInF8(t *testing.T) {
	source := func(raw ...byte) tensors.Source {
		m := tensorstest.NewMemory()
		m.AddRaw("x", tensors.Info{DType: tensors.F8E4M3, Shape: []int{len(raw)}}, raw)
		return m
	}
	row := measure(t, source(0x7f, 0xff, 0x7e, 0x38), source(0x7f, 0x38, 0x7e, 0x30)).Tensors[0] // NaN, NaN, 448, 1; NaN, 1, 448, 0.5
	if row.NonfiniteBase != 2 || row.NonfiniteTuned != 1 || row.Changed != 2 {
		t.Errorf("%+v", row.Sums)
	}
}

// TestSpoiled: a tensor without numbers spoils its own row and those that hold
// it, with counts that are exact everywhere, and no other row.
func TestSpoiled(t *testing.T) {
	const name = "model.layers.1.mlp.up_proj.weight"
	base := tensorstest.Pico{Seed: 1}.Weights()
	tuned, clean := tensorstest.Pico{Seed: 1, Drift: 0.1}.Weights(), tensorstest.Pico{Seed: 1, Drift: 0.1}.Weights()
	info, _ := base.Info(name)
	nans := make([]float32, info.Len())
	for i := range nans {
		nans[i] = float32(math.NaN())
	}
	tuned.Add(name, info.DType, info.Shape, nans)
	got, want := measure(t, base, tuned), measure(t, base, clean)
	check := func(rows, clean []drift.Row, holds func(tensors.Key) bool) {
		t.Helper()
		for i, row := range rows {
			count := int64(0)
			if holds(row.Key) {
				count = int64(info.Len())
				if !math.IsNaN(row.Relative()) || !math.IsNaN(row.Cosine()) || !math.IsNaN(row.NormRatio()) || !math.IsNaN(row.MaxAbs) {
					t.Errorf("%s holds NaN, its drift is %v, cosine %v, norm ratio %v, largest change %v", row.Name, row.Relative(), row.Cosine(), row.NormRatio(), row.MaxAbs)
				}
			} else if row.Sums != clean[i].Sums {
				t.Errorf("%s is spoiled by another row: %+v", row.Name, row.Sums)
			}
			if row.NonfiniteTuned != count || row.NonfiniteBase != 0 {
				t.Errorf("%s: %d and %d not finite, want 0 and %d", row.Name, row.NonfiniteBase, row.NonfiniteTuned, count)
			}
		}
	}
	key := tensors.KeyOf(name)
	check(got.Tensors, want.Tensors, func(k tensors.Key) bool { return k == key })
	check(got.Layers, want.Layers, func(k tensors.Key) bool { return k.Layer == key.Layer })
	check(got.Parts, want.Parts, func(k tensors.Key) bool { return k.Part == key.Part })
	check([]drift.Row{got.Total}, []drift.Row{want.Total}, func(tensors.Key) bool { return true })
	check([]drift.Row{got.Gains}, []drift.Row{want.Gains}, func(tensors.Key) bool { return false })
}

// TestLargeIsFinite: squares that leave float64 make a norm infinite but are
// not counted as values that are no numbers.
func TestLargeIsFinite(t *testing.T) {
	row := measure(t, wide(1e200, 1), wide(1e200, 2)).Tensors[0]
	if row.NonfiniteBase+row.NonfiniteTuned != 0 || row.Changed != 1 || row.MaxAbs != 1 || !math.IsInf(row.BaseNorm(), 1) {
		t.Errorf("%+v", row.Sums)
	}
}

func first(a, _ tensors.Source) tensors.Source  { return a }
func second(_, b tensors.Source) tensors.Source { return b }
