package ifeval_test

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"surgeon/probe/task/ifeval"
)

// Verdicts on cases written for this project are those of the checkers of
// lm-evaluation-harness 0.4.13; testdata/peers.py writes the cases.
func TestHarnessCheckers(t *testing.T) {
	file, err := os.Open("testdata/cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	compat, deterministic := ifeval.New(ifeval.Compat), ifeval.New(ifeval.Deterministic)
	seen := map[string]map[[2]bool]int{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var rule ifeval.Rule
		var text string
		var strict, loose bool
		if err := json.Unmarshal(lines.Bytes(), &[]any{&rule.ID, &rule.Args, &text, &strict, &loose}); err != nil {
			t.Fatal(err)
		}
		if seen[rule.ID] == nil {
			seen[rule.ID] = map[[2]bool]int{}
		}
		seen[rule.ID][[2]bool{strict, loose}]++
		if err := compat.Verify(rule.ID, rule.Args); err != nil {
			t.Error(err)
		}
		for _, checker := range []*ifeval.Checker{compat, deterministic} {
			gotStrict, gotLoose := checker.Check([]ifeval.Rule{rule}, "", text)
			if gotStrict[0] != strict || gotLoose[0] != loose {
				t.Errorf("%s %v on %.80q: got %v %v, want %v %v", rule.ID, rule.Args, text, gotStrict[0], gotLoose[0], strict, loose)
			}
		}
	}
	for _, id := range ifeval.IDs() {
		if seen[id][[2]bool{true, true}] == 0 || seen[id][[2]bool{false, false}] == 0 {
			t.Errorf("%s is not tried both ways: %v", id, seen[id])
		}
	}
	if ids := ifeval.IDs(); len(ids) != 25 || !slices.IsSorted(ids) {
		t.Errorf("%d instructions: %v", len(ids), ids)
	}
}
