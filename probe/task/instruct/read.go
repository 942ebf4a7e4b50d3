package instruct

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Item is a prompt and the rules that a reply to it should keep.
type Item struct {
	ID        string   `json:"id"`
	Topic     string   `json:"topic"` // what it is about, such as cooking; "" if unknown
	Prompt    string   `json:"prompt"`
	Rules     []Rule   `json:"rules"`     // at least one
	Reference string   `json:"reference"` // a reply that keeps all rules strictly; "" for none
	Wrong     []string `json:"wrong"`     // replies that break at least one
}

//go:embed instruct.jsonl
var instructFile []byte

// Items returns the instruction items of this project, in the order of the file.
// The caller owns them.
func Items() []Item {
	items, err := Read("instruct.jsonl", bytes.NewReader(instructFile))
	if err != nil {
		panic(err) // a test reads the file
	}
	return items
}

// Read reads instruction items, one JSON object a line; blank lines are skipped.
// Every item needs an id of its own, a prompt and at least one rule that
// [Verify] accepts; a reference must keep all of them strictly and a wrong reply
// break one. The first line that breaks a rule is an error "name:line: ...", and
// so is a file without items.
func Read(name string, r io.Reader) ([]Item, error) {
	var items []Item
	seen := map[string]int{}
	err := eachLine(name, r, func(number int, line []byte) error {
		var item Item
		if err := unmarshal(line, &item); err != nil {
			return err
		}
		if err := item.verify(); err != nil {
			return err
		}
		items = append(items, item)
		return once(seen, number, item.ID, item.Prompt)
	})
	if err == nil && len(items) == 0 {
		err = fmt.Errorf("%s: no items: it needs at least one line", name)
	}
	if err != nil {
		return nil, err
	}
	return items, nil
}

func (i Item) verify() error {
	switch {
	case i.ID == "":
		return errors.New(`"id" is missing or empty`)
	case strings.TrimSpace(i.Prompt) == "":
		return errors.New(`"prompt" is missing or empty`)
	case len(i.Rules) == 0:
		return errors.New(`"rules" is missing or empty: an item needs at least one`)
	}
	for _, rule := range i.Rules {
		if err := Verify(rule); err != nil {
			return err
		}
		if mark, is := rule.Args["after"].(string); is && strings.TrimSpace(after(i.Prompt, mark)) == "" {
			return fmt.Errorf("rule %q: nothing stands in the prompt after %q", rule.ID, mark)
		}
	}
	return i.verifyReplies()
}

func (i Item) verifyReplies() error {
	if i.Reference != "" {
		strict, _ := Check(i.Rules, i.Prompt, i.Reference)
		if broken := slices.Index(strict, false); broken >= 0 {
			return fmt.Errorf(`"reference" breaks rule %d, %q: it must keep all of them`, broken+1, i.Rules[broken].ID)
		}
	}
	for n, wrong := range i.Wrong {
		if strict, _ := Check(i.Rules, i.Prompt, wrong); !slices.Contains(strict, false) {
			return fmt.Errorf(`reply %d of "wrong" keeps every rule: it must break at least one`, n+1)
		}
	}
	return nil
}

// once asks that neither an id nor a prompt was seen before.
func once(seen map[string]int, number int, id, prompt string) error {
	if first, twice := seen["id "+id]; twice {
		return fmt.Errorf("id %q stands on line %d already", id, first)
	}
	if first, twice := seen["prompt "+prompt]; twice {
		return fmt.Errorf("this prompt stands on line %d already", first)
	}
	seen["id "+id], seen["prompt "+prompt] = number, number
	return nil
}

// unmarshal reads a JSON object whose fields are all known and stand once.
func unmarshal(line []byte, item any) error {
	if !utf8.Valid(line) {
		return errors.New("not UTF-8")
	}
	if _, err := readObject(line); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	var wrong *json.UnmarshalTypeError
	err := decoder.Decode(item)
	if errors.As(err, &wrong) {
		return fmt.Errorf("%q must not be JSON of type %s", wrong.Field, wrong.Value)
	}
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// eachLine calls work with every line that is not blank and its number from 1,
// up to the first error. A byte order mark is left out.
func eachLine(name string, r io.Reader, work func(number int, line []byte) error) error {
	reader := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := reader.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("%s:%d: %w", name, number, err)
		}
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(bytes.TrimSpace(line)) > 0 {
			if err := work(number, line); err != nil {
				return fmt.Errorf("%s:%d: %w", name, number, err)
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}
