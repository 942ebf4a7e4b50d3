package merge_test

import (
	"fmt"
	"math"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// effectOf is the Effect of a Record.
func effectOf(t testing.TB, r *merge.Record) *merge.Effect {
	t.Helper()
	e, err := r.Effect(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// bits spells an Effect to the last bit.
func bits(e *merge.Effect) string {
	spell := func(list []merge.TermEffect) (text string) {
		for _, term := range list {
			text += fmt.Sprintf("%x of %x, ", math.Float64bits(term.Effective), math.Float64bits(term.Requested))
		}
		return text
	}
	text := spell(e.Terms)
	for _, tensor := range e.Tensors {
		text += "\n" + tensor.Name + ": " + spell(tensor.Terms)
	}
	return fmt.Sprint(text, "\n", e.Nonfinite)
}

// models are merges of all kinds of paths through the code, by name.
func models(t testing.TB, d tensors.DType) map[string]*merge.Model {
	base := long(d, 0, 0)
	one, two := diff(t, base, long(d, 1, 0.1)), diff(t, base, long(d, 2, 0.1))
	return map[string]*merge.Model{
		"one":        apply(t, base, term(one, 0.3)),
		"hidden":     apply(t, base, term(hidden{one}, 0.3)),
		"alpha 0":    apply(t, base, term(one, 0)),
		"alpha 1":    apply(t, base, term(one, 1)),
		"two":        apply(t, base, term(one, 0.3), term(two, -0.4)),
		"mixed":      apply(t, base, term(outer{d}, 0.5), term(one, 0.3), term(two, 1)),
		"stochastic": stochastically(apply(t, base, term(one, 0.3)), "", 1),
		"as F16":     apply(t, base, term(one, 0.3)).With(merge.Options{DType: tensors.F16}),
		"as F64":     apply(t, base, term(one, 0.3)).With(merge.Options{DType: tensors.F64}),
	}
}

// TestReadAnyhow: a Record that was read as a whole, in pieces that are blocks
// or not, twice, in part or never has the same Effect to the last bit, for any
// number of threads.
func TestReadAnyhow(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long and counts allocations: left out by -short, which the race detector runs with")
	}
	read := func(r *merge.Record, name string, from, to int) {
		t.Helper()
		size := infoOf(r, name).DType.Size()
		if err := r.ReadRaw(make([]byte, (to-from)*size), name, int64(from*size)); err != nil {
			t.Fatal(err)
		}
	}
	inPieces := func(length int) func(r *merge.Record) {
		return func(r *merge.Record) {
			for at := 0; at < longLen; at += length {
				read(r, "x", at, min(at+length, longLen))
			}
		}
	}
	ways := map[string]func(r *merge.Record){
		"whole":          func(r *merge.Record) { read(r, "x", 0, longLen); read(r, "still", 0, 5) },
		"twice":          func(r *merge.Record) { read(r, "x", 0, longLen); read(r, "x", 0, longLen) },
		"blocks":         inPieces(1 << 16),
		"no blocks":      inPieces(50_000),
		"unlike blocks":  inPieces(1<<16 - 3),
		"the first":      func(r *merge.Record) { read(r, "x", 0, 1<<16) },
		"the middle":     func(r *merge.Record) { read(r, "x", 30_000, longLen-1) },
		"the end":        func(r *merge.Record) { read(r, "x", 2<<16, longLen) },
		"another tensor": func(r *merge.Record) { read(r, "still", 1, 3); read(r, "ids", 0, 1) },
		"values":         func(r *merge.Record) { values(t, r, "x") },
		"effect twice":   func(r *merge.Record) { effectOf(t, r) },
	}
	for _, d := range []tensors.DType{tensors.F64, tensors.BF16, tensors.F8E4M3} {
		for what, m := range models(t, d) {
			want := bits(effectOf(t, m.Record(false)))
			for way, read := range ways {
				r := m.Record(false)
				if read(r); bits(effectOf(t, r)) != want {
					t.Errorf("%s, %s, read %s: %s\nwant %s", d, what, way, bits(effectOf(t, r)), want)
				}
			}
			for _, n := range []int{1, 2, 5} {
				threads(n, func() {
					r := m.Record(false)
					read(r, "x", 0, 100_000)
					if got := bits(effectOf(t, r)); got != want {
						t.Errorf("%s, %s, %d threads: %s\nwant %s", d, what, n, got, want)
					}
				})
			}
		}
	}
}

// naive is the effective alpha of one term of a tensor: the two sums, as they
// are written.
func naive(t testing.TB, m, base tensors.Source, delta tensors.Delta, name string) (moved, full float64) {
	t.Helper()
	y, b := wide(t, m, name), wide(t, base, name)
	d := make([]float64, len(y))
	if err := delta.AddTo64(d, name, 0, 1); err != nil {
		t.Fatal(err)
	}
	for i := range y {
		moved += (y[i] - b[i]) * d[i]
		full += d[i] * d[i]
	}
	return moved, full
}

// near compares to twelve digits: the order of a sum shows after them.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*(math.Abs(a)+math.Abs(b)) }

// TestEffect compares the effective alphas of one term with the sums over the
// written values: of each tensor, and of all; the requested one is the mean
// weighted by squares of what the term would change.
func TestEffect(t *testing.T) {
	alphas := rules(t, "layers.0=0.3,embed=0,norms=1,layers.1.mlp=-0.7,*=0.45")
	for _, d := range everyType {
		base, tuned := tensorstest.Pico{Seed: 6, DType: d}.Weights(), tensorstest.Pico{Seed: 6, DType: d, Drift: 0.05}.Weights()
		delta := diff(t, base, tuned)
		for _, options := range []merge.Options{{}, {DType: tensors.BF16}, {DType: tensors.F64}, {Stochastic: true}} {
			m := apply(t, base, merge.Term{Label: "t", Delta: delta, Alpha: alphas.At}).With(options)
			e := effectOf(t, m.Record(false))
			var allMoved, allFull, weighted float64
			if len(e.Tensors) != len(base.Names()) || len(e.Terms) != 1 || e.Nonfinite != 0 {
				t.Fatalf("%s: %d tensors, %d terms, %d not finite", d, len(e.Tensors), len(e.Terms), e.Nonfinite)
			}
			for i, name := range base.Names() {
				moved, full := naive(t, m, base, delta, name)
				got := e.Tensors[i]
				if got.Name != name || got.Terms[0].Requested != alphas.At(name) || !near(got.Terms[0].Effective, moved/full) {
					t.Errorf("%s: %s: %+v, want %v of %v", d, name, got, moved/full, alphas.At(name))
				}
				allMoved, allFull, weighted = allMoved+moved, allFull+full, weighted+alphas.At(name)*full
			}
			if got := e.Terms[0]; !near(got.Effective, allMoved/allFull) || !near(got.Requested, weighted/allFull) {
				t.Errorf("%s: %+v, want %v of %v", d, got, allMoved/allFull, weighted/allFull)
			}
			if got := effective(t, m); got != e.Terms[0].Effective {
				t.Errorf("%s: EffectiveAlpha is %v, Effect says %v", d, got, e.Terms[0].Effective)
			}
		}
	}
}

// TestEffectEnds: 0 and 1 are 0 and 1 in every type, as numbers and as rules,
// of each tensor and of all.
func TestEffectEnds(t *testing.T) {
	for _, d := range everyType {
		base, tuned := tensorstest.Pico{Seed: 6, DType: d}.Weights(), tensorstest.Pico{Seed: 6, DType: d, Drift: 0.03}.Weights()
		for _, alpha := range []float64{0, 1} {
			for _, text := range []string{fmt.Sprint(alpha), fmt.Sprintf("layers.0=%v,*=%v", alpha, alpha)} {
				e := effectOf(t, apply(t, base, merge.Term{Label: "t", Delta: diff(t, base, tuned), Alpha: rules(t, text).At}).Record(false))
				for _, tensor := range append(e.Tensors, merge.TensorEffect{Name: "all", Terms: e.Terms}) {
					if got := tensor.Terms[0]; got.Effective != alpha || got.Requested != alpha {
						t.Errorf("%s at %s: %s is %v of %v", d, text, tensor.Name, got.Effective, got.Requested)
					}
				}
			}
		}
	}
}

// TestEffectOfNothing: where a term changes nothing there is no effect, and a
// model of no tensors has none.
func TestEffectOfNothing(t *testing.T) {
	base := vector(tensors.BF16, 1, 2)
	e := effectOf(t, toward(t, base, base, 0.3).Record(false))
	if got := e.Terms[0]; got.Requested != 0.3 || !math.IsNaN(got.Effective) || !math.IsNaN(e.Tensors[0].Terms[0].Effective) {
		t.Errorf("%+v, want NaN of 0.3", got)
	}
	e = effectOf(t, toward(t, base, vector(tensors.BF16, 1), 0.3).Record(false)) // another shape
	if len(e.Tensors) != 0 || len(e.Terms) != 1 || !math.IsNaN(e.Terms[0].Effective) {
		t.Errorf("%+v, want no tensors", e)
	}
	if e = effectOf(t, apply(t, base).Record(false)); len(e.Terms) != 0 || len(e.Tensors) != 0 {
		t.Errorf("%+v of no terms", e)
	}
}
