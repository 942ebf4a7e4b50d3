package cli

import (
	"fmt"
	"slices"
	"strings"

	"surgeon/cli/plot"
	"surgeon/cli/table"
	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/stat"
	"surgeon/tensors"
)

// sweep is what a sweep says, and its JSON.
type sweep struct {
	Base       string           `json:"base"`
	Tuned      string           `json:"tuned"`
	Candidates []sweepCandidate `json:"candidates"`
	Best       *sweepBest       `json:"best,omitempty"`
	Notes      []string         `json:"notes,omitempty"`

	failed failures // of candidates that have no score
}

// sweepBest is the candidate that was written.
type sweepBest struct {
	Alpha number           `json:"alpha"`
	Task  string           `json:"task"`
	Out   string           `json:"out"`
	Bytes int64            `json:"bytes"`
	Files []tensors.Digest `json:"files"`
}

type sweepCandidate struct {
	ID             string      `json:"id"`
	Alpha          number      `json:"alpha"`
	EffectiveAlpha number      `json:"effective_alpha"`
	Tasks          []sweepTask `json:"tasks"`
	Rate           number      `json:"tokens_per_second,omitempty"` // that went through the model
	Error          string      `json:"error,omitempty"`
}

// sweepTask is a candidate's score on a task: a mean of 0/1 scores with its
// standard error and interval, and the paired difference from alpha 0, where
// that was scored.
type sweepTask struct {
	Task   string           `json:"task"`
	Metric string           `json:"metric"`
	N      int              `json:"n"`
	Score  number           `json:"score"`
	SE     number           `json:"se"`
	Low    number           `json:"low"`
	High   number           `json:"high"`
	ToBase *sweepDifference `json:"difference_from_alpha_0,omitempty"`
}

type sweepDifference struct {
	Difference number `json:"difference"`
	SE         number `json:"se"`
	Low        number `json:"low"`
	High       number `json:"high"`
	Better     int    `json:"better"`
	Worse      int    `json:"worse"`
	P          number `json:"p"` // exact McNemar, two-sided

	Warnings []string `json:"warnings,omitempty"`
	needed   int      // items that must change before P can fall below 0.05
}

// summarise turns the scores of items into means and paired differences.
func (s *sweep) summarise(env environment, e *evaluation, scores []probe.Scores) error {
	var base []probe.TaskScore
	for i, c := range s.Candidates {
		if c.Alpha == 0 && scores[i].Err == nil {
			base = overSeeds(scores[i].Tasks)
		}
	}
	for i := range s.Candidates {
		s.Candidates[i].Rate = env.rate(scores[i].Tokens, scores[i].Time)
		if err := scores[i].Err; err != nil {
			s.Candidates[i].Error = err.Error()
			s.failed = append(s.failed, fmt.Errorf("%s: %w", s.Candidates[i].ID, err))
		}
		var err error
		runs := overSeeds(scores[i].Tasks)
		if s.Candidates[i].Tasks, err = summary(runs); err != nil {
			return err
		}
		if base == nil {
			continue
		}
		for k, scored := range runs {
			d, err := stat.Paired(base[k].Sample, scored.Sample, confidence)
			if err != nil {
				return err
			}
			if s.Candidates[i].Alpha == 0 {
				d.Warnings = nil // of a model against itself
			}
			s.Candidates[i].Tasks[k].ToBase = &sweepDifference{number(d.Difference), number(d.SE), number(d.Low), number(d.High),
				d.Better, d.Worse, number(d.P), d.Warnings, d.Needed}
		}
	}
	s.note()
	return nil
}

// overSeeds is the scores of each task as the mean over its seeds.
func overSeeds(list []probe.TaskScore) (tasks []probe.TaskScore) {
	for _, runs := range byTask(list) {
		one := runs[0]
		one.Sample.Scores = slices.Clone(one.Sample.Scores)
		for i := range one.Sample.Scores {
			sum := 0.0
			for _, run := range runs {
				sum += run.Sample.Scores[i]
			}
			one.Sample.Scores[i] = sum / float64(len(runs))
		}
		tasks = append(tasks, one)
	}
	return tasks
}

// summary turns the scores of items into means.
func summary(tasks []probe.TaskScore) (list []sweepTask, err error) {
	for _, scored := range tasks {
		mean, err := stat.Mean(scored.Sample, confidence)
		if err != nil {
			return nil, err
		}
		list = append(list, sweepTask{Task: scored.Task, Metric: scored.Metric, N: mean.N, Score: number(mean.Mean), SE: number(mean.SE),
			Low: number(mean.Low), High: number(mean.High)})
	}
	return list, nil
}

// cells are the score, its standard error and its interval.
func (t sweepTask) cells() []string {
	return []string{percent(t.Score), defined(t.SE, "%.1f pp", 100*float64(t.SE)), fmt.Sprintf("%.1f to %.1f", 100*float64(t.Low), 100*float64(t.High))}
}

