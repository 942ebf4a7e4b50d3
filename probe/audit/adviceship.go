package audit

import (
	"fmt"
	"slices"
)

// shipTuned recommends the fine-tune as it is where nothing was lost.
func (a adviser) shipTuned() []Recommendation {
	if a.decision.What != a.Tuned.Name || a.decision.What == "" {
		return nil
	}
	v := a.Tuned.Verdict
	worst := v.worst()
	r := Recommendation{
		Kind: ActCheckpoint, Change: a.Tuned.Name, From: Setting{Names: []string{"base"}}, To: Setting{Names: []string{a.Tuned.Name}},
		Effect: worst.Difference, EffectOf: EffectOf{EffectDifference, worst.Task, "base"}, N: worst.N, Evidence: []string{a.Tuned.ID},
		Gate: a.gate(v), Executed: true, Why: a.decision.Why, Confidence: Medium,
	}
	kept := 0
	for _, other := range a.Tuned.Repeats {
		if other.protects() && !other.anyGap() {
			kept++
		}
	}
	if kept >= repeats && kept == len(a.Tuned.Repeats) {
		r.Confidence = High
	} else {
		r.Needs = []string{moreSeeds}
	}
	return []Recommendation{r}
}

// moreItems recommends the tests of the next cycle, in front the one to see to
// first.
func (a adviser) moreItems() []Recommendation {
	v, id := a.Tuned.Verdict, a.Tuned.ID
	if c := a.chosen(); c.Verdict != nil && a.decision.About == c.Name {
		v, id = c.Verdict, c.ID
	}
	gates := gatesOf(v, a.Rule)
	front := a.front(v, gates)
	if front < 0 {
		return nil
	}
	g, task := gates[front], v.Tasks[front]
	items := func(n int) Setting { return Setting{Number: float64(n), Unit: "items", Names: []string{g.Task}} }
	r := Recommendation{
		Kind: ActGates, Change: g.Task, From: items(g.Asked), To: items(max(g.N, g.Asked)),
		Effect: task.Difference, EffectOf: EffectOf{EffectDifference, task.Task, "base"}, N: task.N, Evidence: []string{id},
		Confidence: High, Gate: g, Gates: gates,
		Why: fmt.Sprintf("By %d items of %s the difference to the base lies between %s and %s points.", task.N, task.Task, points(task.Difference.Low), points(task.Difference.High)),
	}
	if task.Kind != Domain && task.blind() {
		r.Why, r.Needs = task.wants("", a.Rule), []string{"easier items"}
		if g.N == 0 {
			r.To = Setting{Names: []string{"easier items"}}
		}
	}
	if a.Lost != nil {
		r.Evidence = append(r.Evidence, a.lost(task.Task))
	}
	return []Recommendation{r}
}

// front finds the gate that is not passed and needs most items, safety first, and
// of the domain only where evidence is short; if all are passed, the one that the
// verdict rests on.
func (a adviser) front(v *Verdict, gates []Gate) int {
	front, found := slices.IndexFunc(v.Tasks, func(t TaskVerdict) bool { return t.Task == v.Worst }), false
	for at, g := range gates {
		if g.Passed || g.N <= g.Asked || a.decision.Word != InsufficientEvidence && g.Kind == Domain {
			continue
		}
		if safer := g.Kind == Safety; !found || safer && gates[front].Kind != Safety || safer == (gates[front].Kind == Safety) && g.N > gates[front].N {
			front, found = at, true
		}
	}
	return front
}
