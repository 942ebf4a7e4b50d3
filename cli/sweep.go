package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/cli/plot"
	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/task"
)

// confidence of every interval that a sweep prints.
const confidence = 0.95

func sweepAction(env environment, c *cli.Context) error {
	args := orPair(c.Args().Slice())
	switch {
	case len(args) != 2:
		return usagef("merge --alpha-sweep takes a base and a tuned model, or none for the embedded pair, and %d were given", len(args))
	case c.IsSet("alpha"), c.IsSet("out"):
		return usagef("--alpha-sweep writes nothing, but for --write-best OUT: --alpha and --out do not go with it")
	}
	for _, flag := range []string{"explain", "on-mismatch", "out-dtype", "stochastic", "seed", "allow-nonfinite", "shard-size", "resume", "force"} {
		if flag == "force" && c.IsSet("write-best") {
			continue
		}
		if c.IsSet(flag) {
			return usagef("--%s does not go with --alpha-sweep", flag)
		}
	}
	if err := checkPlot(c); err != nil {
		return err
	}
	alphas, err := parseSweep(c.String("alpha-sweep"))
	if err != nil {
		return err
	}
	opt := sweepOptions{json: c.Bool("json"), alphas: alphas, plot: c.String("plot"), best: c.String("write-best"), maximize: c.String("maximize"), all: c.Bool("all")}
	if opt.bench, err = parseBench(c); err != nil {
		return err
	}
	if (opt.best == "") != (opt.maximize == "") {
		return usagef("--write-best OUT and --maximize TASK go together")
	}
	opt.write = mergeOptions{policy: merge.Refuse, out: opt.best, shardSize: bestShards, force: c.Bool("force"),
		command:  append([]string{"surgeon", "merge"}, env.recorded()...),
		progress: func(title string) (func(done, total int64), func()) { return env.progress(c, title, "bytes") }}
	opt.progress = func(title, unit string) (func(done, total int64), func()) { return env.progress(c, title, unit) }
	return runSweep(c.Context, env, opt, args[0], args[1])
}

type sweepOptions struct {
	json     bool
	alphas   []float64
	bench    benchOptions
	plot     string
	best     string // where the best candidate is written
	maximize string // the task that says which is best
	all      bool   // a table for every task
	write    mergeOptions
	progress func(title, unit string) (step func(done, total int64), finish func())
}

// bestShards is the most that a file of the best candidate holds, bytes.
const bestShards = 5e9

// maxAlphas bounds a sweep that was mistyped.
const maxAlphas = 1001

// parseSweep reads LOW:HIGH:STEP, with both ends, or a list A,B,C.
func parseSweep(text string) ([]float64, error) {
	wrong := usagef("--alpha-sweep %q: want LOW:HIGH:STEP with LOW <= HIGH, STEP > 0 and at most %d alphas, or a list A,B,C of different ones", text, maxAlphas)
	separator := ","
	if strings.Contains(text, ":") {
		separator = ":"
	}
	var list []float64
	for _, field := range strings.Split(text, separator) {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil || !(math.Abs(v) <= math.MaxFloat32) {
			return nil, wrong
		}
		list = append(list, v)
	}
	if separator == ":" {
		if list = steps(list); list == nil {
			return nil, wrong
		}
	}
	if sorted := slices.Sorted(slices.Values(list)); len(list) > maxAlphas || len(slices.Compact(sorted)) < len(list) {
		return nil, wrong
	}
	return list, nil
}

// steps are the alphas of LOW, HIGH and STEP, or nil if there are none or too
// many.
func steps(r []float64) []float64 {
	if len(r) != 3 || r[2] <= 0 || r[1] < r[0] {
		return nil
	}
	n := math.Floor((r[1]-r[0])/r[2] + 1e-9)
	if !(n < maxAlphas) {
		return nil
	}
	alphas := make([]float64, 0, int(n)+1)
	for i := range int(n) + 1 {
		alphas = append(alphas, math.Round((r[0]+float64(i)*r[2])*1e9)/1e9) // 0.3, not 0.30000000000000004
	}
	return alphas
}

func runSweep(ctx context.Context, env environment, opt sweepOptions, baseName, tunedName string) error {
	in, err := openMerge(merge.Refuse, baseName, tunedName)
	if err != nil {
		return err
	}
	defer in.close()
	if err := in.sameArchitecture(); err != nil {
		return err
	}
	if opt.best != "" {
		if err := in.checkTarget(opt.best, opt.write.force); err != nil {
			return err // before any work
		}
	}
	result := sweep{Base: baseName, Tuned: tunedName, Notes: in.notes()}
	if err := result.score(ctx, env, opt, in); err != nil {
		return err
	}
	if opt.json {
		err = env.printJSON(result)
	} else {
		err = result.print(env, opt.all)
	}
	if err == nil && opt.plot != "" {
		err = plot.Save(opt.plot, result.curve())
	}
	if err == nil && len(result.failed) > 0 {
		return result.failed
	}
	return err
}

