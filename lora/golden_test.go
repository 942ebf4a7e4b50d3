package lora_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"surgeon/lora"
	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// goldens holds adapters as PEFT saves them and what PEFT makes of them; see
// the README there.
const goldens = "../../shared/golden/lora"

func needGoldens(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(goldens); err != nil {
		t.Skipf("the LoRA goldens are not there: %v", err)
	}
}

// TestGoldenMerge compares base + adapter with PEFT's merge_and_unload, for every
// kind of adapter: as read, and as written by Adapter.Write and read again.
func TestGoldenMerge(t *testing.T) {
	needGoldens(t)
	cases, err := os.ReadDir(filepath.Join(goldens, "cases"))
	if err != nil || len(cases) < 20 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		t.Run(c.Name(), func(t *testing.T) {
			dir := filepath.Join(goldens, "cases", c.Name())
			data, err := os.ReadFile(filepath.Join(dir, "golden.json"))
			if err != nil {
				t.Fatal(err)
			}
			var golden struct {
				Base    string
				Changed []string
			}
			if err := json.Unmarshal(data, &golden); err != nil {
				t.Fatal(err)
			}
			base, want := open(t, filepath.Join(goldens, golden.Base)), open(t, filepath.Join(dir, "merged.safetensors"))
			a, err := lora.Open(filepath.Join(dir, "adapter"))
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			compare(t, c.Name(), over(t, base, a), want)
			delta, err := a.Over(base)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(delta.Names(), golden.Changed) {
				t.Errorf("changes %v, PEFT changes %v", delta.Names(), golden.Changed)
			}
			again := filepath.Join(t.TempDir(), "again")
			if err := os.Mkdir(again, 0o777); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Write(t.Context(), again, tensors.WriteOptions{}); err != nil {
				t.Fatal(err)
			}
			b, err := lora.Open(again)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			same(t, over(t, base, b), over(t, base, a))
			sameFile(t, filepath.Join(again, "adapter_model.safetensors"), filepath.Join(dir, "adapter", "adapter_model.safetensors"))
		})
	}
}

func open(t *testing.T, path string) *tensors.Checkpoint {
	t.Helper()
	c, err := tensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// over is a base with an adapter merged in, which is a Delta like any other.
func over(t *testing.T, base tensors.Source, a *lora.Adapter) *merge.Model {
	t.Helper()
	d, err := a.Over(base)
	if err != nil {
		t.Fatal(err)
	}
	tensorstest.TestDelta(t, base, d)
	m, err := merge.Apply(base, merge.Term{Label: a.Path, Delta: d, Alpha: merge.Number(1)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// same compares all bytes of two models.
func same(t *testing.T, got, want tensors.Source) {
	t.Helper()
	for _, name := range want.Names() {
		if ok, err := tensors.SameBytes(got, name, want, name); err != nil || !ok {
			t.Errorf("%s is another one after it was written and read: %v", name, err)
		}
	}
}

// sameFile compares the tensors of two files.
func sameFile(t *testing.T, got, want string) {
	t.Helper()
	g, w := open(t, got), open(t, want)
	if !slices.Equal(g.Names(), w.Names()) {
		t.Errorf("written: %v, want %v", g.Names(), w.Names())
	}
	same(t, g, w)
}

// compare allows 2e-7 of the largest weight: PEFT itself is up to 1.9e-7 from
// a float64 computation.
func compare(t *testing.T, name string, got, want tensors.Source) {
	t.Helper()
	var farthest, largest float64
	for _, tensor := range want.Names() {
		info, _ := want.Info(tensor)
		w, g := make([]float32, info.Len()), make([]float32, info.Len())
		if err := want.Read(w, tensor, 0); err != nil {
			t.Fatal(err)
		}
		if err := got.Read(g, tensor, 0); err != nil {
			t.Fatal(err)
		}
		for i := range w {
			farthest = max(farthest, math.Abs(float64(w[i])-float64(g[i])))
			largest = max(largest, math.Abs(float64(w[i])))
		}
	}
	t.Logf("%s: %d tensors, greatest difference %.2g of the largest weight", name, len(want.Names()), farthest/largest)
	if !(farthest <= 2e-7*largest) {
		t.Errorf("%s: greatest difference is %g of the largest weight, more than 2e-7", name, farthest/largest)
	}
}
