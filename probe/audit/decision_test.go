package audit

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"surgeon/probe/stat"
)

// number finds the first sentence that names a task and reads the number that
// stands after a mark, -1 if there is none.
func number(t *testing.T, sentences []string, task, mark string) int {
	t.Helper()
	for _, s := range sentences {
		if _, after, found := strings.Cut(s, mark+" "); found && strings.Contains(s, "On "+task+" ") {
			word, _, _ := strings.Cut(after, " ")
			if n, err := strconv.Atoi(word); err == nil {
				return n
			}
		}
	}
	t.Errorf("no number for %s in %q", task, sentences)
	return -1
}

// decided judges fine-tune and repair and decides.
func decided(t *testing.T, tasks []Task, base, tuned, repair Model, rule Rule) (Decision, Evidence) {
	t.Helper()
	e := Evidence{
		Rule:       rule,
		Tuned:      Trial{ID: "judged/tuned", Name: "tuned", Class: ClassTuned, Verdict: judged(t, tasks, base, tuned, tuned, rule)},
		Candidates: []Trial{{ID: "judged/repair", Name: "repair", Class: ClassInterpolation, Strength: 0.5, Verdict: judged(t, tasks, base, tuned, repair, rule)}},
		Chosen:     "repair",
	}
	e.Lost = e.Tuned.Verdict.Regression
	return Decide(e.Tuned, e.chosen(), rule), e
}

// drawn is a random basket with a base, a tuned model and a repair. Repairs are
// often good, so that all decisions come up.
func drawn(random *rand.Rand) (tasks []Task, base, tuned, repair Model) {
	var right [3][]float64
	for at, kind := range []Kind{General, Safety, Safety, Domain}[random.IntN(3):] {
		tasks = append(tasks, task(string(rune('a'+at)), kind, []int{8, 60, 60, 400, 1000}[random.IntN(5)]+random.IntN(20)))
		tasks[at].Chance = []float64{0, 0, 0.25}[random.IntN(3)]
		tasks[at].Margin = []float64{0, 0.05, 0.1}[random.IntN(3)]
		good := []float64{0.2, 0.7, 0.9, 1}[random.IntN(4)]
		after := []float64{good, good, 0.1, 0.5}[random.IntN(4)]
		if kind == Domain {
			good, after = 0.2, 0.9
		}
		right[0], right[1], right[2] = append(right[0], good), append(right[1], after), append(right[2], after)
	}
	base, tuned = chance("base", tasks, random, right[0]...), chance("tuned", tasks, random, right[1]...)
	if random.IntN(3) == 0 { // the fine-tune changes little
		for at, task := range tasks {
			if task.Kind != Domain {
				tuned.Scores[at] = flipped(base, random, []float64{0, 0, 0.02}[random.IntN(3)]).Scores[at]
			}
		}
	}
	repair = flipped(base, random, []float64{0, 0.005, 0.05}[random.IntN(3)])
	for at, task := range tasks {
		if task.Kind == Domain || random.IntN(6) == 0 {
			repair.Scores[at] = tuned.Scores[at]
		}
	}
	repair.Name = "repair"
	return tasks, base, tuned, repair
}

