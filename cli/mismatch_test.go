package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// odd is a pair whose tuned model has a tensor more, one less and one of
// another shape.
func odd(t *testing.T, dir string) (base, tuned string) {
	t.Helper()
	p := tensorstest.Pico{Seed: 1}
	base = variant(t, dir, "base", p, func(m *tensorstest.Memory) {
		m.Add("model.layers.0.only_base.weight", tensors.BF16, []int{2}, []float32{1, 2})
		m.Add("model.layers.1.both.weight", tensors.BF16, []int{2}, []float32{3, 4})
	})
	tuned = variant(t, dir, "tuned", tensorstest.Pico{Seed: 1, Drift: 0.1}, func(m *tensorstest.Memory) {
		m.Add("model.layers.0.only_tuned.weight", tensors.BF16, []int{2}, []float32{5, 6})
		m.Add("model.layers.1.both.weight", tensors.BF16, []int{1, 2}, []float32{7, 8})
	}, `"bos_token_id": 0`, `"bos_token_id": 1`)
	return base, tuned
}

// TestMismatch: tensors that only one side has, or in another shape.
func TestMismatch(t *testing.T) {
	dir := t.TempDir()
	base, tuned := odd(t, dir)
	b, u := opened(t, base), opened(t, tuned)
	refused(t, ExitInput, []string{"--on-mismatch base", "--on-mismatch tuned", "model.layers.0.only_base.weight", "and 2 more tensors"},
		"merge", base, tuned, "--alpha", "0.5", "-o", filepath.Join(dir, "out"))
	refused(t, ExitInput, []string{"--on-mismatch"}, "merge", base, tuned, "--alpha", "0.5", "--on-mismatch", "refuse", "--explain")
	refused(t, ExitUsage, []string{`"newest"`, "refuse, base or tuned"}, "merge", base, tuned, "--alpha", "0.5", "--on-mismatch", "newest", "-o", filepath.Join(dir, "out"))
	check := func(policy string, of *tensors.Checkpoint, model, reshaped string, copied ...string) {
		t.Helper()
		out := filepath.Join(dir, "out-"+policy)
		report := decoded[merged](t, "merge", base, tuned, "--alpha", "0.5", "--on-mismatch", policy, "-o", out, "--json")
		got := opened(t, out)
		if !slices.Equal(got.Names(), of.Names()) {
			t.Errorf("%s: tensors %q", policy, got.Names())
		}
		for _, name := range copied {
			sameTensor(t, policy, got, name, of, name)
		}
		if n := report.Tensors; n.LeftOut != 1 || n.Merged+n.Copied != 22 {
			t.Errorf("%s: %+v", policy, n)
		}
		if notes := strings.Join(report.Notes, "\n"); !strings.Contains(notes, reshaped) || !strings.Contains(notes, "left out") {
			t.Errorf("%s: notes %s", policy, notes)
		}
		for _, side := range []string{"config.json", "tokenizer.json"} {
			if read(t, filepath.Join(out, side)) != read(t, filepath.Join(model, side)) {
				t.Errorf("%s: %s is not that of %s", policy, side, model)
			}
		}
		if p := readProvenance(t, out); string(p.Recipe.OnMismatch) != policy {
			t.Errorf("recipe %+v", p.Recipe)
		}
		done(t, "inspect", out, "--verify")
	}
	check("base", b, base, "shape [2] in the base, [1 2] in the tuned model: copied from the base", "model.layers.0.only_base.weight", "model.layers.1.both.weight")
	check("tuned", u, tuned, "shape [2] in the base, [1 2] in the tuned model: copied from the tuned model", "model.layers.0.only_tuned.weight", "model.layers.1.both.weight")
	refused(t, ExitUsage, []string{"--on-mismatch tuned takes one tuned model: 2 were given"},
		"merge", base, tuned, tuned, "--alpha", "0.5", "--on-mismatch", "tuned", "-o", filepath.Join(dir, "out"))
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("a refused merge wrote something")
	}
}

