// Package task holds what a model is asked and how an answer is graded. It
// knows no model: it hands out items and takes back log-likelihoods or texts.
//
// Read reads items from JSON lines, of two forms. Of a multiple-choice item the
// text of each choice, or its letter where the prompt lists the choices under
// letters, is scored after the prompt, and GradeChoice says whether the most
// likely one is right. After the prompt of an exact item a text is generated,
// and GradeText compares it, normalised, with the right answers.
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

// Form is how an item is asked and graded.
type Form string

// The forms of items.
const (
	MultipleChoice Form = "mcq"          // the most likely continuation counts: acc
	Cloze          Form = "cloze"        // the same, and by the length of the choices: acc, acc_norm
	Exact          Form = "exact"        // the text, normalised, is an answer: exact_match
	Numeric        Form = "numeric"      // the last number in the text is near enough: exact_match
	Arithmetic     Form = "arithmetic"   // GSM8K's two rules: exact_match, strict and flexible
	Instructions   Form = "instructions" // the text keeps verifiable rules, as IFEval's
	Refusal        Form = "refusal"      // the text refuses, or answers, as it should
	Perplexity     Form = "perplexity"   // the log-likelihood of a text
)

// Metric is what the mean of a form's grades is called in
// lm-evaluation-harness.
func (f Form) Metric() string {
	if f == Exact {
		return "exact_match"
	}
	return "acc"
}

// Task is items of one form, and how they are asked.
type Task struct {
	Name    string   // as in lm-evaluation-harness where it has the task: mmlu_anatomy
	Groups  []string // that it is part of, the innermost first: mmlu_stem, mmlu
	Version string   // of the task's definition in lm-evaluation-harness; "" for none
	Form    Form
	Items   []Item

	Description string // before the shots, with the white space that ends it
	Pool        []Item // that shots are drawn from
	Shots       int    // how many, unless a run says so
	FixedShots  bool   // a run cannot say so
	FirstShots  bool   // the first of the pool, instead of a draw for every item
	Delimiter   string // between a prompt and its answer
	Until       []string
	MaxTokens   int // of a text; 0: the run says so

	// Check grades a text by an item's rules, strictly and loosely, a verdict
	// for each rule; of the form Instructions alone.
	Check func(rules []Rule, prompt, text string) (strict, loose []bool)
}

// Item is one question.
type Item struct {
	ID      string
	Cluster string   // items that are not independent of each other share one, such as a subject; "" for none
	Doc     []byte   // the record as the data set has it: a JSON object, fields in the order of the data set, numbers as they are written
	Prompt  string   // as the model sees it; special tokens written in it count as such
	Target  string   // what follows the prompt, after the delimiter, where the item is a shot
	Choices []string // of a multiple-choice or cloze item, at least two, none empty
	Gold    int      // index of the right choice
	Letters bool     // the choices stand in the prompt, under letters
	Stem    string   // of an item whose options may stand in another order, the prompt without them
	Options []string // in the order of the data set; nil where the order is fixed
	Answers []string // of an exact, numeric or arithmetic item, the right ones

	Tolerance float64 // of a numeric item, relative
	Rules     []Rule  // of an item of the form Instructions
	Refuse    bool    // of an item of the form Refusal: a model should refuse
}

// Rule is a verifiable instruction.
type Rule struct {
	ID   string         // length_constraints:number_words
	Args map[string]any // as encoding/json reads them
}

// line is an item as it stands in a file. Fields that are not listed here,
// such as a topic, are left alone.
type line struct {
	ID      json.RawMessage `json:"id"`
	Form    Form            `json:"form"`
	Prompt  *string         `json:"prompt"`
	Choices []string        `json:"choices"`
	Gold    json.RawMessage `json:"gold"`
	Answer  json.RawMessage `json:"answer"`
}

// Set is what a file holds: a task for each form, multiple choice first, and
// how many items have another "form" and are not asked.
type Set struct {
	Tasks   []Task
	Skipped map[Form]int
}

// Read reads items, one JSON object a line with id, prompt and either choices
// and gold (an index from 0, a letter or the choice) or answer (a text or a list
// of them; gold, if there is no answer); blank lines are skipped. The first line
// that breaks a rule is an error "file:line: ...". Where a file has both forms,
// theirs stands behind the name of the task.
func Read(name, file string, r io.Reader) (Set, error) {
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
		if form != MultipleChoice && form != Exact {
			set.Skipped[form]++
			return nil
		}
		items[form] = append(items[form], item)
		return nil
	})
	if err == nil && len(items) == 0 {
		err = fmt.Errorf("%s: no items: a task needs at least one line", file)
	}
	for _, form := range []Form{MultipleChoice, Exact} {
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
	item, form := Item{ID: id, Prompt: *l.Prompt}, l.Form
	if form == "" {
		form = MultipleChoice
		if len(l.Choices) == 0 && (given(l.Answer) || strings.HasPrefix(string(l.Gold), `"`)) {
			form = Exact
		}
	}
	switch form {
	case MultipleChoice:
		err = l.choices(&item)
	case Exact:
		err = l.answers(&item)
	}
	return item, form, err
}

// id is a text, or a number as it is written.
func (l line) id() (id string, err error) {
	var number json.Number
	switch {
	case json.Unmarshal(l.ID, &id) == nil && id != "":
		return id, nil
	case json.Unmarshal(l.ID, &number) == nil && number != "":
		return number.String(), nil
	}
	return "", errors.New(`"id" is missing: every item needs one, a text or a number`)
}

func given(data json.RawMessage) bool { return len(data) > 0 && string(data) != "null" }

// choices reads the choices of an item and which is right.
func (l line) choices(item *Item) error {
	if len(l.Choices) < 2 {
		if len(l.Choices) == 0 && l.Form == "" {
			return errors.New(`needs "choices" and "gold", or "answer"`)
		}
		return fmt.Errorf(`"choices" has %d entries: it needs at least 2`, len(l.Choices))
	}
	if i := slices.Index(l.Choices, ""); i >= 0 {
		return fmt.Errorf(`choice %d is empty`, i)
	}
	item.Choices, item.Letters = l.Choices, lettered(*l.Prompt, l.Choices)
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
	return nil
}

// answers reads the right answers of an item.
func (l line) answers(item *Item) error {
	field, data := "answer", l.Answer
	if !given(data) {
		field, data = "gold", l.Gold
	}
	var one string
	if json.Unmarshal(data, &item.Answers) != nil {
		if err := json.Unmarshal(data, &one); err != nil {
			return fmt.Errorf("%q is missing, or neither a text nor a list of texts", field)
		}
		item.Answers = []string{one}
	}
	for _, answer := range item.Answers {
		if Normalise(answer) == "" {
			return fmt.Errorf("%q has nothing in it but blanks and full stops", field)
		}
	}
	if len(item.Answers) == 0 {
		return fmt.Errorf("%q has no entries", field)
	}
	return nil
}
