package cli

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/cli/plot"
	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/task"
	"surgeon/testdata"
)

// confidence of every interval that a sweep prints.
const confidence = 0.95

func sweepAction(env environment, c *cli.Context) error {
	args := c.Args().Slice()
	if len(args) == 0 {
		args = testdata.Models
	}
	switch {
	case len(args) != 2:
		return usagef("merge --alpha-sweep takes a base and a tuned model, or none for the embedded pair, and %d were given", len(args))
	case c.IsSet("alpha"), c.IsSet("out"):
		return usagef("--alpha-sweep writes nothing: --alpha and --out do not go with it")
	}
	for _, flag := range []string{"explain", "on-mismatch", "out-dtype", "stochastic", "seed", "allow-nonfinite", "shard-size", "resume", "force"} {
		if c.IsSet(flag) {
			return usagef("--%s does not go with --alpha-sweep, which writes nothing", flag)
		}
	}
	if err := checkPlot(c); err != nil {
		return err
	}
	alphas, err := parseSweep(c.String("alpha-sweep"))
	if err != nil {
		return err
	}
	opt := sweepOptions{json: c.Bool("json"), alphas: alphas, tasks: c.StringSlice("tasks"), plot: c.String("plot")}
	opt.progress = func(title, unit string) (func(done, total int64), func()) { return env.progress(c, title, unit) }
	return runSweep(c.Context, env, opt, args[0], args[1])
}

type sweepOptions struct {
	json     bool
	alphas   []float64
	tasks    []string
	plot     string
	progress func(title, unit string) (step func(done, total int64), finish func())
}

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
	result := sweep{Base: baseName, Tuned: tunedName, Notes: in.notes()}
	if err := result.score(ctx, opt, in); err != nil {
		return err
	}
	if opt.json {
		err = env.printJSON(result)
	} else {
		err = result.print(env)
	}
	if err != nil || opt.plot == "" {
		return err
	}
	return plot.Save(opt.plot, result.curve())
}

// score measures and scores every candidate.
func (s *sweep) score(ctx context.Context, opt sweepOptions, in *inputs) error {
	bench, err := newBench(in.base, opt.tasks)
	if err != nil {
		return err
	}
	candidates, err := s.candidates(ctx, in, opt)
	if err != nil {
		return err
	}
	var finish func()
	bench.Progress, finish = opt.progress("score", "rows")
	scores, err := bench.Score(ctx, candidates)
	finish()
	if err != nil {
		return err
	}
	return s.summarise(scores)
}

// newBench reads architecture, tokenizer and tasks. Without task files only
// the embedded pair has a task.
func newBench(base *model, files []string) (*probe.Bench, error) {
	config, err := base.config()
	if err != nil {
		return nil, err
	}
	tokenizer, err := base.folder().tokenizer()
	if err != nil {
		return nil, err
	}
	bench := &probe.Bench{Config: config, Tokenizer: tokenizer}
	if len(files) == 0 {
		if !base.embedded {
			return nil, usagef("a sweep of your own models needs --tasks FILE.jsonl")
		}
		t, err := task.ReadMCQ(testdata.TaskName, "embedded "+testdata.TaskName, bytes.NewReader(testdata.Task()))
		bench.Tasks = []task.MCQ{t}
		return bench, err
	}
	for _, file := range files {
		t, err := readTask(file)
		if err != nil {
			return nil, err
		}
		for _, other := range bench.Tasks {
			if other.Name == t.Name {
				return nil, usagef("two tasks are called %s: rename one of the files", t.Name)
			}
		}
		bench.Tasks = append(bench.Tasks, t)
	}
	return bench, nil
}

// readTask reads a task, which is called as its file.
func readTask(file string) (task.MCQ, error) {
	f, err := os.Open(file)
	if err != nil {
		return task.MCQ{}, err
	}
	defer f.Close()
	return task.ReadMCQ(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), file, f)
}

// candidates makes the merged models and measures their effective alphas.
func (s *sweep) candidates(ctx context.Context, in *inputs, opt sweepOptions) ([]probe.Candidate, error) {
	step, finish := opt.progress("measure", "bytes")
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
