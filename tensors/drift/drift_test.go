package drift_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/tensorstest"
)

// TestNumbers compares every row of a whole model, in each stored type, with
// the naive computation over its tensors laid end to end.
func TestNumbers(t *testing.T) {
	for _, d := range []tensors.DType{tensors.F32, tensors.F16, tensors.BF16} {
		base, tuned := tensorstest.Pico{Seed: 1, DType: d, Layers: 3, Untied: true}.Weights(), tensorstest.Pico{Seed: 1, DType: d, Layers: 3, Untied: true, Drift: 0.3}.Weights()
		report := measure(t, base, tuned)
		check := func(row drift.Row, in func(name string) bool) {
			t.Helper()
			var b, u []float32
			count := 0
			for _, name := range base.Names() {
				if in(name) {
					b, u = append(b, values(t, base, name)...), append(u, values(t, tuned, name)...)
					count++
				}
			}
			if row.Tensors != count || row.N != int64(len(b)) || count == 0 {
				t.Errorf("%s: %d tensors of %d elements, want %d of %d", row.Name, row.Tensors, row.N, count, len(b))
			}
			agree(t, fmt.Sprint(d, " ", row.Name), row.Sums, compute(b, u))
		}
		for _, row := range report.Tensors {
			check(row, func(name string) bool { return name == row.Name })
			if info, _ := base.Info(row.Name); row.Info.DType != d || !slices.Equal(row.Info.Shape, info.Shape) || row.Key != tensors.KeyOf(row.Name) {
				t.Errorf("%s: described as %v, %v", row.Name, row.Info, row.Key)
			}
		}
		for _, row := range report.Layers {
			check(row, func(name string) bool { return tensors.KeyOf(name).Row() == row.Name })
		}
		for _, row := range report.Parts {
			check(row, func(name string) bool { return tensors.KeyOf(name).Part == row.Name })
		}
		check(report.Total, func(string) bool { return true })
		// 9 tensors in each of 3 layers; embedding, norm and head.
		if len(report.Tensors) != 30 || len(report.Layers) != 6 || len(report.Parts) != 12 {
			t.Errorf("%d tensors, %d layers, %d parts", len(report.Tensors), len(report.Layers), len(report.Parts))
		}
	}
}

// TestTotal: layers, parts and the whole are the rows added, in their order.
func TestTotal(t *testing.T) {
	report := measure(t, tensorstest.Pico{Seed: 2}.Weights(), tensorstest.Pico{Seed: 2, Drift: 0.1}.Weights())
	add := func(rows []drift.Row) (total drift.Sums, count int) {
		for _, row := range rows {
			total.N += row.N
			total.Base2 += row.Base2
			total.Delta2 += row.Delta2
			total.Dot += row.Dot
			total.MaxAbs = max(total.MaxAbs, row.MaxAbs)
			total.Changed += row.Changed
			total.Flipped += row.Flipped
			count += row.Tensors
		}
		return total, count
	}
	if got, count := add(report.Tensors); got != report.Total.Sums || count != report.Total.Tensors {
		t.Errorf("the total is %v, its rows add to %v", report.Total, got)
	}
	for _, rows := range [][]drift.Row{report.Layers, report.Parts} {
		got, count := add(rows)
		if got.N != report.Total.N || got.Changed != report.Total.Changed || got.Flipped != report.Total.Flipped || got.MaxAbs != report.Total.MaxAbs || count != report.Total.Tensors {
			t.Errorf("%v, the total is %v", got, report.Total.Sums)
		}
	}
}

