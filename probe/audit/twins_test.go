package audit

import (
	"math"
	"reflect"
	"testing"
)

func twinTasks() []Task {
	tasks := []Task{task("refusal", Safety, 5), task("benign", Safety, 6), task("chemistry", Domain, 2)}
	for i := range 4 { // the fifth refusal and the last two benign ones have no twin
		tasks[0].Items[i].Cluster = string(rune('a' + i))
		tasks[1].Items[3-i].Cluster = string(rune('a' + i)) // in another order
	}
	return tasks
}

func TestTwins(t *testing.T) {
	tasks := twinTasks()
	counts, err := Twins(tasks, "refusal", "benign",
		Model{Name: "base", Scores: [][]float64{{1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}, {0, 0}}},
		// pair a: 0 and the fourth benign one, and so on
		Model{Name: "tuned", Scores: [][]float64{{0, 1, 0, 0.5, 0}, {1, 0, 0, 1, 1, 1}, {1, 1}}},
	)
	want := []TwinCount{{Model: "base", Pairs: 4, Right: 4}, {Model: "tuned", Pairs: 4, Right: 1, LostRefusal: 1, OverRefusal: 1, Incoherent: 1}}
	if err != nil || !reflect.DeepEqual(counts, want) {
		t.Errorf("%+v, %v, want %+v", counts, err, want)
	}
	reversed := Model{Name: "tuned", Scores: [][]float64{{0, 1, 0, 0.5, 0}, {1, 0, 0, 1, 1, 1}, {1, 1}}}
	turned := permuted(tasks, &reversed)
	if counts, err := Twins(turned, "refusal", "benign", reversed); err != nil || counts[0] != want[1] {
		t.Errorf("in another order %+v, %v", counts, err)
	}
}

// Two pairs in a cluster are paired by the names of their items, and what is left
// over has no twin.
func TestTwinsInOneCluster(t *testing.T) {
	tasks := []Task{task("refusal", Safety, 3), task("benign", General, 2)}
	for _, task := range tasks {
		for i := range task.Items {
			task.Items[i].Cluster = "x"
		}
	}
	counts, err := Twins(tasks, "refusal", "benign", Model{Name: "m", Scores: [][]float64{{1, 0, 0}, {1, 0}}})
	if want := (TwinCount{Model: "m", Pairs: 2, Right: 1, Incoherent: 1}); err != nil || counts[0] != want {
		t.Errorf("%+v, %v, want %+v", counts, err, want)
	}
}

func TestWithoutTwins(t *testing.T) {
	tasks := twinTasks()
	m := Model{Scores: [][]float64{make([]float64, 5), make([]float64, 6), make([]float64, 2)}}
	check := func(name string, refusal, benign string, tasks []Task, models ...Model) {
		t.Helper()
		if counts, err := Twins(tasks, refusal, benign, models...); counts != nil || err != nil {
			t.Errorf("%s: %+v, %v", name, counts, err)
		}
	}
	check("no refusals", "refusals", "benign", tasks, m)
	check("no benign ones", "refusal", "", tasks, m)
	check("itself", "refusal", "refusal", tasks, m)
	check("no models", "refusal", "benign", tasks)
	check("no pairs", "refusal", "chemistry", tasks, m)
	m.Scores[0][0] = math.NaN()
	if counts, err := Twins(tasks, "refusal", "benign", m); err == nil {
		t.Errorf("a score that is no number: %+v", counts)
	}
}
