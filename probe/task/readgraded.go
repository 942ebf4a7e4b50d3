package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"surgeon/probe/task/ifeval"
)

// extractable is what a rule of GSM8K can find in a text, as it is compared.
var extractable = regexp.MustCompile(`^-?[0-9]*\.?[0-9]+$`)

// arithmetic reads the right answers of an item, each a number or a solution
// that ends in one.
func (l line) arithmetic(item *Item) error {
	field, data := "answer", l.Answer
	if !given(data) {
		field, data = "gold", l.Gold
	}
	var number json.Number
	list, ok := texts(data)
	if !ok && given(data) && json.Unmarshal(data, &number) == nil {
		list, ok = []string{number.String()}, true
	}
	if !ok || len(list) == 0 {
		return fmt.Errorf(`%q is missing, or neither a number nor a text that ends in one`, field)
	}
	for i, answer := range list {
		if list[i] = strip(answer); !extractable.MatchString(bareNumber(list[i])) {
			return fmt.Errorf(`%q is %.60q: want a number in digits, or a text that ends in "#### " and one`, field, answer)
		}
		if !strings.Contains(list[i], "#### ") {
			list[i] = "#### " + list[i] // as a shot shows it, where strict-match finds it
		}
	}
	item.Answers, item.Target = list, list[0]
	return nil
}

// instructions reads the rules of an item, all of which can be checked.
func (l line) instructions(item *Item) (err error) {
	var ids []string
	var args []map[string]any
	if given(l.Rules) {
		err = json.Unmarshal(l.Rules, &ids)
	}
	if err != nil {
		return errors.New(`"instruction_id_list" must be a list of texts`)
	}
	if given(l.Args) {
		err = json.Unmarshal(l.Args, &args)
	}
	if err != nil {
		return errors.New(`"kwargs" must be a list of objects`)
	}
	if item.Rules, err = ifevalRules(ids, args); err != nil {
		return err
	}
	checker := ifeval.New(ifeval.Compat) // both modes know the same rules
	for _, rule := range item.Rules {
		if err := checker.Verify(rule.ID, rule.Args); err != nil {
			return err
		}
	}
	return nil
}

// likeBenchmark has a file's items asked as those of the benchmark that they are
// like: arithmetic as gsm8k, instructions as those that are part of surgeon.
func (t *Task) likeBenchmark() {
	switch t.Form {
	case Arithmetic:
		v := gsm8kOf("gsm8k")
		t.Delimiter, t.Until, t.MaxTokens, t.Strict = " ", []string{v.until, "</s>", "<|im_end|>"}, 256, v.strict
	case Instructions:
		t.Delimiter, t.MaxTokens, t.FixedShots, t.Pool, t.OwnPool = " ", 256, true, nil, false // no answers, no shots
	}
}