// TestMismatchCounts: a tensor that was copied was not merged.
func TestMismatchCounts(t *testing.T) {
	dir := t.TempDir()
	base, tuned := odd(t, dir)
	for _, policy := range []string{"base", "tuned"} {
		report := decoded[merged](t, "merge", base, tuned, "--alpha", "0.5", "--on-mismatch", policy, "-o", filepath.Join(dir, "out-"+policy), "--json")
		if report.Tensors != (mergedTensors{20, 2, 1}) {
			t.Errorf("%s: %+v", policy, report.Tensors)
		}
	}
}

// TestMismatchResized: of a resized vocabulary the common rows are merged.
func TestMismatchResized(t *testing.T) {
	dir := t.TempDir()
	p := tensorstest.Pico{Seed: 1, DType: tensors.F32}
	tunedPico := p
	tunedPico.Drift = 0.1
	base := pico(t, dir, "base", p)
	tuned := variant(t, dir, "tuned", tunedPico, func(m *tensorstest.Memory) {
		m.Add(embedding, tensors.F32, []int{322, 48}, append(values(t, m, embedding), slices.Repeat([]float32{9}, 96)...))
	}, `"vocab_size": 320`, `"vocab_size": 322`)
	write(t, tuned, "tokenizer.json", strings.Replace(read(t, filepath.Join(tuned, "tokenizer.json")), "{", "{ ", 1))
	refused(t, ExitInput, []string{"--on-mismatch tuned", embedding, "[320 48]", "[322 48]"}, "merge", base, tuned, "--alpha", "0.5", "-o", filepath.Join(dir, "out"))
	b, u := opened(t, base), opened(t, tuned)
	for policy, rows := range map[string]int{"base": 320, "tuned": 322} {
		out := filepath.Join(dir, "out-"+policy)
		text := done(t, "merge", base, tuned, "--alpha", "0.5", "--on-mismatch", policy, "-o", out)
		got := opened(t, out)
		x, y, z := values(t, b, embedding), values(t, u, embedding), values(t, got, embedding)
		if len(z) != rows*48 || !strings.Contains(text, "320 rows merged") {
			t.Fatalf("%s: %d values:\n%s", policy, len(z), text)
		}
		for i := range x {
			if z[i] != float32(float64(x[i])+0.5*(float64(y[i])-float64(x[i]))) {
				t.Fatalf("%s: element %d is %v", policy, i, z[i])
			}
		}
		for _, v := range z[len(x):] {
			if v != 9 {
				t.Fatalf("%s: a row that only the tuned model has holds %v", policy, v)
			}
		}
		side := map[string]string{"base": base, "tuned": tuned}[policy]
		for _, file := range []string{"config.json", "tokenizer.json"} {
			if read(t, filepath.Join(out, file)) != read(t, filepath.Join(side, file)) {
				t.Errorf("%s: %s is not that of %s", policy, file, side)
			}
		}
	}
}

// withHead adds a head, a copy of the embedding or not.
func withHead(repeats bool) func(m *tensorstest.Memory) {
	return func(m *tensorstest.Memory) {
		copyTensor(m, head, m, embedding)
		if !repeats {
			info, _ := m.Info(embedding)
			m.Add(head, info.DType, info.Shape, make([]float32, info.Len()))
		}
	}
}

