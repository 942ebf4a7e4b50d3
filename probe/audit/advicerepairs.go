package audit

import (
	"fmt"
	"math"
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
		Why:  fmt.Sprintf("%s brings back %s points (%s to %s) of %s; %s.", t.Name, points(task.Restored.Value), points(task.Restored.Low), points(task.Restored.High), task.Task, t.Verdict.Word.ofGap()),
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
