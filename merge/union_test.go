package merge_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// union are two models that have little in common: the tuned one has a resized
// vocabulary, a layer more, a layer less, a reshaped tensor, other integers.
func union(t testing.TB, d, e tensors.DType, baseRows, tunedRows int) (base, tuned *tensorstest.Memory) {
	t.Helper()
	make := func(d tensors.DType, drift float32, rows int, lacks string, reshaped []int, id byte) *tensorstest.Memory {
		pico, m := tensorstest.Pico{Seed: 5, DType: d, Layers: 3, Drift: drift, Untied: true}.Weights(), tensorstest.NewMemory()
		for _, name := range pico.Names() {
			shape, list := infoOf(pico, name).Shape, values(t, pico, name)
			switch {
			case strings.Contains(name, lacks):
				continue
			case strings.HasSuffix(name, "layers.0.mlp.up_proj.weight"):
				shape, list = reshaped, list[:reshaped[0]*reshaped[1]]
			case strings.HasPrefix(name, "lm_head"), strings.Contains(name, "embed"):
				shape, list = []int{rows, shape[1]}, list[:rows*shape[1]]
			}
			m.Add(name, d, shape, list)
		}
		m.AddRaw("ids", tensors.Info{DType: "I64", Shape: []int{1}}, bytes.Repeat([]byte{id}, 8))
		m.AddRaw("same", tensors.Info{DType: "I64", Shape: []int{1}}, []byte("12345678"))
		return m
	}
	return make(d, 0, baseRows, "layers.2", []int{96, 48}, 1), make(e, 0.3, tunedRows, "layers.1", []int{95, 47}, 2)
}

// TestUnion merges the union of two models under both policies: the result is
// a Source with the names and shapes of the side that the policy names; at
// alpha 0 it has the base's values where both have them, at alpha 1 the tuned
// model's; with TakeTuned and one type it is then the tuned model to the bit.
func TestUnion(t *testing.T) {
	types := [][2]tensors.DType{{"BF16", "F32"}, {"F32", "F16"}, {"F8_E4M3", "BF16"}}
	for _, d := range everyType {
		types = append(types, [2]tensors.DType{d, d})
	}
	for _, pair := range types {
		d, e := pair[0], pair[1]
		for _, rows := range [][2]int{{300, 320}, {320, 300}, {300, 300}} {
			base, tuned := union(t, d, e, rows[0], rows[1])
			for _, policy := range []merge.Policy{merge.TakeBase, merge.TakeTuned} {
				r, err := merge.Reconcile(base, tuned, policy)
				if err != nil {
					t.Fatal(err)
				}
				like := map[merge.Policy]tensors.Source{merge.TakeBase: base, merge.TakeTuned: tuned}[policy]
				what := string(d + " and " + e + ", " + tensors.DType(policy))
				for _, alpha := range []float64{0, 0.5, 1} {
					m := apply(t, r.Base, term(r.Delta, alpha))
					if alpha == 0.5 {
						tensorstest.TestSource(t, m.Record(true))
					}
					if !slices.Equal(m.Names(), like.Names()) {
						t.Fatalf("%s: names %q, want %q", what, m.Names(), like.Names())
					}
					for _, name := range m.Names() {
						if !slices.Equal(infoOf(m, name).Shape, infoOf(like, name).Shape) {
							t.Errorf("%s: %s has shape %v", what, name, infoOf(m, name).Shape)
						}
					}
				}
				side := map[float64]tensors.Source{0: base, 1: tuned}
				for alpha, own := range side {
					commonValues(t, what, apply(t, r.Base, term(r.Delta, alpha)), own, side[1-alpha], like)
				}
				if d == e && policy == merge.TakeTuned {
					sameBytes(t, what, apply(t, r.Base, term(r.Delta, 1)), tuned)
				}
				if d == e && policy == merge.TakeBase {
					sameBytes(t, what, apply(t, r.Base, term(r.Delta, 0)), base)
				}
			}
		}
	}
}

// commonValues checks a merge at one of its ends: the values of that side where
// both sides have them, rounded to the stored type, else those of the side
// whose layout the result has.
func commonValues(t *testing.T, what string, m, own, other, like tensors.Source) {
	t.Helper()
	for _, name := range m.Names() {
		info := infoOf(m, name)
		if !info.DType.Float() {
			if !bytes.Equal(raw(t, m, name), raw(t, like, name)) {
				t.Errorf("%s: %s is not what the policy keeps", what, name)
			}
			continue
		}
		want := wide(t, like, name)
		a, inOwn := own.Info(name)
		b, inOther := other.Info(name)
		if inOwn && inOther && (slices.Equal(a.Shape, b.Shape) || tensors.Resized(name, a, b)) {
			list := wide(t, own, name)
			copy(want, list[:min(len(list), b.Len())])
		}
		for i, v := range wide(t, m, name) {
			if w := nearest(info.DType, want[i]); math.Abs(v-w) > quantum(info.DType, math.Abs(w)) { // a place, see TestFarEnd
				t.Fatalf("%s: %s[%d] is %v, want %v", what, name, i, v, w)
			}
		}
	}
}

