package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/merge"
	"surgeon/probe"
	"surgeon/tensors"
)

func gridCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "grid",
		Usage:     "score a grid of merges: pairs, methods, alphas, layer groups, seeds",
		ArgsUsage: "GRID.yml, or collect RUN...",
		Description: `GRID.yml says what is merged and how it is scored:

   pairs: [{base: base, tuned: chem}]           # of models, as everywhere
   methods: [linear, {trim: 0.2}, {drop: 0.2}]  # linear alone unless given
   alphas: 0:1:0.25                             # or [0, 0.5, 1]
   groups: [{tensors: norms, alphas: [0, 1]}]   # tensors with alphas of their own
   tasks: [mmlu_anatomy, gsm8k, mine.jsonl]     # as --tasks of score
   general: [mmlu_anatomy, gsm8k]               # all but domain unless given
   domain: [mine.jsonl]                         # the axes of the front
   seeds: [1234]
   margin: 0.02
   data: benchmarks; num_fewshot, shots, limit, sample, apply_chat_template,
   shuffle_options, max_gen_toks, margins       # as the flags of score

Every combination is a candidate that is scored without being written. Answers are kept in a
run folder as they come: a run that was stopped goes on when it is given again. A grid may be
shared by several machines: each runs --shard i/n with a folder of its own, and grid collect
puts the folders together. In a SLURM array or an indexed job the shard is taken from there.

Examples:
   surgeon grid g.yml
   surgeon grid --shard 0/2 --out part0 g.yml
   surgeon grid --shard 1/2 --out part1 g.yml
   surgeon grid collect --out whole part0 part1`,
		Flags: common(
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, DefaultText: "the grid's name with .run", Usage: "the run folder, `DIR`"},
			&cli.StringFlag{Name: "shard", DefaultText: "all", Usage: "only the candidates of shard `I/N`, counted from 0"},
			&cli.StringSliceFlag{Name: "reuse", Usage: "answers in the run folder `DIR` serve where the question is the same; may be repeated"},
			&cli.StringFlag{Name: "plot", Usage: "the front of general and domain scores as a figure, `FILE`.png or .svg"},
			memoryFlag(),
		),
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			opt := gridOptions{out: c.String("out"), reuse: c.StringSlice("reuse"), plot: c.String("plot"), json: c.Bool("json")}
			opt.progress = func(title, unit string) (func(done, total int64), func()) { return env.progress(c, title, unit) }
			var err error
			if opt.memory, err = memoryOf(c); err != nil {
				return err
			}
			if err := checkPlot(c); err != nil {
				return err
			}
			if len(args) > 0 && args[0] == "collect" {
				if len(args) < 2 || opt.out == "" {
					return usagef("grid collect takes --out DIR and the run folders of all shards")
				}
				return runCollect(c.Context, env, opt, args[1:])
			}
			if len(args) != 1 {
				return usagef("grid takes a GRID.yml, and %d were given: surgeon grid --help", len(args))
			}
			if opt.shard, opt.shards, err = parseShard(c.String("shard"), os.Getenv); err != nil {
				return err
			}
			return runGrid(c.Context, env, opt, args[0])
		},
	}
}

type gridOptions struct {
	out           string
	shard, shards int // shards 1 is the whole grid
	reuse         []string
	plot          string
	json          bool
	memory        int64
	progress      func(title, unit string) (step func(done, total int64), finish func())
}

// parseShard reads I/N, or where it is "" what a SLURM array or an indexed job
// of Kubernetes says.
func parseShard(text string, getenv func(string) string) (shard, shards int, err error) {
	if text == "" {
		for _, names := range [][2]string{{"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"}, {"JOB_COMPLETION_INDEX", "SURGEON_SHARDS"}} {
			if i, n := getenv(names[0]), getenv(names[1]); i != "" && n != "" {
				if low := getenv("SLURM_ARRAY_TASK_MIN"); low != "" && names[0] == "SLURM_ARRAY_TASK_ID" {
					i = minus(i, low)
				}
				text = i + "/" + n
				break
			}
		}
	}
	if text == "" {
		return 0, 1, nil
	}
	i, n, _ := strings.Cut(text, "/")
	shard, errI := strconv.Atoi(i)
	shards, errN := strconv.Atoi(n)
	if errI != nil || errN != nil || shards < 1 || shard < 0 || shard >= shards {
		return 0, 1, usagef("--shard %s: want I/N with I from 0 to N-1, such as 0/4", text)
	}
	return shard, shards, nil
}

func minus(a, b string) string {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	if errX != nil || errY != nil {
		return a
	}
	return strconv.Itoa(x - y)
}

// gridRun is a grid that runs.
type gridRun struct {
	opt   gridOptions
	file  *gridFile
	path  string
	bench *probe.Bench
	set   *taskSet
	asked []probe.Asked
	pairs []*pairRun

	warnings []string // of the logs
}