// TestOrder lists rows as they stand in a model: numbers by value, not by
// letter.
func TestOrder(t *testing.T) {
	names := []string{"lm_head.weight", "model.norm.weight", "model.embed_tokens.weight", "other", "another"}
	for layer := range 12 {
		names = append(names, fmt.Sprintf("model.layers.%d.mlp.up_proj.weight", layer), fmt.Sprintf("model.layers.%d.input_layernorm.weight", layer))
	}
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	for _, name := range names {
		base.Add(name, tensors.F32, []int{1}, []float32{1})
		tuned.Add(name, tensors.F32, []int{1}, []float32{2})
	}
	report := measure(t, base, tuned)
	check := func(what string, rows []drift.Row, want string) {
		t.Helper()
		var got []string
		for _, row := range rows {
			got = append(got, row.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", what, strings.Join(got, " "), want)
		}
	}
	check("layers", report.Layers, "embed 0 1 2 3 4 5 6 7 8 9 10 11 norm lm_head another other")
	check("parts", report.Parts, "input_layernorm mlp.up_proj embed norm lm_head another other")
	check("ends of the tensors", append(report.Tensors[:3:3], report.Tensors[22:]...), "model.embed_tokens.weight "+
		"model.layers.0.input_layernorm.weight model.layers.0.mlp.up_proj.weight "+
		"model.layers.10.mlp.up_proj.weight model.layers.11.input_layernorm.weight model.layers.11.mlp.up_proj.weight "+
		"model.norm.weight lm_head.weight another other")
	if key := report.Layers[3].Key; key.Layer != 2 || key.Part != "" {
		t.Errorf("the row of layer 2 has the key %v", key)
	}
	if report.Total.Name != "total" || report.Total.Key.Layer != tensors.NoLayer {
		t.Errorf("the total is %v", report.Total)
	}
}

// TestThreads: the same bits for any number of processors. The tensor has
// three blocks and a piece.
func TestThreads(t *testing.T) {
	const n = 3*1<<16 + 17
	draw := tensorstest.NewRandom(1, "threads")
	b, u := make([]float32, n), make([]float32, n)
	for i := range b {
		b[i] = draw.Normal(i)
		u[i] = b[i] + draw.Normal(n+i)*0.01
	}
	base, tuned := pair(tensors.F32, b, u)
	first := ""
	for _, processors := range []int{1, 2, 3, 4} {
		threads(processors, func() {
			got := bits(measure(t, base, tuned))
			if first == "" {
				first = got
			}
			if got != first {
				t.Errorf("with %d processors:\n%swith one:\n%s", processors, got, first)
			}
		})
	}
	agree(t, "four blocks", sums(t, b, u), compute(b, u))
}

// broken is a Source that cannot be read.
type broken struct {
	*tensorstest.Memory
	err error
}

func (b broken) Read([]float32, string, int) error   { return b.err }
func (b broken) ReadRaw([]byte, string, int64) error { return b.err }

// TestErrors: what cannot be measured is an error, not a number.
func TestErrors(t *testing.T) {
	base, tuned := tensorstest.Pico{Seed: 1}.Weights(), tensorstest.Pico{Seed: 1, Drift: 1}.Weights()
	unreadable := errors.New("unreadable")
	check := func(ctx context.Context, b, other tensors.Source, tuned tensors.Source, words string) {
		t.Helper()
		difference, err := tensors.Diff(other, tuned)
		if err != nil {
			t.Fatal(err)
		}
		report, err := drift.Measure(ctx, b, difference, drift.Options{})
		if report != nil || err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, %v; want %q", report, err, words)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	check(cancelled, base, base, tuned, context.Canceled.Error())
	check(t.Context(), broken{base, unreadable}, base, tuned, "unreadable")
	check(t.Context(), base, base, broken{tuned, unreadable}, "unreadable")
	small := tensorstest.NewMemory()
	small.Add("x", tensors.F32, []int{1}, []float32{1})
	check(t.Context(), small, base, tuned, `"model.embed_tokens.weight"`)
}

// TestCancelled stops in the middle and returns the context's own error.
func TestCancelled(t *testing.T) {
	base, tuned := tensorstest.Pico{Seed: 1}.Weights(), tensorstest.Pico{Seed: 1, Drift: 1}.Weights()
	difference, err := tensors.Diff(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	_, err = drift.Measure(ctx, base, difference, drift.Options{Progress: func(done, total int64) {
		calls++
		cancel()
	}})
	if !errors.Is(err, context.Canceled) || calls == 0 || calls > runtime.GOMAXPROCS(0) { // what was under way is finished
		t.Errorf("%v after %d blocks", err, calls)
	}
}

// TestProgress ends at the bytes of all base weights.
func TestProgress(t *testing.T) {
	base, tuned := tensorstest.Pico{Seed: 1}.Weights(), tensorstest.Pico{Seed: 1, DType: tensors.F32, Drift: 1}.Weights()
	difference, err := tensors.Diff(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	var want, last int64
	for _, name := range base.Names() {
		info, _ := base.Info(name)
		want += info.Bytes()
	}
	_, err = drift.Measure(t.Context(), base, difference, drift.Options{Progress: func(done, total int64) {
		if done <= last || total != want {
			t.Errorf("%d of %d after %d; the weights have %d bytes", done, total, last, want)
		}
		last = done
	}})
	if err != nil || last != want {
		t.Errorf("ended at %d of %d: %v", last, want, err)
	}
}
