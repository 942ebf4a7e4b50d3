package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/cli/plot"
	"surgeon/cli/table"
	"surgeon/probe/record"
	"surgeon/probe/stat"
)

// gridResult is what grid says, and its results.json: a function of the run
// folder alone.
type gridResult struct {
	General    []string          `json:"general"`
	Domain     []string          `json:"domain"`
	Candidates []gridScored      `json:"candidates"`
	Bases      map[string]string `json:"bases"`     // per candidate, the one it is compared with
	Questions  int               `json:"questions"` // to each candidate
	Notes      []string          `json:"notes,omitempty"`
}

// gridScored is a candidate's scores.
type gridScored struct {
	ID      string         `json:"id"`
	Tasks   []comparedTask `json:"tasks"`             // against the base of its pair; base and tuned are base and candidate
	General *gridMean      `json:"general,omitempty"` // means over the tasks
	Domain  *gridMean      `json:"domain,omitempty"`
	Front   bool           `json:"front"` // no other candidate is better in one and as good in the other
	Error   string         `json:"error,omitempty"`
}

// gridMean is the mean of a candidate's scores over some tasks, shares, each
// task counting alike.
type gridMean struct {
	Score number `json:"score"`
	SE    number `json:"se"`
	Low   number `json:"low"`
	High  number `json:"high"`
	Diff  number `json:"diff"` // from the base, in the mean over the tasks
	SED   number `json:"diff_se"`
}

// gridOf forms the results of a run folder.
func gridOf(dir string) (*gridResult, error) {
	run, err := record.Read(dir)
	if err != nil {
		return nil, err
	}
	if run.Plan == nil {
		return nil, fmt.Errorf("%s has no plan: it is no run folder of a grid", dir)
	}
	g := &gridResult{Notes: run.Notes}
	var ids []string
	var rules margins
	for _, field := range []struct {
		data json.RawMessage
		into any
	}{{run.Plan.Candidates, &ids}, {run.Plan.Rule, g}, {run.Plan.Margins, &rules}} {
		if err := json.Unmarshal(field.data, field.into); err != nil {
			return nil, fmt.Errorf("%s: its plan is none of a grid: %w", dir, err)
		}
	}
	byModel := map[string][]record.Record{}
	for _, r := range run.Records {
		byModel[r.Model] = append(byModel[r.Model], r)
	}
	for _, id := range ids {
		one := gridScored{ID: id}
		if len(byModel[id]) < g.Questions {
			one.Error = fmt.Sprintf("%d of its %d answers are there", len(byModel[id]), g.Questions)
		} else if len(byModel[g.Bases[id]]) < g.Questions {
			one.Error = "not all answers of its base are there"
		} else if one.Tasks, err = againstBase(*run.Plan, byModel[g.Bases[id]], byModel[id], rules, nil); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		one.General, one.Domain = meanOf(one.Tasks, g.General), meanOf(one.Tasks, g.Domain)
		g.Candidates = append(g.Candidates, one)
	}
	g.mark()
	g.adjust()
	return g, nil
}

// adjust adjusts the p of each task for the number of candidates (Holm).
func (g *gridResult) adjust() {
	byTask := map[string][]*comparedTask{}
	for i := range g.Candidates {
		c := &g.Candidates[i]
		for k := range c.Tasks {
			if t := &c.Tasks[k]; c.ID != g.Bases[c.ID] {
				byTask[t.Task] = append(byTask[t.Task], t)
			}
		}
	}
	for _, list := range byTask {
		p := make([]float64, len(list))
		for i, t := range list {
			p[i] = float64(t.P)
		}
		for i, v := range stat.Holm(p) {
			adjusted := number(v)
			list[i].Adjusted = &adjusted
		}
	}
}

