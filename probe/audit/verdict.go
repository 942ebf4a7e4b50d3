package audit

import (
	"slices"

	"surgeon/probe/stat"
)

// Word is the verdict on a candidate.
type Word string

const (
	// Closed: every protected task is non-inferior to the base, and enough of
	// the domain gain is kept.
	Closed Word = "closed"
	// PartlyClosed: closed is ruled out, but on every protected task with a gap
	// at least the share Partly of it is closed, and no other one has failed.
	PartlyClosed Word = "partly closed"
	// NotClosed: closed is ruled out, and so much is not shown.
	NotClosed Word = "not closed"
	// Insufficient: closed is neither shown nor ruled out, since an interval is
	// wider than its margin or the retention is unknown. It is never a pass.
	Insufficient Word = "insufficient evidence"
	// NoGap: tuning shows no loss on a protected task that matters.
	NoGap Word = "no gap to close"
)

// Verdict says whether a candidate closes the gap.
type Verdict struct {
	Word Word `json:"word"`
	// Sentence gives the reason in one sentence, Open what is undecided, one
	// sentence each, and Warnings what limits the verdict.
	Sentence string   `json:"sentence"`
	Open     []string `json:"open,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	// Worst names the protected task on which the verdict rests: a failed one
	// before an open one before a non-inferior one, and among these the one
	// whose bound leaves least room to the margin. It is empty if no protected
	// task was tested.
	Worst string `json:"worst"`
	// Tasks has one entry per task of the basket, in its order.
	Tasks []TaskVerdict `json:"tasks"`
	// Regression is what tuning did, and Largest the name of its largest
	// regression, empty if there is none.
	Regression *Regression `json:"regression,omitempty"`
	Largest    string      `json:"largest"`
	// GapClosed is the share closed of the largest regression, and GapClosedMean
	// that of the mean over all protected tasks that show a gap. The verdict
	// does not rest on the latter.
	GapClosed     Interval `json:"gap_closed"`
	GapClosedMean Interval `json:"gap_closed_mean"`
	// Retention is the share of the domain gain that is kept,
	// (candidate-base) / (tuned-base), each the mean over the domain tasks.
	// RetentionOfScore is candidate/tuned, which flatters: a base that knew half
	// of the domain keeps half of it.
	Retention        Interval `json:"retention"`
	RetentionOfScore Interval `json:"retention_of_score"`

	rule Rule
}

// Judge decides whether a candidate closes the gap between base and tuned
// model. Items and candidate must not have been chosen on these scores; see
// [Split] and [Choose].
//
// Closed is decided first. It is shown if every protected task is non-inferior
// to the base and the lower bound of Retention is at least that of the rule. It
// is ruled out if a protected task has failed or the upper bound of Retention
// is below that of the rule. If it is neither, the evidence is insufficient,
// even if a part is shown to be closed.
//
// A task has a gap if its gap is shown, or if the tuned model lost more than the
// margin. If no protected task has one, there is no gap to close, unless a task
// is too small to exclude one, or the candidate itself has failed on a task.
//
// It is an error if [Regressions] would fail for any of the models.
func Judge(tasks []Task, base, tuned, candidate Model, rule Rule) (*Verdict, error) {
	p, err := newPanel(tasks, rule, base, tuned, candidate)
	if err != nil {
		return nil, err
	}
	v := &Verdict{rule: p.rule}
	if v.Regression, err = p.regressions(); err != nil {
		return nil, err
	}
	for t, gap := range v.Regression.Tasks {
		task, err := p.taskVerdict(t, gap)
		if err != nil {
			return nil, err
		}
		v.Tasks = append(v.Tasks, task)
	}
	if err := v.measure(p); err != nil {
		return nil, err
	}
	v.pickWorst(p)
	v.decide(p)
	v.warn()
	return v, nil
}

// measure sets the shares that join tasks.
func (v *Verdict) measure(p panel) (err error) {
	v.GapClosed, v.GapClosedMean = undefined("no gap to close is shown"), undefined("no gap to close is shown")
	if at := v.Regression.Largest; at >= 0 {
		v.Largest, v.GapClosed = p.tasks[at].Name, v.Tasks[at].Closed
	}
	var shown []int
	for _, t := range p.protected {
		if v.Regression.Tasks[t].Shown {
			shown = append(shown, t)
		}
	}
	if len(shown) > 0 {
		if v.GapClosedMean, err = p.share(shown, tunedAt, baseAt, candidateAt, "gap to close"); err != nil {
			return err
		}
	}
	if v.Retention, err = p.retention(candidateAt); err != nil {
		return err
	}
	v.RetentionOfScore, err = p.ofScore(candidateAt)
	return err
}

// noDomain and noScore say why there is no retention.
const (
	noDomain = "no domain task was tested"
	noScore  = "the tuned model is not shown to score above 0 in the domain"
)

// retention returns the share of the domain gain that a model keeps.
func (p panel) retention(model int) (Interval, error) {
	if len(p.domain) == 0 {
		return undefined(noDomain), nil
	}
	return p.share(p.domain, baseAt, tunedAt, model, "domain gain to keep")
}

// ofScore returns the share of the tuned model's domain score that a model
// has, with Fieller's interval for one task and that of the bootstrap for more.
func (p panel) ofScore(model int) (Interval, error) {
	switch len(p.domain) {
	case 0:
		return undefined(noDomain), nil
	case 1:
		t := p.domain[0]
		ratio, err := stat.Retention(p.table(t, tunedAt), p.table(t, model), stat.Options{Confidence: p.rule.Confidence, Draws: p.rule.Resamples, Seed: p.rule.Seed})
		if ratio.Undefined != "" {
			ratio.Undefined = noScore
		}
		return intervalOf(ratio), err
	}
	drawn, items := p.drawn(p.domain, model, tunedAt)
	above, below := drawn[0], drawn[1]
	if low, _ := percentiles(slices.Clone(below), p.rule.Confidence); !(low > 0) {
		return undefined(noScore), nil
	}
	for at := range above {
		above[at] /= below[at]
	}
	whole := p.mean(p.domain, tunedAt)
	return p.widened(p.mean(p.domain, model)/whole, above, items, whole), nil
}

// standing ranks the state of a task, the worst first.
func (t TaskVerdict) standing() int {
	switch {
	case t.Failed:
		return 0
	case !t.NonInferior:
		return 1
	}
	return 2
}

// slack is the room between the bound and the margin, negative if there is none.
func (t TaskVerdict) slack() float64 { return t.LowerBound + t.Margin }

func (v *Verdict) pickWorst(p panel) {
	worst := -1
	for _, t := range p.protected {
		if worst < 0 {
			worst = t
			continue
		}
		this, that := v.Tasks[t], v.Tasks[worst]
		if this.standing() < that.standing() || this.standing() == that.standing() && this.slack() < that.slack() {
			worst = t
		}
	}
	if worst >= 0 {
		v.Worst = p.tasks[worst].Name
	}
}
