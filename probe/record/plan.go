package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// Plan is what a run will ask, of what, and how it will be judged: all of it
// fixed before the first score. It is the run.json of a run folder.
type Plan struct {
	Version string   `json:"version"`           // of the tool
	Argv    []string `json:"argv,omitempty"`    // as it was started; not part of the hash
	Created string   `json:"created,omitempty"` // when; not part of the hash

	Models []Model    `json:"models"`
	Data   []Input    `json:"data,omitempty"` // the files that items come from
	Tasks  []TaskPlan `json:"tasks"`
	Seeds  []int64    `json:"seeds"`

	Questions int `json:"questions,omitempty"` // to each model or candidate, over all tasks and seeds; 0: not said

	Chat *ChatPlan `json:"chat,omitempty"` // nil: prompts are plain text

	// Parts whose form is the business of who makes them: JSON of any form,
	// and part of the hash.
	Settings   json.RawMessage `json:"settings,omitempty"`   // of the engine and the generation
	Candidates json.RawMessage `json:"candidates,omitempty"` // what is scored, such as the points of a grid
	Margins    json.RawMessage `json:"margins,omitempty"`    // how much worse is still retained, by task
	Rule       json.RawMessage `json:"rule,omitempty"`       // how the verdict follows from the scores
}

// Input is a file or folder that a run reads. Where there is a digest the path
// is not part of the hash: the same bytes elsewhere are the same input.
type Input struct {
	Name   string `json:"name"`
	Path   string `json:"path,omitempty"`
	Digest string `json:"digest,omitempty"` // SHA-256
}

// Model is a model that a run asks.
type Model struct {
	Input
	Tokenizer string `json:"tokenizer,omitempty"` // digest
	Template  string `json:"template,omitempty"`  // digest

	Files []Input `json:"files,omitempty"` // of its weights, where they are named one by one
}

// TaskPlan is a task of a run.
type TaskPlan struct {
	Name    string `json:"name"`
	Group   string `json:"group,omitempty"`   // that it is part of
	Version string `json:"version,omitempty"` // of its definition
	Form    string `json:"form,omitempty"`    // how it is asked and graded
	Items   int    `json:"items"`             // how many are asked
	Digest  string `json:"digest,omitempty"`  // of the items
	Limit   int    `json:"limit,omitempty"`   // the first so many; 0: all
	Sample  int    `json:"sample,omitempty"`  // so many drawn, by subject; 0: not drawn
	Shots   int    `json:"shots"`
	Draw    string `json:"draw,omitempty"`    // how shots are drawn
	Shuffle bool   `json:"shuffle,omitempty"` // options in another order for each seed

	MaxTokens int      `json:"max_tokens,omitempty"` // of a text
	Until     []string `json:"until,omitempty"`      // what ends one
}

// ChatPlan is how prompts are put through a model's chat template.
type ChatPlan struct {
	Multiturn bool   `json:"multiturn"` // shots as turns
	System    string `json:"system,omitempty"`
}

// Hash is the SHA-256, in hex, of the plan's canonical JSON, without what may
// change from one start to the next: Argv, Created, and paths of inputs that
// have digests. It panics for a plan whose free parts are no JSON.
func (p Plan) Hash() string {
	text, err := canonical(p.fixed())
	if err != nil {
		panic("record: " + err.Error())
	}
	return hashText(string(text))
}

// fixed is the plan without what may change.
func (p Plan) fixed() Plan {
	p.Argv, p.Created = nil, ""
	p.Data = append([]Input(nil), p.Data...)
	for i := range p.Data {
		p.Data[i].forgetPath()
	}
	p.Models = append([]Model(nil), p.Models...)
	for i := range p.Models {
		p.Models[i].forgetPath()
	}
	return p
}

// Same returns an error that names the first difference of two plans, if their
// hashes differ.
func (p Plan) Same(other Plan) error {
	if p.Hash() == other.Hash() {
		return nil
	}
	difference, err := p.difference(other)
	if err != nil {
		return err
	}
	return errors.New(difference)
}

