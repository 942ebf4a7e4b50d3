package activation_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/activation"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

func drift(t testing.TB, base tensors.Source, delta tensors.Delta, general, domain *activation.Grams) []activation.Row {
	t.Helper()
	rows, err := activation.Drift(t.Context(), base, delta, general, domain)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestDriftTorch: energies of the embedded pair of picos are those of outputs that
// PyTorch computes in float64, within 1e-5 of them.
func TestDriftTorch(t *testing.T) {
	want := theirs(t)
	c, base := opened(t, filepath.Join(pico, "base"))
	_, chem := opened(t, filepath.Join(pico, "chem"))
	rows := drift(t, base, diff(t, base, chem), collect(t, c, base, want.General, activation.Options{}), collect(t, c, chem, want.Domain, activation.Options{}))
	if len(rows) != len(want.Tensors) {
		t.Errorf("%d rows of %d matrices", len(rows), len(want.Tensors))
	}
	for _, r := range rows {
		w := want.Tensors[r.Name]
		check := func(what string, got activation.Energy, want [2]float64) {
			t.Helper()
			near(t, r.Name+": the base's energy on "+what, got.Base, want[0], 1e-5*want[0])
			near(t, r.Name+": the difference's energy on "+what, got.Delta, want[1], 1e-5*want[1])
			near(t, r.Name+": the drift on "+what, got.Relative(), math.Sqrt(want[1]/want[0]), 1e-6)
		}
		check("general prompts", r.General, w.OnGeneral)
		check("domain prompts", r.Domain, w.OnDomain)
		collateral := math.Sqrt(w.OnGeneral[1] / w.OnGeneral[0] / (w.OnDomain[1] / w.OnDomain[0]))
		near(t, r.Name+": the collateral drift", r.Collateral(), collateral, 1e-5)
	}
}

// TestDrift is held against outputs of what the decoder shows, with tensors of more
// rows than are read at once; the rows stand in the order of the model.
func TestDrift(t *testing.T) {
	made := tensorstest.Pico{Seed: 6, Hidden: 144, Layers: 11, DType: tensors.F32}
	c, base := config(t, made), made.Weights()
	made.Drift = 0.02
	tuned := made.Weights()
	one, two := drawn(1, c.Vocabulary, 9, 4), drawn(2, c.Vocabulary, 6)
	all := collect(t, c, base, one, activation.Options{})
	some := collect(t, c, tuned, two, activation.Options{Want: func(name string) bool { return !strings.Contains(name, "o_proj") }})
	rows := drift(t, base, diff(t, base, tuned), all, some)
	if len(rows) != 6*11 || !slices.IsSortedFunc(rows, func(a, b activation.Row) int { return a.Key.Compare(b.Key) }) || rows[65].Key.Layer != 10 {
		t.Fatalf("%d rows, the last one of %s", len(rows), rows[len(rows)-1].Name)
	}
	general, domain := inputs(t, c, base, one), inputs(t, c, tuned, two)
	for _, r := range rows[:12] {
		before, change := values(t, base, r.Name), values(t, tuned, r.Name)
		for i, v := range before {
			change[i] -= v
		}
		for _, side := range []struct {
			what string
			got  activation.Energy
			x    [][]float64
		}{{"general", r.General, general[r.Name]}, {"domain", r.Domain, domain[r.Name]}} {
			was, moved := outputs(before, side.x), outputs(change, side.x)
			near(t, r.Name+": the base's energy, "+side.what, side.got.Base, was, 1e-5*was)
			near(t, r.Name+": the difference's energy, "+side.what, side.got.Delta, moved, 1e-5*moved)
		}
	}
	for _, n := range []int{1, 5} {
		threads(n, func() {
			if !slices.Equal(drift(t, base, diff(t, base, tuned), all, some), rows) {
				t.Errorf("%d threads: other bits", n)
			}
		})
	}
}

// TestDriftLaws: energies of a difference twice as long are four times as much, and
// what is WeightedNorm of a tensor is the root of its energy.
func TestDriftLaws(t *testing.T) {
	made := tensorstest.Pico{Seed: 6, DType: tensors.F32}
	c, base := config(t, made), made.Weights()
	made.Drift = 0.02
	tuned := made.Weights()
	g := collect(t, c, base, drawn(1, c.Vocabulary, 9, 4), activation.Options{})
	rows := drift(t, base, diff(t, base, tuned), g, g)
	far := changed(t, tuned, "", func([]float64) {})
	for _, name := range base.Names() {
		info, _ := base.Info(name)
		before, list := values(t, base, name), make([]float32, info.Len())
		for i, v := range values(t, tuned, name) {
			list[i] = float32(2*v - before[i])
		}
		far.Add(name, info.DType, info.Shape, list)
	}
	for i, r := range drift(t, base, diff(t, base, far), g, g) {
		near(t, r.Name+" twice as far", r.General.Delta, 4*rows[i].General.Delta, 1e-5*r.General.Delta)
		near(t, r.Name+": collateral of the same prompts", r.Collateral(), 1, 0)
		if r.General.Base != rows[i].General.Base || r.General != r.Domain {
			t.Errorf("%s: %+v, before %+v", r.Name, r, rows[i])
		}
		weight := make([]float32, len(values(t, base, r.Name)))
		if err := base.Read(weight, r.Name, 0); err != nil {
			t.Fatal(err)
		}
		near(t, r.Name+": WeightedNorm", g.WeightedNorm(r.Name, weight), math.Sqrt(r.General.Base), 1e-9*math.Sqrt(r.General.Base))
	}
}

// TestDriftNothing: tensors that did not move, that were zero, and whose inputs are.
func TestDriftNothing(t *testing.T) {
	made := tensorstest.Pico{Seed: 6, DType: tensors.F32}
	c, base := config(t, made), made.Weights()
	g := collect(t, c, base, drawn(1, c.Vocabulary, 9, 4), activation.Options{})
	for _, r := range drift(t, base, diff(t, base, base), g, g) {
		if r.General.Delta != 0 || !(r.General.Base > 0) || r.General.Relative() != 0 || !math.IsNaN(r.Collateral()) {
			t.Errorf("%s did not move: %+v", r.Name, r)
		}
	}
	zero := changed(t, base, "down_proj", scaled(0))
	for _, r := range drift(t, zero, diff(t, zero, base), g, g) {
		if strings.Contains(r.Name, "down_proj") != math.IsInf(r.General.Relative(), 1) || !math.IsNaN(r.Collateral()) {
			t.Errorf("%s of zeros moved: %+v", r.Name, r)
		}
	}
	// Values and outputs of the domain's model are zero: it does not feel o.
	dumb := collect(t, c, changed(t, base, "v_proj", scaled(0)), drawn(1, c.Vocabulary, 9), activation.Options{})
	for _, r := range drift(t, base, diff(t, base, changed(t, base, "o_proj", scaled(2))), g, dumb) {
		if strings.Contains(r.Name, "o_proj") && (r.Domain != activation.Energy{} || r.Domain.Relative() != 0 || !math.IsInf(r.Collateral(), 1) || r.General.Relative() != 1) {
			t.Errorf("%s is not felt: %+v", r.Name, r)
		}
	}
}

// TestEnergy: by hand.
func TestEnergy(t *testing.T) {
	sum := activation.Energy{Base: 3, Delta: 1}.Plus(activation.Energy{Base: 1, Delta: 8})
	if sum != (activation.Energy{Base: 4, Delta: 9}) || sum.Relative() != 1.5 {
		t.Errorf("the sum is %+v", sum)
	}
	check := func(general, domain activation.Energy, want float64) {
		t.Helper()
		r := activation.Row{General: general, Domain: domain}
		if got := r.Collateral(); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%+v on %+v: %v, want %v", general, domain, got, want)
		}
	}
	one, still, lost := activation.Energy{Base: 4, Delta: 1}, activation.Energy{Base: 4}, activation.Energy{Delta: 1}
	check(one, activation.Energy{Base: 4, Delta: 4}, 0.5)
	check(still, one, 0)
	check(one, still, math.Inf(1))
	check(still, still, math.NaN())
	check(lost, one, math.Inf(1))
	check(one, lost, 0)
	check(lost, lost, math.NaN())
	check(activation.Energy{}, activation.Energy{}, math.NaN())
}

