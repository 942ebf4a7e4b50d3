package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/cli/table"
	"surgeon/probe"
	"surgeon/probe/stat"
	"surgeon/probe/task"
)

// scoredModel is what score says, and its JSON.
type scoredModel struct {
	Model  string          `json:"model"`
	Tasks  []scoredTask    `json:"tasks"`
	Groups []scoredTask    `json:"groups,omitempty"`
	Rerun  *rerun          `json:"rerun,omitempty"`
	Looks  map[string]stop `json:"looks,omitempty"`             // where a comparison was decided, by task or group
	Rate   number          `json:"tokens_per_second,omitempty"` // that went through the model
	Notes  []string        `json:"notes,omitempty"`
}

// scoredTask is a model's score on a task or a group of them: a mean with its
// standard error and interval, of items whose scores are means over the seeds.
type scoredTask struct {
	Task    string            `json:"task"`
	Group   string            `json:"group,omitempty"`
	Metric  string            `json:"metric"`
	N       int               `json:"n"`
	Seeds   int               `json:"seeds"`
	Score   number            `json:"score"`
	SE      number            `json:"se"`
	Low     number            `json:"low"`
	High    number            `json:"high"`
	SDSeeds number            `json:"sd_seeds,omitempty"` // of the scores of the seeds
	Others  map[string]number `json:"metrics,omitempty"`  // every metric of the task, under its own name
	Manner  *probe.Manner     `json:"answers,omitempty"`  // how they were given

	unit     string // of the score; "" for a share
	warnings []string
}

// summarise turns the answers into scores.
func (s *scoredModel) summarise(e *evaluation, set *taskSet, scores probe.Scores) error {
	for _, runs := range byTask(scores.Tasks) {
		one, err := scoredOf(e, runs)
		if err != nil {
			return err
		}
		one.Group = set.group(one.Task)
		s.Tasks = append(s.Tasks, one)
	}
	for _, group := range set.groups() {
		for _, runs := range byMetric(scores.Tasks, group.tasks) {
			one, err := scoredOf(e, joined(runs, group.name))
			if err != nil {
				return err
			}
			s.Groups = append(s.Groups, one)
		}
	}
	return nil
}

// byMetric puts those tasks together that are measured alike, in order.
func byMetric(list []probe.TaskScore, names []string) (sets [][]probe.TaskScore) {
	places := map[string]int{}
	for _, t := range list {
		if !slices.Contains(names, t.Task) {
			continue
		}
		at, ok := places[t.Metric]
		if !ok {
			at = len(sets)
			places[t.Metric], sets = at, append(sets, nil)
		}
		sets[at] = append(sets[at], t)
	}
	return sets
}

// byTask puts the seeds of each task together.
func byTask(list []probe.TaskScore) (tasks [][]probe.TaskScore) {
	for i, t := range list {
		if i == 0 || list[i-1].Task != t.Task {
			tasks = append(tasks, nil)
		}
		tasks[len(tasks)-1] = append(tasks[len(tasks)-1], t)
	}
	return tasks
}

// joined makes one task of the tasks of a group, for each seed that occurs.
func joined(list []probe.TaskScore, group string) (runs []probe.TaskScore) {
	places := map[int64]int{}
	for _, t := range list {
		at, ok := places[t.Seed]
		if !ok {
			at = len(runs)
			places[t.Seed] = at
			runs = append(runs, probe.TaskScore{Task: group, Seed: t.Seed, Metric: t.Metric})
		}
		for i, item := range t.Sample.Items {
			runs[at].Sample.Items = append(runs[at].Sample.Items, t.Task+"/"+item)
			runs[at].Sample.Scores = append(runs[at].Sample.Scores, t.Sample.Scores[i])
		}
		runs[at].Answers = append(runs[at].Answers, t.Answers...)
	}
	return runs
}

// scoredOf is the score of a task over its seeds.
func scoredOf(e *evaluation, runs []probe.TaskScore) (scoredTask, error) {
	first := runs[0]
	one := scoredTask{Task: first.Task, Metric: first.Metric, Seeds: len(runs), Others: map[string]number{}}
	sums, counts := map[string]float64{}, map[string]float64{}
	var order []string
	var answers []probe.Answer
	var means []float64
	for _, run := range runs {
		mean := 0.0
		for i, item := range run.Sample.Items {
			if counts[item] == 0 {
				order = append(order, item)
			}
			sums[item] += run.Sample.Scores[i]
			counts[item]++
			mean += run.Sample.Scores[i] / float64(len(run.Sample.Items))
		}
		means = append(means, mean)
		answers = append(answers, run.Answers...)
	}
	sample := stat.Sample{Items: order}
	for _, item := range order {
		sample.Scores = append(sample.Scores, sums[item]/counts[item])
	}
	mean, err := stat.Mean(sample, confidence)
	if err != nil {
		return one, fmt.Errorf("%s: %w", first.Task, err)
	}
	one.N, one.Score, one.SE, one.Low, one.High = mean.N, number(mean.Mean), number(mean.SE), number(mean.Low), number(mean.High)
	if first.Metric != "bits_per_byte" {
		one.Low, one.High = max(0, one.Low), min(1, one.High) // Student's t knows no bounds
	}
	if len(runs) > 1 {
		one.SDSeeds = number(sd(means))
	}
	manner := probe.MannerOf(e.asked, answers)
	one.Manner = &manner
	one.others(e, runs)
	one.remark()
	return one, nil
}