// TestTiedHeads: a stored copy of the embedding, which config.json ties the
// head to, is left out where a side has none, and merged where all have one.
func TestTiedHeads(t *testing.T) {
	dir := t.TempDir()
	b, u := tensorstest.Pico{Seed: 1}, tensorstest.Pico{Seed: 1, Drift: 0.1}
	base, tuned := pico(t, dir, "base", b), pico(t, dir, "tuned", u)
	baseCopy, tunedCopy := variant(t, dir, "base-copy", b, withHead(true)), variant(t, dir, "tuned-copy", u, withHead(true))
	tunedOwn := variant(t, dir, "tuned-own", u, withHead(false))
	tunedUntied := variant(t, dir, "tuned-untied", u, withHead(true), `"tie_word_embeddings": true`, `"tie_word_embeddings": false`)
	check := func(name string, head bool, note string, args ...string) {
		t.Helper()
		out := filepath.Join(dir, "out-"+name)
		text := done(t, append([]string{"merge", "--alpha", "0.5", "-o", out}, args...)...)
		got := opened(t, out)
		if _, ok := got.Info("lm_head.weight"); ok != head {
			t.Errorf("%s: has a head: %v", name, ok)
		}
		if head {
			sameTensor(t, name, got, "lm_head.weight", got, embedding)
		}
		if note == "" && strings.Contains(text, "repeats the embedding") || !strings.Contains(text, note) {
			t.Errorf("%s: no note %q in\n%s", name, note, text)
		}
	}
	check("none", false, "", base, tuned)
	check("tuned", false, "note: lm_head.weight of "+tunedCopy+" repeats the embedding, which config.json ties it to: it is left out", base, tunedCopy)
	check("base", false, "note: lm_head.weight of "+baseCopy+" repeats the embedding", baseCopy, tuned)
	check("both", false, "note: lm_head.weight of "+baseCopy+" repeats the embedding", baseCopy, tunedCopy)
	check("one of two", false, "note: lm_head.weight of "+tunedCopy+" repeats", base, tuned, tunedCopy)
	for _, own := range []string{tunedOwn, tunedUntied} { // not a copy; a copy that is not tied
		refused(t, ExitInput, []string{"lm_head.weight", "--on-mismatch"}, "merge", base, own, "--alpha", "0.5", "-o", filepath.Join(dir, "none"))
		check("base policy "+filepath.Base(own), false, "note: lm_head.weight: the base has no such tensor: left out", base, own, "--on-mismatch", "base")
	}
	out := filepath.Join(dir, "out-untied")
	done(t, "merge", base, tunedUntied, "--alpha", "0.5", "-o", out, "--on-mismatch", "tuned")
	sameTensor(t, "tuned policy", opened(t, out), head, opened(t, tunedUntied), head)
	if config := read(t, filepath.Join(out, "config.json")); !strings.Contains(config, `"tie_word_embeddings": false`) {
		t.Errorf("the head is its own, config.json says %s", config)
	}
}

// TestTiedHeadsStayTied: two stored copies are rounded and weighed alike.
func TestTiedHeadsStayTied(t *testing.T) {
	dir := t.TempDir()
	base := variant(t, dir, "base", tensorstest.Pico{Seed: 1}, withHead(true))
	tuned := variant(t, dir, "tuned", tensorstest.Pico{Seed: 1, Drift: 0.1}, withHead(true))
	for i, args := range [][]string{{"--alpha", "embed=0,*=0.5"}, {"--alpha", "0.5", "--stochastic"}} {
		out := filepath.Join(dir, string(rune('a'+i)))
		done(t, append([]string{"merge", base, tuned, "-o", out}, args...)...)
		if got := opened(t, out); slices.Contains(got.Names(), head) {
			sameTensor(t, args[1], got, head, got, embedding)
		}
	}
}

// TestLintOfTiedHeads: inspect says of a tied copy what merge does.
func TestLintOfTiedHeads(t *testing.T) {
	tuned := variant(t, t.TempDir(), "tuned", tensorstest.Pico{Seed: 7, Drift: 0.1}, withHead(true))
	if l := decoded[linted](t, "inspect", "base", tuned, "--json"); !l.Mergeable {
		t.Errorf("%+v", l)
	}
}

// TestNotesOfTuned: with --on-mismatch tuned no note says that the base's way
// is kept.
func TestNotesOfTuned(t *testing.T) {
	dir := t.TempDir()
	tuned := variant(t, dir, "tuned", tensorstest.Pico{Seed: 7, Drift: 0.1}, withHead(false), `"tie_word_embeddings": true`, `"tie_word_embeddings": false`)
	if out := done(t, "merge", "base", tuned, "--alpha", "0.5", "--on-mismatch", "tuned", "-o", filepath.Join(dir, "out")); strings.Contains(out, "the merge keeps the base's") {
		t.Errorf("%s", out)
	}
}
