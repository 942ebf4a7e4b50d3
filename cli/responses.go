package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"surgeon/cli/table"
	"surgeon/probe/stat"
	"surgeon/probe/task"
	"surgeon/probe/task/dataset"
	"surgeon/probe/task/ifeval"
)

// response is a line of --responses.
type response struct {
	ID       json.RawMessage `json:"id"`
	Key      json.RawMessage `json:"key"`
	DocHash  string          `json:"doc_hash"`
	Prompt   string          `json:"prompt"`
	Question string          `json:"question"`
	Response *string         `json:"response"`
}

// graded is what is said of a line.
type graded struct {
	ID         json.RawMessage    `json:"id"`
	Strict     []bool             `json:"strict,omitempty"`
	Loose      []bool             `json:"loose,omitempty"`
	ExactMatch map[string]float64 `json:"exact_match,omitempty"`
	Extracted  map[string]string  `json:"extracted,omitempty"`
	Scores     map[string]float64 `json:"scores,omitempty"`
	Flags      []string           `json:"flags,omitempty"`
	Warnings   []string           `json:"warnings,omitempty"`

	item  int
	grade task.Grade
}

// grader grades the lines of one task.
type grader struct {
	task     task.Task
	checks   *ifeval.Checker // of ifeval
	places   map[string]int  // of items, by id, row, hash, prompt
	seen     map[string]int  // ids -> lines
	answered map[int]int     // items -> lines
	lines    []graded
	known    int // items of the data; those of lines stand behind them
}

