package drift_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/tensorstest"
)

// oneEach is a pair of float32 models with one tensor of each name. Those that
// move names go from 2 to 3, others stay 2.
func oneEach(names []string, moves func(name string) bool) (tensors.Source, tensors.Source) {
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	for _, name := range names {
		base.Add(name, tensors.F32, []int{1}, []float32{2})
		tuned.Add(name, tensors.F32, []int{1}, []float32{2})
		if moves(name) {
			tuned.Add(name, tensors.F32, []int{1}, []float32{3})
		}
	}
	return base, tuned
}

// TestGains: the row of the gains is the sum of all normalisations, inside the
// layers and behind them, and of nothing else.
func TestGains(t *testing.T) {
	norms := []string{"model.norm.weight", "model.layers.0.input_layernorm.weight", "model.layers.0.self_attn.q_norm.weight",
		"model.layers.1.post_attention_layernorm.weight", "transformer.h.2.ln_1.bias"}
	others := []string{"model.embed_tokens.weight", "lm_head.weight", "model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.norm_proj.weight", "model.layers.1.normalizer.weight"}
	check := func(moves func(string) bool, changed int64) {
		t.Helper()
		gains := measure(t, first(oneEach(slices.Concat(norms, others), moves)), second(oneEach(slices.Concat(norms, others), moves))).Gains
		n := int64(len(norms))
		if gains.Name != "norm gains" || gains.Tensors != len(norms) || gains.N != n || gains.Changed != changed ||
			gains.Base2 != float64(4*n) || gains.Delta2 != float64(changed) || gains.Dot != float64(2*changed) {
			t.Errorf("%+v, want %d of %d changed", gains, changed, n)
		}
	}
	isNorm := func(name string) bool { return slices.Contains(norms, name) }
	check(isNorm, int64(len(norms)))
	check(func(name string) bool { return !isNorm(name) }, 0)
	check(func(name string) bool { return name == "model.norm.weight" }, 1)
	if none := measure(t, first(oneEach(others, isNorm)), second(oneEach(others, isNorm))).Gains; none.Tensors != 0 || none.N != 0 || none.Relative() != 0 || none.NormRatio() != 1 {
		t.Errorf("a model without normalisations has gains %+v", none)
	}
}

// TestNormRatio holds cases whose ratio one knows.
func TestNormRatio(t *testing.T) {
	check := func(what string, base, tuned []float32, want float64) {
		t.Helper()
		if got := sums(t, base, tuned).NormRatio(); math.Abs(got-want) > 1e-15 && got != want || got != got != (want != want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	check("nothing moved", []float32{3, 4}, []float32{3, 4}, 1)
	check("twice", []float32{3, 4}, []float32{6, 8}, 2)
	check("turned", []float32{3, 4}, []float32{-4, 3}, 1)
	check("mirrored", []float32{3, 4}, []float32{-3, -4}, 1)
	check("gone", []float32{3, 4}, []float32{0, 0}, 0)
	check("out of nothing", []float32{0, 0}, []float32{0, 1}, math.Inf(1))
	check("nothing at all", []float32{0, 0}, []float32{0, 0}, 1)
	check("a number lost", []float32{1, 1}, []float32{1, float32(math.NaN())}, math.NaN())
}

// TestRollUp: the rows of layers and parts, the gains and the total are the
// sums of their tensors, added in the order of the rows, to the last bit.
func TestRollUp(t *testing.T) {
	base, tuned := tensorstest.Pico{Seed: 5, Layers: 12, Untied: true}, tensorstest.Pico{Seed: 5, Layers: 12, Untied: true, Drift: 0.1}
	report := measure(t, base.Weights(), tuned.Weights())
	check := func(rows []drift.Row, in func(tensors.Key, drift.Row) bool) {
		t.Helper()
		for _, row := range rows {
			want := drift.Row{Name: row.Name, Key: row.Key}
			for _, one := range report.Tensors {
				if !in(one.Key, row) {
					continue
				}
				want.Tensors++
				want.N += one.N
				want.Base2 += one.Base2
				want.Delta2 += one.Delta2
				want.Dot += one.Dot
				want.MaxAbs = max(want.MaxAbs, one.MaxAbs)
				want.Changed += one.Changed
				want.Flipped += one.Flipped
			}
			if row.Sums != want.Sums || row.Tensors != want.Tensors || want.Tensors == 0 {
				t.Errorf("%s is %+v, its %d tensors add to %+v", row.Name, row.Sums, want.Tensors, want.Sums)
			}
		}
	}
	check(report.Layers, func(k tensors.Key, row drift.Row) bool { return k.Row() == row.Name })
	check(report.Parts, func(k tensors.Key, row drift.Row) bool { return k.Part == row.Name })
	check([]drift.Row{report.Gains}, func(k tensors.Key, _ drift.Row) bool { return k.Norm() })
	check([]drift.Row{report.Total}, func(tensors.Key, drift.Row) bool { return true })
	var order []string
	for _, row := range report.Layers {
		order = append(order, row.Name)
	}
	if got, want := strings.Join(order, " "), "embed 0 1 2 3 4 5 6 7 8 9 10 11 norm lm_head"; got != want {
		t.Errorf("layers %q, want %q", got, want)
	}
}

// TestAnyThreads: every type and path has the same bits for 1, 2 and 5
// processors, and a bare delta the numbers of the Difference in every block. The model has tensors of less and of more than a block.
func TestAnyThreads(t *testing.T) {
	for _, d := range []tensors.DType{tensors.BF16, tensors.F16, tensors.F64} {
		base, tuned := tensorstest.Pico{Seed: 2, DType: d}.Weights(), tensorstest.Pico{Seed: 2, DType: d, Drift: 0.01}.Weights()
		for layer := range 3 {
			n := 1<<16*layer + 4099
			values, name := make([]float32, n), fmt.Sprintf("model.layers.%d.mlp.more.weight", layer)
			for i := range values {
				values[i] = float32(i%1001) * 0x1p-10
			}
			base.Add(name, d, []int{n}, values)
			for i := range values {
				values[i] *= 1 + float32(i%5)*0x1p-6
			}
			tuned.Add(name, d, []int{n}, values)
		}
		difference := diff(t, base, tuned)
		total := measureDelta(t, base, difference, drift.Options{}).Total
		for _, delta := range []tensors.Delta{difference, adapter{difference, difference.Names()}} {
			var want string
			alike(t, measureDelta(t, base, delta, drift.Options{}).Total, total)
			for _, processors := range []int{1, 2, 5} {
				threads(processors, func() {
					report := measureDelta(t, base, delta, drift.Options{})
					got := bits(report) + fmt.Sprintf("%x %x", report.Gains.Base2, report.Gains.Delta2)
					if want == "" {
						want = got
					}
					if got != want {
						t.Errorf("%s, %T: %d processors give other bits than one", d, delta, processors)
					}
				})
			}
		}
	}
}

// TestProgressRises: with several processors too, the bytes done never fall,
// and the last call says that all are done. Blocks of one element finish close
// to each other.
func TestProgressRises(t *testing.T) {
	names := make([]string, 5000)
	for i := range names {
		names[i] = fmt.Sprint("x", i)
	}
	base, tuned := oneEach(names, func(string) bool { return true })
	difference, total := diff(t, base, tuned), int64(4*len(names))
	threads(4, func() {
		var last, fell int64
		measureDelta(t, base, difference, drift.Options{Progress: func(done, all int64) {
			if done <= last || all != total {
				fell++
			}
			last = done
		}})
		if fell > 0 || last != total {
			t.Errorf("fell %d times, ended at %d of %d bytes", fell, last, total)
		}
	})
}
