package task

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"surgeon/probe/task/dataset"
)

// ChemBench (Mirza and others, Nature Chemistry 2025) asks for a letter or a
// number. Its questions with one right answer are asked under letters, as those
// of mmlu are; those with several are counted and not asked. A number may be off
// by the record's relative_tolerance, or 1 %: relative to the right number, also
// where that is negative, unlike the package chembench, which compares the
// deviation with relative_tolerance itself and takes no answer to a negative
// number for right.

// chemRecord is a record of the question files and of the hub, which has the
// question among examples and target_scores as a text.
type chemRecord struct {
	chemExample
	ID                string        `json:"id"`
	UUID              string        `json:"uuid"`
	Path              string        `json:"path"`
	Name              string        `json:"name"`
	Topic             string        `json:"topic"`
	Subfield          string        `json:"subfield"`
	Prompt            *string       `json:"prompt"`
	Examples          []chemExample `json:"examples"`
	RelativeTolerance *float64      `json:"relative_tolerance"`
	Tolerance         *float64      `json:"tolerance"`
}

type chemExample struct {
	Input  *string         `json:"input"`
	Target json.RawMessage `json:"target"`
	Scores json.RawMessage `json:"target_scores"`
}

// parseChemLine reads a line that is a record of ChemBench; ok is false for any
// other.
func parseChemLine(text []byte) (item Item, form Form, ok bool, err error) {
	if !bytes.Contains(text, []byte(`"target`)) {
		return Item{}, "", false, nil
	}
	var record chemRecord
	err = json.Unmarshal(text, &record)
	if record.Prompt != nil || record.Input == nil && record.Examples == nil {
		return Item{}, "", false, nil
	}
	if err != nil {
		return Item{}, "", true, Plain(err)
	}
	examples := record.examples()
	if len(examples) != 1 {
		return Item{}, "", true, fmt.Errorf(`"examples" has %d entries: want one`, len(examples))
	}
	item, form, err = record.item(examples[0])
	if item.ID = record.id(); item.ID == "" && err == nil {
		err = errors.New(`"uuid" is missing: every item needs one`)
	}
	item.Doc = trimmed(text)
	return item, form, true, err
}

func (r chemRecord) examples() []chemExample {
	if r.Examples == nil {
		return []chemExample{r.chemExample}
	}
	return r.Examples
}

// id is the path of the question's file, which is unique, or else the uuid,
// which two pairs of questions share.
func (r chemRecord) id() string {
	if r.Path != "" {
		return strings.TrimSuffix(r.Path, path.Ext(r.Path))
	}
	return r.UUID + r.ID
}

// item reads an example.
func (r chemRecord) item(e chemExample) (item Item, form Form, err error) {
	item.Cluster = r.Name
	if family, _, ok := strings.Cut(r.Path, "/"); ok {
		item.Cluster = family
	}
	if e.Input == nil || strip(*e.Input) == "" {
		return item, "", errors.New(`"input" is missing or empty`)
	}
	if given(e.Scores) {
		form, err = e.choices(&item)
		return item, form, err
	}
	item.Prompt = "Question: " + strip(*e.Input) + "\nAnswer:"
	if err := numbersOf(&item, "target", e.Target); err != nil {
		return item, Numeric, err
	}
	return item, Numeric, tolerances(&item, r.Tolerance, r.RelativeTolerance)
}

// choices reads the options and their scores: 1 is right, 0 wrong.
func (e chemExample) choices(item *Item) (Form, error) {
	options, scores, err := orderedScores(e.Scores)
	if err != nil {
		return MultipleChoice, err
	}
	right := 0
	for k, score := range scores {
		if score > 0 {
			right++
			item.Gold = k
		}
	}
	switch {
	case len(options) < 2 || len(options) > 26:
		return MultipleChoice, fmt.Errorf(`"target_scores" has %d options: want 2 to 26`, len(options))
	case slices.Contains(options, ""):
		return MultipleChoice, errors.New(`"target_scores" has an empty option`)
	case right == 0:
		return MultipleChoice, errors.New(`"target_scores" gives no option more than 0`)
	case right > 1:
		return several, nil
	}
	item.Stem, item.Options, item.Choices, item.Letters = strip(*e.Input), options, options, true
	item.Prompt, item.Target = lettersPrompt(item.Stem, options), string(rune('A'+item.Gold))
	return MultipleChoice, nil
}