// runResponses grades answers that are there.
func runResponses(env environment, opt benchOptions, path string, asJSON bool) error {
	if len(opt.tasks) != 1 {
		return usagef("--responses takes one task, --tasks ifeval or gsm8k, and %d are given", len(opt.tasks))
	}
	g, err := newGrader(opt)
	if err != nil {
		return err
	}
	in, err := openInput(env, path)
	if err != nil {
		return err
	}
	defer in.Close()
	var bad badLines
	err = task.EachLine(path, in, func(number int, text []byte) error {
		line, err := g.grade(text, number)
		if err != nil {
			bad = append(bad, badLine{number, fmt.Errorf("%s:%d: %w", path, number, err)})
			return nil
		}
		g.lines = append(g.lines, line)
		if !asJSON {
			return nil
		}
		data, err := json.Marshal(line)
		if err == nil {
			_, err = fmt.Fprintf(env.out, "%s\n", data)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case len(g.lines) == 0 && len(bad) == 0:
		return fmt.Errorf("%s: no lines: want one for each answer, with response and id, key or doc_hash", path)
	case len(g.lines) > 0 && !asJSON:
		if err := g.print(env, path); err != nil {
			return err
		}
	}
	return bad.report()
}

func newGrader(opt benchOptions) (*grader, error) {
	g := &grader{places: map[string]int{}, seen: map[string]int{}, answered: map[int]int{}}
	name := opt.tasks[0]
	bare, noLines := task.Bare(name)
	if opt.data == "" && noLines == nil {
		g.task = bare
	} else {
		set, err := openTasks(opt, false)
		if err != nil {
			return nil, err
		}
		if len(set.tasks) != 1 {
			return nil, usagef("--responses takes one task, and %s is %d of them", name, len(set.tasks))
		}
		g.task = set.tasks[0]
	}
	if name == "ifeval" {
		mode := ifeval.Compat
		if opt.deterministic {
			mode = ifeval.Deterministic
		}
		g.checks, g.task.Check = ifeval.New(mode), task.CheckIFEval(mode)
	}
	switch g.task.Form {
	case task.MultipleChoice, task.Cloze, task.Perplexity:
		return nil, usagef("--responses grades texts, and %s is answered by likelihood", name)
	}
	g.known = len(g.task.Items)
	for i, item := range g.task.Items {
		row := item.ID[strings.LastIndexByte(item.ID, '/')+1:]
		question := strings.TrimSuffix(strings.TrimPrefix(item.Prompt, "Question: "), "\nAnswer:")
		for _, name := range []string{item.ID, row, item.Prompt, question, dataset.DocHash(item.Doc)} {
			if _, ok := g.places[name]; !ok {
				g.places[name] = i
			}
		}
	}
	return g, nil
}

// grade grades a line.
func (g *grader) grade(text []byte, number int) (graded, error) {
	var r response
	if err := json.Unmarshal(text, &r); err != nil {
		return graded{}, task.Plain(err)
	}
	id, name := r.name()
	switch {
	case r.Response == nil:
		return graded{}, errors.New(`"response" is missing, or no text`)
	case name == "":
		return graded{}, errors.New(`the line has neither "id" nor "key" nor "doc_hash", by which its answer is known`)
	case g.seen[name] > 0:
		return graded{}, fmt.Errorf("%.60s is answered on line %d already", name, g.seen[name])
	}
	place, err := g.place(r, text, name)
	if err != nil {
		return graded{}, err
	}
	item := g.task.Items[place]
	line := graded{ID: id, item: place}
	if len(r.ID)+len(r.Key) == 0 && place < g.known { // found by its text or hash
		line.ID, _ = json.Marshal(item.ID)
	}
	if g.checks != nil {
		for _, rule := range item.Rules {
			if err := g.checks.Verify(rule.ID, rule.Args); err != nil {
				return graded{}, err
			}
			line.Warnings = append(line.Warnings, g.checks.Warnings(ifeval.Rule(rule), *r.Response)...)
		}
	}
	g.seen[name], g.answered[place] = number, number
	line.grade = g.task.Grade(task.Question{Item: place, Gold: -1}, task.Reply{Text: *r.Response})
	line.fill(g.task.Form, line.grade)
	return line, nil
}

// name is how a line calls its item, as it is written and for messages.
func (r response) name() (id json.RawMessage, name string) {
	for _, raw := range []json.RawMessage{r.Key, r.ID} {
		var text string
		if len(raw) > 0 && string(raw) != "null" {
			if json.Unmarshal(raw, &text) == nil {
				return raw, text
			}
			return raw, string(raw)
		}
	}
	for _, text := range []string{r.DocHash, r.Prompt, r.Question} {
		if text != "" {
			id, _ := json.Marshal(text)
			return id, text
		}
	}
	return nil, ""
}

// place finds the item of a line: in the line, or else among the task's.
func (g *grader) place(r response, text []byte, name string) (int, error) {
	item, ok, err := task.SelfContained(g.task.Name, text)
	if err != nil {
		return 0, err
	}
	if ok {
		g.task.Items = append(g.task.Items, item)
		return len(g.task.Items) - 1, nil
	}
	found, by := -1, ""
	for _, key := range []string{name, r.DocHash, r.Prompt, r.Question} {
		at, ok := g.places[key]
		switch {
		case !ok || key == "":
		case found >= 0 && at != found:
			return 0, fmt.Errorf("%.60q and %.60q are two different items: give one name, or names of one item", by, key)
		default:
			found, by = at, key
		}
	}
	switch {
	case found >= 0 && g.answered[found] > 0:
		return 0, fmt.Errorf("item %s is answered on line %d already", g.task.Items[found].ID, g.answered[found])
	case found >= 0:
		return found, nil
	}
	if len(g.places) == 0 {
		return 0, fmt.Errorf("the line does not hold its item, and there is no --data DIR to find %.60q in", name)
	}
	return 0, fmt.Errorf("%s has no item %.60q", g.task.Name, name)
}

// fill says a grade in the words of the task's form.
func (l *graded) fill(form task.Form, grade task.Grade) {
	l.Flags = grade.Flags
	switch form {
	case task.Instructions:
		l.Strict, l.Loose = grade.Parts["inst_level_strict_acc"], grade.Parts["inst_level_loose_acc"]
	case task.Arithmetic:
		l.ExactMatch, l.Extracted = map[string]float64{}, map[string]string{}
		for metric, score := range grade.Scores {
			name := strings.TrimPrefix(metric, "exact_match,")
			name, _, _ = strings.Cut(name, "-")
			l.ExactMatch[name] = score
		}
		for metric, text := range grade.Extracted {
			name := strings.TrimPrefix(metric, "exact_match,")
			name, _, _ = strings.Cut(name, "-")
			l.Extracted[name] = text
		}
	default:
		l.Scores, l.Extracted = grade.Scores, grade.Extracted
	}
}

// print prints the metrics of all lines.
func (g *grader) print(env environment, path string) error {
	env.printf("%s, %s of %s, 95 %% intervals\n\n", g.task.Name, plural(len(g.lines), "answer"), path)
	var items []int
	var grades []task.Grade
	for _, line := range g.lines {
		items, grades = append(items, line.item), append(grades, line.grade)
	}
	columns := []table.Column{{Name: "metric"}, {Name: "n", Right: true}, {Name: "score", Right: true}, {Name: "interval (%)", Right: true}}
	var rows [][]string
	for _, metric := range g.task.Form.Metrics() {
		var sample stat.Sample
		for i, grade := range grades {
			parts := grade.Parts[metric]
			if parts == nil {
				sample.Items, sample.Scores = append(sample.Items, fmt.Sprint(i)), append(sample.Scores, grade.Scores[metric])
			}
			for k, kept := range parts {
				sample.Items, sample.Scores = append(sample.Items, fmt.Sprint(i, " ", k)), append(sample.Scores, ones([]bool{kept})[0])
			}
		}
		mean, err := stat.Mean(sample, confidence)
		if err != nil {
			return err
		}
		rows = append(rows, []string{metric, fmt.Sprint(mean.N), percent(number(g.task.Aggregate(metric, items, grades))),
			fmt.Sprintf("%.1f to %.1f", 100*mean.Low, 100*mean.High)})
	}
	if err := env.printTable(columns, rows); err != nil {
		return err
	}
	var notes []string
	for _, line := range g.lines {
		for _, warning := range line.Warnings {
			if text := fmt.Sprintf("%s: %s", line.ID, warning); !slices.Contains(notes, text) {
				notes = append(notes, text)
			}
		}
	}
	if most := 5; len(notes) > most {
		notes = append(notes[:most], fmt.Sprintf("%d more such verdicts are less than certain: --json has them", len(notes)-most))
	}
	env.printf("\n")
	return env.footnotes(notes)
}

// openInput opens a file, or standard input for -.
func openInput(env environment, path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(env.in), nil
	}
	return os.Open(path)
}