// sd is the standard deviation, n-1 in the variance.
func sd(values []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}

// others forms every metric as lm-evaluation-harness does, the mean over the
// seeds.
func (s *scoredTask) others(e *evaluation, runs []probe.TaskScore) {
	t := &e.bench.Tasks[e.asked[runs[0].Answers[0].Question].Task]
	for _, metric := range t.Form.Metrics() {
		sum := 0.0
		for _, run := range runs {
			sum += aggregate(e, metric, run)
		}
		s.Others[metric] = number(sum / float64(len(runs)))
	}
	if t.Form == task.Perplexity {
		s.unit = "bits"
		s.Score = s.Others[s.Metric]
	}
}

// aggregate is a metric over the answers of one seed. The tasks of a group are
// weighted by their items.
func aggregate(e *evaluation, metric string, run probe.TaskScore) float64 {
	sum := 0.0
	for at := 0; at < len(run.Answers); {
		of := e.asked[run.Answers[at].Question].Task
		var items []int
		var grades []task.Grade
		for ; at < len(run.Answers) && e.asked[run.Answers[at].Question].Task == of; at++ {
			items = append(items, e.asked[run.Answers[at].Question].Item)
			grades = append(grades, run.Answers[at].Grade)
		}
		sum += e.bench.Tasks[of].Aggregate(metric, items, grades) * float64(len(items)) / float64(len(run.Answers))
	}
	return sum
}

// remark warns of answers whose manner makes the score mean something else.
func (s *scoredTask) remark() {
	m := s.Manner
	_, refusal := s.Others["refused"]
	if m.Collapsed {
		most := slices.Index(m.Letters, slices.Max(m.Letters))
		s.warnings = append(s.warnings, fmt.Sprintf("%s: collapsed to the letter %c, %d of %d answers: the score counts where that letter is right", s.Task, 'A'+most, m.Letters[most], m.N))
	}
	for _, f := range []struct {
		share float64
		what  string
	}{{m.Empty, "are empty"}, {m.Unparseable, "have no answer that can be read"}, {m.Truncated, "were cut at the most tokens they may have"},
		{m.Repeated, "repeat themselves"}, {m.Refused, "refuse"}} {
		if f.share >= 0.2-1e-9 && !(f.what == "refuse" && refusal) {
			s.warnings = append(s.warnings, fmt.Sprintf("%s: %.0f %% of the answers %s", s.Task, 100*f.share, f.what))
		}
	}
}

// print prints the tables of a scored model.
func (s *scoredModel) print(env environment, all bool) error {
	env.printf("%s, 95 %% intervals\n\n", s.Model)
	columns := []table.Column{{Name: "task"}, {Name: "metric"}, {Name: "items", Right: true}, {Name: "score", Right: true},
		{Name: "se", Right: true}, {Name: "interval (%)", Right: true}, {Name: "answers", Spare: true}}
	var rows [][]string
	var warnings []string
	for _, t := range s.Groups {
		rows = append(rows, t.rows("")...)
		warnings = append(warnings, t.warnings...)
	}
	for _, t := range s.Tasks {
		if t.Group != "" && !all && len(s.Tasks) > fewTasks {
			continue
		}
		indent := ""
		if t.Group != "" {
			indent = "  "
		}
		rows = append(rows, t.rows(indent)...)
		if t.Group == "" {
			warnings = append(warnings, t.warnings...)
		}
	}
	if err := env.printTable(columns, rows); err != nil {
		return err
	}
	if s.Rate > 0 {
		env.printf("\n%v tokens/s\n", float64(s.Rate))
	}
	env.printf("\n")
	return env.footnotes(append(warnings, s.Notes...))
}

// rows are the line of a task, and one for each of its other metrics.
func (t scoredTask) rows(indent string) (rows [][]string) {
	n := fmt.Sprint(t.N)
	if t.Seeds > 1 {
		n += fmt.Sprintf(" x %d", t.Seeds)
	}
	rows = append(rows, append(append([]string{indent + t.Task, t.Metric, n}, t.cells()...), t.answers()))
	var names []string
	for name := range t.Others {
		if name != t.Metric {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		value := percent(t.Others[name])
		if t.unit != "" {
			value = fmt.Sprintf("%.4g", float64(t.Others[name]))
		}
		rows = append(rows, []string{"", name, "", value, "", "", ""})
	}
	return rows
}

// cells are the score, its standard error and its interval.
func (t scoredTask) cells() []string {
	if t.unit != "" {
		return []string{fmt.Sprintf("%.4f %s", float64(t.Score), t.unit), defined(t.SE, "%.4f", float64(t.SE)), defined(t.Low, "%.4f to %.4f", float64(t.Low), float64(t.High))}
	}
	return []string{percent(t.Score), defined(t.SE, "%.1f pp", 100*float64(t.SE)), defined(t.Low, "%.1f to %.1f", 100*float64(t.Low), 100*float64(t.High))}
}

// answers says in a few words how they were given.
func (t scoredTask) answers() string {
	m := t.Manner
	if m == nil {
		return ""
	}
	var parts []string
	if len(m.Letters) > 1 {
		var letters []string
		for i, n := range m.Letters {
			letters = append(letters, fmt.Sprintf("%c %d", 'A'+i, n))
		}
		parts = append(parts, strings.Join(letters[:min(len(letters), 6)], " "))
	}
	if m.Tokens > 0 {
		parts = append(parts, fmt.Sprintf("%.0f tokens", m.Tokens))
	}
	return strings.Join(parts, ", ")
}
