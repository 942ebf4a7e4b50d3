package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/probe/decoder"
	"surgeon/probe/task"
)

// benchFlags are the flags of every command that scores models on tasks. Those
// that lm-evaluation-harness has are called as there.
func benchFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "tasks", Usage: "what is scored: names such as mmlu, mmlu_anatomy, gsm8k, ifeval, instruct, or FILE.jsonl; may be a `LIST` with commas, and repeated"},
		&cli.StringFlag{Name: "data", Usage: "`DIR` with the benchmarks' files: parquet, JSON lines or CSV, found by what is in them"},
		&cli.IntFlag{Name: "num-fewshot", DefaultText: "each task's own", Usage: "answered examples before every question"},
		&cli.StringFlag{Name: "shots-per", Value: "task", Usage: "`WHAT` gets a draw of examples of its own: task (as lm-evaluation-harness draws for each), seed (one draw for all items) or item"},
		&cli.StringFlag{Name: "seeds", Value: "1234", Usage: "`LIST` of seeds of the examples, the order of options and sampling; every task is asked once under each"},
		&cli.IntFlag{Name: "limit", Usage: "only the first `N` items of each task"},
		&cli.StringSliceFlag{Name: "sample", Usage: "only `N` items of each task or group, the same share of every subject; or TASK=N, as a list"},
		&cli.BoolFlag{Name: "shuffle-options", Usage: "options of multiple choice stand in another order for every item and seed"},
		&cli.BoolFlag{Name: "apply-chat-template", Aliases: []string{"chat"}, Usage: "prompts are what a user says: the model's chat template writes them"},
		&cli.BoolFlag{Name: "fewshot-as-multiturn", Value: true, Usage: "in a chat, examples are turns of their own"},
		&cli.StringFlag{Name: "system-instruction", Usage: "`TEXT` before everything, a chat's system message"},
		&cli.StringFlag{Name: "gen-kwargs", Usage: "how texts are generated: a `LIST` of temperature=0.7, top_p=0.9, top_k=50, max_gen_toks=256, until=TEXT"},
		&cli.IntFlag{Name: "max-tokens", DefaultText: "each task's own; in files 32, and 256 of arithmetic and instructions", Usage: "most tokens of an answer that is generated"},
		&cli.StringSliceFlag{Name: "stop", DefaultText: "each task's own, a line feed in files without --chat", Usage: "`TEXT` that ends an answer that is generated; may be repeated"},
		&cli.StringFlag{Name: "ifeval", Value: "compat", Usage: "`HOW` IFEval's rules are checked: compat (as published, language by sampling) or deterministic"},
		memoryFlag(),
	}
}

// benchOptions are what those flags say.
type benchOptions struct {
	tasks         []string
	data          string
	setting       task.Setting
	chatSet       bool // it says whether there is a chat
	seeds         []int64
	limit         int
	sample        samples
	sampling      decoder.Sampling
	maxTokens     int      // 0: each task's own
	stop          []string // nil: each task's own
	deterministic bool     // checks of IFEval
	memory        int64
}

// suit asks embedded tasks the way the embedded models answer, unless the flags say
// how. Without any tasks they are the embedded ones, for an embedded base.
func (o *benchOptions) suit(brought bool) {
	own := func(name string) bool { return embedded.Named(name) == nil || exists(name) }
	if len(o.tasks) == 0 && !brought || slices.ContainsFunc(o.tasks, own) {
		return
	}
	if !o.chatSet {
		o.setting.Chat = embedded.Chat
	}
}

func parseBench(c *cli.Context) (opt benchOptions, err error) {
	opt = benchOptions{chatSet: c.IsSet("apply-chat-template"), data: c.String("data"), limit: c.Int("limit"), maxTokens: c.Int("max-tokens"), stop: c.StringSlice("stop"),
		setting: task.Setting{Shots: -1, Chat: c.Bool("apply-chat-template"), MultiTurn: c.Bool("fewshot-as-multiturn"),
			System: c.String("system-instruction"), ShuffleOptions: c.Bool("shuffle-options")}}
	if c.IsSet("num-fewshot") {
		if opt.setting.Shots = c.Int("num-fewshot"); opt.setting.Shots < 0 {
			return opt, usagef("--num-fewshot %d: want 0 or more", opt.setting.Shots)
		}
	}
	for _, name := range []string{"limit", "max-tokens"} {
		if c.IsSet(name) && c.Int(name) < 1 {
			return opt, usagef("--%s %d: want at least 1", name, c.Int(name))
		}
	}
	if opt.sample, err = parseSamples(c.StringSlice("sample")); err != nil {
		return opt, err
	}
	if opt.limit > 0 && opt.sample != nil {
		return opt, usagef("--limit takes the first items and --sample some of every subject: give one of them")
	}
	if slices.Contains(opt.stop, "") {
		return opt, usagef("--stop: want a text that is not empty")
	}
	if opt.tasks = splitTasks(c.StringSlice("tasks")); c.IsSet("tasks") && len(opt.tasks) == 0 {
		return opt, usagef("--tasks: the list is empty")
	}
	if opt.setting.Draw, err = parseDraw("--shots-per", c.String("shots-per")); err != nil {
		return opt, err
	}
	if opt.seeds, err = parseSeeds(c.String("seeds")); err != nil {
		return opt, err
	}
	if err := opt.generation(c.String("gen-kwargs")); err != nil {
		return opt, err
	}
	switch c.String("ifeval") {
	case "compat":
	case "deterministic":
		opt.deterministic = true
	default:
		return opt, usagef("--ifeval %s: want compat or deterministic", c.String("ifeval"))
	}
	opt.memory, err = memoryOf(c)
	return opt, err
}

