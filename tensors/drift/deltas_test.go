package drift_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/tensorstest"
)

// adapter is a Delta that knows no tuned model, and only some tensors.
type adapter struct {
	tensors.Delta
	names []string
}

func (a adapter) Names() []string { return a.names }

func (a adapter) Info(name string) (tensors.Info, bool) {
	if !slices.Contains(a.names, name) {
		return tensors.Info{}, false
	}
	return a.Delta.Info(name)
}

func diff(t *testing.T, base, tuned tensors.Source) *tensors.Difference {
	t.Helper()
	d, err := tensors.Diff(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func measureDelta(t *testing.T, base tensors.Source, delta tensors.Delta, opt drift.Options) *drift.Report {
	t.Helper()
	report, err := drift.Measure(t.Context(), base, delta, opt)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// alike checks two rows within 1e-12: base plus a change is rounded once more
// than the tuned weight that it came from.
func alike(t *testing.T, got, want drift.Row) {
	t.Helper()
	check := func(figure string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-12*math.Abs(want)) {
			t.Errorf("%s is %v, of the Difference %v", figure, got, want)
		}
	}
	check(got.Name+": relative drift", got.Relative(), want.Relative())
	check(got.Name+": 1 - cosine", got.OneMinusCosine(), want.OneMinusCosine())
	check(got.Name+": norm ratio", got.NormRatio(), want.NormRatio())
	check(got.Name+": largest change", got.MaxAbs, want.MaxAbs)
	check(got.Name+": base norm", got.BaseNorm(), want.BaseNorm())
	if got.Name != want.Name || got.N != want.N || got.Changed != want.Changed || got.Flipped != want.Flipped || got.Tensors != want.Tensors {
		t.Errorf("%+v, of the Difference %+v", got, want)
	}
}

// TestDeltas: a Delta that is no Difference, a Difference behind a copied base
// and one of another base with the same values give the numbers of the
// Difference.
func TestDeltas(t *testing.T) {
	for _, d := range []tensors.DType{tensors.BF16, tensors.F32, tensors.F64} {
		pico := tensorstest.Pico{Seed: 1, DType: d}
		base, again := pico.Weights(), pico.Weights()
		pico.Drift = 0.02
		difference := diff(t, base, pico.Weights())
		want := measureDelta(t, base, difference, drift.Options{})
		check := func(base tensors.Source, delta tensors.Delta) {
			t.Helper()
			got := measureDelta(t, base, delta, drift.Options{})
			if len(got.Tensors) != len(want.Tensors) {
				t.Fatalf("%d rows, want %d", len(got.Tensors), len(want.Tensors))
			}
			for i, row := range append(got.Tensors, got.Total, got.Gains) {
				alike(t, row, append(want.Tensors, want.Total, want.Gains)[i])
			}
		}
		check(base, adapter{difference, difference.Names()})
		check(again, difference)
		check(hidden{base}, difference)
	}
}

// TestOtherBase: on a base that it was not made from, a Difference moves what
// is there by tuned - its own base.
func TestOtherBase(t *testing.T) {
	own, tuned := pair(tensors.F32, []float32{1, 2, 3}, []float32{1, 4, 2})
	other, _ := pair(tensors.F32, []float32{10, -1, 1}, []float32{0, 0, 0})
	row := measureDelta(t, other, diff(t, own, tuned), drift.Options{}).Tensors[0] // becomes 10, 1, 0
	if row.Base2 != 102 || row.Delta2 != 5 || row.Dot != -3 || row.Changed != 2 || row.Flipped != 1 || row.MaxAbs != 2 {
		t.Errorf("%+v", row.Sums)
	}
}

// TestWhole: what a delta does not name is left out, or counts as unmoved with
// Whole; tensors that are no numbers stay out.
func TestWhole(t *testing.T) {
	base, tuned := tensorstest.Pico{Seed: 1}.Weights(), tensorstest.Pico{Seed: 1, Drift: 0.1}.Weights()
	base.AddRaw("positions", tensors.Info{DType: "I64", Shape: []int{1}}, make([]byte, 8))
	const named = "model.layers.1.self_attn.q_proj.weight"
	delta := adapter{diff(t, base, tuned), []string{named}}
	part, whole := measureDelta(t, base, delta, drift.Options{}), measureDelta(t, base, delta, drift.Options{Whole: true})
	if len(part.Tensors) != 1 || part.Total.Sums != part.Tensors[0].Sums {
		t.Errorf("%d rows for one difference", len(part.Tensors))
	}
	if len(whole.Tensors) != len(base.Names())-1 {
		t.Errorf("%d rows for %d tensors", len(whole.Tensors), len(base.Names())-1)
	}
	var base2 float64
	for _, row := range whole.Tensors {
		if base2 += row.Base2; row.Name == named {
			alike(t, row, part.Tensors[0])
		} else if row.Delta2 != 0 || row.Changed != 0 || row.Base2 == 0 || row.Relative() != 0 || row.NormRatio() != 1 {
			t.Errorf("%s moved: %+v", row.Name, row.Sums)
		}
	}
	if math.Abs(whole.Total.Base2-base2) > 1e-12*base2 || whole.Total.Delta2 != part.Total.Delta2 || whole.Total.Relative() >= part.Total.Relative() {
		t.Errorf("in all: %+v", whole.Total)
	}
}

// lists is a Source of a type that cannot be compared.
type lists struct {
	tensors.Source
	_ []int
}

// TestUncomparable: Sources that == would panic on are measured all the same.
func TestUncomparable(t *testing.T) {
	memory, tuned := pair(tensors.F32, []float32{1, 2}, []float32{1, 3})
	base := lists{Source: memory}
	if row := measureDelta(t, base, diff(t, base, tuned), drift.Options{}).Tensors[0]; row.Changed != 1 || row.Delta2 != 1 {
		t.Errorf("%+v", row.Sums)
	}
	wrapped := hidden{base} // can be compared by its type, not by its value
	t.Run("inside", func(t *testing.T) {
		if row := measureDelta(t, wrapped, diff(t, wrapped, tuned), drift.Options{}).Tensors[0]; row.Changed != 1 {
			t.Errorf("%+v", row.Sums)
		}
	})
}

// failing is a Delta that cannot be read.
type failing struct{ tensors.Delta }

var errDelta = errors.New("the adapter is gone")

func (failing) AddTo(dst []float32, name string, from int, alpha float32) error   { return errDelta }
func (failing) AddTo64(dst []float64, name string, from int, alpha float64) error { return errDelta }

// TestFailing: the error of a side comes through as it is, from every path,
// and there is no report.
func TestFailing(t *testing.T) {
	for _, d := range []tensors.DType{tensors.BF16, tensors.F32, tensors.F64} {
		base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
		for layer := range 3 { // more blocks than processors
			name := fmt.Sprintf("layers.%d.x", layer)
			base.Add(name, d, []int{100000}, make([]float32, 100000))
			tuned.Add(name, d, []int{100000}, make([]float32, 100000))
		}
		check := func(base tensors.Source, delta tensors.Delta, want error) {
			t.Helper()
			report, err := drift.Measure(t.Context(), base, delta, drift.Options{})
			if report != nil || !errors.Is(err, want) {
				t.Errorf("%s: %v, %v; want %v", d, report, err, want)
			}
		}
		difference := diff(t, base, tuned)
		check(base, failing{difference}, errDelta)
		gone := errors.New("the disk is gone")
		check(broken{base, gone}, difference, gone)
		unreadable := broken{base, gone}
		check(unreadable, diff(t, unreadable, tuned), gone)
		check(base, diff(t, base, broken{tuned, gone}), gone)
	}
}
