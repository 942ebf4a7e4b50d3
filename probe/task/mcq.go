// Package task holds what a model is asked and how an answer is graded. It
// knows no model: it hands out items and takes back log-likelihoods.
//
// ReadMCQ reads a multiple-choice task from JSON lines. The runner scores the
// text of each choice after the item's prompt, and Grade says whether the most
// likely choice is the right one.
package task

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Item is one multiple-choice question.
type Item struct {
	ID      string
	Prompt  string   // as the model sees it; special tokens written in it count as such
	Choices []string // at least two, none empty; each is scored right after the prompt
	Gold    int      // index of the right choice
}

// MCQ is a multiple-choice task.
type MCQ struct {
	Name  string
	Items []Item
}

// line is an item as it stands in a file. Fields that are not listed here,
// such as a topic, are left alone.
type line struct {
	ID      *string  `json:"id"`
	Prompt  *string  `json:"prompt"`
	Choices []string `json:"choices"`
	Gold    *int     `json:"gold"`
}

// ReadMCQ reads items, one JSON object with id, prompt, choices and gold a
// line; blank lines are skipped. The first line that breaks a rule is an error
// "file:line: ...".
func ReadMCQ(name, file string, r io.Reader) (MCQ, error) {
	t := MCQ{Name: name}
	seen := map[string]int{}
	err := EachLine(file, r, func(number int, text []byte) error {
		item, err := parseItem(text)
		if err != nil {
			return err
		}
		if first, twice := seen[item.ID]; twice {
			return fmt.Errorf("id %q stands on line %d already", item.ID, first)
		}
		seen[item.ID] = number
		t.Items = append(t.Items, item)
		return nil
	})
	if err == nil && len(t.Items) == 0 {
		err = fmt.Errorf("%s: no items: a task needs at least one line", file)
	}
	return t, err
}

// EachLine calls work with every line that is not blank and its number from 1.
// An error of work is returned as "file:line: ...", after which no more lines
// are read. Lines may be of any length.
func EachLine(file string, r io.Reader, work func(number int, text []byte) error) error {
	reader := bufio.NewReader(r)
	for number := 1; ; number++ {
		text, err := reader.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("%s:%d: %w", file, number, err)
		}
		if strings.TrimSpace(string(text)) != "" {
			if err := work(number, text); err != nil {
				return fmt.Errorf("%s:%d: %w", file, number, Plain(err))
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// Plain says an error of encoding/json about a value in the file's words; any
// other error it returns as it is.
func Plain(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrong):
		return err
	case wrong.Field == "":
		return fmt.Errorf("the line must be an object, not %s", wrong.Value)
	}
	kinds := map[reflect.Kind]string{reflect.String: "text", reflect.Int: "a whole number", reflect.Int32: "a whole number",
		reflect.Slice: "a list", reflect.Bool: "true or false"}
	return fmt.Errorf("%q must be %s, not %s", wrong.Field, kinds[wrong.Type.Kind()], wrong.Value)
}

func parseItem(text []byte) (Item, error) {
	var l line
	if !utf8.Valid(text) {
		return Item{}, errors.New("not UTF-8")
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return Item{}, fmt.Errorf("not a multiple-choice item: %w", err)
	}
	switch {
	case l.ID == nil || *l.ID == "":
		return Item{}, errors.New(`"id" is missing: every item needs one, a text`)
	case l.Prompt == nil || *l.Prompt == "":
		return Item{}, errors.New(`"prompt" is missing or empty`)
	case len(l.Choices) < 2:
		return Item{}, fmt.Errorf(`"choices" has %d entries: it needs at least 2`, len(l.Choices))
	case l.Gold == nil:
		return Item{}, errors.New(`"gold" is missing: the index of the right choice, from 0`)
	case *l.Gold < 0 || *l.Gold >= len(l.Choices):
		return Item{}, fmt.Errorf(`"gold" is %d, outside the %d choices, which count from 0`, *l.Gold, len(l.Choices))
	}
	for i, choice := range l.Choices {
		if choice == "" {
			return Item{}, fmt.Errorf(`choice %d is empty`, i)
		}
	}
	return Item{*l.ID, *l.Prompt, l.Choices, *l.Gold}, nil
}

// Choose returns the index of the largest log-likelihood, the lowest one among
// equals, as lm-evaluation-harness does.
func Choose(logProbs []float64) int {
	best := 0
	for i, v := range logProbs {
		if v > logProbs[best] {
			best = i
		}
	}
	return best
}

// Grade returns 1 if the choice with the highest sum of log-likelihoods (nats,
// one per choice) is the right one, and 0 otherwise: the metric "acc" of
// lm-evaluation-harness.
func (i Item) Grade(logProbs []float64) float64 {
	if len(logProbs) != len(i.Choices) {
		panic(fmt.Sprintf("task: %d log-likelihoods for %d choices", len(logProbs), len(i.Choices)))
	}
	if Choose(logProbs) == i.Gold {
		return 1
	}
	return 0
}
