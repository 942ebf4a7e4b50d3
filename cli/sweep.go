package cli

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/cli/plot"
	"surgeon/cli/table"
	"surgeon/probe"
	"surgeon/probe/stat"
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
	wrong := usagef("--alpha-sweep %q: want LOW:HIGH:STEP with LOW <= HIGH, STEP > 0 and at most %d alphas, or a list A,B,C", text, maxAlphas)
	var numbers []float64
	isRange := strings.Contains(text, ":")
	for _, field := range strings.FieldsFunc(text, func(r rune) bool { return r == ':' || r == ',' }) {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil || v-v != 0 {
			return nil, wrong
		}
		numbers = append(numbers, v)
	}
	if !isRange {
		if len(numbers) == 0 || len(numbers) > maxAlphas {
			return nil, wrong
		}
		return numbers, nil
	}
	if len(numbers) != 3 || strings.Contains(text, ",") || numbers[2] <= 0 || numbers[1] < numbers[0] {
		return nil, wrong
	}
	low, high, step := numbers[0], numbers[1], numbers[2]
	steps := math.Floor((high-low)/step + 1e-9)
	if !(steps < maxAlphas) {
		return nil, wrong
	}
	alphas := make([]float64, 0, int(steps)+1)
	for i := range int(steps) + 1 {
		alphas = append(alphas, math.Round((low+float64(i)*step)*1e9)/1e9) // 0.3, not 0.30000000000000004
	}
	return alphas, nil
}

// sweep is what a sweep says, and its JSON.
type sweep struct {
	Base       string           `json:"base"`
	Tuned      string           `json:"tuned"`
	Candidates []sweepCandidate `json:"candidates"`
	Notes      []string         `json:"notes,omitempty"`
}

type sweepCandidate struct {
	ID             string      `json:"id"`
	Alpha          number      `json:"alpha"`
	EffectiveAlpha number      `json:"effective_alpha"`
	Tasks          []sweepTask `json:"tasks"`
}

// sweepTask is a candidate's score on a task: a mean of 0/1 scores with its
// standard error and interval, and the paired difference from alpha 0, where
// that was scored.
type sweepTask struct {
	Task    string           `json:"task"`
	Metric  string           `json:"metric"`
	N       int              `json:"n"`
	Score   number           `json:"score"`
	SE      number           `json:"se"`
	Low     number           `json:"low"`
	High    number           `json:"high"`
	ToBase  *sweepDifference `json:"difference_from_alpha_0,omitempty"`
	summary stat.Summary
}

type sweepDifference struct {
	Difference number `json:"difference"`
	SE         number `json:"se"`
	Low        number `json:"low"`
	High       number `json:"high"`
	Better     int    `json:"better"`
	Worse      int    `json:"worse"`
	P          number `json:"p"`
}

func runSweep(ctx context.Context, env environment, opt sweepOptions, baseName, tunedName string) error {
	p, err := pairUp(baseName, tunedName)
	if err != nil {
		return err
	}
	defer p.close()
	bench, err := newBench(p, opt.tasks)
	if err != nil {
		return err
	}
	result := sweep{Base: baseName, Tuned: tunedName, Notes: p.notes()}
	candidates, err := result.candidates(ctx, p, opt)
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
	if err := result.summarise(scores); err != nil {
		return err
	}
	if opt.plot != "" {
		if err := plot.Save(opt.plot, result.curve()); err != nil {
			return err
		}
		result.Notes = append(result.Notes, "the curve is in "+opt.plot)
	}
	if opt.json {
		return env.printJSON(result)
	}
	return result.print(env)
}