// orderedScores reads an object of numbers in its order; it may be wrapped in a
// text.
func orderedScores(data json.RawMessage) (names []string, scores []float64, err error) {
	var text string
	if json.Unmarshal(data, &text) == nil {
		data = json.RawMessage(text)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, nil, errors.New(`"target_scores" must be an object of options and scores`)
	}
	for decoder.More() {
		var score float64
		name, err := decoder.Token()
		if err == nil {
			err = decoder.Decode(&score)
		}
		if err != nil {
			return nil, nil, errors.New(`"target_scores" must be an object of options and numbers`)
		}
		if slices.Contains(names, name.(string)) {
			return nil, nil, fmt.Errorf(`"target_scores" has the option %q twice`, name)
		}
		names, scores = append(names, name.(string)), append(scores, score)
	}
	return names, scores, nil
}

// topic is the name of a record's topic as a part of a task's name: the field
// topic, or else the folder, which is called so on the hub, or else the subfield.
func (r chemRecord) topic(file string) string {
	name := r.Topic
	if folder := path.Base(path.Dir(file)); name == "" && folder != "." {
		name = folder
	}
	if name == "" {
		name = r.Subfield
	}
	words := strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "and" }), "_")
}

// chembench opens all topics, or the task or topic that a name stands for:
// chembench_organic_chemistry is that topic's questions under letters, and with
// _numeric behind it those for a number.
func (o *opener) chembench(name string) error {
	tables, err := o.tables(dataset.ChemBench)
	if err != nil {
		return err
	}
	tasks, skipped, err := chemTasks(tables[0])
	if err != nil {
		return err
	}
	var names []string
	found := false
	for _, t := range tasks {
		names = append(names, t.Name)
		if name == "chembench" || name == t.Name || name == strings.TrimSuffix(t.Name, "_numeric") {
			o.add(t)
			found = true
		}
	}
	if !found {
		return fmt.Errorf("unknown task %q%s: ChemBench in %s has %s", name, suggestion(name, names), o.data.Name(), strings.Join(names, ", "))
	}
	for _, topic := range sortedKeys(skipped) {
		if name == "chembench" || strings.HasPrefix(name, "chembench_"+topic) {
			o.note("chembench_%s: %d questions with several right answers are not asked", topic, skipped[topic])
		}
	}
	return nil
}

// chemTasks sorts records by topic and form; skipped counts the questions with
// several right answers by topic.
func chemTasks(table dataset.Table) (tasks []Task, skipped map[string]int, err error) {
	skipped = map[string]int{}
	topics, seen := map[string]*Task{}, map[string]dataset.Record{}
	for _, r := range table.Records {
		var record chemRecord
		if err := json.Unmarshal(r.Doc, &record); err != nil {
			return nil, nil, r.Errorf("%w", Plain(err))
		}
		topic := record.topic(r.File)
		for n, e := range record.examples() {
			item, form, err := record.item(e)
			if err != nil {
				return nil, nil, r.Errorf("%w", err)
			}
			if form == several {
				skipped[topic]++
				continue
			}
			item.Doc = r.Doc
			if item.ID, err = chemID(record, r, n, seen); err != nil {
				return nil, nil, err
			}
			name := "chembench_" + topic
			if form == Numeric {
				name += "_numeric"
			}
			if topics[name] == nil {
				topics[name] = chemTask(name, topic, form, table.Files)
			}
			topics[name].Items = append(topics[name].Items, item)
		}
	}
	for _, name := range sortedKeys(topics) {
		t := topics[name]
		t.Pool = t.Items
		tasks = append(tasks, *t)
	}
	return tasks, skipped, nil
}

// chemID names an example. Of two records with one uuid the second gets a number
// if the two are equal but for their path; other repetitions are errors.
func chemID(record chemRecord, r dataset.Record, n int, seen map[string]dataset.Record) (string, error) {
	id := record.id()
	if id == "" {
		return "", r.Errorf(`"uuid" is missing: every question needs one`)
	}
	if n > 0 {
		id = fmt.Sprintf("%s/%d", id, n+1)
	}
	first, twice := seen[id]
	if !twice {
		seen[id] = r
		return id, nil
	}
	if record.Path != "" || !bytes.Equal(first.Doc, r.Doc) {
		return "", r.Errorf("%s is at %s already", id, first.Where())
	}
	for k := 2; ; k++ {
		again := fmt.Sprintf("%s#%d", id, k)
		if _, taken := seen[again]; !taken {
			seen[again] = r
			return again, nil
		}
	}
}

func chemTask(name, topic string, form Form, files []dataset.File) *Task {
	about := strings.ReplaceAll(topic, "_", " ")
	t := &Task{Name: name, Groups: []string{"chembench"}, Form: form, OwnPool: true, Delimiter: " ", Files: files,
		Description: "The following are multiple choice questions (with answers) about " + about + ".\n\n"}
	if form == Numeric {
		t.Description = "The following are questions about " + about + ". The answer to each is a number.\n\n"
		t.Until, t.MaxTokens = []string{"Question:"}, 256
	}
	return t
}
