package cli

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// values reads a whole tensor.
func values(t *testing.T, src tensors.Source, name string) []float32 {
	t.Helper()
	info, _ := src.Info(name)
	list := make([]float32, info.Len())
	if err := src.Read(list, name, 0); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestMergeRules gives every part of a model an alpha of its own and computes
// the result again, value by value.
func TestMergeRules(t *testing.T) {
	dir := t.TempDir()
	p := tensorstest.Pico{Seed: 1, DType: tensors.F32}
	tunedPico := p
	tunedPico.Drift = 0.1
	base, tuned := pico(t, dir, "base", p), pico(t, dir, "tuned", tunedPico)
	out := filepath.Join(dir, "out")
	done(t, "merge", base, tuned, "--alpha", "layers.0=0.3,embed=0,*=0.6", "-o", out)
	b, u, got := p.Weights(), tunedPico.Weights(), opened(t, out)
	if !slices.Equal(got.Names(), b.Names()) {
		t.Fatalf("tensors %q", got.Names())
	}
	sameTensor(t, "alpha 0", got, embedding, b, embedding)
	for _, name := range b.Names() {
		alpha := 0.6
		switch key := tensors.KeyOf(name); {
		case key.Layer == 0:
			alpha = 0.3
		case key.Part == tensors.PartEmbed:
			alpha = 0
		}
		x, y, z := values(t, b, name), values(t, u, name), values(t, got, name)
		for i := range z {
			if want := float64(x[i]) + alpha*(float64(y[i])-float64(x[i])); float32(want) != z[i] {
				t.Fatalf("%s: element %d is %v, want %v", name, i, z[i], want)
			}
		}
	}
}

// TestExplain shows what every tensor would get, and writes nothing.
func TestExplain(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	rules := "layers.0=0.3,embed=0,*=0.6"
	done(t, "merge", "base", "chem", "--alpha", rules, "--explain", "-o", "out")
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("--explain leaves %v %v", left, err)
	}
	type explanation struct {
		Base    string
		Tensors []explained
	}
	list := decoded[explanation](t, "merge", "base", "chem", "--alpha", rules, "--explain", "--json").Tensors
	if len(list) != 20 || list[0] != (explained{embedding, "chem", 0, "embed=0"}) {
		t.Errorf("%d tensors, the first %+v", len(list), list[0])
	}
	for _, e := range list {
		if strings.Contains(e.Name, "layers.0.") != (e.Rule == "layers.0=0.3" && e.Alpha == 0.3) {
			t.Errorf("%+v", e)
		}
	}
	two := done(t, "merge", "base", "chem", "chem", "--alpha", rules, "--alpha", "norms=1,*=0", "--explain")
	if strings.Count(two, "chem") != 40 || !strings.Contains(two, "│ norms=1 ") {
		t.Errorf("two tuned models:\n%s", two)
	}
	unused := done(t, "merge", "base", "chem", "--alpha", "*=1,embed=0", "--explain")
	if !strings.Contains(unused, "note: the alpha rule embed=0 never applies") {
		t.Errorf("no note on a rule that never applies:\n%s", unused)
	}
	refused(t, ExitUsage, []string{"matches no tensor", "layers 0 to 1"}, "merge", "base", "chem", "--alpha", "layers.7=1,*=0", "--explain")
	refused(t, ExitUsage, []string{"end the list with *=A"}, "merge", "base", "chem", "--alpha", "embed=1", "--explain")
}

// TestExplainGolden compares with a file of testdata.
func TestExplainGolden(t *testing.T) {
	golden(t, "explain.golden", done(t, "merge", "base", "chem", "--alpha", "layers.0=0.3,embed=0,*=0.6", "--explain"))
}