func (in *Input) forgetPath() {
	if in.Digest != "" {
		in.Path = ""
	}
}

// difference names the first field, in the order of the plan, that another plan
// has otherwise: "seeds[1] is 2 there and 3 here". It is "" for equal plans.
func (p Plan) difference(here Plan) (string, error) {
	a, b := reflect.ValueOf(p.fixed()), reflect.ValueOf(here.fixed())
	for i := range a.NumField() {
		name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("json"), ",")
		there, err := generalize(a.Field(i).Interface())
		if err != nil {
			return "", err
		}
		now, err := generalize(b.Field(i).Interface())
		if err != nil {
			return "", err
		}
		if found := firstDifference(name, there, now); found != "" {
			return found, nil
		}
	}
	return "", nil
}

// firstDifference names the first place in which two values of generalize
// differ. Objects are compared by their keys in order, lists by position.
func firstDifference(path string, there, here any) string {
	switch there := there.(type) {
	case map[string]any:
		here, ok := here.(map[string]any)
		if !ok {
			break
		}
		for _, key := range sortedKeys(there, here) {
			name := key
			if name == "" {
				name = `""`
			}
			if found := firstDifference(path+"."+name, valueOf(there, key), valueOf(here, key)); found != "" {
				return found
			}
		}
		return ""
	case []any:
		here, ok := here.([]any)
		if !ok {
			break
		}
		for i := range max(len(there), len(here)) {
			if found := firstDifference(fmt.Sprintf("%s[%d]%s", path, i, nameAt(there, here, i)), at(there, i), at(here, i)); found != "" {
				return found
			}
		}
		return ""
	}
	if reflect.DeepEqual(there, here) {
		return ""
	}
	return fmt.Sprintf("%s is %s there and %s here", path, shown(there), shown(here))
}

// absent stands for a value that one side does not have.
type absent struct{}

func valueOf(object map[string]any, key string) any {
	if value, ok := object[key]; ok {
		return value
	}
	return absent{}
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return absent{}
}

// nameAt is the name of an element that both lists call the same, in brackets.
func nameAt(a, b []any, i int) string {
	x, _ := at(a, i).(map[string]any)
	y, _ := at(b, i).(map[string]any)
	if name, ok := x["name"].(string); ok && y["name"] == name {
		return " (" + name + ")"
	}
	return ""
}

func shown(value any) string {
	if value == (absent{}) || value == nil {
		return "absent"
	}
	text := string(compact(value))
	if runes := []rune(text); len(runes) > 80 {
		return string(runes[:77]) + "..."
	}
	return text
}

// planFile is the plan's file in a run folder: the plan, and its hash, by which
// a plan that was changed afterwards is found out.
const planFile = "run.json"

type savedPlan struct {
	Hash string `json:"hash"`
	Plan
}

// ReadPlan reads the plan of a run folder. A plan that was changed since it was
// written is an error.
func ReadPlan(dir string) (Plan, error) {
	path := filepath.Join(dir, planFile)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Plan{}, fmt.Errorf("%s has no %s: it is no run folder: %w", dir, planFile, fs.ErrNotExist)
	case err != nil:
		return Plan{}, err
	case info.Size() > maxLine:
		return Plan{}, fmt.Errorf("%s has %d bytes, too many for a plan", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Plan{}, err
	}
	var plan Plan
	var saved struct {
		Hash string `json:"hash"`
	}
	err = json.Unmarshal(text, &plan)
	if err == nil {
		err = json.Unmarshal(text, &saved)
	}
	if err != nil {
		return Plan{}, fmt.Errorf("%s: %w", path, plain(err))
	}
	if hash, err := canonical(plan.fixed()); err != nil || hashText(string(hash)) != saved.Hash {
		return Plan{}, fmt.Errorf("%s does not have the hash it was written with: it was changed afterwards, or written by another version (%q)", path, plan.Version)
	}
	return plan, nil
}
