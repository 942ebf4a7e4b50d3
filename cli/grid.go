package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/record"
	"surgeon/probe/task"
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
}

// pairRun is one pair of a grid and its candidates: the base, the tuned model,
// and every point that is neither.
type pairRun struct {
	gridPair
	in         *inputs
	base       string // identities
	tuned      string
	baseID     string                   // the candidate that is the base
	deltas     map[string]tensors.Delta // the task vector after each method
	candidates []gridCandidate
}

// gridCandidate is a merge of a grid.
type gridCandidate struct {
	id       string
	point    merge.Point
	identity string
	source   tensors.Source
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

// list makes the candidates of a pair, but for those that are bit for bit one
// that is listed already, such as the base of several pairs.
func (g *gridRun) list(ctx context.Context, p *pairRun) error {
	var err error
	if p.base, err = p.in.base.identity(ctx); err != nil {
		return err
	}
	if p.tuned, err = p.in.tuned[0].identity(ctx); err != nil {
		return err
	}
	prefix := ""
	if len(g.file.Pairs) > 1 {
		prefix = p.Name + " "
	}
	ends := merge.Grid{Methods: []merge.Method{{Name: "linear"}}, Alphas: []float64{0, 1}}.Points()
	for i, point := range append(ends, g.file.axes().Points()...) {
		id := prefix + point.String()
		if i < len(ends) {
			id = prefix + []string{"base", "tuned"}[i]
		}
		c, err := p.candidate(id, point)
		if err != nil {
			return err
		}
		if same := g.known(c.identity); same != "" {
			if i == 0 {
				p.baseID = same
			}
			continue
		}
		if i == 0 {
			p.baseID = id
		}
		p.candidates = append(p.candidates, c)
	}
	return nil
}

// known is the candidate of an identity, if there is one.
func (g *gridRun) known(identity string) string {
	for _, c := range g.all() {
		if c.identity == identity {
			return c.id
		}
	}
	return ""
}

// candidate is the merge at a point.
func (p *pairRun) candidate(id string, point merge.Point) (gridCandidate, error) {
	rules, err := point.Rules()
	if err != nil {
		return gridCandidate{}, err
	}
	if _, err := rules.Check(p.in.tuned[0].delta.Names()); err != nil {
		return gridCandidate{}, err
	}
	method := point.Method.String()
	if p.deltas[method] == nil {
		p.deltas[method] = point.Method.Of(p.in.tuned[0].delta)
	}
	m, err := merge.Apply(p.in.from, merge.Term{Label: p.Tuned, Delta: p.deltas[method], Alpha: rules.At})
	if err != nil {
		return gridCandidate{}, err
	}
	return gridCandidate{id, point, mergeIdentity(p.base, p.tuned, point, p.in.tuned[0].adapter == nil), m}, nil
}

// mergeIdentity is a digest of all that decides the answers of a merge. A merge
// that is one of its models has that one's.
func mergeIdentity(base, tuned string, point merge.Point, model bool) string {
	switch {
	case point.Base():
		return base
	case point.Tuned() && model:
		return tuned
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s", base, tuned, point))
	return hex.EncodeToString(sum[:])
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
	return scores, err
}

// plan is the same for every shard, so that they can be put together.
func (g *gridRun) plan() record.Plan {
	opt, _ := g.file.bench(0)
	plan := record.Plan{Version: Version, Seeds: g.bench.Seeds}
	for _, f := range g.set.files {
		plan.Data = append(plan.Data, record.Input{Name: filepath.Base(f.Path), Path: f.Path, Digest: f.SHA256})
	}
	for i, t := range g.bench.Tasks {
		plan.Tasks = append(plan.Tasks, g.set.planned(i, t, opt))
	}
	if opt.setting.Chat {
		plan.Chat = &record.ChatPlan{Multiturn: opt.setting.MultiTurn}
	}
	for _, p := range g.pairs {
		for i, m := range []string{p.Base, p.Tuned} {
			plan.Models = append(plan.Models, record.Model{Input: record.Input{Name: fmt.Sprintf("%s of %s", []string{"base", "tuned"}[i], p.Name), Path: m, Digest: []string{p.base, p.tuned}[i]}})
		}
	}
	var ids []string
	for _, c := range g.all() {
		ids = append(ids, c.id)
	}
	plan.Candidates = asJSON(ids)
	plan.Margins = asJSON(g.file.margins())
	bases := map[string]string{}
	for _, p := range g.pairs {
		for _, c := range p.candidates {
			bases[c.id] = p.baseID
		}
	}
	plan.Rule = asJSON(map[string]any{"general": g.file.General, "domain": g.file.Domain, "bases": bases})
	return plan
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

// bench are the options of score that a grid gives.
func (g *gridFile) bench(memory int64) (benchOptions, error) {
	opt := benchOptions{tasks: g.Tasks, data: g.Data, seeds: g.Seeds, limit: g.Limit, sample: g.Sample, maxTokens: g.Tokens, memory: memory,
		setting: task.Setting{Shots: -1, Chat: g.Chat, MultiTurn: true, ShuffleOptions: g.Shuffle}}
	if g.Shots != nil {
		opt.setting.Shots = *g.Shots
	}
	if len(opt.seeds) == 0 {
		opt.seeds = []int64{1234}
	}
	var err error
	opt.setting.Draw = task.Stock
	if g.Draw != "" {
		opt.setting.Draw, err = parseDraw("shots:", g.Draw)
	}
	return opt, err
}

// margins are the grid's.
func (g *gridFile) margins() margins {
	m := margins{}
	for name, v := range usualMargins {
		m[name] = v
	}
	if g.Margin > 0 {
		m = margins{"": g.Margin}
	}
	for name, v := range g.Margins {
		m[name] = v
	}
	return m
}
