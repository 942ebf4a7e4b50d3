package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAlone: without models, diff compares the embedded base and chem, and score
// scores both, one table after the other; their JSON is a list.
func TestAlone(t *testing.T) {
	if got, want := done(t, "diff"), done(t, "diff", "base", "chem"); got != want {
		t.Errorf("diff alone prints\n%s", got)
	}
	refused(t, ExitUsage, []string{"diff takes a base and a tuned model, or none for the embedded pair, and 1 were given"}, "diff", "base")
	if got, want := done(t, "score"), done(t, "score", "base")+"\n"+done(t, "score", "chem"); got != want {
		t.Errorf("score alone prints\n%s\nwant\n%s", got, want)
	}
	list := decoded[[]struct {
		Model string
		Tasks []struct{ Task string }
	}](t, "score", "--json")
	if len(list) != 2 || list[0].Model != "base" || list[1].Model != "chem" || len(list[1].Tasks) == 0 {
		t.Errorf("%+v", list)
	}
	if _, errs, code := surgeon(t, "score", "--limit", "3"); code != ExitDone || strings.Count(errs, "note: ") != 1 {
		t.Errorf("exit code %d, what a comparison can detect is said %d times: %s", code, strings.Count(errs, "note: "), errs)
	}
}

// TestInspectAdapter: an adapter is inspected as a model is, and its files are held
// against surgeon.json; where a model is wanted, the message says what to do.
func TestInspectAdapter(t *testing.T) {
	dir := t.TempDir()
	base, data, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), filepath.Join(dir, "adapter")
	done(t, trainLine(base, data, out, "--chat", "--lora", "r=2")...)
	says(t, "inspect", done(t, "inspect", out, "--verify", "--tensors"), "LoRA adapter of rank 2 for "+base, "3 files are what surgeon.json says", "adapter_model.safetensors", "lora_A")
	refused(t, ExitInput, []string{out + ": is a LoRA adapter", "merge it first (surgeon merge BASE " + out + " --alpha 1 -o OUT)", "score it unwritten (surgeon merge --alpha-sweep=1 BASE " + out + ")"}, "score", out, "--tasks", data)
	check := func(says string, change func(path string) error, file string) {
		t.Helper()
		path := filepath.Join(out, file)
		before, err := os.ReadFile(path)
		if err != nil {
			before = nil
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		refused(t, ExitInput, []string{path, says}, "inspect", out, "--verify")
		if before == nil {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, before, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	replace := func(old, to string) func(path string) error {
		return func(path string) error {
			return os.WriteFile(path, []byte(strings.Replace(read(t, path), old, to, 1)), 0o666)
		}
	}
	check("it was changed since surgeon wrote it", replace(`"lora_alpha": 4`, `"lora_alpha": 5`), "adapter_config.json")
	check("it was changed since surgeon wrote it", func(path string) error {
		data := []byte(read(t, path))
		data[len(data)-1] ^= 1
		return os.WriteFile(path, data, 0o666)
	}, "adapter_model.safetensors")
	check("surgeon.json names it, but it cannot be read", os.Remove, "training.jsonl")
	check("is not one of the files that surgeon.json names", func(path string) error { return os.WriteFile(path, []byte("{}"), 0o666) }, "other.safetensors")
}

// TestInspectEmbeddedAdapter is of the pair.
func TestInspectEmbeddedAdapter(t *testing.T) {
	withPair(t)
	says(t, "inspect", done(t, "inspect", "chem-lora", "--verify"), "LoRA adapter of rank 16 for base", "149,504 in 56 tensors", "3 files are what surgeon.json says")
}