// TestDriftRefuse: what cannot be compared is told in words, with the tensor.
func TestDriftRefuse(t *testing.T) {
	made := tensorstest.Pico{Seed: 6, DType: tensors.F32}
	c, base := config(t, made), made.Weights()
	g := collect(t, c, base, [][]int32{{1, 2, 3}}, activation.Options{})
	wider := tensorstest.Pico{Seed: 6, Hidden: 96}
	other := collect(t, config(t, wider), wider.Weights(), [][]int32{{1, 2, 3}}, activation.Options{})
	check := func(ctx context.Context, base tensors.Source, delta tensors.Delta, general, domain *activation.Grams, words ...string) {
		t.Helper()
		rows, err := activation.Drift(ctx, base, delta, general, domain)
		for _, want := range words {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		}
		if rows != nil {
			t.Error("there are rows besides an error")
		}
	}
	ctx, same := t.Context(), diff(t, base, base)
	check(ctx, base, same, other, g, "layers.0.mlp.down_proj.weight", "a width of 192", "another model")
	check(ctx, base, same, g, other, "layers.0.mlp.down_proj.weight", "a width of 192", "another model")
	put := func(v float64) func([]float64) { return func(list []float64) { list[len(list)/2] = v } }
	huge := func(list []float64) {
		for i := range list {
			list[i] = math.MaxFloat32
		}
	}
	for _, spoil := range []func([]float64){put(math.NaN()), put(math.Inf(-1)), huge} {
		spoiled := changed(t, base, "1.mlp.up_proj", spoil)
		check(ctx, base, diff(t, base, spoiled), g, g, "layers.1.mlp.up_proj.weight", "not finite")
		check(ctx, spoiled, diff(t, spoiled, spoiled), g, g, "layers.1.mlp.up_proj.weight", "not finite")
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	check(stopped, base, same, g, g, context.Canceled.Error())
	check(ctx, base, broken{same}, g, g, "layers.0.mlp.down_proj.weight", "the disk is gone")
	less := tensors.Keep(base, func(name string) bool { return !strings.Contains(name, "q_proj") })
	check(ctx, less, same, g, g, "q_proj.weight", "the base does not have it")
}

// broken is a Delta that cannot be read.
type broken struct{ tensors.Delta }

func (broken) AddTo([]float32, string, int, float32) error { return errors.New("the disk is gone") }
