package merge_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// taskVector is a task vector of one tensor on a base of zeros.
func taskVector(t *testing.T, values ...float32) tensors.Delta {
	t.Helper()
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	base.Add("x.weight", tensors.F32, []int{len(values)}, make([]float32, len(values)))
	tuned.Add("x.weight", tensors.F32, []int{len(values)}, values)
	return diff(t, base, tuned)
}

// TestCombine compares sums and TIES with what one computes in the head.
func TestCombine(t *testing.T) {
	list := []tensors.Delta{taskVector(t, 1, -2, 3, 0, 0), taskVector(t, 2, 4, -3, 5, 0), taskVector(t, -1, 1, 0, 1, 0)}
	check := func(how func([]tensors.Delta, []float64) (tensors.Delta, error), weights []float64, want ...float64) {
		t.Helper()
		d, err := how(list, weights)
		if err != nil {
			t.Fatal(err)
		}
		if got := deltaValues(t, d, "x.weight"); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		base := tensorstest.NewMemory()
		base.Add("x.weight", tensors.F32, []int{5}, make([]float32, 5))
		tensorstest.TestDelta(t, base, d)
	}
	check(merge.Sum, []float64{1, 1, 1}, 2, 3, 0, 6, 0)
	check(merge.Sum, []float64{1, 0.5, -2}, 4, -2, 1.5, 0.5, 0)
	// Of 3 and -3 the first is elected; of 1, 2 and -1 the positive ones are averaged.
	check(merge.Ties, []float64{1, 1, 1}, 1.5, 2.5, 3, 3, 0)
	check(merge.Ties, []float64{3, 1, 1}, 1.25, -2, 3, 3, 0)
	check(merge.Ties, []float64{1, -1, 1}, -1.5, -3, 3, -5, 0)
}

// TestCombineLaws: one task vector is itself, a difference of equals is zero, and
// those that change different tensors stand beside each other.
func TestCombineLaws(t *testing.T) {
	base := tensorstest.Pico{Seed: 3}.Weights()
	whole := diff(t, base, tensorstest.Pico{Seed: 3, Drift: 0.1}.Weights())
	name := whole.Names()[0]
	for _, how := range []func([]tensors.Delta, []float64) (tensors.Delta, error){merge.Sum, merge.Ties} {
		alone, err := how([]tensors.Delta{whole}, []float64{1})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(deltaValues(t, alone, name), deltaValues(t, whole, name)) {
			t.Error("one task vector is not itself")
		}
	}
	none, err := merge.Sum([]tensors.Delta{whole, whole}, []float64{1, -1})
	if err != nil {
		t.Fatal(err)
	}
	if v := deltaValues(t, none, name); slices.ContainsFunc(v, func(v float64) bool { return v != 0 }) {
		t.Error("a - a is not zero")
	}
	two, err := merge.Sum([]tensors.Delta{whole, taskVector(t, 1, 2)}, []float64{1, 3})
	if err != nil {
		t.Fatal(err)
	}
	if got := deltaValues(t, two, "x.weight"); !slices.Equal(got, []float64{3, 6}) || len(two.Names()) != len(whole.Names())+1 {
		t.Errorf("beside each other: %v", got)
	}
	if _, err := merge.Sum([]tensors.Delta{taskVector(t, 1), taskVector(t, 1, 2)}, []float64{1, 1}); err == nil || !strings.Contains(err.Error(), "not of one base") {
		t.Errorf("shapes that differ: %v", err)
	}
	if err := two.AddTo64(make([]float64, 1), "y", 0, 1); err == nil {
		t.Error("a tensor that nobody changes")
	}
	if err := two.AddTo64(make([]float64, 2), "x.weight", 1, 1); err == nil {
		t.Error("elements outside")
	}
}

// TestScaledDelta: a factor for every tensor, and the cap's.
func TestScaledDelta(t *testing.T) {
	d := merge.Scaled(taskVector(t, 3, 4), func(string) float64 { return 0.5 })
	if got := deltaValues(t, d, "x.weight"); !slices.Equal(got, []float64{1.5, 2}) {
		t.Errorf("%v", got)
	}
	none := merge.Scaled(taskVector(t, 3, float32(math.Inf(1))), merge.Number(0))
	if got := deltaValues(t, none, "x.weight"); !slices.Equal(got, []float64{0, 0}) {
		t.Errorf("a factor of 0: %v", got)
	}
	check := func(limit, base, delta, want float64) {
		t.Helper()
		if got := merge.Cap(limit, base, delta); got != want {
			t.Errorf("Cap(%v, %v, %v) is %v, want %v", limit, base, delta, got, want)
		}
	}
	check(0.1, 10, 0.5, 1)
	check(0.1, 10, 1, 1)
	check(0.1, 10, 4, 0.25)
	check(0.1, 0, 4, 0)
	check(0.1, 0, 0, 1)
}