// samples are how many items of tasks and groups are asked; "" stands for all that are
// not named, of which all items are asked if it is not there.
type samples map[string]int

// parseSamples reads N or TASK=N.
func parseSamples(given []string) (samples, error) {
	var s samples
	for _, text := range strings.Split(strings.Join(given, ","), ",") {
		if len(given) == 0 {
			return nil, nil
		}
		name, value, ok := strings.Cut(strings.TrimSpace(text), "=")
		if !ok {
			name, value = "", name
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return nil, usagef("--sample %s: want a number of items, or TASK=N", text)
		}
		if _, twice := s[name]; twice {
			return nil, usagef("--sample %s: a number for %s stands there already", text, orEvery(name))
		}
		if s == nil {
			s = samples{}
		}
		s[name] = n
	}
	return s, nil
}

// of is how many items of a task or group are asked; 0 is all.
func (s samples) of(unit string) int {
	if n, ok := s[unit]; ok {
		return n
	}
	return s[""]
}

// check reports a name that no task or group has.
func (s samples) check(units []string) error {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if name != "" && !slices.Contains(units, name) {
			return usagef("--sample %s=%d: there is no such task or group: %s", name, s[name], some(units))
		}
	}
	return nil
}

// splitTasks splits lists at commas, but for the names of files that have some.
// What is named twice is asked once.
func splitTasks(given []string) (list []string) {
	add := func(name string) {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	for _, text := range given {
		if exists(text) {
			add(text)
			continue
		}
		for _, name := range strings.Split(text, ",") {
			add(name)
		}
	}
	return list
}

// draws are the values of --shots-per.
var draws = map[string]task.Draw{"task": task.Stock, "seed": task.PerSeed, "item": task.PerItem}

func parseDraw(flag, text string) (task.Draw, error) {
	draw, ok := draws[text]
	if !ok {
		return draw, usagef("%s %s: want task, seed or item", flag, text)
	}
	return draw, nil
}

func parseSeeds(text string) (seeds []int64, err error) {
	for _, field := range strings.Split(text, ",") {
		seed, err := strconv.ParseInt(strings.TrimSpace(field), 10, 64)
		if err != nil || slices.Contains(seeds, seed) {
			return nil, usagef("--seeds %q: want different whole numbers with commas between them", text)
		}
		seeds = append(seeds, seed)
	}
	return seeds, nil
}

// generation reads the settings that lm-evaluation-harness calls gen_kwargs.
func (opt *benchOptions) generation(text string) error {
	if text == "" {
		return nil
	}
	greedy, sampled := false, false
	for _, field := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		if name == "until" && value != "" {
			opt.stop = append(opt.stop, value)
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		switch name {
		case "temperature":
			opt.sampling.Temperature = number
		case "top_p":
			opt.sampling.TopP = number
		case "top_k":
			if opt.sampling.TopK = int(number); float64(opt.sampling.TopK) != number {
				err = errors.New("no whole number")
			}
		case "max_gen_toks", "max_new_tokens", "max_tokens":
			if opt.maxTokens = int(number); opt.maxTokens < 1 {
				err = fmt.Errorf("below 1")
			}
		case "do_sample":
			var sample bool
			sample, err = strconv.ParseBool(value)
			greedy, sampled = err == nil && !sample, sample
		default:
			return usagef("--gen-kwargs %s: want temperature, top_p, top_k, do_sample, max_gen_toks or until", field)
		}
		if err != nil {
			return usagef("--gen-kwargs %s: want a number, at least 1 for tokens", field)
		}
	}
	if s := opt.sampling; !(s.Temperature >= 0 && s.Temperature <= 100) || !(s.TopP >= 0 && s.TopP <= 1) || s.TopK < 0 {
		return usagef("--gen-kwargs %s: want a temperature from 0 to 100, top_p from 0 to 1 and top_k of 0 or more", text)
	}
	switch {
	case greedy:
		opt.sampling = decoder.Sampling{}
	case sampled && opt.sampling.Temperature == 0:
		opt.sampling.Temperature = 1 // as transformers
	}
	return nil
}