// newBench reads architecture, tokenizer and tasks. Without task files only
// the embedded pair has a task.
func newBench(p *pair, files []string) (*probe.Bench, error) {
	config, err := p.base.config()
	if err != nil {
		return nil, err
	}
	tokenizer, err := p.base.tokenizer()
	if err != nil {
		return nil, err
	}
	bench := &probe.Bench{Config: config, Tokenizer: tokenizer}
	if len(files) == 0 {
		if !p.base.embedded {
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
func (s *sweep) candidates(ctx context.Context, p *pair, opt sweepOptions) ([]probe.Candidate, error) {
	step, finish := opt.progress("measure", "bytes")
	defer finish()
	var list []probe.Candidate
	for i, alpha := range opt.alphas {
		m, err := p.at(alpha)
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

// summarise turns the scores of items into means and paired differences.
func (s *sweep) summarise(scores []probe.Scores) error {
	var base []probe.TaskScore
	for i, c := range s.Candidates {
		if c.Alpha == 0 {
			base = scores[i].Tasks
		}
	}
	for i := range s.Candidates {
		for k, scored := range scores[i].Tasks {
			mean, err := stat.Mean(scored.Sample, confidence)
			if err != nil {
				return err
			}
			t := sweepTask{Task: scored.Task, Metric: scored.Metric, N: mean.N, Score: number(mean.Mean), SE: number(mean.SE),
				Low: number(mean.Low), High: number(mean.High), summary: mean}
			if base != nil {
				d, err := stat.Paired(base[k].Sample, scored.Sample, confidence)
				if err != nil {
					return err
				}
				t.ToBase = &sweepDifference{number(d.Difference), number(d.SE), number(d.Low), number(d.High), d.Better, d.Worse, number(d.P)}
			}
			s.Candidates[i].Tasks = append(s.Candidates[i].Tasks, t)
		}
	}
	return nil
}

// print prints a table for each task.
func (s *sweep) print(env environment) error {
	env.printf("%s + alpha * (%s - %s), scored without being written\n", s.Base, s.Tuned, s.Base)
	for k, first := range s.Candidates[0].Tasks {
		env.printf("\n%s: %s of %d items, 95 %% intervals\n\n", first.Task, first.Metric, first.N)
		columns := []table.Column{{Name: "alpha", Right: true}, {Name: "effective", Right: true}, {Name: first.Metric, Right: true}, {Name: "se", Right: true}, {Name: "interval", Right: true}}
		if first.ToBase != nil {
			columns = append(columns, table.Column{Name: "from alpha 0", Right: true}, table.Column{Name: "interval", Right: true})
		}
		var rows [][]string
		for _, c := range s.Candidates {
			rows = append(rows, c.row(k))
		}
		if err := env.printTable(columns, rows); err != nil {
			return err
		}
	}
	env.printf("\n")
	return env.footnotes(s.Notes)
}

func (c sweepCandidate) row(k int) []string {
	t := c.Tasks[k]
	row := []string{fmt.Sprint(float64(c.Alpha)), table.Sig(float64(c.EffectiveAlpha), 4),
		percent(t.Score), percent(t.SE), fmt.Sprintf("%s to %s", percent(t.Low), percent(t.High))}
	if d := t.ToBase; d != nil {
		row = append(row, table.Points(float64(d.Difference)), fmt.Sprintf("%+.1f to %+.1f", 100*float64(d.Low), 100*float64(d.High)))
	}
	return row
}

// percent is a share in per cent with one digit, as the columns of a sweep
// have them.
func percent(share number) string { return fmt.Sprintf("%.1f %%", 100*float64(share)) }

// curve is the score of each task over alpha, with its interval.
func (s *sweep) curve() plot.Curve {
	c := plot.Curve{Title: fmt.Sprintf("%s + alpha * (%s - %s)", s.Base, s.Tuned, s.Base), XLabel: "alpha", YLabel: "accuracy, 95 % interval"}
	for k, first := range s.Candidates[0].Tasks {
		line := plot.Line{Name: fmt.Sprintf("%s (n = %d)", first.Task, first.N)}
		for _, candidate := range s.Candidates {
			t := candidate.Tasks[k]
			line.X = append(line.X, float64(candidate.Alpha))
			line.Y = append(line.Y, float64(t.Score))
			line.Low, line.High = append(line.Low, float64(t.Low)), append(line.High, float64(t.High))
		}
		c.Lines = append(c.Lines, line)
	}
	return c
}