// TestConformedEnds: a merge that has the bytes of a Source seen in another
// layout reads nothing beyond its end.
func TestConformedEnds(t *testing.T) {
	base, tuned := union(t, tensors.BF16, tensors.BF16, 320, 300)
	r, err := merge.Reconcile(base, tuned, merge.TakeTuned)
	if err != nil {
		t.Fatal(err)
	}
	tensorstest.TestSource(t, apply(t, r.Base, term(r.Delta, 1)))
	tensorstest.TestSource(t, apply(t, r.Base, term(r.Delta, 0)))
}

// TestMergedCount: a tensor is merged or copied, not both, unless its
// vocabulary was resized.
func TestMergedCount(t *testing.T) {
	for _, policy := range []merge.Policy{merge.TakeBase, merge.TakeTuned} {
		base, tuned := union(t, tensors.BF16, tensors.BF16, 300, 320)
		r, err := merge.Reconcile(base, tuned, policy)
		if err != nil {
			t.Fatal(err)
		}
		// Of layer 0 all but one matrix, the norm, embedding and head.
		if copied := len(r.Copied); r.Merged != 8+1+2 || copied != 9+1+1+2 || len(r.LeftOut) != 9 {
			t.Errorf("%s: %d merged, %d copied, %d left out", policy, r.Merged, copied, len(r.LeftOut))
		}
		base, tuned = tensorstest.NewMemory(), tensorstest.NewMemory()
		add(base, "x", "F32", []int{2}, 1)
		add(tuned, "y", "F32", []int{2}, 1)
		if r, err := merge.Reconcile(base, tuned, policy); err == nil || r != nil {
			t.Errorf("%s: models with nothing in common: %v", policy, err)
		}
	}
}

// TestReconcileMisuse: an unknown policy is a programmer's mistake, bytes that
// cannot be read are an error.
func TestReconcileMisuse(t *testing.T) {
	base, tuned := union(t, tensors.BF16, tensors.BF16, 300, 300)
	panics(t, "merge: no policy \"both\"", func() { _, _ = merge.Reconcile(base, tuned, "both") })
	for _, policy := range merge.Policies {
		if r, err := merge.Reconcile(unreadable(base, "ids", 0), tuned, policy); err == nil || r != nil || !strings.Contains(err.Error(), "unreadable") {
			t.Errorf("%s: %v", policy, err)
		}
	}
}

// panics checks that work panics with a text.
func panics(t *testing.T, text string, work func()) {
	t.Helper()
	defer func() {
		if got, _ := recover().(string); got != text {
			t.Errorf("panicked with %q, want %q", got, text)
		}
	}()
	work()
}

// TestMisuse: types that hold no numbers cannot be asked for, and there is no
// effective alpha of none or several terms.
func TestMisuse(t *testing.T) {
	base, tuned := vector(tensors.BF16, 1), vector(tensors.BF16, 2)
	m := toward(t, base, tuned, 0.5)
	for _, d := range []tensors.DType{"I64", "F4", "BOOL", "F8_E8M0", "bf16"} {
		panics(t, "merge: cannot store weights as "+string(d), func() { m.With(merge.Options{DType: d}) })
	}
	delta := diff(t, base, tuned)
	panics(t, "merge: EffectiveAlpha of a model of 0 terms", func() { _, _ = apply(t, base).EffectiveAlpha(t.Context(), nil) })
	panics(t, "merge: EffectiveAlpha of a model of 2 terms", func() {
		_, _ = apply(t, base, term(delta, 1), term(delta, 1)).EffectiveAlpha(t.Context(), nil)
	})
	if wide := m.With(merge.Options{DType: tensors.F32}); infoOf(m, "x").DType != tensors.BF16 || infoOf(wide.With(merge.Options{}), "x").DType != tensors.BF16 || infoOf(wide, "x").DType != tensors.F32 {
		t.Error("With changed the model it was called on, or kept its options")
	}
	if got := merge.Number(0.3); got("x") != 0.3 || got("y") != 0.3 {
		t.Error("Number is not the same everywhere")
	}
}

// TestRulesOfModel: the alphas of rules are what each tensor is merged with, and
// 0 where no rule matches.
func TestRulesOfModel(t *testing.T) {
	base, tuned := tensorstest.Pico{Seed: 1}.Weights(), tensorstest.Pico{Seed: 1, Drift: 0.2}.Weights()
	r := rules(t, "layers.0.mlp=1,layers.0=0.25,/q_proj/=-0.5,embed=2")
	m := apply(t, base, merge.Term{Label: "t", Delta: diff(t, base, tuned), Alpha: r.At})
	seen := map[float64]int{}
	for _, name := range base.Names() {
		alpha, key := 0., tensors.KeyOf(name)
		switch {
		case key.Layer == 0 && strings.HasPrefix(key.Part, "mlp"):
			alpha = 1
		case key.Layer == 0:
			alpha = 0.25
		case strings.Contains(name, "q_proj"):
			alpha = -0.5
		case strings.Contains(name, "embed"):
			alpha = 2
		}
		seen[alpha]++
		if !bytes.Equal(raw(t, m, name), raw(t, toward(t, base, tuned, alpha), name)) {
			t.Errorf("%s is not merged with %v", name, alpha)
		}
	}
	if len(seen) != 5 {
		t.Errorf("alphas %v: the test does not test", seen)
	}
}