// againstBase compares a candidate with its base on every task, or group of
// tasks, by its first metric. options, which may be nil, changes those of the
// comparison.
func againstBase(plan record.Plan, base, candidate []record.Record, rules margins, options func(stat.Options) (stat.Options, error)) ([]comparedTask, error) {
	sides := [2]record.Run{{Records: base, Plan: &plan}, {Records: candidate, Plan: &plan}}
	for i := range sides { // the names of the models do not matter here
		sides[i].Records = slices.Clone(sides[i].Records)
		for k := range sides[i].Records {
			sides[i].Records[k].Model = ""
		}
	}
	aligned, err := record.Align(sides[0], sides[1])
	if err != nil {
		return nil, err
	}
	planned, chances := plannedGroups(sides), chancesOf(sides[0])
	var list []comparedTask
	parts, order := map[[2]string][]record.Series{}, [][2]string{}
	series := sorted(aligned.Series)
	for i, s := range series {
		if i > 0 && series[i-1].Task == s.Task {
			continue // a metric that is not the first
		}
		key := [2]string{unitOf(s.Task, planned), s.Metric}
		if parts[key] == nil {
			order = append(order, key)
		}
		parts[key] = append(parts[key], s)
	}
	seen := map[string]bool{}
	for _, key := range order {
		unit, metric := key[0], key[1]
		whole := parts[key][0]
		if len(parts[key]) > 1 {
			whole, _ = united(unit, metric, parts[key])
		}
		one, err := compareSeries(whole, rules.of(unit), groupChance(metric, parts[key], chances), compareOptions{options: options})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", unit, err)
		}
		if one.Task = unit; seen[unit] { // a group of tasks with different metrics
			one.Task = unit + " by " + metric
		}
		seen[unit] = true
		if one.TunedSE, err = errorOf(whole); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

// errorOf is the standard error of the tuned model's own score, clustered as the
// difference is: that of its difference from 0.
func errorOf(s record.Series) (number, error) {
	zero := tableOf(s, make([]float64, len(s.B)))
	d, err := stat.Compare(zero, tableOf(s, s.B), stat.Options{Draws: 100, Seed: drawSeed})
	return number(d.SE), err
}

// unitOf is the group of a task, or the task itself.
func unitOf(name string, planned map[string]string) string {
	if group := groupOf(name, planned); group != "" {
		return group
	}
	return name
}

// meanOf is the mean over some tasks. The standard error of a score is its own,
// that of the difference the paired one; tasks are independent of each other.
func meanOf(tasks []comparedTask, names []string) *gridMean {
	var m gridMean
	n, variance, paired := 0.0, 0.0, 0.0
	for _, t := range tasks {
		if !slices.Contains(names, t.Task) {
			continue
		}
		n++
		m.Score += t.Tuned
		m.Diff += t.Diff
		variance += float64(t.TunedSE) * float64(t.TunedSE)
		paired += float64(t.SE) * float64(t.SE)
	}
	if n == 0 {
		return nil
	}
	m.Score, m.Diff = m.Score/number(n), m.Diff/number(n)
	m.SE, m.SED = number(math.Sqrt(variance)/n), number(math.Sqrt(paired)/n)
	half := number(normal95) * m.SE
	m.Low, m.High = max(0, m.Score-half), min(1, m.Score+half)
	return &m
}

// normal95 is how many standard errors a 95 % interval reaches to either side.
const normal95 = 1.959963984540054

// mark marks the front.
func (g *gridResult) mark() {
	for i := range g.Candidates {
		a := &g.Candidates[i]
		a.Front = a.General != nil && a.Domain != nil && !slices.ContainsFunc(g.Candidates, func(b gridScored) bool {
			return b.General != nil && b.Domain != nil && b.General.Score >= a.General.Score && b.Domain.Score >= a.Domain.Score &&
				(b.General.Score > a.General.Score || b.Domain.Score > a.Domain.Score)
		})
	}
}

// print prints the candidates with their general and domain scores, and those
// of each task.
func (g *gridResult) print(env environment) error {
	both := len(g.General) > 0 && len(g.Domain) > 0
	columns := []table.Column{{Name: "candidate"}}
	if both {
		columns = append(columns, table.Column{Name: "general", Right: true}, table.Column{Name: "domain", Right: true}, table.Column{Name: "front"})
	}
	names := g.tasks()
	for _, name := range names {
		columns = append(columns, table.Column{Name: name, Right: true, Spare: both}, table.Column{Name: "from base", Right: true, Spare: true})
	}
	var rows [][]string
	for _, c := range g.Candidates {
		row := []string{c.ID}
		if c.Error != "" {
			rows = append(rows, append(append(row, "no score"), make([]string, len(columns)-2)...))
			continue
		}
		if both {
			mark := ""
			if c.Front {
				mark = "*"
			}
			row = append(row, percent(c.General.Score), percent(c.Domain.Score), mark)
		}
		for _, t := range c.Tasks {
			row = append(row, t.value(t.Tuned), strings.TrimSpace(t.change()+" "+g.word(t, c)))
		}
		rows = append(rows, row)
	}
	if err := env.printTable(columns, rows); err != nil {
		return err
	}
	env.printf("\n")
	notes := g.Notes
	if both {
		notes = append(notes, fmt.Sprintf("general: %s; domain: %s; * no candidate is better in one and as good in the other", join(g.General), join(g.Domain)))
	}
	if len(g.Candidates) > 3 {
		notes = append(notes, "every comparison is made as if it were the only one: the best of many candidates looks better than it is, so confirm it on other items; p_holm in results.json allows for their number")
	}
	return env.footnotes(append(notes, g.unsure()...))
}

// word is the verdict of a task, but for the base itself.
func (g *gridResult) word(t comparedTask, c gridScored) string {
	if c.ID == g.Bases[c.ID] {
		return ""
	}
	return strings.ToLower(t.Verdict)
}

// unsure says how many items would decide what is inconclusive.
func (g *gridResult) unsure() (list []string) {
	for _, name := range g.tasks() {
		open, most := 0, 0
		for _, c := range g.Candidates {
			for _, t := range c.Tasks {
				if c.ID != g.Bases[c.ID] && t.Task == name && t.Verdict == string(stat.Inconclusive) {
					open, most = open+1, max(most, t.NeededItems)
				}
			}
		}
		if open > 0 && most > 0 {
			list = append(list, fmt.Sprintf("%s: %s inconclusive at the planned margin; up to %d items would decide", name, plural(open, "comparison"), most))
		}
	}
	return list
}

// tasks are those of the first candidate that has scores.
func (g *gridResult) tasks() (names []string) {
	for _, c := range g.Candidates {
		if c.Error == "" {
			for _, t := range c.Tasks {
				names = append(names, t.Task)
			}
			return names
		}
	}
	return nil
}

// front is the figure: a cloud for each method and pair.
func (g *gridResult) front() plot.Front {
	f := plot.Front{Title: "general against domain score", XLabel: "general: " + some(g.General), YLabel: "domain: " + some(g.Domain)}
	var line []gridScored
	places := map[string]int{}
	for _, c := range g.Candidates {
		if c.General == nil || c.Domain == nil {
			continue
		}
		cloud, label := c.ID, ""
		if method, rest, ok := strings.Cut(c.ID, " alpha="); ok {
			cloud, label = method, rest
		}
		at, ok := places[cloud]
		if !ok {
			at = len(f.Clouds)
			places[cloud] = at
			f.Clouds = append(f.Clouds, plot.Cloud{Name: cloud})
		}
		p := &f.Clouds[at]
		p.X, p.Y = append(p.X, float64(c.General.Score)), append(p.Y, float64(c.Domain.Score))
		p.XLow, p.XHigh = append(p.XLow, float64(c.General.Low)), append(p.XHigh, float64(c.General.High))
		p.YLow, p.YHigh = append(p.YLow, float64(c.Domain.Low)), append(p.YHigh, float64(c.Domain.High))
		p.Labels = append(p.Labels, label)
		if c.Front {
			line = append(line, c)
		}
	}
	slices.SortFunc(line, func(a, b gridScored) int {
		switch {
		case a.General.Score > b.General.Score:
			return -1
		case a.General.Score < b.General.Score:
			return 1
		}
		return 0
	})
	for _, c := range line {
		f.X, f.Y = append(f.X, float64(c.General.Score)), append(f.Y, float64(c.Domain.Score))
	}
	return f
}
