package probe_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"surgeon/probe"
	"surgeon/probe/decoder"
)

// written is a line of a golden of lm-evaluation-harness on generated text.
type written struct {
	Item         string
	Prompt       string
	PromptTokens int `json:"prompt_tokens"`
	Until        []string
	MaxTokens    int `json:"max_new_tokens"`
	Text         string
	IDs          []int32 `json:"token_ids"`
	Finish       string
	Ties         [][3]float64 `json:"near_ties"` // step, gap, runner-up
}

// TestGenerationGoldens generates what lm-evaluation-harness did with
// transformers, token for token up to the first near-tie that was recorded, for
// all items whose prompts are there.
func TestGenerationGoldens(t *testing.T) {
	const endOfTurn = 2
	for _, name := range []string{"base", "chem"} {
		dir := needPair(t, name)
		needHeavy(t)
		m := openModel(t, dir)
		d := m.decoder(t)
		d.Keep()
		prompts := ifevalPrompts(t)
		for _, run := range []string{"gsm8k_5shot", "gsm8k_easy_5shot", "gsm8k_5shot_chat", "ifeval", "ifeval_chat"} {
			if _, err := os.Stat(shared + "/golden/lm_eval/" + name + "/" + run + ".jsonl"); err != nil {
				continue // not made for this model
			}
			var items []written
			var requests []decoder.Generation
			eachLine(t, needShared(t, "golden", "lm_eval", name, run+".jsonl"), func(line []byte) {
				var w written
				if err := json.Unmarshal(line, &w); err != nil {
					t.Fatal(err)
				}
				if w.Prompt == "" && run == "ifeval" {
					w.Prompt = prompts[w.Item]
				}
				if w.Prompt == "" {
					return
				}
				g := decoder.Generation{Prompt: m.tokenizer.Encode(w.Prompt), MaxTokens: w.MaxTokens, EOS: []int32{endOfTurn}}
				if len(g.Prompt) != w.PromptTokens {
					t.Fatalf("%s: %d tokens of prompt, want %d", w.Item, len(g.Prompt), w.PromptTokens)
				}
				items, requests = append(items, w), append(requests, probe.Until(m.tokenizer, g, w.Until))
			})
			out, err := d.Generate(context.Background(), requests, decoder.GenerateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			whole, tied := 0, 0
			for i, w := range items {
				if len(w.IDs) > 0 && w.Finish == "eos" {
					w.IDs = w.IDs[:len(w.IDs)-1]
				}
				got := probe.Written(m.tokenizer, out.Answers[i], w.Until)
				if slices.Equal(got.IDs, w.IDs) && got.Text == w.Text && string(got.Finish) == w.Finish {
					whole++
					continue
				}
				step := 0
				for step < len(w.IDs) && step < len(got.IDs) && got.IDs[step] == w.IDs[step] {
					step++
				}
				if !slices.ContainsFunc(w.Ties, func(tie [3]float64) bool { return int(tie[0]) == step }) {
					t.Errorf("%s %s: differs at step %d, which is no near-tie: %q, want %q", run, w.Item, step, got.Text, w.Text)
				}
				tied++
			}
			if len(items) == 0 {
				t.Errorf("%s has no item with a prompt", run)
			}
			t.Logf("%s %s: %d texts equal, %d up to a near-tie, %s", name, run, whole, tied, fmt.Sprintf("%.0f tokens/s", float64(out.Rows)/out.Time.Seconds()))
		}
	}
}

func ifevalPrompts(t *testing.T) map[string]string {
	t.Helper()
	prompts := map[string]string{}
	eachLine(t, needShared(t, "data", "ifeval", "input_data.jsonl"), func(line []byte) {
		var row struct {
			Key    int
			Prompt string
		}
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		prompts[fmt.Sprint("ifeval/", row.Key)] = row.Prompt
	})
	return prompts
}

func eachLine(t *testing.T, file string, do func(line []byte)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		do(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}