// TestSeveralTuned adds two fine-tunes: with one alpha for both, with one for
// each, and the second beside an alpha of 0, which is the first alone.
func TestSeveralTuned(t *testing.T) {
	dir := t.TempDir()
	base := pico(t, dir, "base", tensorstest.Pico{Seed: 1, DType: tensors.F32})
	one := pico(t, dir, "one", tensorstest.Pico{Seed: 1, DType: tensors.F32, Drift: 0.1})
	two := pico(t, dir, "two", tensorstest.Pico{Seed: 1, DType: tensors.F32, Drift: -0.2})
	merged := func(name string, args ...string) *tensors.Checkpoint {
		out := filepath.Join(dir, name)
		done(t, append([]string{"merge", base, "-o", out}, args...)...)
		return opened(t, out)
	}
	both := merged("both", one, two, "--alpha", "0.5")
	each := merged("each", one, two, "--alpha", "0.5", "--alpha=0.5")
	first := merged("first", one, two, "--alpha", "0.5", "--alpha", "0")
	alone := merged("alone", one, "--alpha", "0.5")
	other := merged("other", one, two, "--alpha", "0.5", "--alpha", "-0.5")
	b := opened(t, base)
	for _, name := range b.Names() {
		sameTensor(t, "one alpha for both", both, name, each, name)
		sameTensor(t, "alpha 0 of the second", first, name, alone, name)
	}
	const up = "model.layers.0.mlp.up_proj.weight"
	x, y, z, got, want := values(t, b, up), values(t, opened(t, one), up), values(t, opened(t, two), up), values(t, both, up), values(t, other, up)
	for i := range got {
		d1, d2 := float64(y[i])-float64(x[i]), float64(z[i])-float64(x[i])
		if plus, minus := float64(x[i])+0.5*d1+0.5*d2, float64(x[i])+0.5*d1-0.5*d2; float32(plus) != got[i] || float32(minus) != want[i] {
			t.Fatalf("element %d is %v and %v, want %v and %v", i, got[i], want[i], plus, minus)
		}
	}
	target := filepath.Join(dir, "none")
	refused(t, ExitUsage, []string{"3 tuned models and 2 --alpha"}, "merge", base, one, two, one, "--alpha", "1", "--alpha", "2", "-o", target)
	refused(t, ExitUsage, []string{"1 tuned models and 2 --alpha"}, "merge", base, one, "--alpha", "1", "--alpha", "2", "-o", target)
}

// adapter makes a LoRA adapter of rank 1 for q_proj of a layer, of which every
// element of the product is value.
func adapter(t *testing.T, dir string, layer, value int) string {
	t.Helper()
	factors := tensorstest.NewMemory()
	name := fmt.Sprintf("base_model.model.model.layers.%d.self_attn.q_proj", layer)
	ones := slices.Repeat([]float32{1}, 48)
	factors.Add(name+".lora_A.weight", tensors.F32, []int{1, 48}, ones)
	factors.Add(name+".lora_B.weight", tensors.F32, []int{48, 1}, ones)
	path := filepath.Dir(write(t, dir, "adapter/adapter_config.json", fmt.Sprintf(`{"peft_type": "LORA", "r": 1, "lora_alpha": %d}`, value)))
	save(t, filepath.Join(path, "adapter_model.safetensors"), factors)
	return path
}

// TestMergeAdapter merges a LoRA adapter beside a whole fine-tune.
func TestMergeAdapter(t *testing.T) {
	dir := t.TempDir()
	p := tensorstest.Pico{Seed: 1, DType: tensors.F32}
	base, same, lora := pico(t, dir, "base", p), pico(t, dir, "same", p), adapter(t, dir, 1, 2)
	out := filepath.Join(dir, "out")
	report := decoded[merged](t, "merge", base, same, lora, "--alpha", "1", "--alpha", "0.25", "-o", out, "--json")
	if report.Terms[1].Tuned != lora || report.Terms[1].Alpha != 0.25 || math.Abs(float64(report.Terms[1].Effective)-0.25) > 1e-6 || report.Tensors != (mergedTensors{20, 0, 0}) {
		t.Errorf("%+v", report)
	}
	b, got := p.Weights(), opened(t, out)
	const q = "model.layers.1.self_attn.q_proj.weight"
	x, y := values(t, b, q), values(t, got, q)
	for i := range x {
		if want := float32(float64(x[i]) + 0.25*2); y[i] != want {
			t.Fatalf("element %d is %v, want %v", i, y[i], want)
		}
	}
	sameTensor(t, "outside the adapter", got, embedding, b, embedding)
	if p := readProvenance(t, out); len(p.Tuned[1].Files) != 2 || p.Tuned[1].Files[1].SHA256 != sum(read(t, filepath.Join(lora, "adapter_model.safetensors"))) {
		t.Errorf("the provenance of the adapter is %+v", p.Tuned[1])
	}
	alone := decoded[merged](t, "merge", base, lora, "--alpha", "layers.1=1", "-o", filepath.Join(dir, "alone"), "--json")
	if alone.Tensors != (mergedTensors{1, 19, 0}) {
		t.Errorf("the adapter alone: %+v", alone.Tensors)
	}
	refused(t, ExitInput, []string{lora, "only where a tuned model"}, "merge", lora, base, "--alpha", "1", "-o", filepath.Join(dir, "none"))
}

