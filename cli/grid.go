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
puts the folders together. In a SLURM array the shard is taken from there, in an indexed job of
Kubernetes from JOB_COMPLETION_INDEX and SURGEON_SHARDS.

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
// of Kubernetes says, which needs SURGEON_SHARDS besides.
func parseShard(text string, getenv func(string) string) (shard, shards int, err error) {
	index, count := getenv("SLURM_ARRAY_TASK_ID"), getenv("SLURM_ARRAY_TASK_COUNT")
	switch job := getenv("JOB_COMPLETION_INDEX"); {
	case text != "":
	case index != "" && count != "":
		step := max(1, numberOf(getenv("SLURM_ARRAY_TASK_STEP")))
		text = fmt.Sprintf("%d/%s", (numberOf(index)-numberOf(getenv("SLURM_ARRAY_TASK_MIN")))/step, count)
	case job != "" && getenv("SURGEON_SHARDS") != "":
		text = job + "/" + getenv("SURGEON_SHARDS")
	case index != "" || job != "":
		return 0, 1, usagef("this is number %s of a job of many, and nothing says of how many: set SURGEON_SHARDS, or give --shard I/N (0/1 for the whole grid)", index+job)
	default:
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

// numberOf is a number that a job's environment says; 0 for none.
func numberOf(text string) int {
	n, _ := strconv.Atoi(text)
	return n
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

	said []string // notes that are no results
}

func runGrid(ctx context.Context, env environment, opt gridOptions, path string) error {
	file, _, err := readGrid(path)
	if err != nil {
		return err
	}
	if opt.out == "" {
		opt.out = strings.TrimSuffix(path, filepath.Ext(path)) + ".run"
		if opt.shards > 1 {
			opt.out += fmt.Sprintf("-%d-of-%d", opt.shard, opt.shards)
		}
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
	if g.opt.shards > 1 {
		env.footnotes(g.said)
		env.printf("shard %d of %d is scored: surgeon grid collect puts the shards together\n", g.opt.shard, g.opt.shards)
		return g.failures(scores)
	}
	result, err := gridOf(opt.out)
	if err != nil {
		return err
	}
	if err := result.finish(env, opt, g.plan(), g.said); err != nil {
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
	opt.suit(g.pairs[0].in.base.embedded)
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
			if g.set.inBits(name) {
				return fmt.Errorf("%s: %s is measured in bits, of which less is better: general and domain are means of shares", g.path, name)
			}
			list[k] = name
		}
	}
	if len(g.file.General) == 0 {
		for _, name := range names {
			if !slices.Contains(g.file.Domain, name) && !g.set.inBits(name) {
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
	g.said = slices.Concat(notes(g.pairs[0].in.base.embedded), g.set.notes, seedNotes(g.bench, g.asked), e.warnings, e.again.note())
	if err == nil && len(scores) > 0 {
		g.said = append(g.said, runNotes(e.kept, scores[0].Truncated)...)
	}
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
