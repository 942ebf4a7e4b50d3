package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// line is an item as it stands in a file. Fields that are not listed here are
// left alone.
type line struct {
	ID      json.RawMessage `json:"id"`
	Form    Form            `json:"form"`
	Prompt  *string         `json:"prompt"`
	Choices []string        `json:"choices"`
	Gold    json.RawMessage `json:"gold"`
	Answer  json.RawMessage `json:"answer"`

	Topic             any      `json:"topic"` // no text: none
	Cluster           any      `json:"cluster"`
	Tolerance         *float64 `json:"tolerance"`
	RelativeTolerance *float64 `json:"relative_tolerance"`
	Refuse            *bool    `json:"refuse"`

	Rules json.RawMessage `json:"instruction_id_list"` // lists in items that are instructions
	Args  json.RawMessage `json:"kwargs"`
}

// Set is what a file holds: a task for each form, multiple choice first, and
// how many items have another "form" and are not asked.
type Set struct {
	Tasks   []Task
	Skipped map[Form]int
}

// fileForms are the forms that lines of a file may have, in the order of the
// tasks.
var fileForms = []Form{MultipleChoice, Cloze, Exact, Numeric, Arithmetic, Instructions, Refusal}

// several is what a question of ChemBench with several right answers is skipped as.
const several Form = "several right answers"

// Read reads the items of the forms MultipleChoice and Exact as ReadForms does,
// bare of all that is not needed to ask them without shots; items of other forms
// are counted as skipped.
func Read(name, file string, r io.Reader) (Set, error) {
	set, err := readForms(name, file, r, []Form{MultipleChoice, Exact})
	for k, t := range set.Tasks {
		bare := Task{Name: t.Name, Form: t.Form}
		for _, i := range t.Items {
			bare.Items = append(bare.Items, Item{ID: i.ID, Prompt: i.Prompt, Choices: i.Choices, Gold: i.Gold, Letters: i.Letters, Answers: i.Answers})
		}
		set.Tasks[k] = bare
	}
	return set, err
}

// ReadForms reads items, one JSON object a line with id, prompt and, by the form,
//
//	mcq, cloze      choices and gold: an index from 0, a letter or the choice
//	exact           answer (gold, if there is none): a text or a list of them
//	numeric         gold (answer, if there is none): a number, also as a text;
//	                tolerance (absolute) or relative_tolerance, without either 1 %
//	arithmetic      answer (gold, if there is none): a number, or a text that is
//	                one or ends in "#### " and one, such as a solution of GSM8K
//	instructions    instruction_id_list and kwargs, as IFEval's data have them
//	refusal         refuse: whether a model should
//
// where a line without a form is mcq if it has choices and exact if it has not.
// A topic is the Item's Topic, a cluster its Cluster. Arithmetic is graded as
// gsm8k. Instructions that package ifeval cannot check are errors; like ifeval's
// own task theirs has no Check. A record of ChemBench (input with
// target_scores or target) is read as it is, lettered or numeric. Blank lines
// are skipped. The first line that breaks a rule is an error "file:line: ...".
// Where a file has several forms, theirs stands behind the name of the task.
// Shots, if a run wants any, come from the other items.
func ReadForms(name, file string, r io.Reader) (Set, error) {
	set, err := readForms(name, file, r, fileForms)
	for k := range set.Tasks {
		t := &set.Tasks[k]
		t.Pool, t.OwnPool = t.Items, true
		if t.Form == Exact || t.Form == Numeric || t.Form == MultipleChoice && !slices.ContainsFunc(t.Items, func(i Item) bool { return !i.Letters }) {
			t.Delimiter = " "
		}
		t.likeBenchmark()
	}
	return set, err
}

func readForms(name, file string, r io.Reader, forms []Form) (Set, error) {
	set, items := Set{Skipped: map[Form]int{}}, map[Form][]Item{}
	seen := map[string]int{}
	err := EachLine(file, r, func(number int, text []byte) error {
		item, form, err := parseItem(text)
		if err != nil {
			return err
		}
		if first, twice := seen[item.ID]; twice {
			return fmt.Errorf("id %q stands on line %d already", item.ID, first)
		}
		seen[item.ID] = number
		if !slices.Contains(forms, form) {
			set.Skipped[form]++
			return nil
		}
		items[form] = append(items[form], item)
		return nil
	})
	switch {
	case err == nil && len(set.Skipped) > 0 && len(items) == 0:
		err = fmt.Errorf("%s: none of its %d items can be asked: they are of the form %s", file, len(seen), quoted(set.Skipped))
	case err == nil && len(items) == 0:
		err = fmt.Errorf("%s: no items: a task needs at least one line", file)
	}
	for _, form := range forms {
		if len(items[form]) == 0 {
			continue
		}
		t := Task{Name: name, Form: form, Items: items[form]}
		if len(items) > 1 {
			t.Name = fmt.Sprintf("%s (%s)", name, form)
		}
		set.Tasks = append(set.Tasks, t)
	}
	return set, err
}

func parseItem(text []byte) (Item, Form, error) {
	var l line
	if !utf8.Valid(text) {
		return Item{}, "", errors.New("not UTF-8")
	}
	if item, form, ok, err := parseChemLine(text); ok {
		return item, form, err
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return Item{}, "", fmt.Errorf("not an item: %w", err)
	}
	id, err := l.id()
	switch {
	case err != nil:
		return Item{}, "", err
	case l.Prompt == nil || *l.Prompt == "":
		return Item{}, "", errors.New(`"prompt" is missing or empty`)
	}
	item, form := Item{ID: id, Prompt: *l.Prompt, Doc: trimmed(text)}, l.Form
	item.Cluster, _ = l.Cluster.(string)
	item.Topic, _ = l.Topic.(string)
	if form == "" {
		form = MultipleChoice
		if len(l.Choices) == 0 && (given(l.Answer) || strings.HasPrefix(string(l.Gold), `"`)) {
			form = Exact
		}
		if len(l.Choices) == 0 && (l.Tolerance != nil || l.RelativeTolerance != nil) {
			form = Numeric
		}
	}
	switch form {
	case MultipleChoice, Cloze:
		err = l.choices(&item, form)
	case Exact:
		err = l.answers(&item)
	case Numeric:
		err = l.numbers(&item)
	case Arithmetic:
		err = l.arithmetic(&item)
	case Instructions:
		err = l.instructions(&item)
	case Refusal:
		if l.Refuse == nil {
			err = errors.New(`"refuse" is missing: whether a model should, true or false`)
		} else {
			item.Refuse = *l.Refuse
		}
	}
	return item, form, err
}

// trimmed is a copy of a line without white space around it.
func trimmed(text []byte) []byte { return []byte(strings.TrimSpace(string(text))) }

// id is a text, or a number as it is written.
func (l line) id() (string, error) {
	if id := idOf(l.ID); id != "" {
		return id, nil
	}
	return "", errors.New(`"id" is missing: every item needs one, a text or a number`)
}

// idOf reads a text or a number; it is "" for anything else.
func idOf(data json.RawMessage) (id string) {
	var number json.Number
	if json.Unmarshal(data, &id) != nil && json.Unmarshal(data, &number) == nil {
		id = number.String()
	}
	return id
}

func given(data json.RawMessage) bool { return len(data) > 0 && string(data) != "null" }

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

// quoted lists forms.
func quoted(forms map[Form]int) string {
	var list []string
	for _, form := range sortedKeys(forms) {
		list = append(list, fmt.Sprintf("%q", form))
	}
	return strings.Join(list, " and ")
}
