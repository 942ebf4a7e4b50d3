package audit

import (
	"fmt"
	"slices"
	"strings"
)

// trust sets the confidence of a measured repair: medium for one run, and high for
// what was repeated with two more seeds or has all that its kind asks for.
func (a adviser) trust(r *Recommendation, t Trial) {
	var needs []string
	switch r.Kind {
	case ActLearningRate:
		needs = a.needsRate(t)
	case ActReplay:
		needs = a.needsReplay(r)
	case ActLoRA:
		needs = a.needsLoRA()
	case ActFreeze:
		needs = a.needsFrozen(r, t)
	case ActMerge:
		needs = a.needsMerge(r, t)
	case ActIsolation:
		needs = a.needsIsolation(r)
	case ActDivergence:
		needs = a.needsDivergence()
	case ActCheckpoint:
		needs = a.needsCheckpoint()
	}
	if t.Recipe != nil && !a.matched(t) {
		needs = append(needs, "the domain gain kept as the rule asks")
	}
	if r.Confidence = Medium; len(needs) == 0 || a.repeated(t) && a.matched(t) {
		r.Confidence = High
		return
	}
	r.Needs = needs
}

// repeats is the number of further seeds by which a finding is repeated.
const repeats = 2

// repeated reports whether a trial brings back the largest regression with other
// seeds too.
func (a adviser) repeated(t Trial) bool {
	agree := 0
	for _, v := range t.Repeats {
		if task, there := v.task(a.largest); there && task.Restored.Low > 0 {
			agree++
		}
	}
	return agree >= repeats && agree == len(t.Repeats)
}

// matched reports whether a trial keeps the gain that the rule asks for.
func (a adviser) matched(t Trial) bool {
	return t.Verdict != nil && t.Verdict.Retention.Defined && t.Verdict.Retention.Low >= a.Rule.Retention
}

// trained are the trials of a kind that were judged.
func (a adviser) trained(kind Action) (list []Trial) {
	for _, t := range a.Candidates {
		if t.Verdict != nil && t.Recipe != nil && t.action(a.Tuned.Recipe) == kind {
			list = append(list, t)
		}
	}
	return list
}

// group finds what is known of a group.
func (a adviser) group(name string) (Group, bool) {
	for _, g := range a.Groups {
		if g.Name == name && g.ID != "" {
			return g, true
		}
	}
	return Group{}, false
}

func (a adviser) needsRate(t Trial) (needs []string) {
	rates := map[float64]bool{}
	for _, t := range a.trained(ActLearningRate) {
		if a.matched(t) {
			rates[t.Recipe.LearningRate] = true
		}
	}
	if len(rates) < 2 {
		needs = append(needs, "two learning rates that keep the same domain gain")
	}
	if !a.repeated(t) {
		needs = append(needs, "three seeds")
	}
	return needs
}

func (a adviser) needsReplay(r *Recommendation) (needs []string) {
	doses, pools, on, off := map[float64]bool{}, true, false, false
	for _, t := range a.trained(ActReplay) {
		if len(t.Recipe.Without) == 0 {
			doses[t.Recipe.Replay] = true
			pools = pools && t.Recipe.Pool > 0
		}
		for _, task := range t.Verdict.Tasks {
			if task.Kind != Safety {
				continue
			}
			without := slices.Contains(t.Recipe.Without, task.Task)
			on = on || !without && task.Restored.Low > 0
			if without && task.Difference.High < -task.Margin {
				off = true
				r.Evidence = append(r.Evidence, named(t.ID)...)
			}
		}
	}
	if id, _ := a.relearns(a.largest); id != "" {
		r.Evidence = append(r.Evidence, id)
	}
	if len(doses) < 3 {
		needs = append(needs, "three doses, in place of other examples")
	}
	if !on || !off {
		needs = append(needs, "one run with and one without each lost slice, safety first")
	}
	if !pools {
		needs = append(needs, "the size of the pool")
	}
	return needs
}

func (a adviser) needsLoRA() (needs []string) {
	ranks, targets := map[int]bool{}, map[string]bool{}
	for _, t := range a.Candidates {
		if t.Recipe != nil && t.Recipe.Rank > 0 && a.matched(t) {
			ranks[t.Recipe.Rank], targets[fmt.Sprint(t.Recipe.Targets)] = true, true
		}
	}
	if len(ranks) < 2 {
		needs = append(needs, "several ranks that keep the same domain gain")
	}
	if len(targets) < 2 {
		needs = append(needs, "several sets of target modules")
	}
	return needs
}

func (a adviser) needsFrozen(r *Recommendation, t Trial) (needs []string) {
	for _, name := range t.Recipe.Frozen {
		if g, there := a.group(name); there && g.Revert > 0 && g.Insert > 0 {
			r.Evidence = append(r.Evidence, g.ID)
		} else {
			needs = append(needs, "setting back and tuning alone of "+name)
		}
	}
	return needs
}

func (a adviser) needsMerge(r *Recommendation, t Trial) (needs []string) {
	if a.Choice == nil || !a.Choice.Met || t.Name != a.Chosen {
		needs = append(needs, "items to choose on and others to report on")
	}
	switch {
	case t.Written == nil || t.Written.ID == "":
		needs = append(needs, "the effective strength in the type that is shipped")
	case !t.Written.true():
		needs = append(needs, "a wider type: in "+t.Written.Type+" it is another strength")
		r.Evidence = append(r.Evidence, t.Written.ID)
	default:
		r.Evidence = append(r.Evidence, t.Written.ID)
	}
	if t.Class == ClassTrainedMerge && !a.repeated(t) {
		needs = append(needs, "three seeds")
	}
	return needs
}

func (a adviser) needsIsolation(r *Recommendation) (needs []string) {
	if a.Router == nil || a.Router.ID == "" || a.Router.Of[General] == 0 || a.Router.Of[Domain] == 0 {
		needs = append(needs, "what the router sends to the wrong model, of general and of domain prompts")
	} else {
		r.Evidence = append(r.Evidence, a.Router.ID)
		r.Why = fmt.Sprintf("%s; the router sends %d of %d protected prompts and %d of %d of the domain to the wrong model.", strings.TrimSuffix(r.Why, "."),
			a.Router.Wrong[General]+a.Router.Wrong[Safety], a.Router.Of[General]+a.Router.Of[Safety], a.Router.Wrong[Domain], a.Router.Of[Domain])
	}
	if a.Router == nil || !(a.Router.Seconds > 0) {
		needs = append(needs, "the time that routing takes")
	}
	return needs
}

func (a adviser) needsDivergence() (needs []string) {
	divergence, decay := false, false
	for _, t := range a.trained(ActDivergence) {
		divergence = divergence || t.Recipe.Divergence > 0 && a.matched(t)
		decay = decay || t.Recipe.Decay > 0 && a.matched(t)
	}
	if !divergence || !decay {
		needs = append(needs, "one run each of divergence and decay that keeps the same domain gain")
	}
	return needs
}

// curve is how many checkpoints make a curve.
const curve = 3

func (a adviser) needsCheckpoint() (needs []string) {
	steps := map[int]bool{}
	for _, t := range a.trained(ActCheckpoint) {
		steps[t.Recipe.Steps] = t.Recipe.Steps > 0
	}
	if len(steps) < curve {
		needs = append(needs, "scores of several checkpoints of one run")
	}
	return needs
}
