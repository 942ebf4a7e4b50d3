package audit

import (
	"fmt"
	"math"
	"strings"
)

// freeze recommends not to train groups of tensors whose setting back brings back
// what was lost. That is no proof: whether the domain is learned without them
// only a run with them frozen shows, which then stands in for this.
func (a adviser) freeze() []Recommendation {
	for _, t := range a.trained(ActFreeze) {
		if _, helps := a.restores(t); helps {
			return nil
		}
	}
	if r, found := a.freezeByRevert(); found {
		return []Recommendation{r}
	}
	return a.freezeByHarm()
}

// freezeByRevert rests on the judged model without the tuning of some groups.
func (a adviser) freezeByRevert() (Recommendation, bool) {
	var best Trial
	for _, t := range a.Candidates {
		if _, helps := a.restores(t); helps && t.Class == ClassRevert && len(t.Reverted) > 0 && a.allHarm(t.Reverted) && (best.Verdict == nil || worth(t, best) < 0) {
			best = t
		}
	}
	if best.Verdict == nil {
		return Recommendation{}, false
	}
	task, _ := a.restores(best)
	r := Recommendation{
		Kind: ActFreeze, Change: strings.Join(best.Reverted, ", "), To: Setting{Names: best.Reverted},
		Effect: task.Restored, EffectOf: EffectOf{EffectRestored, task.Task, a.Tuned.Name}, N: task.N, Evidence: []string{best.ID, a.lost(task.Task)},
		Gate: a.gate(best.Verdict), Confidence: Medium, Needs: []string{"one training run with " + strings.Join(best.Reverted, ", ") + " frozen"},
		Why: fmt.Sprintf("Setting %s back to the base brings back %s points (%s to %s) of %s.", strings.Join(best.Reverted, " and "), points(task.Restored.Value), points(task.Restored.Low), points(task.Restored.High), task.Task),
	}
	for _, name := range best.Reverted {
		g, there := a.group(name)
		if there {
			r.Evidence = append(r.Evidence, g.ID)
		}
		if !there || !(g.Insert > 0) {
			r.Confidence = Low
			r.Needs = append(r.Needs, "the harm of "+name+" tuned alone")
		}
	}
	if m := a.Additivity; m != nil && m.ID != "" && m.Defined && m.Value < 0.5 {
		r.Evidence = append(r.Evidence, m.ID)
		r.Needs = append(r.Needs, "Shapley values: setting back one group at a time adds up to less than half of the harm")
	}
	if m := a.Drift; m != nil && m.ID != "" && m.Defined && m.Low > 0 {
		r.Evidence = append(r.Evidence, m.ID) // how far a group moved tells of its harm too
	}
	return r, true
}

// allHarm reports whether no group is known to do no harm.
func (a adviser) allHarm(names []string) bool {
	for _, name := range names {
		if g, there := a.group(name); there && !(g.Harm > 0) {
			return false
		}
	}
	return true
}

// freezeByHarm rests on the group whose harm, with its standard error, is the
// worst bargain.
func (a adviser) freezeByHarm() []Recommendation {
	var worst Group
	for _, g := range a.Groups {
		if g.ID != "" && g.N > 0 && g.HarmError > 0 && g.Harm > 1.96*g.HarmError && bargain(g) > bargain(worst) {
			worst = g
		}
	}
	if worst.ID == "" || a.largest == "" {
		return nil
	}
	reach := 1.96 * worst.HarmError
	return []Recommendation{{
		Kind: ActFreeze, Change: worst.Name, To: Setting{Names: []string{worst.Name}},
		Effect: Interval{Value: worst.Harm, Low: worst.Harm - reach, High: worst.Harm + reach, Defined: true}, EffectOf: EffectOf{What: EffectNats, Against: "base"},
		N: worst.N, Evidence: []string{worst.ID}, Gate: a.gate(a.Tuned.Verdict), Confidence: Low,
		Needs: []string{"a judged model with " + worst.Name + " set back", "one training run with it frozen"},
		Why:   fmt.Sprintf("%s is answerable for %.3f nats a token of the general loss, for %.3f of gain in the domain.", worst.Name, worst.Harm, worst.Benefit),
	}}
}

// bargain is the exchange rate, without bound where there is no benefit.
func bargain(g Group) float64 {
	switch {
	case !(g.Harm > 0):
		return 0
	case !(g.Benefit > 0):
		return math.Inf(1)
	}
	return g.Harm / g.Benefit
}
