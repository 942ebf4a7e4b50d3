package audit

import "cmp"

// Evidence is what an audit measured, for [Decide] and [Advise]. What was not
// measured is left empty. Each piece carries the name under which the caller
// keeps it, its ID, such as "judged/alpha=0.4": that is all a recommendation says
// of where its numbers come from. A piece without an ID supports nothing. What was
// lost on one task goes by LostID, a slash and the name of the task: "lost/refusal".
type Evidence struct {
	// Rule is that of the verdicts.
	Rule Rule
	// Lost is what tuning did, and LostID its name. Default "lost".
	Lost   *Regression
	LostID string
	// Tuned is the fine-tune as it is, judged as a candidate; its Recipe says
	// how it was trained.
	Tuned Trial
	// Candidates are the repairs, in any order, without base and fine-tune, and
	// Chosen is the name of the one that was picked; empty if none was.
	Candidates []Trial
	Chosen     string
	// Choice is how it was picked, and ChoiceID its name. Default "choice".
	Choice   *Choice
	ChoiceID string
	// Groups says what each group of tensors is answerable for.
	Groups []Group
	// Additivity is the sum of what setting back each group brings over the
	// whole harm: below a half, damage is redundant.
	Additivity *Measure
	// Drift is the rank correlation of the drift of the groups with their harm.
	Drift *Measure
	// Router is how well isolation tells the prompts apart.
	Router *Router
	// Relearned is how fast what was lost came back.
	Relearned *Relearning
	// Comparisons are paired comparisons of two candidates, from [Against].
	Comparisons []Comparison
	// Replay is the plan for a next run, nil if there is none.
	Replay *ReplayPlan
	// Seeds is the number of fine-tunes of the same recipe that were seen, each
	// with a seed of its own. Default 1.
	Seeds int
}

// Trial is one model that was tried and what became of it.
type Trial struct {
	// ID names the verdict, such as "judged/alpha=0.4".
	ID   string
	Name string
	// Class is one of the names below.
	Class string
	// Strength is as in [Model], and NaN or 0 where there is no such number.
	Strength float64
	// Verdict is that on the report part, nil if there is none.
	Verdict *Verdict
	// Repeats are the verdicts on the same recipe trained with other seeds.
	Repeats []*Verdict
	// Recipe is how a trained model came to be, nil if it was not trained or
	// nothing is known.
	Recipe *Recipe
	// MergeOf names the trained model of which this is a merge with the base.
	MergeOf string
	// Reverted names the groups that are as in the base.
	Reverted []string
	// Written is what became of the strength in the files, nil if unknown.
	Written *Written
}

// The classes of trials.
const (
	ClassBase          = "base"
	ClassTuned         = "tuned"
	ClassInterpolation = "interpolation"
	ClassLiNeS         = "LiNeS"
	ClassRevert        = "revert"
	ClassGroups        = "groups"
	ClassLoRA          = "lora"
	ClassRegMean       = "regmean"
	ClassFisher        = "fisher"
	ClassIsolation     = "isolation"
	ClassTraining      = "training"
	ClassTrainedMerge  = "training+merge"
)

// Recipe is how a model was trained, as far as it is known: 0 and empty mean
// that it is not, or that there was none of it.
type Recipe struct {
	LearningRate float64 `json:"learning_rate,omitempty"`
	Steps        int     `json:"steps,omitempty"`
	// Replay is the share of examples of general kinds, from 0 to 1, drawn from
	// Pool different ones of the tasks in Slices. Without is the tasks that were
	// left out of it on purpose.
	Replay  float64  `json:"replay,omitempty"`
	Pool    int      `json:"pool,omitempty"`
	Slices  []string `json:"slices,omitempty"`
	Without []string `json:"without,omitempty"`
	// Rank is that of a low-rank adapter, on the modules Targets.
	Rank    int      `json:"rank,omitempty"`
	Targets []string `json:"targets,omitempty"`
	// Frozen names the groups of tensors that were not trained.
	Frozen []string `json:"frozen,omitempty"`
	// Divergence weighs the divergence from the base's answers in the loss, and
	// Decay the pull to the base's weights.
	Divergence float64 `json:"divergence,omitempty"`
	Decay      float64 `json:"decay,omitempty"`
}

// Group is what a group of tensors is answerable for, in nats a token.
type Group struct {
	// ID names the finding, such as "where/embedding", and Name the group.
	ID, Name string
	// Harm is the rise of the loss on general answers and Benefit the fall of
	// that on answers of the domain, HarmError and BenefitError their standard
	// errors, 0 if there are none. Exchange is Harm over Benefit, NaN if that
	// means nothing. Drift is how far the group moved, as a share of its norm.
	Harm, Benefit, HarmError, BenefitError, Exchange, Drift float64
	// Revert is the general harm that is gone when the group alone is set back,
	// and Insert the harm when it alone is tuned.
	Revert, Insert float64
	// N is the number of answers that this was measured on.
	N int
}

// Measure is one number and what it was measured on.
type Measure struct {
	ID string
	Interval
	N int
}

// Router is what a router of isolation did with prompts that it was not made of.
type Router struct {
	ID string
	// Wrong of Of prompts went to the wrong model, by kind of task.
	Wrong, Of map[Kind]int
	// Seconds is what routing adds to an answer, 0 if it was not measured.
	Seconds float64
}

// Relearning is how fast a short training on general examples brings back what
// was lost.
type Relearning struct {
	ID string
	// Steps are the numbers of training steps, ascending, the first of them 0.
	Steps []int
	// Tasks names the tasks, and Scores[t][s] is what the tuned model scores on
	// one after so many steps, Control[s] the mean score of a model of random
	// weights trained alike; empty if there is none.
	Tasks   []string
	Scores  [][]float64
	Control []float64
	// N is the number of items of each task.
	N []int
}

// Written is what rounding to the type of a file makes of a merge.
type Written struct {
	ID string
	// Type is that of the file, such as "BF16".
	Type string
	// Asked is the strength that was asked for and Effective what the written
	// weights come to, <W - base, tuned - base> / |tuned - base|^2.
	Asked, Effective float64
}

// complete fills in the defaults.
func (e Evidence) complete() Evidence {
	e.Rule = e.Rule.complete()
	e.LostID, e.ChoiceID, e.Seeds = cmp.Or(e.LostID, lostID), cmp.Or(e.ChoiceID, choiceID), cmp.Or(e.Seeds, 1)
	if e.Replay == nil && e.Lost != nil {
		e.Replay, _ = PlanReplay(e.Lost, ReplayOptions{LostID: e.LostID}) // none without a safety task
	}
	return e
}

// chosen returns the trial that was picked, without a verdict if there is none.
func (e Evidence) chosen() Trial {
	if e.Chosen == e.Tuned.Name {
		return e.Tuned
	}
	for _, c := range e.Candidates {
		if c.Name == e.Chosen {
			return c
		}
	}
	return Trial{Name: e.Chosen}
}

// lost names the finding of what one task lost.
func (e Evidence) lost(task string) string { return e.LostID + "/" + task }

// The names of evidence that has none of its own.
const (
	lostID   = "lost"
	choiceID = "choice"
)