// TestStochastic: a seed gives the same bytes again, another gives others, and
// on average nothing is lost: the effective alpha is closer than to nearest,
// which loses half of changes of 0.2 % of the weights (57,000 weights: the
// standard error of the effective alpha is about 0.01).
func TestStochastic(t *testing.T) {
	dir := t.TempDir()
	base, tuned := pico(t, dir, "base", tensorstest.Pico{Seed: 1}), pico(t, dir, "tuned", tensorstest.Pico{Seed: 1, Drift: 0.002})
	run := func(name string, args ...string) (string, merged) {
		out := filepath.Join(dir, name)
		report := decoded[merged](t, append([]string{"merge", base, tuned, "--alpha", "0.3", "--json", "-o", out}, args...)...)
		return read(t, filepath.Join(out, "model.safetensors")), report
	}
	one, report := run("one", "--stochastic", "--seed", "5")
	again, _ := run("again", "--stochastic", "--seed", "5")
	other, _ := run("other", "--stochastic", "--seed=6")
	nearest, plain := run("nearest")
	if one != again || one == other || one == nearest {
		t.Errorf("same bytes: again %v, other seed %v, to nearest %v", one == again, one == other, one == nearest)
	}
	if off := math.Abs(float64(report.EffectiveAlpha) - 0.3); off > 0.03 || off > math.Abs(float64(plain.EffectiveAlpha)-0.3) {
		t.Errorf("effective alpha %v, and %v to nearest", report.EffectiveAlpha, plain.EffectiveAlpha)
	}
	if p := readProvenance(t, filepath.Join(dir, "one")); p.Recipe.Seed == nil || *p.Recipe.Seed != 5 || !strings.Contains(p.Recipe.Rounding, "seed 5") {
		t.Errorf("recipe %+v", p.Recipe)
	}
	refused(t, ExitUsage, []string{"--seed belongs to --stochastic"}, "merge", base, tuned, "--alpha", "1", "--seed", "5", "-o", filepath.Join(dir, "none"))
}

// TestShards writes as many files as the size asks for, an index that names
// every tensor, and the bytes of one file.
func TestShards(t *testing.T) {
	dir := t.TempDir()
	whole, parts := filepath.Join(dir, "whole"), filepath.Join(dir, "parts")
	done(t, "merge", "base", "chem", "--alpha", "0.5", "-o", whole)
	report := decoded[merged](t, "merge", "base", "chem", "--alpha", "0.5", "-o", parts, "--shard-size", "30KiB", "--json")
	a, b := opened(t, whole), opened(t, parts)
	var weights int64
	for _, f := range b.Files() {
		weights += f.Bytes
		if f.Bytes > 30<<10+4096 {
			t.Errorf("%s has %d bytes", f.Name, f.Bytes)
		}
	}
	if len(b.Files()) != 4 || report.Files[3].Name != "model-00004-of-00004.safetensors" || weights > report.Bytes {
		t.Errorf("%d files, %+v", len(b.Files()), report.Files)
	}
	for _, name := range a.Names() {
		sameTensor(t, "in shards", b, name, a, name)
	}
	index := parsed[struct {
		WeightMap map[string]string `json:"weight_map"`
	}](t, read(t, filepath.Join(parts, "model.safetensors.index.json")))
	if len(index.WeightMap) != 20 {
		t.Errorf("%d tensors in the index", len(index.WeightMap))
	}
	done(t, "inspect", parts, "--verify")
	refused(t, ExitUsage, []string{"is one file"}, "merge", "base", "chem", "--alpha", "1", "-o", filepath.Join(dir, "x.safetensors"), "--shard-size", "1GB")
}
