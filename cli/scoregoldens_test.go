package cli

import (
	"fmt"
	"path/filepath"
	"testing"
)

// TestScoreGSM8KPrompts: the prompts of five shots have the hashes of those
// that CPython's generator gives, and the documents their hashes.
func TestScoreGSM8KPrompts(t *testing.T) {
	data := shared(t, "data")
	golden := parsed[struct {
		Prompts map[string][]struct {
			Doc    int    `json:"doc_id"`
			Prompt string `json:"prompt_sha256"`
		} `json:"gsm8k_5shot"`
		Docs []string `json:"gsm8k_doc_sha256"`
	}](t, read(t, filepath.Join(data, "golden/lm_eval_prompts.json")))
	want := map[string]string{}
	for seed, list := range golden.Prompts {
		for _, p := range list {
			want[fmt.Sprintf("%s test/%d", seed, p.Doc)] = p.Prompt
		}
	}
	out := filepath.Join(t.TempDir(), "run")
	scored(t, "base", "--tasks", "gsm8k", "--data", data, "--limit", "20", "--seeds", "1234", "--max-tokens", "1", "--out", out)
	list := records(t, out)
	if len(list) != 20 || len(want) < 20 {
		t.Fatalf("%d answers, %d goldens", len(list), len(want))
	}
	found := 0
	for _, r := range list {
		prompt, known := want[fmt.Sprint(r.Seed, " ", r.Item)]
		if known {
			found++
		}
		if known && r.PromptHash != prompt {
			t.Errorf("%s, seed %d: the prompt %s, want %s", r.Item, r.Seed, r.PromptHash, prompt)
		}
		for i, doc := range golden.Docs {
			if r.Item == fmt.Sprintf("test/%d", i) && r.DocHash != doc {
				t.Errorf("%s: the document %s, want %s", r.Item, r.DocHash, doc)
			}
		}
	}
	if found != len(want) {
		t.Errorf("%d of %d goldens were met", found, len(want))
	}
}

// TestScoreMMLUPrompts: five shots of every subject, by the hashes of
// lm-evaluation-harness.
func TestScoreMMLUPrompts(t *testing.T) {
	data := shared(t, "data")
	type golden struct {
		Item   string
		Doc    string `json:"doc_hash"`
		Prompt string `json:"prompt_sha256"`
	}
	want := map[string]golden{}
	for _, g := range lines[golden](t, shared(t, "golden/lm_eval/prompt_hashes.jsonl")) {
		want[g.Item] = g
	}
	out := filepath.Join(t.TempDir(), "run")
	got := scored(t, "base", "--tasks", "mmlu", "--data", data, "--limit", "2", "--num_fewshot", "5", "--out", out)
	list := records(t, out)
	if len(list) != 80 || len(got.Tasks) != 40 || len(got.Groups) != 5 {
		t.Fatalf("%d answers to %d subjects in %d groups", len(list), len(got.Tasks), len(got.Groups))
	}
	for _, r := range list {
		if g := want[r.Item]; g.Prompt == "" || r.PromptHash != g.Prompt || r.DocHash != g.Doc {
			t.Errorf("%s: prompt %s of doc %s, want %+v", r.Item, r.PromptHash, r.DocHash, g)
		}
	}
	says(t, "notes", got.notes(), "17 of 57 subjects are not in "+data)
}

// TestScoreIFEvalPrompts: the prompt alone, and an item for each key.
func TestScoreIFEvalPrompts(t *testing.T) {
	data := shared(t, "data")
	type item struct {
		Key    int
		Prompt string
	}
	items := lines[item](t, filepath.Join(data, "ifeval/input_data.jsonl"))
	out := filepath.Join(t.TempDir(), "run")
	scored(t, "base", "--tasks", "ifeval", "--data", data, "--limit", "10", "--max-tokens", "2", "--out", out)
	found := map[string]bool{}
	for _, r := range records(t, out) {
		found[r.PromptHash] = true
	}
	for _, i := range items[:10] {
		if !found[sum(i.Prompt)] {
			t.Errorf("the prompt of key %d was not asked", i.Key)
		}
	}
	if len(found) != 10 {
		t.Errorf("%d prompts", len(found))
	}
}
