package lora_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/lora"
	"surgeon/tensors"
)

// apart are the cases that a base with a tied head cannot hold, or holds otherwise
// than PEFT's unmerged adapter, and what is said of them.
var apart = map[string]string{
	"tied-save-head":          `changes tensor "lm_head.weight" apart from the embedding`,
	"tied-head":               `changes tensor "lm_head.weight" apart from the embedding`,
	"tied-tokens-head":        `changes tensor "lm_head.weight" apart from the embedding`,
	"tied-embedding-patterns": `scales it by 2 and the other by 1.33333`,
	"tied-save-embedding":     "replaces the input embedding of a base whose head is tied to it: here both change",
	"tied-embedding":          "changes the input embedding of a base whose head is tied to it",
}

// TestSmall compares base + adapter with what PEFT's modules make of unit vectors,
// unmerged, for every kind of adapter that testdata/make.py makes: as read, and as
// written by Adapter.Write and read again.
func TestSmall(t *testing.T) {
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]struct {
		Base    string
		Changed []string
	}
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) < 34 {
		t.Fatal(len(cases), err)
	}
	golden := open(t, "testdata/golden.safetensors")
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			base, dir := open(t, filepath.Join("testdata/models", c.Base)), filepath.Join("testdata/cases", name)
			a, err := lora.Open(dir)
			if err == nil {
				defer a.Close()
				_, err = a.Over(base)
			}
			said := apart[name]
			if err != nil {
				if said == "" || !strings.Contains(err.Error(), said) {
					t.Fatalf("%v, want an error with %q", err, said)
				}
				return
			}
			if notes := strings.Join(a.Notes(base), "\n"); said == "" && notes != "" || !strings.Contains(notes, said) {
				t.Errorf("notes are %q, want one with %q", notes, said)
			}
			merged := over(t, base, a)
			tied := c.Base == "tied"
			for _, tensor := range c.Changed {
				far(t, merged, golden, name+"/"+tensor, strings.Replace(tensor, "lm_head", map[bool]string{true: "model.embed_tokens", false: "lm_head"}[tied], 1))
			}
			delta, _ := a.Over(base)
			want := slices.DeleteFunc(slices.Clone(c.Changed), func(tensor string) bool { return tied && tensor == "lm_head.weight" })
			changed := slices.DeleteFunc(slices.Clone(delta.Names()), func(tensor string) bool { is, _ := lora.Changed(delta, tensor); return !is })
			if !slices.Equal(changed, want) {
				t.Errorf("changes %v, PEFT changes %v", changed, want)
			}
			b := rewritten(t, a)
			same(t, over(t, base, b), merged)
			sameFile(t, filepath.Join(b.Path, "adapter_model.safetensors"), filepath.Join(dir, "adapter_model.safetensors"))
		})
	}
}

// rewritten is an adapter as Write writes it and Open reads it.
func rewritten(t *testing.T, a *lora.Adapter) *lora.Adapter {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "again")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Write(t.Context(), dir, tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	b, err := lora.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// far allows 1e-6 of the largest weight: PEFT's modules compute in float32, and take
// a bias off again.
func far(t *testing.T, got, golden tensors.Source, name, tensor string) {
	t.Helper()
	info, _ := golden.Info(name)
	g, w := make([]float32, info.Len()), make([]float32, info.Len())
	if err := golden.Read(w, name, 0); err != nil {
		t.Fatal(err)
	}
	if have, _ := got.Info(tensor); !slices.Equal(have.Shape, info.Shape) {
		t.Fatalf("%s has shape %v, want %v", tensor, have.Shape, info.Shape)
	}
	if err := got.Read(g, tensor, 0); err != nil {
		t.Fatal(err)
	}
	var farthest, largest float64
	for i := range w {
		farthest = max(farthest, math.Abs(float64(w[i])-float64(g[i])))
		largest = max(largest, math.Abs(float64(w[i])))
	}
	if !(farthest <= 1e-6*largest) {
		t.Errorf("%s: greatest difference is %g of the largest weight, more than 1e-6", tensor, farthest/largest)
	}
}
