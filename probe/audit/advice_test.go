package audit

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// lawful checks what holds for all recommendations.
func lawful(t *testing.T, e Evidence, list []Recommendation) {
	t.Helper()
	for at, r := range list {
		if r.Rank != at+1 || len(r.Evidence) == 0 || slices.Contains(r.Evidence, "") || !r.Effect.Defined || r.N < 1 || r.EffectOf.What == "" {
			t.Errorf("recommendation %d: %+v", at, r)
		}
		if !(r.Effect.Low <= r.Effect.Value && r.Effect.Value <= r.Effect.High) || !slices.Contains(confidences, r.Confidence) || !slices.Contains(actions, r.Kind) {
			t.Errorf("recommendation %d: %+v", at, r)
		}
		if r.Change == "" || !strings.HasSuffix(r.Why, ".") || strings.Contains(r.Why, "%!") {
			t.Errorf("recommendation %d says %q of %q", at, r.Why, r.Change)
		}
		if r.Confidence == High != (len(r.Needs) == 0) && r.Kind != ActStop && r.Kind != ActGates {
			t.Errorf("recommendation %d: %s and needs %q", at, r.Confidence, r.Needs)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	}
	if d := Decide(e.Tuned, e.chosen(), e.Rule); (d.Word == Ship || d.Word == ShipWithConditions) != (d.What != "") || d.Why == "" {
		t.Errorf("%+v", d)
	}
}

func find(list []Recommendation, kind Action) *Recommendation {
	for at := range list {
		if list[at].Kind == kind {
			return &list[at]
		}
	}
	return nil
}

func show(t *testing.T, d Decision, list []Recommendation) {
	t.Helper()
	t.Logf("%s %s: %s %q", d.Word, d.What, d.Why, d.Conditions)
	for _, r := range list {
		t.Logf("%d %s %q %s %+.3f (%.3f to %.3f) of %s, n %d, %q, needs %q, gate %s %d: %s", r.Rank, r.Kind, r.Change, r.Confidence, r.Effect.Value, r.Effect.Low, r.Effect.High, r.EffectOf.Task, r.N, r.Evidence, r.Needs, r.Gate.Task, r.Gate.N, r.Why)
	}
}

func TestAdviceOnTheToy(t *testing.T) {
	e := toy(t, "replay")
	list, d := Advise(e), Decide(e.Tuned, e.chosen(), e.Rule)
	show(t, d, list)
	lawful(t, e, list)
	if d.Word != ShipWithConditions || d.What != "replay" || len(d.Conditions) == 0 {
		t.Errorf("the decision is %+v", d)
	}
	top := list[0]
	if top.Kind != ActReplay || top.Change != "replay" || !top.Executed || top.Confidence != Medium || top.To.Number != 0.1 || top.EffectOf.Task != "refusal" || !slices.Contains(top.Evidence, "judged/no refusals") {
		t.Errorf("on top stands %+v", top)
	}
	near(t, "refusals restored", top.Effect.Value, 1, 1e-9)
	if f := find(list, ActFreeze); f == nil || f.Change != "embedding" || f.Confidence != Medium || f.Executed || !slices.Contains(f.Evidence, "where/embedding") || len(f.Needs) != 1 {
		t.Errorf("freezing: %+v", f)
	}
	if m := find(list, ActMerge); m == nil || m.To.Number != 0.5 || m.Confidence != Medium || !strings.Contains(m.Why, "partly closed") {
		t.Errorf("merging: %+v", m)
	}
	if l := find(list, ActLearningRate); l == nil || l.From.Number != 1e-3 || l.To.Number != 2.5e-4 || l.Confidence != Medium {
		t.Errorf("the learning rate: %+v", l)
	}
	if g := find(list, ActGates); g == nil || g.Change != "refusal" || g.To.Number < 299 || len(g.Gates) != 8 {
		t.Errorf("gates: %+v", g)
	}
	var stopped []string
	for _, r := range list {
		if r.Kind == ActStop {
			stopped = append(stopped, r.Change)
		}
	}
	slices.Sort(stopped)
	if want := []string{"lora", "mild", "no refusals", "revert"}; !reflect.DeepEqual(stopped, want) {
		t.Errorf("to be stopped are %q, want %q", stopped, want)
	}
	if find(list, ActDivergence) != nil {
		t.Error("what nobody tried is recommended beside a model that may be shipped")
	}
}

// Without any training run the best is an interpolation that keeps a fifth of the
// gain: hold, and train again with the replay that is planned.
func TestAdviceToRetrain(t *testing.T) {
	e := toy(t, "alpha=0.5", "replay", "no refusals", "mild", "lora")
	list, d := Advise(e), Decide(e.Tuned, e.chosen(), e.Rule)
	show(t, d, list)
	lawful(t, e, list)
	top := list[0]
	if d.Word != Hold || top.Kind != ActReplay || top.Executed || !top.Hold || top.EffectOf.What != EffectAtStake || top.Confidence != Medium || !slices.Contains(top.Evidence, "relearned") || len(top.Sources) == 0 {
		t.Errorf("%+v, on top stands %+v", d, top)
	}
	if !slices.Contains(top.To.Names, "refusal") || top.To.Number != 0.1 {
		t.Errorf("the replay is %+v", top.To)
	}
	if l := find(list, ActLearningRate); l == nil || l.Confidence != Low || l.Executed || len(l.Sources) == 0 {
		t.Errorf("the learning rate: %+v", l)
	}
	e.Relearned = nil
	if top := Advise(e)[0]; top.Kind != ActReplay || top.Confidence != Low {
		t.Errorf("without relearning on top stands %+v", top)
	}
}

// A replay that leaves refusals out is never shipped, whatever else it keeps.
func TestLostSafetyIsNeverShipped(t *testing.T) {
	e := toy(t, "no refusals", "replay")
	d := Decide(e.Tuned, e.chosen(), e.Rule)
	if d.Word != Hold || d.Task != "refusal" || d.What != "" {
		t.Errorf("%+v", d)
	}
	if top := Advise(e)[0]; top.Kind != ActReplay || top.Executed || !slices.Contains(top.To.Names, "refusal") {
		t.Errorf("on top stands %+v", top)
	}
}

func TestConfidence(t *testing.T) {
	e := toy(t, "replay")
	at := slices.IndexFunc(e.Candidates, func(t Trial) bool { return t.Name == "replay" })
	e.Candidates[at].Repeats = []*Verdict{e.Candidates[at].Verdict, e.Candidates[at].Verdict}
	if r := Advise(e)[0]; r.Confidence != High || r.Needs != nil {
		t.Errorf("three seeds: %+v", r)
	}
	e.Candidates[at].Repeats[1] = e.Tuned.Verdict
	if r := Advise(e)[0]; r.Confidence != Medium {
		t.Errorf("a seed that disagrees: %+v", r)
	}
	e.Candidates[at].Repeats = nil
	for _, dose := range []float64{0.05, 0.25} {
		one := e.Candidates[at]
		one.Name, one.ID, one.Recipe = "dose", "judged/dose", &Recipe{Replay: dose, Pool: 10_000}
		e.Candidates = append(e.Candidates, one)
	}
	if r := Advise(e)[0]; r.Confidence != High {
		t.Errorf("three doses, a slice on and off, a pool: %+v", r)
	}

	e = toy(t, "alpha=0.5")
	at = slices.IndexFunc(e.Candidates, func(t Trial) bool { return t.Name == "alpha=0.5" })
	for _, c := range []struct {
		effective float64
		want      Confidence
	}{{0.48, High}, {0.14, Medium}} {
		e.Candidates[at].Written = &Written{ID: "written", Type: "BF16", Asked: 0.5, Effective: c.effective}
		if r := find(Advise(e), ActMerge); r.Confidence != c.want || !slices.Contains(r.Evidence, "written") {
			t.Errorf("written as %v: %+v", c.effective, r)
		}
	}

	frozen := toy(t, "replay")
	at = slices.IndexFunc(frozen.Candidates, func(t Trial) bool { return t.Name == "mild" })
	frozen.Candidates[at].Recipe = &Recipe{LearningRate: 1e-3, Frozen: []string{"embedding"}}
	if r := find(Advise(frozen), ActFreeze); !r.Executed || r.Confidence != Medium || len(r.Needs) != 1 {
		t.Errorf("a frozen run that keeps less of the gain: %+v", r)
	}
}

// The order of the trials changes nothing.
func TestAdviceOrder(t *testing.T) {
	e := toy(t, "replay")
	want := Advise(e)
	for draw := range 20 {
		random := rand.New(rand.NewPCG(3, uint64(draw)))
		random.Shuffle(len(e.Candidates), func(i, j int) { e.Candidates[i], e.Candidates[j] = e.Candidates[j], e.Candidates[i] })
		random.Shuffle(len(e.Groups), func(i, j int) { e.Groups[i], e.Groups[j] = e.Groups[j], e.Groups[i] })
		random.Shuffle(len(e.Comparisons), func(i, j int) { e.Comparisons[i], e.Comparisons[j] = e.Comparisons[j], e.Comparisons[i] })
		if got := Advise(e); !reflect.DeepEqual(got, want) {
			t.Fatalf("draw %d: %+v, want %+v", draw, got, want)
		}
	}
}

// Evidence without a name supports nothing.
func TestAdviceWithoutNames(t *testing.T) {
	e := toy(t, "replay")
	e.Tuned.ID = ""
	for at := range e.Candidates {
		e.Candidates[at].ID = ""
	}
	for at := range e.Comparisons {
		e.Comparisons[at].ID = ""
	}
	list := Advise(e)
	lawful(t, e, list)
	if len(list) != 0 {
		t.Errorf("%+v", list)
	}
	if list := Advise(Evidence{}); list != nil {
		t.Errorf("without evidence: %+v", list)
	}
}
