package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// choices reads the choices of an item and which is right.
func (l line) choices(item *Item, form Form) error {
	if len(l.Choices) < 2 {
		if len(l.Choices) == 0 && l.Form == "" {
			return errors.New(`needs "choices" and "gold", or "answer"`)
		}
		return fmt.Errorf(`"choices" has %d entries: it needs at least 2`, len(l.Choices))
	}
	if i := slices.Index(l.Choices, ""); i >= 0 {
		return fmt.Errorf(`choice %d is empty`, i)
	}
	item.Choices, item.Letters = l.Choices, form == MultipleChoice && lettered(*l.Prompt, l.Choices)
	var name string
	switch {
	case !given(l.Gold):
		return errors.New(`"gold" is missing: the index of the right choice, from 0`)
	case json.Unmarshal(l.Gold, &item.Gold) == nil:
	case json.Unmarshal(l.Gold, &name) == nil:
		if item.Gold = slices.Index(l.Choices, name); item.Gold < 0 && len(name) == 1 {
			item.Gold = int(name[0]) - 'A'
		}
	default:
		return fmt.Errorf(`"gold" is %s: want the index of the right choice, from 0, its letter or its text`, l.Gold)
	}
	if item.Gold < 0 || item.Gold >= len(l.Choices) {
		return fmt.Errorf(`"gold" is %s, outside the %d choices, which count from 0`, l.Gold, len(l.Choices))
	}
	item.Target = item.Choices[item.Gold]
	if item.Letters {
		item.Target = string(rune('A' + item.Gold))
		if stem, ok := stemOf(item.Prompt, item.Choices); ok {
			item.Stem, item.Options = stem, item.Choices
		}
	}
	return nil
}

// texts reads a text or a list of texts.
func texts(data json.RawMessage) (list []string, ok bool) {
	var one string
	switch {
	case json.Unmarshal(data, &list) == nil && list != nil:
		return list, true
	case json.Unmarshal(data, &one) == nil && given(data):
		return []string{one}, true
	}
	return nil, false
}

// answers reads the right answers of an item.
func (l line) answers(item *Item) error {
	field, data := "answer", l.Answer
	if !given(data) {
		field, data = "gold", l.Gold
	}
	list, ok := texts(data)
	if !ok {
		return fmt.Errorf("%q is missing, or neither a text nor a list of texts", field)
	}
	for _, answer := range list {
		if Normalise(answer) == "" {
			return fmt.Errorf("%q has nothing in it but blanks and full stops", field)
		}
	}
	if len(list) == 0 {
		return fmt.Errorf("%q has no entries", field)
	}
	item.Answers, item.Target = list, list[0]
	return nil
}

// numericTolerance is the relative tolerance of ChemBench, which holds where an
// item has none.
const numericTolerance = 0.01

// numbers reads the right number of an item and how far an answer may be off.
func (l line) numbers(item *Item) error {
	field, data := "gold", l.Gold
	if !given(data) {
		field, data = "answer", l.Answer
	}
	if err := numbersOf(item, field, data); err != nil {
		return err
	}
	return tolerances(item, l.Tolerance, l.RelativeTolerance)
}

// numbersOf reads a number, a text with one, or a list of such texts.
func numbersOf(item *Item, field string, data json.RawMessage) error {
	var number json.Number
	list, ok := texts(data)
	if !ok && json.Unmarshal(data, &number) == nil && given(data) {
		list, ok = []string{number.String()}, true
	}
	if !ok || len(list) == 0 {
		return fmt.Errorf("%q is missing, or neither a number nor a text with one", field)
	}
	for _, answer := range list {
		if _, ok := soleNumber(answer); !ok {
			return fmt.Errorf("%q is %.40q, which is no number", field, answer)
		}
	}
	item.Answers, item.Target = list, list[0]
	return nil
}

// tolerances sets how far an answer may be off.
func tolerances(item *Item, absolute, relative *float64) error {
	for name, value := range map[string]*float64{"tolerance": absolute, "relative_tolerance": relative} {
		if value != nil && (*value < 0 || math.IsInf(*value, 0)) {
			return fmt.Errorf("%q is %v: want 0 or more", name, *value)
		}
	}
	if absolute != nil {
		item.Margin = *absolute
	}
	if relative != nil {
		item.Tolerance = *relative
	} else if absolute == nil {
		item.Tolerance = numericTolerance
	}
	return nil
}