// failures are why candidates have no score.
type failures []error

// Error implements error.
func (f failures) Error() string { return errors.Join(f...).Error() }

// score measures and scores every candidate, and writes the best one if that is
// asked for.
func (s *sweep) score(ctx context.Context, env environment, opt sweepOptions, in *inputs) error {
	opt.bench.suit(in.base.embedded)
	bench, set, err := newBench(in.base, opt.bench)
	if err != nil {
		return err
	}
	s.Notes = append(s.Notes, set.notes...)
	best := slices.IndexFunc(bench.Tasks, func(t task.Task) bool { return t.Name == opt.maximize })
	if opt.best != "" && best < 0 {
		var names []string
		for _, t := range bench.Tasks {
			names = append(names, fmt.Sprintf("%q", t.Name))
		}
		return usagef("--maximize %s: there is no such task: the tasks are %s", opt.maximize, strings.Join(names, ", "))
	}
	candidates, err := s.candidates(ctx, in, opt)
	if err != nil {
		return err
	}
	e := &evaluation{bench: bench, candidates: candidates, plan: newPlan(env, "merge", bench, set, opt.bench)}
	if e.asked, err = bench.Ask(); err != nil {
		return err
	}
	if e.identities, err = identities(ctx, in, opt.alphas); err != nil {
		return err
	}
	for _, note := range powerNotes(set) {
		env.complain("note: " + note)
	}
	var finish func()
	bench.Progress, finish = opt.progress("2/2 score", "rows")
	scores, err := e.run(ctx)
	finish()
	if err != nil {
		return err
	}
	s.Notes = append(s.Notes, e.again.note()...)
	s.Notes = append(s.Notes, seedNotes(bench, e.asked)...)
	s.Notes = append(s.Notes, runNotes(e.kept, scores[0].Truncated)...)
	if err := s.summarise(env, e, scores); err != nil || opt.best == "" {
		return err
	}
	return s.writeBest(ctx, opt, in, best)
}

// identities are digests of all that decides the answers at each alpha.
func identities(ctx context.Context, in *inputs, alphas []float64) (list []string, err error) {
	base, err := in.base.identity(ctx)
	if err != nil {
		return nil, err
	}
	tuned, err := in.tuned[0].identity(ctx)
	if err != nil {
		return nil, err
	}
	for _, alpha := range alphas {
		point := merge.Point{Method: merge.Method{Name: "linear"}, Alpha: alpha}
		list = append(list, mergeIdentity(base, tuned, point, in.tuned[0].adapter == nil))
	}
	return list, nil
}

// writeBest writes the candidate that scores highest on a task, the one with
// the smallest alpha among equals.
func (s *sweep) writeBest(ctx context.Context, opt sweepOptions, in *inputs, task int) error {
	var best *sweepCandidate
	for i := range s.Candidates {
		c := &s.Candidates[i]
		if c.Error != "" {
			continue
		}
		if best == nil || c.Tasks[task].Score > best.Tasks[task].Score ||
			c.Tasks[task].Score == best.Tasks[task].Score && math.Abs(float64(c.Alpha)) < math.Abs(float64(best.Alpha)) {
			best = c
		}
	}
	if best == nil {
		return nil // the failure is reported
	}
	rules, err := merge.ParseRules(fmt.Sprint(float64(best.Alpha)))
	if err != nil {
		return err
	}
	opt.write.alphas = []merge.Rules{rules}
	written := &merged{Out: opt.best, Base: s.Base, Tuned: s.Tuned}
	if err := written.write(ctx, opt.write, in); err != nil {
		return err
	}
	s.Best = &sweepBest{Alpha: best.Alpha, Task: opt.maximize, Out: opt.best, Bytes: written.Bytes, Files: written.Files}
	s.Notes = append(s.Notes, written.Notes...)
	return nil
}

// candidates makes the merged models and measures their effective alphas.
func (s *sweep) candidates(ctx context.Context, in *inputs, opt sweepOptions) ([]probe.Candidate, error) {
	step, finish := opt.progress("1/2 measure", "bytes")
	defer finish()
	var list []probe.Candidate
	for i, alpha := range opt.alphas {
		m, err := in.merged(merge.Number(alpha))
		if err != nil {
			return nil, err
		}
		effective, err := m.EffectiveAlpha(ctx, func(done, total int64) {
			if step != nil {
				step(int64(i)*total+done, int64(len(opt.alphas))*total)
			}
		})
		if err != nil {
			return nil, err
		}
		id := fmt.Sprintf("alpha=%v", alpha)
		list = append(list, probe.Candidate{ID: id, Source: m})
		s.Candidates = append(s.Candidates, sweepCandidate{ID: id, Alpha: number(alpha), EffectiveAlpha: number(effective)})
	}
	return list, nil
}
