package audit

import (
	"fmt"

	"surgeon/probe/stat"
)

// Gap is what tuning did to one task.
type Gap struct {
	Task string `json:"task"`
	Kind Kind   `json:"kind"`
	// N is the number of items, and Clusters that of their clusters, or 0 if
	// they are independent.
	N        int `json:"n"`
	Clusters int `json:"clusters,omitempty"`
	// Base and Tuned are the mean scores.
	Base  float64 `json:"base"`
	Tuned float64 `json:"tuned"`
	// Gap is base minus tuned, positive for a loss, as a share of the items;
	// paired and clustered, see [stat.Compare].
	Gap Interval `json:"gap"`
	// LowerBound bounds tuned minus base from below, as in [TaskVerdict].
	LowerBound float64 `json:"lower_bound"`
	// Adjusted is the gap in points above chance, (base-tuned) / (1-chance),
	// which can be compared between tasks.
	Adjusted float64 `json:"adjusted"`
	// P is the two-sided p value, adjusted by Holm's method for the number of
	// protected tasks, or of domain tasks.
	P float64 `json:"p"`
	// Shown says that the gap is at least the least gap of the rule, its
	// interval above 0, and P at most 1 minus the confidence.
	Shown bool `json:"shown"`
	// Lost and Gained count the items whose score fell and rose: b and c of
	// McNemar's test. LuckyLost is how many are expected to fall although
	// nothing was forgotten, if answers that the base only guessed are guessed
	// afresh: N u g (1-g), with g the chance and u the share that the base does
	// not know, (1-base) / (1-g).
	Lost      int     `json:"lost"`
	Gained    int     `json:"gained"`
	LuckyLost float64 `json:"lucky_lost"`
	// Word puts the tuned model against the margin.
	Word stat.Verdict `json:"word"`
	// Detectable is the smallest loss that would be found with probability 80 %.
	Detectable float64 `json:"detectable"`
	// Needed is the number of items that would decide, see [TaskVerdict], the
	// tuned model being the one that has to pass.
	Needed int `json:"needed"`
	// Floor, Ceiling and Few say that the base is not shown to score above
	// chance, that it scores above 95 %, and that there are fewer than 30
	// items. The warnings say what this means, and what else limits the numbers.
	Floor    bool     `json:"floor"`
	Ceiling  bool     `json:"ceiling"`
	Few      bool     `json:"few"`
	Warnings []string `json:"warnings,omitempty"`
}

// Regression is what tuning did to all tasks.
type Regression struct {
	// Tasks has one entry per task of the basket, in its order.
	Tasks []Gap `json:"tasks"`
	// Largest is the position of the largest regression: of the protected tasks
	// whose gap is shown, the one that lost most in points above chance. It is
	// -1 if none has, and Why then says so.
	Largest int    `json:"largest"`
	Why     string `json:"why,omitempty"`
	// Simultaneous is the gap of the largest regression in points above chance,
	// with an interval that holds although it was picked for being the largest.
	Simultaneous Interval `json:"simultaneous"`
	// Shrunken is the gap moved towards the mean of all by empirical Bayes.
	Shrunken float64 `json:"shrunken"`
	// Probability is the share of bootstrap samples in which this gap is the
	// largest of the protected tasks, and RunnerUp the position of the next
	// largest gap, -1 if there is none, which is the largest with
	// RunnerUpProbability.
	Probability         float64 `json:"probability"`
	RunnerUp            int     `json:"runner_up"`
	RunnerUpProbability float64 `json:"runner_up_probability"`
	// HeldOut is the gap of the task that lost most on one half of the items,
	// HeldOutTask, measured on the other half.
	HeldOut     Interval `json:"held_out"`
	HeldOutTask string   `json:"held_out_task,omitempty"`
	Warnings    []string `json:"warnings,omitempty"`
}

// Regressions says what the tuned model lost against the base on each task,
// and which loss is the largest (see [stat.Largest]).
//
// It is an error if the basket has no tasks, a task no items, a name comes
// twice, scores do not fit the items or do not lie between 0 and 1, or a number
// of the rule or of a task makes no sense.
func Regressions(tasks []Task, base, tuned Model, rule Rule) (*Regression, error) {
	p, err := newPanel(tasks, rule, base, tuned)
	if err != nil {
		return nil, err
	}
	return p.regressions()
}

func (p panel) regressions() (*Regression, error) {
	result := &Regression{Tasks: make([]Gap, len(p.tasks)), Largest: -1, RunnerUp: -1}
	for t := range p.tasks {
		d, err := p.compare(t, baseAt, tunedAt)
		if err != nil {
			return nil, err
		}
		result.Tasks[t] = p.gap(t, d)
	}
	for _, some := range [][]int{p.protected, p.domain} {
		p.adjust(result.Tasks, some)
	}
	return result, p.rank(result)
}

