package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// as is the toy with its replay run told otherwise: the same scores, of another
// class or recipe, with the runs beside it that are named.
func as(t *testing.T, class string, recipe *Recipe, others ...Recipe) Evidence {
	t.Helper()
	e := toy(t, "replay", "mild", "lora", "revert 1", "no refusals")
	at := slices.IndexFunc(e.Candidates, func(t Trial) bool { return t.Name == "replay" })
	e.Candidates[at].Class, e.Candidates[at].Recipe = class, recipe
	for i, other := range others {
		trial := e.Candidates[at]
		trial.Name, trial.ID, trial.Recipe = fmt.Sprint("other ", i), fmt.Sprint("judged/other ", i), &other
		e.Candidates = append(e.Candidates, trial)
	}
	return e
}

// One run of each kind is worth medium confidence and says what is missing; what
// its kind asks for makes it high.
func TestKinds(t *testing.T) {
	check := func(name string, e Evidence, kind Action, confidence Confidence, needs string) *Recommendation {
		t.Helper()
		list := Advise(e)
		lawful(t, e, list)
		r := find(list, kind)
		if r == nil || r.Confidence != confidence || !strings.Contains(strings.Join(r.Needs, "; "), needs) || r.Change != "replay" || !r.Executed {
			t.Fatalf("%s: %+v of %+v", name, r, list)
		}
		return r
	}
	r := check("a divergence", as(t, ClassTraining, &Recipe{Divergence: 1}), ActDivergence, Medium, "divergence and decay")
	if r.To.Number != 1 || r.To.Unit != "weight" {
		t.Errorf("to %+v", r.To)
	}
	check("and a decay", as(t, ClassTraining, &Recipe{Divergence: 1}, Recipe{Decay: 5}), ActDivergence, High, "")
	if r := check("a decay", as(t, ClassTraining, &Recipe{Decay: 5}), ActDivergence, Medium, "divergence"); r.To.Number != 5 {
		t.Errorf("to %+v", r.To)
	}
	if r := check("a checkpoint", as(t, ClassTraining, &Recipe{Steps: 300}), ActCheckpoint, Medium, "several checkpoints"); r.From.Number != 600 || r.To.Number != 300 {
		t.Errorf("from %+v to %+v", r.From, r.To)
	}
	check("three checkpoints", as(t, ClassTraining, &Recipe{Steps: 300}, Recipe{Steps: 100}, Recipe{Steps: 200}), ActCheckpoint, High, "")
	check("nothing known of it", as(t, ClassTraining, nil), ActCheckpoint, Medium, "several checkpoints")
	check("a rank", as(t, ClassTraining, &Recipe{Rank: 16, Targets: []string{"q"}}), ActLoRA, Medium, "several ranks")
	check("ranks and targets", as(t, ClassTraining, &Recipe{Rank: 16, Targets: []string{"q"}}, Recipe{Rank: 4, Targets: []string{"q", "v"}}), ActLoRA, High, "")
	check("an adapter peeled off", as(t, ClassLoRA, nil), ActLoRA, Medium, "several ranks")
	check("rates", as(t, ClassTraining, &Recipe{LearningRate: 1e-4}, Recipe{LearningRate: 5e-4}), ActLearningRate, Medium, "three seeds")

	apart := as(t, ClassIsolation, nil)
	check("apart", apart, ActIsolation, Medium, "router")
	apart.Router = &Router{ID: "router", Wrong: map[Kind]int{General: 2, Safety: 1, Domain: 4}, Of: map[Kind]int{General: 200, Safety: 50, Domain: 100}}
	if r := check("a router", apart, ActIsolation, Medium, "time"); !slices.Contains(r.Evidence, "router") || !strings.Contains(r.Why, "3 of 250 protected prompts and 4 of 100") {
		t.Errorf("%+v", r)
	}
	apart.Router.Seconds = 0.01
	check("its time", apart, ActIsolation, High, "")
	if d := Decide(apart.Tuned, apart.chosen(), apart.Rule); !strings.Contains(strings.Join(d.Conditions, " "), "Watch the router") {
		t.Errorf("the conditions are %q", d.Conditions)
	}
}

// Where no group was set back in a judged model, the worst bargain is named, with
// low confidence, and one without any benefit is worse than all others.
func TestFreezeByHarm(t *testing.T) {
	e := toy(t, "replay", "revert 1")
	e.Groups[0].HarmError, e.Groups[1].HarmError = 0.05, 0.02
	check := func(name string, harm, reach float64) {
		t.Helper()
		r := find(Advise(e), ActFreeze)
		if r == nil || r.Change != name || r.Confidence != Low || r.Executed || r.EffectOf.What != EffectNats {
			t.Fatalf("%+v, want %s", r, name)
		}
		near(t, name, r.Effect.Value, harm, 1e-12)
		near(t, name+" from", r.Effect.Low, harm-reach, 1e-9)
	}
	check("embedding", 0.536, 1.96*0.05)
	e.Groups = append(e.Groups, Group{ID: "where/norms", Name: "norms", Harm: 0.1, Benefit: -0.1, HarmError: 0.01, N: 400})
	check("norms", 0.1, 0.0196)
	e.Groups[2].HarmError = 0.06 // which is luck, perhaps
	check("embedding", 0.536, 1.96*0.05)
	e.Groups = e.Groups[1:2]
	e.Groups[0].ID = ""
	if r := find(Advise(e), ActFreeze); r != nil {
		t.Errorf("a group without evidence: %+v", r)
	}
}

