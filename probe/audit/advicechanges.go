package audit

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Where a number of a recommendation was published, for what was not tried here.
const (
	sourceRate       = "forgetting.md 1.1 [V]: arXiv 2509.20758; 1.3 [T]: a quarter of the learning rate closed 51 % of the gap"
	sourceDivergence = "forgetting.md 1.3 [T]: divergence to the base on general prompts closed 99 % of the gap, a pull to its weights 33 to 80 %"
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
		Why: fmt.Sprintf("Set back in the tuned model, %s brings back %s points (%s to %s) of %s.", strings.Join(best.Reverted, ", "), points(task.Restored.Value), points(task.Restored.Low), points(task.Restored.High), task.Task),
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

// planned recommends what was not tried here, where nothing that was may be
// shipped: what is at stake is the largest loss. The first of them is the one to
// follow, unless a replay that was measured is.
func (a adviser) planned() (list []Recommendation) {
	if a.decision.Word != Hold || a.largest == "" {
		return nil
	}
	task, there := a.Tuned.Verdict.task(a.largest)
	if !there {
		return nil
	}
	base := Recommendation{
		Effect: task.Gap, EffectOf: EffectOf{EffectAtStake, task.Task, "base"}, N: task.N, Evidence: []string{a.lost(task.Task)},
		Gate: a.gate(a.Tuned.Verdict), Confidence: Low,
	}
	var seeds []string
	if a.Seeds < 1+repeats {
		seeds = []string{"fine-tunes of the same recipe with two more seeds"}
	}
	if !a.measured(ActReplay) && a.Replay != nil && len(a.Replay.Slices) > 0 {
		list = append(list, a.plannedReplay(base))
	}
	if !a.measured(ActDivergence) {
		r := base
		r.Kind, r.Change, r.Sources = ActDivergence, "divergence from the base on general prompts", []string{sourceDivergence}
		r.From, r.To = Setting{Unit: "weight"}, Setting{Names: []string{"divergence"}}
		r.Needs = []string{"one run each of divergence and decay that keeps the same domain gain"}
		r.Why = fmt.Sprintf("Nothing that was tried closes the gap, and up to %s points of %s are to be brought back.", points(task.Gap.Value), task.Task)
		list = append(list, r)
	}
	if tuned := a.Tuned.Recipe; tuned != nil && tuned.LearningRate > 0 && !a.measured(ActLearningRate) {
		r := base
		r.Kind, r.Change, r.Sources = ActLearningRate, "a smaller learning rate", []string{sourceRate}
		r.From, r.To = Setting{Number: tuned.LearningRate, Unit: "learning rate"}, Setting{Number: tuned.LearningRate / 4, Unit: "learning rate"}
		r.Needs = []string{"two learning rates that keep the same domain gain", "three seeds"}
		r.Why = fmt.Sprintf("Nothing that was tried closes the gap, and up to %s points of %s are to be brought back.", points(task.Gap.Value), task.Task)
		list = append(list, r)
	}
	for at := range list {
		list[at].Needs = append(list[at].Needs, seeds...)
		list[at].Hold = at == 0 && !a.measured(ActReplay)
	}
	return list
}

// measured reports whether a trained model of a kind was judged.
func (a adviser) measured(kind Action) bool {
	return slices.ContainsFunc(a.trained(kind), func(t Trial) bool { _, helps := a.restores(t); return helps })
}

// plannedReplay recommends the plan, with more confidence if what was lost comes
// back soon when it is trained on.
func (a adviser) plannedReplay(r Recommendation) Recommendation {
	var names []string
	for _, s := range a.Replay.Slices {
		names = append(names, s.Task)
		if id := a.lost(s.Task); s.Loss.Low > 0 && !slices.Contains(r.Evidence, id) {
			r.Evidence = append(r.Evidence, id)
		}
	}
	r.Kind, r.Change = ActReplay, "replay of "+strings.Join(names, ", ")
	if tuned := a.Tuned.Recipe; tuned != nil {
		r.From.Number = tuned.Replay
	}
	r.From.Unit, r.To = "share", Setting{Number: a.Replay.Share, Unit: "share", Names: names}
	r.Sources = []string{a.Replay.Source, a.Replay.NeededSource}
	r.Needs = []string{"three doses, in place of other examples", "one run with and one without each lost slice, safety first", "the size of the pool"}
	r.Why = fmt.Sprintf("Nothing that was tried closes the gap, and replay protects what it contains: %s.", strings.Join(names, ", "))
	if id, steps := a.relearns(a.largest); id != "" {
		r.Evidence, r.Confidence = append(r.Evidence, id), Medium
		r.Why = fmt.Sprintf("Nothing that was tried closes the gap, and %d steps on general examples bring back half of what %s lost.", steps, a.largest)
	}
	return r
}

// moreItems recommends the tests of the next cycle, in front the one that is not
// passed and needs most items, safety first; if all are passed, the one that the
// verdict rests on.
func (a adviser) moreItems() []Recommendation {
	v, id := a.Tuned.Verdict, a.Tuned.ID
	if c := a.chosen(); c.Verdict != nil && a.decision.About == c.Name {
		v, id = c.Verdict, c.ID
	}
	gates := gatesOf(v, a.Rule)
	needed := func(at int) int {
		if gates[at].Shows != ShowsRetained {
			return gates[at].N
		}
		return max(gates[at].N, v.Tasks[at].Needed)
	}
	front := slices.IndexFunc(v.Tasks, func(t TaskVerdict) bool { return t.Task == v.Worst })
	found := false
	for at, g := range gates {
		if g.Passed || needed(at) <= g.Asked || a.decision.Word != InsufficientEvidence && g.Kind == Domain {
			continue
		}
		if safer := g.Kind == Safety; !found || safer && gates[front].Kind != Safety || safer == (gates[front].Kind == Safety) && needed(at) > needed(front) {
			front, found = at, true
		}
	}
	if front < 0 {
		return nil
	}
	g, task := gates[front], v.Tasks[front]
	r := Recommendation{
		Kind: ActGates, Change: g.Task, From: Setting{Number: float64(g.Asked), Unit: "items", Names: []string{g.Task}}, To: Setting{Number: float64(needed(front)), Unit: "items", Names: []string{g.Task}},
		Effect: task.Difference, EffectOf: EffectOf{EffectDifference, task.Task, "base"}, N: task.N, Evidence: []string{id},
		Confidence: High, Gate: g, Gates: gates,
		Why: fmt.Sprintf("By %d items of %s the difference to the base lies between %s and %s points.", task.N, task.Task, points(task.Difference.Low), points(task.Difference.High)),
	}
	if task.Floor {
		r.Why, r.Needs = fmt.Sprintf("By %d items of %s the base is not shown to score above chance, so that nothing lost there proves nothing.", task.N, task.Task), []string{"easier items"}
		if g.N == 0 {
			r.To = Setting{Names: []string{"easier items"}}
		}
	}
	if a.Lost != nil {
		r.Evidence = append(r.Evidence, a.lost(task.Task))
	}
	return []Recommendation{r}
}
