package audit

import "surgeon/probe/stat"

// TaskVerdict is what the candidate does on one task.
type TaskVerdict struct {
	Task string `json:"task"`
	Kind Kind   `json:"kind"`
	N    int    `json:"n"`
	// Base, Tuned and Candidate are the mean scores, Margin the largest loss that
	// does not matter, and Chance the score of guessing.
	Base      float64 `json:"base"`
	Tuned     float64 `json:"tuned"`
	Candidate float64 `json:"candidate"`
	Margin    float64 `json:"margin"`
	Chance    float64 `json:"chance"`
	// Gap is base minus tuned, Difference candidate minus base: a loss that is
	// left is negative.
	Gap        Interval `json:"gap"`
	Difference Interval `json:"difference"`
	// Restored is candidate minus tuned, which a candidate that brings anything
	// back has above 0.
	Restored Interval `json:"restored"`
	// Closed is the share of the gap that the candidate closes, above 1 if it
	// scores above the base; for a domain task the share of its gain that the
	// candidate keeps.
	Closed Interval `json:"closed"`
	// LowerBound bounds Difference from below with the one-sided confidence,
	// and NonInferior says that it lies above minus the margin.
	LowerBound  float64 `json:"lower_bound"`
	NonInferior bool    `json:"non_inferior"`
	// Failed says that the task is not non-inferior although it was measured
	// well enough: Difference lies wholly below minus the margin, or half its
	// interval is no wider than the margin. A task that is neither is open.
	Failed bool `json:"failed"`
	// Word puts the candidate against the margin as package stat does. It is
	// INCONCLUSIVE also where the base could not lose the margin.
	Word stat.Verdict `json:"word"`
	// Needed is the number of items of the task's [Gate] where it is not decided
	// whether the candidate passes it; 0 if it is decided, if no number would do,
	// and if as many were asked already.
	Needed int `json:"needed"`
	// Lost counts the items that the base has right and the tuned model wrong,
	// Healed those of them that the candidate has right, and Broken the items
	// that base and tuned model have right and the candidate wrong. An item is
	// right from a score of one half up.
	Lost   int `json:"lost"`
	Healed int `json:"healed"`
	Broken int `json:"broken"`
	// Fell and Rose count the items whose score is lower and higher than the
	// base's: b and c of McNemar's test of the candidate. DesignEffect is how many
	// times more items the clusters cost, 1 without.
	Fell         int     `json:"fell"`
	Rose         int     `json:"rose"`
	DesignEffect float64 `json:"design_effect"`
	// Shown, Floor, Ceiling, Few and Warnings are as in [Gap].
	Shown    bool     `json:"shown"`
	Floor    bool     `json:"floor"`
	Ceiling  bool     `json:"ceiling"`
	Few      bool     `json:"few"`
	Warnings []string `json:"warnings,omitempty"`
}

// taskVerdict judges the candidate on one task, whose gap is known.
func (p panel) taskVerdict(t int, g Gap) (TaskVerdict, error) {
	d, err := p.compare(t, baseAt, candidateAt)
	if err != nil {
		return TaskVerdict{}, err
	}
	margin := p.tasks[t].margin()
	v := TaskVerdict{
		Task: g.Task, Kind: g.Kind, N: g.N, Base: g.Base, Tuned: g.Tuned, Candidate: d.Tuned, Margin: margin, Chance: p.tasks[t].Chance,
		Gap: g.Gap, Difference: Interval{Value: d.Difference, Low: d.Low, High: d.High, Defined: true},
		LowerBound: d.Lower, NonInferior: d.Lower > -margin, Word: d.Verdict,
		Fell: d.Lost, Rose: d.Gained, DesignEffect: d.DesignEffect,
		Shown: g.Shown, Floor: g.Floor, Ceiling: g.Ceiling, Few: g.Few, Warnings: d.Warnings,
	}
	restored, err := p.compare(t, tunedAt, candidateAt)
	if err != nil {
		return TaskVerdict{}, err
	}
	v.Restored = Interval{Value: restored.Difference, Low: restored.Low, High: restored.High, Defined: true}
	v.Failed = !v.NonInferior && (d.High < -margin || v.Difference.half() <= margin)
	if v.Few {
		v.Warnings = append(v.Warnings, fewWarning(v.N))
	}
	v.count(p, t)
	switch {
	case g.Kind == Domain:
		v.Closed, err = p.share([]int{t}, baseAt, tunedAt, candidateAt, "gain to keep")
	case g.Shown:
		v.Closed, err = p.share([]int{t}, tunedAt, baseAt, candidateAt, "gap to close")
	default:
		v.Closed = undefined("no gap to close is shown")
	}
	v.Needed = v.needed(p.rule)
	return v, err
}

// count keeps the ledger of the items that changed sides.
func (v *TaskVerdict) count(p panel, t int) {
	right := func(model, i int) bool { return p.right(t, model, i) }
	for i := range p.tasks[t].Items {
		switch {
		case !right(baseAt, i):
		case right(tunedAt, i) && !right(candidateAt, i):
			v.Broken++
		case !right(tunedAt, i):
			v.Lost++
			if right(candidateAt, i) {
				v.Healed++
			}
		}
	}
}
