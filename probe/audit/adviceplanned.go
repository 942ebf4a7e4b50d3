package audit

import (
	"fmt"
	"slices"
	"strings"
)

// Where the numbers come from for what was not tried here: what was published,
// and surgeon's own trials, those of testdata/README.md.
const (
	sourceRate       = "arXiv 2509.20758; a quarter of the rate closed 28 % of the gap for half of the gain in surgeon's own trials on its embedded pair"
	sourceDivergence = "divergence closed 98 % of the gap, a pull to the base's weights 25 %, in surgeon's own trials on its embedded pair"
)

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
	if !a.measured(ActReplay) && a.Replay != nil && len(a.Replay.Slices) > 0 {
		list = append(list, a.plannedReplay(a.untried(task)))
	}
	if !a.measured(ActDivergence) {
		list = append(list, a.plannedDivergence(a.untried(task)))
	}
	if tuned := a.Tuned.Recipe; tuned != nil && tuned.LearningRate > 0 && !a.measured(ActLearningRate) {
		list = append(list, a.plannedRate(a.untried(task), tuned.LearningRate))
	}
	for at := range list {
		if a.Seeds < 1+repeats {
			list[at].Needs = append(list[at].Needs, moreSeeds)
		}
		list[at].Hold = at == 0 && !a.measured(ActReplay)
	}
	return list
}

// moreSeeds is what a finding on one fine-tune needs.
const moreSeeds = "fine-tunes of the same recipe with two more seeds"

// untried is what all recommendations have in common that nobody tried.
func (a adviser) untried(task TaskVerdict) Recommendation {
	return Recommendation{
		Effect: task.Gap, EffectOf: EffectOf{EffectAtStake, task.Task, "base"}, N: task.N, Evidence: []string{a.lost(task.Task)},
		Gate: a.gate(a.Tuned.Verdict), Confidence: Low,
		Why: fmt.Sprintf("Nothing that was tried closes the gap, and up to %s points of %s are to be brought back.", points(task.Gap.Value), task.Task),
	}
}

func (a adviser) plannedDivergence(r Recommendation) Recommendation {
	r.Kind, r.Change, r.Sources = ActDivergence, "divergence from the base on general prompts", []string{sourceDivergence}
	r.From, r.To = Setting{Unit: "weight"}, Setting{Names: []string{"divergence"}}
	r.Needs = []string{"one run each of divergence and decay that keeps the same domain gain"}
	return r
}

func (a adviser) plannedRate(r Recommendation, rate float64) Recommendation {
	r.Kind, r.Change, r.Sources = ActLearningRate, "a smaller learning rate", []string{sourceRate}
	r.From, r.To = Setting{Number: rate, Unit: "learning rate"}, Setting{Number: rate / 4, Unit: "learning rate"}
	r.Needs = []string{"two learning rates that keep the same domain gain", "three seeds"}
	return r
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

// quickSteps is within how many steps of training something comes back that was
// unlearned rather than overwritten: so many brought back most of the refusals of
// the embedded pair.
const quickSteps = 20

// relearns returns the evidence that a task comes back soon: half of what it lost,
// and not so in a model of random weights; and after how many steps.
func (a adviser) relearns(name string) (id string, steps int) {
	l := a.Relearned
	if l == nil || a.Tuned.Verdict == nil {
		return "", 0
	}
	task, there := a.Tuned.Verdict.task(name)
	at := slices.Index(l.Tasks, name)
	if !there || at < 0 || at >= len(l.Scores) {
		return "", 0
	}
	for s, steps := range l.Steps {
		half := task.Tuned + (task.Base-task.Tuned)/2
		if steps > quickSteps || s >= len(l.Scores[at]) || s < len(l.Control) && l.Control[s] >= half {
			break
		}
		if steps > 0 && l.Scores[at][s] >= half {
			return l.ID, steps
		}
	}
	return "", 0
}
