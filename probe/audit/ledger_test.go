package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// Eight items, by hand: the base has the first six right, the tuned model 0, 1
// and 6. So 2 to 5 are lost.
func TestLedgerByHand(t *testing.T) {
	tasks := []Task{task("f", General, 8), task("c", Domain, 2)}
	of := func(name, class string, right ...int) Model {
		m := Model{Name: name, Class: class, Scores: [][]float64{make([]float64, 8), {0, 1}}}
		for _, i := range right {
			m.Scores[0][i] = 0.5 // is right
		}
		return m
	}
	l, err := Forgotten(tasks, of("base", "", 0, 1, 2, 3, 4, 5), of("tuned", "", 0, 1, 6), []Model{
		of("alpha=0.5", "interpolation", 0, 2, 6), // heals 2, breaks 1
		of("alpha=0.2", "interpolation", 0, 1, 2, 3, 7),
		of("replay", "training", 0, 1, 2, 4, 6, 7),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []LedgerTask{{
		Task: "f", Kind: General, N: 8, Lost: []string{"f-0002", "f-0003", "f-0004", "f-0005"}, Never: []string{"f-0005"},
		Candidates: []LedgerCandidate{
			{Name: "alpha=0.5", Class: "interpolation", Healed: 1, Broken: 1, Better: 1, Worse: 1},
			{Name: "alpha=0.2", Class: "interpolation", Healed: 2, Broken: 0, Better: 3, Worse: 1},
			{Name: "replay", Class: "training", Healed: 2, Broken: 0, Better: 3, Worse: 0},
		},
		Classes: []LedgerClass{
			{Class: "interpolation", Healed: 2, Only: []string{"f-0003"}},
			{Class: "training", Healed: 2, Only: []string{"f-0004"}},
		},
	}}
	// The mid-p values of McNemar's test: of 1 and 1 it is 1 less half of 2/4, of 1
	// and 3 it is 2 (1+4)/16 less 4/16, of 0 and 3 it is 2/8 less 1/8.
	for at, p := range []float64{0.75, 0.375, 0.125} {
		near(t, "p", l.Tasks[0].Candidates[at].P, p, 1e-12)
		want[0].Candidates[at].P = l.Tasks[0].Candidates[at].P
	}
	if !reflect.DeepEqual(l.Tasks, want) {
		t.Errorf("the ledger is\n%+v, want\n%+v", l.Tasks, want)
	}
	var again Ledger
	roundTrip(t, l, &again)
}

// roundTrip writes a value as JSON and reads it again.
func roundTrip[T any](t *testing.T, value, again *T) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, again); err != nil || !reflect.DeepEqual(value, again) {
		t.Errorf("%+v comes back as %+v: %v", value, again, err)
	}
}

// ledgerOfAll is a random basket with its models.
func ledgerOfAll(random *rand.Rand) (tasks []Task, base, tuned Model, candidates []Model) {
	tasks = []Task{task("a", General, 1+random.IntN(40)), task("b", Domain, 5), task("c", Safety, 1+random.IntN(40))}
	base, tuned = chance("base", tasks, random, 0.8, 0.2, 0.9), chance("tuned", tasks, random, 0.4, 0.8, 0.3)
	for i := range random.IntN(6) {
		m := chance(fmt.Sprint("m", i), tasks, random, random.Float64(), 0.5, random.Float64())
		m.Class = []string{"", "x", "y"}[random.IntN(3)]
		candidates = append(candidates, m)
	}
	return tasks, base, tuned, candidates
}

// The ledger against a recount by sets of items.
func TestLedgerRecount(t *testing.T) {
	for draw := range 100 {
		random := rand.New(rand.NewPCG(21, uint64(draw)))
		tasks, base, tuned, candidates := ledgerOfAll(random)
		l, err := Forgotten(tasks, base, tuned, candidates)
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Tasks) != 2 || l.Tasks[0].Task != "a" || l.Tasks[1].Task != "c" {
			t.Fatalf("draw %d: the tasks are %+v", draw, l.Tasks)
		}
		for at, place := range []int{0, 2} {
			recount(t, l.Tasks[at], tasks[place], place, base, tuned, candidates)
		}
	}
}

func recount(t *testing.T, l LedgerTask, of Task, place int, base, tuned Model, candidates []Model) {
	t.Helper()
	right := func(m Model) map[string]bool {
		set := map[string]bool{}
		for i, score := range m.Scores[place] {
			if score >= 0.5 {
				set[of.Items[i].ID] = true
			}
		}
		return set
	}
	both := func(sets ...map[string]bool) map[string]bool {
		result := maps.Clone(sets[0])
		for _, set := range sets[1:] {
			maps.DeleteFunc(result, func(id string, _ bool) bool { return !set[id] })
		}
		return result
	}
	without := func(set, less map[string]bool) map[string]bool {
		result := maps.Clone(set)
		maps.DeleteFunc(result, func(id string, _ bool) bool { return less[id] })
		return result
	}
	same := func(what string, got []string, want map[string]bool) {
		t.Helper()
		if names := slices.Sorted(maps.Keys(want)); !slices.Equal(got, names) {
			t.Errorf("%s are %q, want %q", what, got, names)
		}
	}
	lost := without(right(base), right(tuned))
	never, healedBy := maps.Clone(lost), map[string]map[string]bool{}
	for at, c := range candidates {
		healed := both(lost, right(c))
		broken := without(both(right(base), right(tuned)), right(c))
		got := l.Candidates[at]
		if got.Name != c.Name || got.Healed != len(healed) || got.Broken != len(broken) ||
			got.Better != len(without(right(c), right(tuned))) || got.Worse != len(without(right(tuned), right(c))) || !(got.P > 0 && got.P <= 1) {
			t.Errorf("%s: %+v, want %d healed and %d broken", c.Name, got, len(healed), len(broken))
		}
		never = without(never, healed)
		if healedBy[c.Class] == nil {
			healedBy[c.Class] = map[string]bool{}
		}
		maps.Copy(healedBy[c.Class], healed)
	}
	same("lost", l.Lost, lost)
	same("never healed", l.Never, never)
	if len(l.Classes) != len(healedBy) {
		t.Errorf("%d classes, want %d", len(l.Classes), len(healedBy))
	}
	all := len(lost) - len(never)
	for _, class := range l.Classes {
		only := maps.Clone(healedBy[class.Class])
		for other, set := range healedBy {
			if other != class.Class {
				only = without(only, set)
			}
		}
		same("only by "+class.Class, class.Only, only)
		if class.Healed != len(healedBy[class.Class]) || class.Healed > all || len(class.Only) > class.Healed {
			t.Errorf("class %s: %+v", class.Class, class)
		}
	}
}

// Neither the order of the candidates nor that of the tasks or items changes what
// is said of each.
func TestLedgerOrder(t *testing.T) {
	for draw := range 30 {
		random := rand.New(rand.NewPCG(22, uint64(draw)))
		tasks, base, tuned, candidates := ledgerOfAll(random)
		want, err := Forgotten(tasks, base, tuned, candidates)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(candidates)
		models := []*Model{&base, &tuned}
		for at := range candidates {
			models = append(models, &candidates[at])
		}
		tasks = permuted(tasks, models...)
		slices.Reverse(tasks)
		for _, m := range models {
			slices.Reverse(m.Scores)
		}
		got, err := Forgotten(tasks, base, tuned, candidates)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(got.Tasks)
		for at := range got.Tasks {
			slices.Reverse(got.Tasks[at].Candidates)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("draw %d: %+v, want %+v", draw, got, want)
		}
	}
}
