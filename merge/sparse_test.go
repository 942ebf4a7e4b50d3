package merge_test

import (
	"math"
	"slices"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// deltaValues are all elements of a difference.
func deltaValues(t *testing.T, d tensors.Delta, name string) []float64 {
	t.Helper()
	info, ok := d.Info(name)
	if !ok {
		t.Fatalf("no difference %s", name)
	}
	out := make([]float64, info.Len())
	if err := d.AddTo64(out, name, 0, 1); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSparseContract: what is trimmed or dropped is a Delta like any other.
func TestSparseContract(t *testing.T) {
	for _, d := range everyType {
		base := long(d, 0, 0)
		one := diff(t, base, long(d, 1, 0.1))
		if d != tensors.F64 { // whose difference in float32 is off by more than the suite allows
			tensorstest.TestDelta(t, base, merge.Trim(one, 0.3))
			tensorstest.TestDelta(t, base, merge.Drop(one, 0.3, 7))
		}
		tensorstest.TestSource(t, apply(t, base, term(merge.Drop(merge.Trim(one, 0.5), 0.5, 1), 0.7)))
	}
}

// TestTrim compares with a sort of all elements.
func TestTrim(t *testing.T) {
	base := tensorstest.Pico{Seed: 3, DType: tensors.BF16}.Weights()
	whole := diff(t, base, tensorstest.Pico{Seed: 3, DType: tensors.BF16, Drift: 0.1}.Weights())
	for _, density := range []float64{1, 0.5, 0.2, 0.01, 1e-9} {
		trimmed := merge.Trim(whole, density)
		for _, name := range whole.Names() {
			all, got := deltaValues(t, whole, name), deltaValues(t, trimmed, name)
			order := make([]int, len(all))
			for i := range order {
				order[i] = i
			}
			slices.SortStableFunc(order, func(a, b int) int { return cmpFloat(math.Abs(all[b]), math.Abs(all[a])) })
			want := make([]float64, len(all))
			for _, i := range order[:max(1, int(density*float64(len(all))))] {
				want[i] = all[i]
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s at density %v: other elements than the largest are kept", name, density)
			}
		}
	}
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// TestDrop: about density of all elements are kept, scaled; which ones depends
// on the seed; the mean over seeds is the difference.
func TestDrop(t *testing.T) {
	base := tensorstest.Pico{Seed: 3}.Weights()
	whole := diff(t, base, tensorstest.Pico{Seed: 3, Drift: 0.1}.Weights())
	const name, density, seeds = "model.embed_tokens.weight", 0.25, 400
	all := deltaValues(t, whole, name)
	mean := make([]float64, len(all))
	for seed := range uint64(seeds) {
		got, kept := deltaValues(t, merge.Drop(whole, density, seed), name), 0
		for i, v := range got {
			if v != 0 {
				kept++
				if math.Abs(v-all[i]/density) > 1e-12 {
					t.Fatalf("seed %d, element %d: %v, want %v", seed, i, v, all[i]/density)
				}
			}
			mean[i] += v / seeds
		}
		if share := float64(kept) / float64(len(all)); math.Abs(share-density) > 0.03 {
			t.Errorf("seed %d keeps %v of the elements", seed, share)
		}
	}
	var off, size float64
	for i := range mean {
		off += (mean[i] - all[i]) * (mean[i] - all[i])
		size += all[i] * all[i]
	}
	// The variance of a mean over so many seeds is (1-density)/density of the square of the element.
	if got, want := off/size, (1-density)/density/seeds; math.Abs(got/want-1) > 0.15 {
		t.Errorf("the mean over seeds is off by %v of its square, want %v", got, want)
	}
}

// TestSparseRefuses: a density that keeps nothing is a programmer's mistake.
func TestSparseRefuses(t *testing.T) {
	for _, density := range []float64{0, -1, 1.5, math.NaN()} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("density %v is taken", density)
				}
			}()
			merge.Trim(nil, density)
		}()
	}
}
