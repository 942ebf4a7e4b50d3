package lora_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
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

// TestGoldenMerge compares base + adapter with PEFT's merge_and_unload.
func TestGoldenMerge(t *testing.T) {
	needGoldens(t)
	check := func(name, base string) {
		t.Helper()
		b, err := tensors.Open(filepath.Join(goldens, base))
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		a, err := lora.Open(filepath.Join(goldens, "cases", name, "adapter"))
		if err != nil {
			t.Fatal(err)
		}
		if err := tensors.Fit(b, a); err != nil {
			t.Fatal(err)
		}
		tensorstest.TestDelta(t, b, a)
		m, err := merge.Apply(b, merge.Term{Label: name, Delta: a, Alpha: merge.Number(1)})
		if err != nil {
			t.Fatal(err)
		}
		want, err := tensors.Open(filepath.Join(goldens, "cases", name, "merged.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer want.Close()
		compare(t, name, m, want)
	}
	check("plain-r4", "base")
	check("plain-r8-all-linear", "base")
	check("rslora", "base")
	check("exclude", "base")
	check("layers", "base")
	check("regex", "base")
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

// TestGoldenRefused checks that the kinds of adapter that are not supported
// are refused by name.
func TestGoldenRefused(t *testing.T) {
	needGoldens(t)
	check := func(name, says string) {
		t.Helper()
		_, err := lora.Open(filepath.Join(goldens, "cases", name, "adapter"))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want an error with %s", name, err, says)
		}
	}
	check("dora", `"use_dora"`)
	check("dora-rslora-patterns", `"alpha_pattern"`)
	check("patterns", `"alpha_pattern"`)
	check("rslora-patterns", `"alpha_pattern"`)
	check("bias-all", `bias "all"`)
	check("bias-lora-only", `bias "lora_only"`)
	check("lora-bias", `"lora_bias"`)
	check("gpt2-conv1d", `"fan_in_fan_out"`)
	check("save-norm", `"modules_to_save"`)
	check("save-head-and-embed", `"modules_to_save"`)
	check("tokens", `"trainable_token_indices"`)
	check("embed-and-head", "lm_head.base_layer.weight")
}