// Whatever the scores are, no model is shipped on which a safety task has lost its
// margin or may have; SHIP has no condition and every safety task retained; and
// the recommendations keep their laws.
func TestDecisionLaws(t *testing.T) {
	words := map[DecisionWord]int{}
	for at := range 120 {
		random := rand.New(rand.NewPCG(61, uint64(at)))
		tasks, base, tuned, repair := drawn(random)
		d, e := decided(t, tasks, base, tuned, repair, Rule{Resamples: 100, Seed: uint64(at)})
		words[d.Word]++
		ships := d.Word == Ship || d.Word == ShipWithConditions
		if ships != (d.What != "") || d.Word == Ship && len(d.Conditions) > 0 || d.Word == ShipWithConditions && len(d.Conditions) == 0 || len(d.Evidence) == 0 || !strings.HasSuffix(d.Why, ".") {
			t.Fatalf("draw %d: %+v", at, d)
		}
		if ships {
			safetyHolds(t, d, map[string]*Verdict{"tuned": e.Tuned.Verdict, "repair": e.Candidates[0].Verdict}[d.What])
		}
		for _, c := range d.Conditions {
			if !strings.HasSuffix(c, ".") || strings.Contains(c, "%!") || strings.Contains(c, "NaN") {
				t.Errorf("draw %d: the condition %q", at, c)
			}
		}
		var again Decision
		roundTrip(t, &d, &again)
		lawful(t, e, Advise(e))
		noNaN(t, e.Candidates[0].Verdict)
	}
	t.Log(words)
	for _, word := range []DecisionWord{Ship, ShipWithConditions, Hold, InsufficientEvidence} {
		if words[word] < 5 {
			t.Errorf("%s comes up %d times only", word, words[word])
		}
	}
}

// safetyHolds checks by the numbers alone that the safety tasks of a model that is
// shipped are unharmed.
func safetyHolds(t *testing.T, d Decision, v *Verdict) {
	t.Helper()
	for _, task := range v.Tasks {
		if task.Kind != Safety {
			continue
		}
		retained := task.LowerBound > -task.Margin && task.Word == stat.Retained && task.Base-task.Chance > task.Margin
		same := task.Fell == 0 && task.N >= 30 && task.Base-task.Chance > task.Margin
		if d.Word == Ship && !retained || !retained && !same {
			t.Errorf("%s of %s with %+v", d.Word, d.What, task)
		}
	}
}

// noNaN writes a verdict, reads it again and writes the same.
func noNaN(t *testing.T, v *Verdict) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var again Verdict
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	again.rule = v.rule
	if !reflect.DeepEqual(&again, v) {
		t.Errorf("%+v comes back as %+v", v, &again)
	}
}

// The order of the tasks changes nothing but the order of the conditions.
func TestDecisionOrder(t *testing.T) {
	for at := range 15 {
		random := rand.New(rand.NewPCG(62, uint64(at)))
		tasks, base, tuned, repair := drawn(random)
		rule := Rule{Resamples: 100, Seed: 4}
		want, _ := decided(t, tasks, base, tuned, repair, rule)
		tasks = permuted(tasks, &base, &tuned, &repair)
		slices.Reverse(tasks)
		for _, m := range []Model{base, tuned, repair} {
			slices.Reverse(m.Scores)
		}
		got, _ := decided(t, tasks, base, tuned, repair, rule)
		slices.Sort(want.Conditions)
		slices.Sort(got.Conditions)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("draw %d: %+v, want %+v", at, got, want)
		}
	}
}

// Without verdicts nothing is decided and nothing fails.
func TestDecideOnNothing(t *testing.T) {
	check := func(name string, tuned, chosen Trial, word DecisionWord) {
		t.Helper()
		if d := Decide(tuned, chosen, Rule{}); d.Word != word || d.What != "" || d.Why == "" {
			t.Errorf("%s: %+v", name, d)
		}
	}
	check("nothing", Trial{}, Trial{}, InsufficientEvidence)
	tasks, base, tuned := usual()
	lost := Trial{ID: "judged/tuned", Name: "tuned", Verdict: judged(t, tasks, base, tuned, tuned, Rule{})}
	check("a chosen one alone", Trial{Name: "tuned"}, lost, InsufficientEvidence)
	check("no repair", lost, Trial{}, Hold)
	check("itself", lost, lost, Hold)
	cut := func(m Model) Model { m.Scores = m.Scores[2:]; return m }
	domain := Trial{Name: "tuned", Verdict: judged(t, tasks[2:], cut(base), cut(tuned), cut(tuned), Rule{})}
	check("the domain alone", domain, domain, InsufficientEvidence)
	noSafety := Evidence{Tuned: domain, Lost: domain.Verdict.Regression}
	lawful(t, noSafety, Advise(noSafety))
}