// gap describes one comparison of the tuned model with the base.
func (p panel) gap(t int, d stat.Difference) Gap {
	task := p.tasks[t]
	unknown := (1 - d.Base) / (1 - task.Chance)
	g := Gap{
		Task: task.Name, Kind: task.Kind, N: d.N, Clusters: d.Clusters, Base: d.Base, Tuned: d.Tuned,
		Gap:        Interval{Value: 0 - d.Difference, Low: 0 - d.High, High: 0 - d.Low, Defined: true},
		LowerBound: d.Lower, Adjusted: (0 - d.Difference) / (1 - task.Chance), P: d.P, Lost: d.Lost, Gained: d.Gained,
		LuckyLost: float64(d.N) * min(1, unknown) * task.Chance * (1 - task.Chance),
		Word:      d.Verdict, Detectable: 1, Needed: p.needed(t, d),
		Floor: d.Floor, Ceiling: d.Ceiling, Few: d.N < fewItems,
		Warnings: d.Warnings,
	}
	if d.SE >= 0 {
		g.Detectable = min(1, d.Detectable)
	}
	if g.Few {
		g.Warnings = append(g.Warnings, fewWarning(d.N))
	}
	return g
}

// needed returns the number of items of the gate that the tuned model has neither
// passed nor failed.
func (p panel) needed(t int, d stat.Difference) int {
	task := p.tasks[t]
	return TaskVerdict{
		Kind: task.Kind, N: d.N, Base: d.Base, Margin: task.margin(), Chance: task.Chance, Floor: d.Floor, Word: d.Verdict,
		Gap: Interval{Value: 0 - d.Difference, Low: 0 - d.High, High: 0 - d.Low, Defined: true}, Difference: Interval{Value: d.Difference, Low: d.Low, High: d.High, Defined: true},
		NonInferior: d.Lower > -task.margin(), Fell: d.Lost, Rose: d.Gained, DesignEffect: d.DesignEffect,
	}.needed(p.rule)
}

// fewItems is the number of items below which a task is flagged: no margin in
// use can be shown to hold on so few.
const fewItems = 30

func fewWarning(n int) string {
	return fmt.Sprintf("%d items are too few to show or exclude anything but a large loss", n)
}

// adjust corrects the p values of some tasks for their number, and says which
// gaps are shown.
func (p panel) adjust(gaps []Gap, tasks []int) {
	values := make([]float64, len(tasks))
	for at, t := range tasks {
		values[at] = gaps[t].P
	}
	for at, value := range stat.Holm(values) {
		g := &gaps[tasks[at]]
		g.P = value
		g.Shown = g.Gap.Value >= p.rule.LeastGap-1e-12 && g.Gap.Low > 0 && value <= 1-p.rule.Confidence+1e-12
	}
}

// rank finds the largest regression.
func (p panel) rank(r *Regression) error {
	if len(p.protected) == 0 {
		r.Why = "no protected task was tested"
		r.Simultaneous, r.HeldOut = undefined(r.Why), undefined(r.Why)
		return nil
	}
	var pairs []stat.Pair
	at := map[string]int{}
	for _, t := range p.protected {
		at[p.tasks[t].Name] = t
		pairs = append(pairs, stat.Pair{Name: p.tasks[t].Name, Base: p.table(t, baseAt), Tuned: p.table(t, tunedAt), Chance: p.tasks[t].Chance})
	}
	ranking, err := stat.Largest(pairs, stat.Options{Confidence: p.rule.Confidence, Draws: p.rule.Resamples, Seed: p.rule.Seed})
	if err != nil {
		return fmt.Errorf("audit: the protected tasks cannot be ranked: %w", err)
	}
	r.Warnings = ranking.Warnings
	r.setHeldOut(ranking.HeldOut)
	for _, entry := range ranking.Entries {
		t := at[entry.Name]
		if r.Largest < 0 && r.Tasks[t].Shown {
			r.Largest, r.Probability, r.Shrunken = t, entry.Probability, 0-entry.Shrunken
			r.Simultaneous = Interval{Value: 0 - entry.Difference, Low: 0 - entry.High, High: 0 - entry.Low, Defined: true}
		} else if r.RunnerUp < 0 {
			r.RunnerUp, r.RunnerUpProbability = t, entry.Probability
		}
	}
	if r.Largest < 0 {
		r.Why = fmt.Sprintf("no protected task shows a loss of %s points or more", points(p.rule.LeastGap))
		r.Simultaneous = undefined(r.Why)
	}
	return nil
}

func (r *Regression) setHeldOut(h stat.HeldOut) {
	r.HeldOutTask = h.Name
	if h.Unknown != "" {
		r.HeldOut = undefined(h.Unknown)
		return
	}
	r.HeldOut = Interval{Value: 0 - h.Difference, Low: 0 - h.High, High: 0 - h.Low, Defined: true}
}
