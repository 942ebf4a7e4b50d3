package audit

import (
	"cmp"
	"math"
	"slices"

	"surgeon/probe/stat"
)

// Advise forms the recommendations that the evidence supports, the first of them
// the one to follow and the others ranked.
//
// A rule fires on evidence only: no recommendation is without the name of a piece
// of it, an interval, and a number of items. Of each kind there is one, resting
// on the trial that does best, but for what is to be stopped. A repair counts if
// it brings back more of the largest regression than its interval allows for
// luck. What was not tried here is recommended only where nothing that was tried
// may be shipped, and with low confidence.
//
// The first is by [Decide]: where a model may be shipped, that model; on
// INSUFFICIENT EVIDENCE, to ask more items; on HOLD, to train again with the
// replay that was measured or else planned.
//
// The result does not depend on the order of the trials. It is empty if the
// fine-tune was not judged.
func Advise(e Evidence) []Recommendation {
	e = e.complete()
	if e.Tuned.Verdict == nil {
		return nil
	}
	a := adviser{Evidence: e, decision: Decide(e.Tuned, e.chosen(), e.Rule), largest: e.Tuned.Verdict.Largest}
	if a.largest == "" {
		a.largest = e.Tuned.Verdict.materialTask()
	}
	a.Candidates = slices.DeleteFunc(slices.Clone(e.Candidates), func(t Trial) bool {
		return t.Class == ClassBase || t.Class == ClassTuned || t.Name == e.Tuned.Name
	})
	slices.SortFunc(a.Candidates, func(x, y Trial) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID)) })
	a.Groups = slices.Clone(e.Groups)
	slices.SortFunc(a.Groups, func(x, y Group) int { return cmp.Compare(x.Name, y.Name) })

	list := a.repairs()
	list = append(list, a.shipTuned()...)
	list = append(list, a.freeze()...)
	list = append(list, a.planned()...)
	list = append(list, a.moreItems()...)
	list = append(list, a.stop()...)
	for at := range list {
		list[at].Evidence = unique(list[at].Evidence)
	}
	list = slices.DeleteFunc(list, func(r Recommendation) bool { return !r.sound() })
	a.rank(list)
	return list
}

// adviser is evidence with what the rules share.
type adviser struct {
	Evidence
	decision Decision
	largest  string // task of the largest regression, empty if there is none
}

// unique keeps the first of equal names.
func unique(names []string) (list []string) {
	for _, name := range names {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// sound reports whether a recommendation names evidence, an interval and a number.
func (r Recommendation) sound() bool {
	if len(r.Evidence) == 0 || slices.Contains(r.Evidence, "") || !r.Effect.Defined || r.N < 1 {
		return false
	}
	for _, x := range []float64{r.Effect.Value, r.Effect.Low, r.Effect.High, r.From.Number, r.To.Number} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

// materialTask returns the protected task that lost most beyond its margin.
func (v *Verdict) materialTask() string {
	t, any := v.least(func(t TaskVerdict) bool { return t.Word == stat.Material })
	if !any {
		return ""
	}
	return t.Task
}

// task returns the verdict on a task by name.
func (v *Verdict) task(name string) (TaskVerdict, bool) {
	at := slices.IndexFunc(v.Tasks, func(t TaskVerdict) bool { return t.Task == name })
	if at < 0 {
		return TaskVerdict{}, false
	}
	return v.Tasks[at], true
}

// standing ranks verdicts, the best first.
func (w Word) standing() int {
	return slices.Index([]Word{Closed, PartlyClosed, Insufficient, NotClosed, NoGap}, w)
}

// worth sets two trials side by side, the better one first: by the word, then by
// the lesser of the share of the gap that is closed and that of the gain that is
// kept, then by name.
func worth(x, y Trial) int {
	least := func(v *Verdict) float64 {
		share := math.Inf(1)
		for _, i := range []Interval{v.GapClosedMean, v.Retention} {
			if i.Defined {
				share = min(share, i.Value)
			}
		}
		return share
	}
	return cmp.Or(cmp.Compare(x.Verdict.Word.standing(), y.Verdict.Word.standing()), cmp.Compare(least(y.Verdict), least(x.Verdict)), cmp.Compare(x.Name, y.Name))
}

// rank orders the recommendations and numbers them.
func (a adviser) rank(list []Recommendation) {
	slices.SortStableFunc(list, func(x, y Recommendation) int {
		return cmp.Or(
			cmp.Compare(a.place(x), a.place(y)),
			cmp.Compare(slices.Index(confidences, x.Confidence), slices.Index(confidences, y.Confidence)),
			cmp.Compare(math.Abs(y.Effect.Value), math.Abs(x.Effect.Value)),
			cmp.Compare(slices.Index(actions, x.Kind), slices.Index(actions, y.Kind)),
			cmp.Compare(x.Change, y.Change),
		)
	})
	for at := range list {
		list[at].Rank = at + 1
	}
}

var (
	confidences = []Confidence{High, Medium, Low}
	actions     = []Action{ActReplay, ActDivergence, ActLearningRate, ActFreeze, ActLoRA, ActMerge, ActIsolation, ActCheckpoint, ActGates, ActStop}
)

// place is where a recommendation stands: the one to follow, what was measured,
// what was not, the tests of the next cycle, and what to leave be.
func (a adviser) place(r Recommendation) int {
	switch {
	case a.follows(r):
		return 0
	case r.Kind == ActStop:
		return 4
	case r.Kind == ActGates:
		return 3
	case r.Executed:
		return 1
	}
	return 2
}

// follows reports whether a recommendation is what the decision asks for.
func (a adviser) follows(r Recommendation) bool {
	switch a.decision.Word {
	case InsufficientEvidence:
		return r.Kind == ActGates
	case Hold:
		return r.Hold
	}
	return r.Executed && r.Change == a.decision.What
}
