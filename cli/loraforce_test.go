package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLoraForce: what an adapter was before does not stay in the one that replaces it.
func TestLoraForce(t *testing.T) {
	withPair(t)
	t.Chdir(t.TempDir())
	small := []string{"lora", "extract", "base", "chem", "--rank", "4", "--embedding", "skip", "--rest", "skip", "-o", "a"}
	done(t, append(small, "--sparse-remainder", "0.02")...)
	if _, err := os.Stat("a/surgeon_remainder.safetensors"); err != nil {
		t.Fatal(err)
	}
	type drift struct {
		Total struct{ Rel float64 }
	}
	of := func(adapter string) float64 {
		return parsed[drift](t, done(t, "diff", "base", adapter, "--json")).Total.Rel
	}
	sparse := of("a")
	done(t, "lora", "rescale", "a", "--alpha", "1", "-o", "same")
	if of("same") != sparse {
		t.Error("a factor of 1 loses single elements")
	}
	refused(t, ExitInput, []string{"single elements"}, "lora", "add", "a", "-o", "sum")
	done(t, append(small, "--force")...)
	if _, err := os.Stat("a/surgeon_remainder.safetensors"); !os.IsNotExist(err) {
		t.Errorf("the remainder of the adapter before is still there: %v", err)
	}
	if of("a") >= sparse {
		t.Error("the new adapter changes what the old one did")
	}
	done(t, "lora", "isolate", "base", "chem-lora", "--tasks", "pair_refusal", "--domain", "pair_chemistry_trained", "-o", "apart")
	done(t, "lora", "isolate", "base", "chem-lora", "--force", "-o", "apart")
	if _, err := os.Stat("apart/router.json"); !os.IsNotExist(err) {
		t.Errorf("the router of before is still there: %v", err)
	}
}

// TestLoraSizes: an adapter takes the bytes that were said, the copy of a tied
// embedding included.
func TestLoraSizes(t *testing.T) {
	withPair(t)
	t.Chdir(t.TempDir())
	for i, flags := range [][]string{{"--size", "700KB"}, {"--size", "400KB", "--embedding", "low-rank"}, {"--rank", "16"}, {"--rank", "8", "--dtype", "BF16", "--embedding", "low-rank"}} {
		out := filepath.Join(t.TempDir(), "adapter")
		x := parsed[struct{ Bytes int64 }](t, done(t, append([]string{"lora", "extract", "base", "chem", "--json", "-o", out}, flags...)...))
		info, err := os.Stat(filepath.Join(out, "adapter_model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		if header := info.Size() - x.Bytes; header < 0 || header > 20_000 {
			t.Errorf("%v: a file of %d bytes for the %d that were said", flags, info.Size(), x.Bytes)
		}
		if most := []int64{700_000, 400_000}; i < len(most) && (x.Bytes > most[i] || x.Bytes < most[i]-20_000) {
			t.Errorf("%v: %d bytes", flags, x.Bytes)
		}
	}
}

// TestLoraShrinkEmbedding: intruders in an embedding's product are turned down too.
func TestLoraShrinkEmbedding(t *testing.T) {
	withPair(t)
	t.Chdir(t.TempDir())
	done(t, "lora", "extract", "base", "chem", "--rank", "16", "--embedding", "low-rank", "--rest", "skip", "-o", "a")
	done(t, "lora", "shrink", "base", "a", "--limit", "0.95", "--keep", "0", "-o", "calmer")
	type drift struct {
		Total struct{ Rel float64 }
	}
	before, after := parsed[drift](t, done(t, "diff", "base", "a", "--json")), parsed[drift](t, done(t, "diff", "base", "calmer", "--json"))
	if after.Total.Rel == before.Total.Rel {
		t.Error("nothing was turned down")
	}
	says(t, "cap", done(t, "lora", "shrink", "base", "chem", "--cap", "0.1", "-o", "capped"), "beyond 10.0 % of the base's norm", "chem with changes up to 10.0 %")
	capped := parsed[drift](t, done(t, "diff", "base", "capped", "--json"))
	if capped.Total.Rel > 0.101 {
		t.Errorf("relative drift %v after a cap of 0.1", capped.Total.Rel)
	}
	refused(t, ExitInput, []string{"lies inside a, which is an input"}, "lora", "rescale", "a", "--alpha", "0.5", "-o", "a/half")
}