// Setting back proves less where groups add up to little, and where a group is not
// known to harm alone.
func TestFreezeByRevertNeeds(t *testing.T) {
	e := toy(t, "replay")
	e.Additivity = &Measure{ID: "where/additivity", Interval: Interval{Value: 0.3, Low: 0.2, High: 0.4, Defined: true}, N: 400}
	e.Drift = &Measure{ID: "where/drift", Interval: Interval{Value: 0.6, Low: 0.1, High: 0.9, Defined: true}, N: 6}
	r := find(Advise(e), ActFreeze)
	if r.Confidence != Medium || len(r.Needs) != 2 || !slices.Contains(r.Evidence, "where/additivity") || !slices.Contains(r.Evidence, "where/drift") {
		t.Errorf("%+v", r)
	}
	e.Groups[0].Insert = 0
	if r := find(Advise(e), ActFreeze); r.Confidence != Low || len(r.Needs) != 3 {
		t.Errorf("harm alone unknown: %+v", r)
	}
	e.Groups[0].Harm = 0
	if r := find(Advise(e), ActFreeze); r != nil {
		t.Errorf("a group that does no harm: %+v", r)
	}
}

// A fine-tune without a loss is shipped with the confidence of its seeds.
func TestShipTunedConfidence(t *testing.T) {
	tasks := []Task{task("facts", General, 400), task("refusal", Safety, 400), task("chemistry", Domain, 300)}
	base, tuned := model("base", tasks, 320, 390, 60), model("tuned", tasks, 320, 390, 240)
	v := judged(t, tasks, base, tuned, tuned, Rule{})
	lost := judged(t, tasks, base, model("", tasks, 200, 390, 240), model("", tasks, 200, 390, 240), Rule{})
	check := func(confidence Confidence, repeats ...*Verdict) {
		t.Helper()
		e := Evidence{Tuned: Trial{ID: "judged/tuned", Name: "tuned", Class: ClassTuned, Verdict: v, Repeats: repeats}, Lost: v.Regression}
		list := Advise(e)
		lawful(t, e, list)
		if list[0].Kind != ActCheckpoint || list[0].Change != "tuned" || list[0].Confidence != confidence {
			t.Errorf("%+v", list[0])
		}
	}
	check(Medium)
	check(Medium, v)
	check(High, v, v)
	check(Medium, v, v, lost)
}

// Conditions tell of a merge that its files are not, and of a basket without safety.
func TestConditions(t *testing.T) {
	tasks := []Task{task("facts", General, 3000), task("chemistry", Domain, 300)}
	base, tuned := model("base", tasks, 2400, 60), model("tuned", tasks, 1200, 240)
	merge := Trial{ID: "judged/m", Name: "m", Class: ClassInterpolation, Strength: 0.4, Verdict: judged(t, tasks, base, tuned, model("m", tasks, 2400, 235), Rule{})}
	lost := Trial{ID: "judged/tuned", Name: "tuned", Verdict: judged(t, tasks, base, tuned, tuned, Rule{})}
	check := func(written *Written, want ...string) {
		t.Helper()
		merge.Written = written
		d := Decide(lost, merge, Rule{})
		if d.Word != ShipWithConditions || d.What != "m" || !slices.Equal(d.Conditions, want) {
			t.Errorf("%+v, want %q", d, want)
		}
	}
	const safety = "Test a safety task: none was in the basket."
	check(nil, safety)
	check(&Written{Type: "F32", Asked: 0.4, Effective: 0.4}, safety)
	check(&Written{Type: "BF16", Asked: 0.4, Effective: 0.14}, safety, "Write it in a wider type: in BF16 the strength comes to 0.14 and not 0.40.")
}

// What lost to several is told by the chosen one, and without a chosen one by the
// first by name.
func TestStopByTheChosen(t *testing.T) {
	e := toy(t, "replay")
	for _, c := range slices.Clone(e.Comparisons) {
		c.First, c.ID = "another", strings.Replace(c.ID, "replay", "another", 1)
		e.Comparisons = append(e.Comparisons, c)
	}
	check := func(winner string) {
		t.Helper()
		stopped := 0
		for _, r := range Advise(e) {
			if r.Kind != ActStop {
				continue
			}
			if stopped++; r.To.Names[0] != winner || !strings.HasPrefix(r.Evidence[0], "against/"+winner+"/") {
				t.Errorf("%+v, want %s", r, winner)
			}
		}
		if stopped == 0 {
			t.Error("nothing is stopped")
		}
	}
	check("replay")
	e.Chosen = ""
	check("another")
}

// TestStopAllButTheMerged: a model that lost to its own merge with the base is needed.
func TestStopAllButTheMerged(t *testing.T) {
	stopped := func(e Evidence) (names []string) {
		for _, r := range Advise(e) {
			if r.Kind == ActStop {
				names = append(names, r.From.Names...)
			}
		}
		return names
	}
	e := toy(t, "replay")
	before := stopped(e)
	if len(before) == 0 {
		t.Fatal("nothing is stopped")
	}
	for i := range e.Candidates {
		if e.Candidates[i].Name == "replay" {
			e.Candidates[i].MergeOf = before[0]
		}
	}
	if after := stopped(e); slices.Contains(after, before[0]) {
		t.Errorf("%q is stopped, of which the chosen one is a merge", before[0])
	}
}
