package task

import (
	"encoding/json"
	"errors"
	"fmt"

	"surgeon/probe/task/dataset"
)

// ifeval opens IFEval (Zhou and others, arXiv 2311.07911). The task has no Check:
// who opens it brings one, such as package ifeval's.
func (o *opener) ifeval() error {
	tables, err := o.tables(dataset.IFEval)
	if err != nil {
		return err
	}
	t := Task{Name: "ifeval", Version: "4.0", Form: Instructions, FixedShots: true, Delimiter: " ", MaxTokens: 1280, Files: tables[0].Files}
	seen := map[string]string{}
	for _, r := range dataset.Pad(tables[0].Records, "kwargs") {
		item, err := ifevalItem(r.Doc)
		if err == nil && seen[item.ID] != "" {
			err = fmt.Errorf("key %s is at %s already", item.ID, seen[item.ID])
		}
		if err != nil {
			return r.Errorf("%w", err)
		}
		seen[item.ID] = r.Where()
		t.Items = append(t.Items, item)
	}
	o.add(t)
	return nil
}

func ifevalItem(doc []byte) (Item, error) {
	var record struct {
		Key    json.RawMessage  `json:"key"`
		Prompt *string          `json:"prompt"`
		IDs    []string         `json:"instruction_id_list"`
		Args   []map[string]any `json:"kwargs"`
	}
	if err := json.Unmarshal(doc, &record); err != nil {
		return Item{}, Plain(err)
	}
	switch {
	case idOf(record.Key) == "":
		return Item{}, errors.New(`"key" is missing, or neither a number nor a text`)
	case record.Prompt == nil || *record.Prompt == "":
		return Item{}, errors.New(`"prompt" is missing or empty`)
	}
	rules, err := ifevalRules(record.IDs, record.Args)
	return Item{ID: idOf(record.Key), Doc: doc, Prompt: *record.Prompt, Rules: rules}, err
}

// ifevalRules are the rules of an item, whose arguments stand beside their ids.
func ifevalRules(ids []string, args []map[string]any) (rules []Rule, err error) {
	switch {
	case len(ids) == 0:
		return nil, errors.New(`"instruction_id_list" is missing or empty`)
	case len(ids) != len(args):
		return nil, fmt.Errorf(`"instruction_id_list" has %d entries and "kwargs" %d: want one for each`, len(ids), len(args))
	}
	for i, id := range ids {
		rule := Rule{ID: id, Args: map[string]any{}}
		for name, value := range args[i] {
			if !falsy(value) {
				rule.Args[name] = value
			}
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// falsy reports whether Python takes a value for false: lm-evaluation-harness
// leaves such arguments out.
func falsy(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case bool:
		return !v
	case float64:
		return v == 0
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}
