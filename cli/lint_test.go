package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// disagreeing makes a pair that disagrees in most of what a pair can.
func disagreeing(t *testing.T, dir string) (base, tuned string) {
	t.Helper()
	base = pico(t, dir, "one", tensorstest.Pico{Seed: 7})
	tuned = variant(t, dir, "two", tensorstest.Pico{Seed: 7, Drift: 0.05, DType: tensors.F16}, func(m *tensorstest.Memory) {
		info, _ := m.Info(embedding)
		m.Add(embedding, info.DType, []int{322, 48}, append(values(t, m, embedding), make([]float32, 96)...))
		m.Add("model.extra.bias", tensors.F32, []int{1}, []float32{1})
	}, `"rope_theta": 10000`, `"rope_theta": 1000000`, `"vocab_size": 320`, `"vocab_size": 322`)
	write(t, base, "tokenizer_config.json", `{"chat_template": "{{ a }}", "eos_token": "<|end|>"}`)
	write(t, tuned, "tokenizer_config.json", `{"chat_template": "{{ b }}", "eos_token": "<|im_end|>"}`)
	write(t, base, "generation_config.json", `{"temperature": 0.7}`)
	return base, tuned
}

// TestLintGolden compares two models that disagree in rope_theta, vocabulary,
// chat template, types and tensors.
func TestLintGolden(t *testing.T) {
	text := ""
	t.Run("in a directory", func(t *testing.T) {
		t.Chdir(t.TempDir())
		base, tuned := disagreeing(t, ".")
		text = done(t, "inspect", base, tuned)
	})
	golden(t, "lint.golden", text)
	if done(t, "inspect", "base", "chem") == text || !strings.Contains(done(t, "inspect", "base", "chem"), "verdict   nothing stands against a merge") {
		t.Error("the embedded pair does not agree")
	}
}

// linted is the JSON of inspect of two models.
type linted struct {
	Base, Tuned string
	Mergeable   bool
	Findings    []struct{ Severity, File, Field, Base, Tuned, Says string }
	Tensors     lintTensors
	Unmatched   []tensors.Unmatched
}

// TestLintJSON checks the fields that scripts rely on, and that the verdict is
// what merge does.
func TestLintJSON(t *testing.T) {
	dir := t.TempDir()
	base, tuned := disagreeing(t, dir)
	l := decoded[linted](t, "inspect", base, tuned, "--json")
	if l.Base != base || l.Tuned != tuned || l.Mergeable || l.Tensors != (lintTensors{20, 21, 19, 19}) || len(l.Unmatched) != 2 {
		t.Errorf("%+v", l)
	}
	fields := map[string]bool{}
	for _, f := range l.Findings {
		fields[f.File+" "+f.Field] = true
		if f.Severity == "error" || f.Says == "" {
			t.Errorf("%+v", f)
		}
	}
	for _, want := range []string{"config.json rope_theta", "config.json vocab_size", "config.json torch_dtype"} {
		if !fields[want] {
			t.Errorf("no finding on %s in %v", want, fields)
		}
	}
	same := decoded[linted](t, "inspect", "base", "chem", "--json")
	if !same.Mergeable || len(same.Findings) != 0 || same.Tensors != (lintTensors{20, 20, 20, 0}) || same.Unmatched == nil || same.Findings == nil {
		t.Errorf("%+v", same)
	}
	check := func(name string, mergeable bool, from, to string) {
		t.Helper()
		other := variant(t, dir, name, tensorstest.Pico{Seed: 7, Drift: 0.05}, nil, from, to)
		_, errs, code := surgeon(t, "merge", base, other, "--alpha", "1", "-o", filepath.Join(dir, "out-"+name))
		if l := decoded[linted](t, "inspect", base, other, "--json"); l.Mergeable != mergeable || (code == ExitDone) != mergeable {
			t.Errorf("%s: mergeable %v, merge says %d %s", name, l.Mergeable, code, errs)
		}
	}
	check("rope", true, `"rope_theta": 10000`, `"rope_theta": 500`)
	check("kind", false, `"llama"`, `"opt"`)
	refused(t, ExitUsage, []string{"is a LoRA adapter"}, "inspect", base, adapter(t, dir, 0, 1))
	says(t, "an adapter alone", done(t, "inspect", filepath.Join(dir, "adapter")), "LoRA adapter of rank 1")
}

// TestLintManyUnmatched lists ten.
func TestLintManyUnmatched(t *testing.T) {
	dir := t.TempDir()
	base, tuned := pico(t, dir, "base", tensorstest.Pico{Seed: 1, Layers: 4}), pico(t, dir, "tuned", tensorstest.Pico{Seed: 1})
	write(t, tuned, "config.json", read(t, filepath.Join(base, "config.json")))
	for _, command := range []string{"inspect", "diff"} {
		out := done(t, command, base, tuned)
		if strings.Count(out, "\nunmatched") != 11 || !strings.Contains(out, "and 8 more") {
			t.Errorf("%s:\n%s", command, out)
		}
	}
	if l := decoded[linted](t, "inspect", base, tuned, "--json"); len(l.Unmatched) != 18 {
		t.Errorf("%d unmatched", len(l.Unmatched))
	}
}
