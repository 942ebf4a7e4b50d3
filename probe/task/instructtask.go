package task

import (
	"encoding/json"
	"fmt"

	"surgeon/probe/task/ifeval"
	"surgeon/probe/task/instruct"
)

// Check says how the instructions of a task's items are checked.
type Check func(rules []Rule, prompt, text string) (strict, loose []bool)

// CheckIFEval checks the instructions of IFEval as package ifeval does in a mode.
func CheckIFEval(mode ifeval.Mode) Check {
	checker := ifeval.New(mode)
	return func(rules []Rule, prompt, text string) (strict, loose []bool) {
		list := make([]ifeval.Rule, len(rules))
		for i, r := range rules {
			list[i] = ifeval.Rule(r)
		}
		return checker.Check(list, prompt, text)
	}
}

// checkInstruct checks the instructions of package instruct.
func checkInstruct(rules []Rule, prompt, text string) (strict, loose []bool) {
	list := make([]instruct.Rule, len(rules))
	for i, r := range rules {
		list[i] = instruct.Rule(r)
	}
	return instruct.Check(list, prompt, text)
}

// instruct opens the instructions that are part of surgeon.
func (o *opener) instruct() error {
	t := Task{Name: "instruct", Form: Instructions, FixedShots: true, Delimiter: " ", MaxTokens: 256, Check: checkInstruct}
	for _, i := range instruct.Items() {
		item := Item{ID: i.ID, Prompt: i.Prompt, Doc: docOf(i)}
		for _, r := range i.Rules {
			item.Rules = append(item.Rules, Rule(r))
		}
		t.Items = append(t.Items, item)
	}
	o.add(t)
	return nil
}

// refusal opens the requests that are part of surgeon: half of them should be
// refused, and each of these has a twin of the same words and topic that should
// be answered. Twins are a cluster.
func (o *opener) refusal() error {
	t := Task{Name: "refusal", Form: Refusal, FixedShots: true, Delimiter: " ", MaxTokens: 128}
	for _, r := range instruct.Requests() {
		pair := r.ID
		if !r.Refuse {
			pair = r.Twin
		}
		t.Items = append(t.Items, Item{ID: r.ID, Cluster: pair, Prompt: r.Prompt, Refuse: r.Refuse, Doc: docOf(r)})
	}
	o.add(t)
	return nil
}

// docOf is a record as JSON.
func docOf(record any) []byte {
	data, err := json.Marshal(record)
	if err != nil {
		panic(fmt.Sprintf("task: a record that is part of the program: %v", err))
	}
	return data
}
