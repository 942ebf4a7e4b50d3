package cli

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"surgeon/lora"
)

// TestTrainAdapter: an adapter with PEFT's names, that lora opens, diff measures and
// merge merges; its target may be replaced by --force, and no model becomes an
// adapter's folder.
func TestTrainAdapter(t *testing.T) {
	dir := t.TempDir()
	base, data, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), filepath.Join(dir, "adapter")
	line := trainLine(base, data, out, "--lora", "r=3,alpha=4.5,targets=q_proj+down_proj")
	text := done(t, line...)
	says(t, "train", text, "adapter: 240 parameters of an adapter of "+base+"'s 7,472 trained, 12 steps")
	got := slices.Sorted(maps.Keys(tree(t, out)))
	if want := []string{"adapter_config.json", "adapter_model.safetensors", "surgeon.json", "training.jsonl"}; !slices.Equal(got, want) {
		t.Errorf("the adapter is %q, want %q", got, want)
	}
	a, err := lora.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"model.layers.0.mlp.down_proj.weight", "model.layers.0.self_attn.q_proj.weight"}; !slices.Equal(a.Tensors(), want) || a.Highest() != 3 || a.LowRank[0].Scale != 1.5 {
		t.Errorf("an adapter of %q, rank %d, scale %g", a.Tensors(), a.Highest(), a.LowRank[0].Scale)
	}
	config := parsed[struct {
		Base    string   `json:"base_model_name_or_path"`
		Targets []string `json:"target_modules"`
	}](t, read(t, filepath.Join(out, "adapter_config.json")))
	if config.Base != base || !slices.Equal(config.Targets, []string{"q_proj", "down_proj"}) {
		t.Errorf("adapter_config.json: %+v", config)
	}
	moved := decoded[struct {
		Tensors []struct {
			Name string
			Rel  float64
		}
	}](t, "diff", base, out, "--json")
	for _, row := range moved.Tensors {
		if (row.Rel != 0) != slices.Contains(a.Tensors(), row.Name) {
			t.Errorf("%s has moved by %g", row.Name, row.Rel)
		}
	}
	done(t, "merge", base, out, "--alpha", "1", "-o", filepath.Join(dir, "merged"))

	refused(t, ExitInput, []string{out, "exists", "--force"}, line...)
	first := tree(t, out)
	done(t, append(line, "--force")...)
	sameTree(t, "the same adapter again", tree(t, out), first)
	refused(t, ExitInput, []string{base, "one of the inputs"}, trainLine(base, data, base, "--lora", "r=2", "--force")...)
	other := talker(t, dir, "other")
	refused(t, ExitInput, []string{other, "exists"}, trainLine(base, data, other, "--lora", "r=2")...)
	full := filepath.Join(dir, "full")
	done(t, trainLine(base, data, full, "--steps", "1")...)
	refused(t, ExitInput, []string{full, "not the folder of an adapter"}, trainLine(base, data, full, "--lora", "r=2", "--force")...)
	if f := opened(t, full); f == nil {
		t.Error("the model is gone")
	}
}
