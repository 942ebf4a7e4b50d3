package cli

import (
	"strings"
	"testing"

	"surgeon/probe/task"
)

// TestSettleInstructions: instructions of a file are checked as IFEval's are, in
// the mode that a flag says, and a text may be as long as they need.
func TestSettleInstructions(t *testing.T) {
	const lines = `{"id":1,"form":"instructions","prompt":"quote","instruction_id_list":["startend:quotation"],"kwargs":[{}]}`
	check := func(opt benchOptions, version string, maxTokens int) {
		t.Helper()
		file, err := task.ReadForms("file", "file.jsonl", strings.NewReader(lines))
		if err != nil {
			t.Fatal(err)
		}
		of := file.Tasks[0]
		if err := new(taskSet).settle(&of, opt); err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]float64{`"yes"`: 1, `no`: 0} {
			if got := of.Grade(task.Question{}, task.Reply{Text: text}).Scores["prompt_level_strict_acc"]; got != want {
				t.Errorf("%s is graded %v, want %v", text, got, want)
			}
		}
		if of.Version != version || of.MaxTokens != maxTokens || of.Until != nil {
			t.Errorf("version %q, %d tokens, until %q", of.Version, of.MaxTokens, of.Until)
		}
	}
	check(benchOptions{}, "", 256)
	check(benchOptions{deterministic: true, maxTokens: 40}, "deterministic", 40)
}
