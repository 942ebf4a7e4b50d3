package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// quoted lists forms.
func quoted(forms map[Form]int) string {
	var list []string
	for _, form := range sortedKeys(forms) {
		list = append(list, fmt.Sprintf("%q", form))
	}
	return strings.Join(list, " and ")
}