// fewChanged is what the notes say of differences of few answers.
const fewChanged = "answers changed from alpha 0 to alpha"

// note says what limits the numbers: effective alphas that stray, and
// differences that cannot be told from noise.
func (s *sweep) note() {
	if slices.ContainsFunc(s.Candidates, func(c sweepCandidate) bool {
		return strays(merge.TermEffect{Requested: float64(c.Alpha), Effective: float64(c.EffectiveAlpha)})
	}) {
		s.Notes = append(s.Notes, "an effective alpha is more than 0.05 from the one asked for: "+strayReason)
	}
	for k, first := range s.tasks() {
		var alphas []string
		needed := 0
		for _, c := range s.Candidates {
			if c.Error != "" || c.Alpha == 0 {
				continue
			}
			if d := c.Tasks[k].ToBase; d != nil && d.Better+d.Worse < d.needed {
				alphas, needed = append(alphas, fmt.Sprint(float64(c.Alpha))), d.needed
			}
		}
		if len(alphas) > 0 {
			s.Notes = append(s.Notes, fmt.Sprintf("%s: fewer than %d "+fewChanged+" %s: too few to tell a difference from noise",
				first.Task, needed, strings.Join(alphas, ", ")))
		}
	}
}

// tasks are those of the first candidate that did not fail.
func (s *sweep) tasks() []sweepTask {
	for _, c := range s.Candidates {
		if c.Error == "" {
			return c.Tasks
		}
	}
	return nil
}

// print prints a table for each task, or one for many.
func (s *sweep) print(env environment, all bool) error {
	env.printf("%s + alpha * (%s - %s), scored without being written\n", s.Base, s.Tuned, s.Base)
	tasks := s.tasks()
	if len(tasks) > tabledTasks && !all {
		s.Notes = withoutFew(s.Notes)
		if err := s.overview(env); err != nil {
			return err
		}
		tasks = nil
	}
	for k, first := range tasks {
		title := fmt.Sprintf("%s: %s over %s, 95 %% intervals", first.Task, first.Metric, plural(first.N, "item"))
		names := []string{"alpha", "eff.", first.Metric, "se", "interval (%)"}
		if first.ToBase != nil {
			title, names = title+", differences paired by item", append(names, "from 0", "interval (pp)")
		}
		if !env.timeless {
			names = append(names, "tok/s")
		}
		env.printf("\n%s\n\n", title)
		var columns []table.Column
		for _, name := range names {
			spare := name == "se" || name == "interval (%)" || name == "tok/s"
			columns = append(columns, table.Column{Name: name, Right: true, Spare: spare})
		}
		var rows [][]string
		for _, c := range s.Candidates {
			rows = append(rows, c.row(k, len(columns)))
		}
		if err := env.printTable(columns, rows); err != nil {
			return err
		}
	}
	if b := s.Best; b != nil {
		env.printf("\nalpha %v, which scores highest on %s, is written: %s (%s)\n", float64(b.Alpha), b.Task, b.Out, table.Bytes(b.Bytes))
	}
	env.printf("\n")
	return env.footnotes(s.Notes)
}

// row is a candidate's line in the table of a task, of so many cells.
func (c sweepCandidate) row(k, cells int) []string {
	row := []string{fmt.Sprint(float64(c.Alpha)), defined(c.EffectiveAlpha, "%.3f", float64(c.EffectiveAlpha))}
	if c.Error != "" {
		return append(append(row, "failed"), make([]string, cells-3)...)
	}
	t := c.Tasks[k]
	row = append(row, t.cells()...)
	if d := t.ToBase; d != nil {
		row = append(row, table.Points(float64(d.Difference)), defined(d.Low, "%+.1f to %+.1f", 100*float64(d.Low), 100*float64(d.High)))
	}
	rate := fmt.Sprint(float64(c.Rate))
	switch {
	case c.Rate == 0: // its answers are of an earlier run
		rate = ""
	case c.Rate >= 1e5:
		rate = fmt.Sprintf("%.0fk", float64(c.Rate)/1000) // the table is for 80 columns
	}
	return append(row, rate)[:cells]
}

// curve is the score of each task over alpha, with its interval.
func (s *sweep) curve() plot.Curve {
	c := plot.Curve{Title: fmt.Sprintf("%s + alpha * (%s - %s)", s.Base, s.Tuned, s.Base), XLabel: "alpha", YLabel: "accuracy, 95 % interval"}
	for k, first := range s.tasks() {
		line := plot.Line{Name: fmt.Sprintf("%s (n = %d)", first.Task, first.N)}
		for _, candidate := range s.Candidates {
			if candidate.Error != "" {
				continue
			}
			t := candidate.Tasks[k]
			line.X = append(line.X, float64(candidate.Alpha))
			line.Y = append(line.Y, float64(t.Score))
			line.Low, line.High = append(line.Low, float64(t.Low)), append(line.High, float64(t.High))
		}
		c.Lines = append(c.Lines, line)
	}
	return c
}
