package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// SelfContained reads an item of a task from a line that holds it beside its
// response: for ifeval the fields prompt, instruction_id_list and kwargs, for
// gsm8k question and answer. Its ID is the line's key, id or doc_hash as it is
// written there. ok is false for a line that holds no item, and for other tasks.
func SelfContained(name string, line []byte) (item Item, ok bool, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		return Item{}, false, Plain(err)
	}
	has := func(names ...string) bool {
		for _, name := range names {
			if !given(fields[name]) {
				return false
			}
		}
		return true
	}
	switch {
	case name == "ifeval" && has("prompt", "instruction_id_list", "kwargs"):
		fields["key"] = json.RawMessage("0")
		doc, err := json.Marshal(fields)
		if err != nil {
			return Item{}, false, err
		}
		item, err = ifevalItem(doc)
		return item, true, err
	case gsm8kOf(name) != nil && has("answer"):
		var answer string
		if err := json.Unmarshal(fields["answer"], &answer); err != nil {
			return Item{}, false, errors.New(`"answer" must be text`)
		}
		if !strings.Contains(answer, "#### ") {
			return Item{}, false, errors.New(`"answer" must be a text that ends in "#### " and a number`)
		}
		item.Answers = []string{answer}
		return item, true, nil
	}
	return Item{}, false, nil
}

// gsm8kOf is a variant of GSM8K; nil for other tasks.
func gsm8kOf(name string) *gsm8kVariant {
	for i := range gsm8kVariants {
		if gsm8kVariants[i].name == name {
			return &gsm8kVariants[i]
		}
	}
	return nil
}

// Bare is a task without items, to grade such items. It is an error if the task
// is none of which lines can hold items.
func Bare(name string) (Task, error) {
	if name == "ifeval" {
		return Task{Name: name, Version: "4.0", Form: Instructions}, nil
	}
	if v := gsm8kOf(name); v != nil {
		return Task{Name: name, Version: "3.0", Form: Arithmetic, Strict: v.strict, Until: []string{v.until, "</s>", "<|im_end|>"}}, nil
	}
	return Task{}, fmt.Errorf("lines hold no items of %s: its data are needed", name)
}