func runGrid(ctx context.Context, env environment, opt gridOptions, path string) error {
	file, _, err := readGrid(path)
	if err != nil {
		return err
	}
	if opt.out == "" {
		opt.out = strings.TrimSuffix(path, filepath.Ext(path)) + ".run"
	}
	g := &gridRun{opt: opt, file: file, path: path}
	defer g.close()
	if err := g.prepare(ctx); err != nil {
		return err
	}
	for _, note := range powerNotes(g.set) {
		env.complain("note: " + note)
	}
	scores, err := g.score(ctx)
	if err != nil {
		return err
	}
	env.complain(g.warnings...)
	if g.opt.shards > 1 {
		env.printf("shard %d of %d is scored: surgeon grid collect puts the shards together\n", g.opt.shard, g.opt.shards)
		return g.failures(scores)
	}
	result, err := gridOf(opt.out)
	if err != nil {
		return err
	}
	if err := result.finish(env, opt, g.plan()); err != nil {
		return err
	}
	return g.failures(scores)
}

func (g *gridRun) close() {
	for _, p := range g.pairs {
		p.in.close()
	}
}

// prepare opens all models and lists candidates and questions, before any
// score.
func (g *gridRun) prepare(ctx context.Context) error {
	if len(g.file.Pairs) == 0 {
		g.file.Pairs = []gridPair{{Name: "chem", Base: "base", Tuned: "chem"}}
	}
	for _, pair := range g.file.Pairs {
		in, err := openMerge(merge.Refuse, pair.Base, pair.Tuned)
		if err != nil {
			return err
		}
		p := &pairRun{gridPair: pair, in: in, deltas: map[string]tensors.Delta{}}
		g.pairs = append(g.pairs, p)
		if err := in.sameArchitecture(); err != nil {
			return err
		}
		if err := g.list(ctx, p); err != nil {
			return err
		}
	}
	opt, err := g.file.bench(g.opt.memory)
	if err != nil {
		return err
	}
	if g.bench, g.set, err = newBench(g.pairs[0].in.base, opt); err != nil {
		return err
	}
	if err := g.sameTokens(); err != nil {
		return err
	}
	if err := g.roles(); err != nil {
		return err
	}
	if err := margins(g.file.Margins).check(g.set.names()); err != nil {
		return fmt.Errorf("%s: %v", g.path, err) // bad input, not usage
	}
	g.asked, err = g.bench.Ask()
	return err
}

// sameTokens refuses pairs whose bases differ in architecture or tokenizer:
// their candidates cannot be asked the same questions.
func (g *gridRun) sameTokens() error {
	first := g.pairs[0].in.base
	for _, p := range g.pairs[1:] {
		for _, file := range []string{"config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"} {
			a, _, _ := first.folder().side(file)
			b, _, _ := p.in.base.folder().side(file)
			if string(a) != string(b) {
				return fmt.Errorf("%s and %s differ in %s: a grid takes pairs of one architecture and tokenizer", first.name, p.in.base.name, file)
			}
		}
	}
	return nil
}

// roles checks the names of general and domain tasks.
func (g *gridRun) roles() error {
	names := g.set.units()
	for i, list := range [][]string{g.file.General, g.file.Domain} {
		for k, name := range list {
			name = taskName(name)
			if !slices.Contains(names, name) {
				return fmt.Errorf("%s: %s names %s, which is no task of this grid: there are %s", g.path, []string{"general", "domain"}[i], name, some(names))
			}
			list[k] = name
		}
	}
	if len(g.file.General) == 0 {
		for _, name := range names {
			if !slices.Contains(g.file.Domain, name) {
				g.file.General = append(g.file.General, name)
			}
		}
	}
	return nil
}

// all lists the candidates of all pairs.
func (g *gridRun) all() (list []gridCandidate) {
	for _, p := range g.pairs {
		list = append(list, p.candidates...)
	}
	return list
}

// score asks the candidates of the shard. Scores stand in the order of all, with
// those of other shards left empty.
func (g *gridRun) score(ctx context.Context) ([]probe.Scores, error) {
	e := &evaluation{bench: g.bench, asked: g.asked, dir: g.opt.out, reuse: g.opt.reuse, plan: g.plan()}
	for i, c := range g.all() {
		if i%g.opt.shards == g.opt.shard {
			e.candidates = append(e.candidates, probe.Candidate{ID: c.id, Source: c.source})
			e.identities = append(e.identities, c.identity)
		}
	}
	var finish func()
	g.bench.Progress, finish = g.opt.progress("grid", "rows")
	scores, err := e.run(ctx)
	finish()
	g.warnings = e.warnings
	return scores, err
}

// failures are the candidates that have no score.
func (g *gridRun) failures(scores []probe.Scores) error {
	var list failures
	for _, s := range scores {
		if s.Err != nil {
			list = append(list, fmt.Errorf("%s: %w", s.ID, s.Err))
		}
	}
	if len(list) > 0 {
		return list
	}
	return nil
}
