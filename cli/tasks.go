package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"surgeon/probe/record"
	"surgeon/probe/task"
	"surgeon/probe/task/dataset"
	"surgeon/probe/task/ifeval"
)

// taskSet is the tasks that were asked for and which of their items are.
type taskSet struct {
	tasks []task.Task
	items [][]int // per task; nil: all
	notes []string
	files []dataset.File // that were read
	asked []string       // the names that were asked for
}

// openTasks finds the tasks by name, in files and in --data, and chooses their
// items.
func openTasks(opt benchOptions, brought bool) (*taskSet, error) {
	if len(opt.tasks) == 0 {
		if !brought {
			return nil, usagef("your own models need --tasks: FILE.jsonl, or names such as instruct and, with --data DIR, mmlu, gsm8k and ifeval")
		}
		opt.tasks = []string{embedded.Group}
	}
	var names []string
	for _, name := range opt.tasks {
		if list := embedded.Named(name); list != nil && !exists(name) {
			for _, t := range list {
				names = append(names, t.Name+".jsonl")
			}
			continue
		}
		if exists(name) && filepath.Ext(name) == "" && !strings.ContainsAny(name, `/\`) {
			name = "./" + name
		}
		names = append(names, name)
	}
	options := task.Options{ReadFile: readTask}
	if opt.data != "" {
		var err error
		if options.Data, err = dataset.Open(opt.data); err != nil {
			return nil, err
		}
	}
	options.Names = []string{embedded.Group}
	basket, err := task.Open(names, options)
	switch {
	case errors.Is(err, task.ErrNoData):
		return nil, fmt.Errorf("%w; name it with --data DIR", err)
	case err != nil:
		return nil, err
	}
	set := &taskSet{tasks: basket.Tasks, notes: basket.Notes, files: basket.Files, asked: names}
	for i := range set.tasks {
		if err := set.settle(&set.tasks[i], opt); err != nil {
			return nil, err
		}
	}
	if err := opt.sample.check(set.units()); err != nil {
		return nil, err
	}
	set.choose(opt)
	for i, t := range set.tasks {
		if len(t.Items) == 0 || set.items != nil && len(set.items[i]) == 0 && opt.sample == nil {
			return nil, fmt.Errorf("%s has no items to ask", t.Name)
		}
	}
	return set, nil
}

func readTask(name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if data, err := embedded.Read(name); err == nil {
			return data, nil
		}
	}
	return data, err
}

// settle completes a task with what the flags say and its file does not.
func (s *taskSet) settle(t *task.Task, opt benchOptions) error {
	ofFile := t.MaxTokens == 0 && t.Form != task.MultipleChoice && t.Form != task.Cloze && t.Form != task.Perplexity
	if t.Form == task.Instructions && t.Check == nil { // ifeval's, or of its kinds in a file
		mode := ifeval.Compat
		if opt.deterministic {
			mode = ifeval.Deterministic
		}
		t.Check = task.CheckIFEval(mode)
		checker := ifeval.New(mode)
		for _, item := range t.Items {
			for _, rule := range item.Rules {
				if err := checker.Verify(rule.ID, rule.Args); err != nil {
					return fmt.Errorf("%s: item %s: %w", t.Files[0].Path, item.ID, err)
				}
			}
		}
		if opt.deterministic {
			t.Version = strings.TrimSpace(t.Version + " deterministic")
		}
	}
	switch {
	case opt.stop != nil:
		t.Until = opt.stop
	case ofFile && !opt.setting.Chat && t.Until == nil && t.Form != task.Refusal:
		t.Until = []string{"\n"}
	}
	switch {
	case opt.maxTokens > 0:
		t.MaxTokens = opt.maxTokens
	case t.MaxTokens == 0:
		t.MaxTokens = fileTokens
	}
	return nil
}

// fileTokens are the most tokens of an answer to an item of a file.
const fileTokens = 32

// choose chooses items.
func (s *taskSet) choose(opt benchOptions) {
	switch {
	case opt.limit > 0:
		s.items = task.First(s.tasks, opt.limit)
	case opt.sample != nil:
		s.items = make([][]int, len(s.tasks))
		for _, unit := range s.units() {
			var places []int
			var tasks []task.Task
			for i, t := range s.tasks {
				if t.Name == unit || s.group(t.Name) == unit {
					places, tasks = append(places, i), append(tasks, t)
				}
			}
			n := opt.sample.of(unit)
			if n == 0 {
				for _, t := range tasks {
					n += len(t.Items)
				}
			}
			for k, items := range task.Stratified(tasks, n, sampleSeed) {
				s.items[places[k]] = items
			}
		}
		s.drop()
	}
}

// sampleSeed chooses items: the same ones for every model.
const sampleSeed = 1

// drop leaves out tasks of which no item was chosen.
func (s *taskSet) drop() {
	var tasks []task.Task
	var items [][]int
	for i, t := range s.tasks {
		if len(s.items[i]) > 0 {
			tasks, items = append(tasks, t), append(items, s.items[i])
		}
	}
	s.tasks, s.items = tasks, items
}

// inBits reports whether a task is a perplexity.
func (s *taskSet) inBits(name string) bool {
	return slices.ContainsFunc(s.tasks, func(t task.Task) bool { return t.Name == name && t.Form == task.Perplexity })
}

// count is how many items of a unit are asked, and how many there are.
func (s *taskSet) count(unit string) (asked, all int) {
	for i, t := range s.tasks {
		if t.Name != unit && s.group(t.Name) != unit {
			continue
		}
		all += len(t.Items)
		if s.items == nil {
			asked += len(t.Items)
		} else {
			asked += len(s.items[i])
		}
	}
	return asked, all
}

// planned is a task as a plan says it.
func (s *taskSet) planned(i int, t task.Task, opt benchOptions) record.TaskPlan {
	p := record.TaskPlan{Name: t.Name, Group: s.group(t.Name), Version: t.Version, Form: string(t.Form), Items: len(t.Items), Limit: opt.limit, Sample: opt.sample.of(cmp.Or(s.group(t.Name), t.Name)),
		Shots: t.Shots, Draw: string(opt.setting.Draw), Shuffle: opt.setting.ShuffleOptions}
	if s.items != nil {
		p.Items = len(s.items[i])
	}
	if opt.setting.Shots >= 0 && !t.FixedShots {
		p.Shots = opt.setting.Shots
	}
	switch t.Form {
	case task.MultipleChoice, task.Cloze, task.Perplexity:
	default:
		p.MaxTokens, p.Until = t.MaxTokens, t.Until
	}
	return p
}

// taskName is what a task is called that is named by its file.
func taskName(name string) string {
	if exists(name) || strings.ContainsAny(name, `/\`) || filepath.Ext(name) != "" {
		base := filepath.Base(name)
		return strings.TrimSuffix(base, filepath.Ext(base))
	}
	return name
}
