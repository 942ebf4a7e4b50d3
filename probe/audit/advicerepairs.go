package audit

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// action is the kind of recommendation that a trial is the evidence of. Which part
// of a recipe counts is in the order of what it changes most.
func (t Trial) action(tuned *Recipe) Action {
	switch t.Class {
	case ClassIsolation:
		return ActIsolation
	case ClassLoRA:
		return ActLoRA
	case ClassRevert, ClassInterpolation, ClassLiNeS, ClassGroups, ClassRegMean, ClassFisher, ClassTrainedMerge:
		return ActMerge
	}
	r := t.Recipe
	switch {
	case r == nil:
		return ActCheckpoint
	case r.Replay > 0:
		return ActReplay
	case r.Divergence > 0 || r.Decay > 0:
		return ActDivergence
	case r.Rank > 0:
		return ActLoRA
	case len(r.Frozen) > 0:
		return ActFreeze
	case tuned != nil && r.LearningRate > 0 && r.LearningRate < tuned.LearningRate:
		return ActLearningRate
	}
	return ActCheckpoint
}

// restores returns what a trial brings back of the largest regression, and whether
// that is more than luck.
func (a adviser) restores(t Trial) (TaskVerdict, bool) {
	if t.Verdict == nil || t.ID == "" {
		return TaskVerdict{}, false
	}
	task, there := t.Verdict.task(a.largest)
	return task, there && task.Restored.Defined && task.Restored.Low > 0
}

// repairs recommends the best trial of each kind, and the chosen one in any case.
// A model that would be shipped as it is counts only if its verdict is not "not
// closed"; a setting of the next training counts by what it changes.
func (a adviser) repairs() (list []Recommendation) {
	best := map[Action]Trial{}
	for _, t := range a.Candidates {
		if _, helps := a.restores(t); !helps && !(t.Name == a.decision.What && t.ID != "") {
			continue
		}
		kind := t.action(a.Tuned.Recipe)
		if ships := kind == ActMerge || kind == ActIsolation || kind == ActCheckpoint || t.Class == ClassLoRA; ships && t.Verdict.Word == NotClosed {
			continue
		}
		if now, any := best[kind]; !any || t.Name == a.Chosen || now.Name != a.Chosen && worth(t, now) < 0 {
			best[kind] = t
		}
	}
	for _, kind := range actions {
		if t, any := best[kind]; any {
			list = append(list, a.repair(kind, t))
		}
	}
	return list
}

// repair recommends one trial.
func (a adviser) repair(kind Action, t Trial) Recommendation {
	task, _ := a.restores(t)
	r := Recommendation{
		Kind: kind, Change: t.Name, Effect: task.Restored, EffectOf: EffectOf{EffectRestored, task.Task, a.Tuned.Name},
		N: task.N, Evidence: []string{t.ID, a.lost(task.Task)}, Gate: a.gate(t.Verdict), Executed: true,
		Hold: a.decision.Word == Hold && kind == ActReplay,
		Why:  fmt.Sprintf("%s brings back %s points (%s to %s) of %s, and by it the gap is %s.", t.Name, points(task.Restored.Value), points(task.Restored.Low), points(task.Restored.High), task.Task, t.Verdict.Word),
	}
	if t.Name == a.Chosen && a.Choice != nil {
		r.Evidence = append(r.Evidence, a.ChoiceID)
	}
	a.settings(&r, t)
	a.trust(&r, t)
	return r
}

// gate is the test on which a verdict rests.
func (a adviser) gate(v *Verdict) Gate {
	worst := v.worst()
	if worst.N == 0 {
		return Gate{}
	}
	return gateOf(worst, a.Rule)
}

// settings sets the two sides of a change.
func (a adviser) settings(r *Recommendation, t Trial) {
	tuned, recipe := a.Tuned.Recipe, t.Recipe
	if tuned == nil {
		tuned = &Recipe{}
	}
	if recipe == nil {
		recipe = &Recipe{}
	}
	r.From, r.To = Setting{Names: []string{a.Tuned.Name}}, Setting{Names: []string{t.Name}}
	switch number := func(x float64, unit string, names ...string) Setting { return Setting{x, unit, names} }; r.Kind {
	case ActReplay:
		r.From, r.To = number(tuned.Replay, "share"), number(recipe.Replay, "share", recipe.Slices...)
	case ActLearningRate:
		r.From, r.To = number(tuned.LearningRate, "learning rate"), number(recipe.LearningRate, "learning rate")
	case ActLoRA:
		if recipe.Rank > 0 {
			r.To = number(float64(recipe.Rank), "rank", recipe.Targets...)
		}
	case ActFreeze:
		r.From, r.To = Setting{Names: tuned.Frozen}, Setting{Names: recipe.Frozen}
	case ActDivergence:
		r.From, r.To = number(tuned.Divergence, "weight"), number(recipe.Divergence, "weight")
		if recipe.Divergence == 0 {
			r.From.Number, r.To.Number = tuned.Decay, recipe.Decay
		}
	case ActCheckpoint:
		if tuned.Steps > 0 && recipe.Steps > 0 {
			r.From, r.To = number(float64(tuned.Steps), "steps", a.Tuned.Name), number(float64(recipe.Steps), "steps", t.Name)
		}
	case ActMerge:
		if t.Strength > 0 && !math.IsInf(t.Strength, 0) {
			r.From, r.To = number(1, "alpha", a.Tuned.Name), number(t.Strength, "alpha", t.Name)
		}
	}
}

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

// group finds what is known of a group.
func (a adviser) group(name string) (Group, bool) {
	for _, g := range a.Groups {
		if g.Name == name && g.ID != "" {
			return g, true
		}
	}
	return Group{}, false
}

// quickSteps is within how many steps of training something comes back that was
// unlearned rather than overwritten (forgetting.md, section 3).
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
		r.Needs = []string{"fine-tunes of the same recipe with two more seeds"}
	}
	return []Recommendation{r}
}
