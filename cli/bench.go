package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/probe"
	"surgeon/probe/chat"
	"surgeon/probe/task"
	"surgeon/testdata"
)

// benchFlags are the flags of every command that scores models on tasks.
func benchFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "tasks", Usage: "items to score, a `FILE.jsonl` (id, prompt, and choices and gold, or answer) or symbols, the embedded task; may be repeated"},
		&cli.BoolFlag{Name: "chat", Usage: "prompts are what a user says: the model's chat template writes them"},
		&cli.IntFlag{Name: "max-tokens", Value: 32, Usage: "most tokens of an answer that is generated"},
		&cli.StringSliceFlag{Name: "stop", DefaultText: "a line feed, without --chat", Usage: "`TEXT` that ends an answer that is generated; may be repeated"},
		memoryFlag(),
	}
}

// benchOptions are what those flags say.
type benchOptions struct {
	tasks     []string
	chat      bool
	maxTokens int
	stop      []string
	memory    int64
}

func parseBench(c *cli.Context) (opt benchOptions, err error) {
	opt = benchOptions{tasks: c.StringSlice("tasks"), chat: c.Bool("chat"), maxTokens: c.Int("max-tokens"), stop: c.StringSlice("stop")}
	if opt.maxTokens < 1 {
		return opt, usagef("--max-tokens %d: want at least 1", opt.maxTokens)
	}
	if slices.Contains(opt.stop, "") {
		return opt, usagef("--stop: want a text that is not empty")
	}
	if len(opt.stop) == 0 && !opt.chat {
		opt.stop = []string{"\n"}
	}
	opt.memory, err = memoryOf(c)
	return opt, err
}

// newBench reads architecture, tokenizer and tasks. Without task files only
// the embedded pair has a task. It returns notes on what is not scored.
func newBench(base *model, opt benchOptions) (*probe.Bench, []string, error) {
	config, err := base.config()
	if err != nil {
		return nil, nil, err
	}
	f := base.folder()
	tokenizer, err := f.tokenizer()
	if err != nil {
		return nil, nil, err
	}
	bench := &probe.Bench{Config: config, Tokenizer: tokenizer, MaxTokens: opt.maxTokens, Stop: opt.stop, Memory: opt.memory}
	if bench.EOS, err = f.eos(); err != nil {
		return nil, nil, err
	}
	if opt.chat {
		template, err := f.chat()
		if err != nil {
			return nil, nil, err
		}
		bench.Chat = func(prompt string) (string, error) {
			return template.Render(context.Background(), []chat.Message{{Role: "user", Content: prompt}}, chat.Options{Generation: true})
		}
	}
	if len(opt.tasks) == 0 {
		if !base.embedded {
			return nil, nil, usagef("your own models need --tasks FILE.jsonl")
		}
		opt.tasks = []string{testdata.TaskName}
	}
	var notes []string
	for _, file := range opt.tasks {
		set, err := readTasks(file)
		if err != nil {
			return nil, nil, err
		}
		for form, n := range set.Skipped {
			notes = append(notes, fmt.Sprintf("%s: %s of form %q not scored: surgeon scores mcq and exact", file, plural(n, "item"), form))
		}
		bench.Tasks = append(bench.Tasks, set.Tasks...)
	}
	slices.Sort(notes)
	for i, t := range bench.Tasks {
		if slices.ContainsFunc(bench.Tasks[:i], func(other task.Task) bool { return other.Name == t.Name }) {
			return nil, nil, usagef("two tasks are called %s: rename one of the files", t.Name)
		}
	}
	return bench, notes, nil
}

// readTasks reads the tasks of a file, which are called as it, or the embedded
// one.
func readTasks(file string) (task.Set, error) {
	f, err := os.Open(file)
	switch {
	case errors.Is(err, os.ErrNotExist) && file == testdata.TaskName:
		return task.Read(testdata.TaskName, "embedded "+testdata.TaskName, bytes.NewReader(testdata.Task()))
	case errors.Is(err, os.ErrNotExist):
		return task.Set{}, fmt.Errorf("--tasks %s: no such file, and the one task that is embedded is called %s", file, testdata.TaskName)
	}
	if err != nil {
		return task.Set{}, err
	}
	defer f.Close()
	return task.Read(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), file, f)
}
