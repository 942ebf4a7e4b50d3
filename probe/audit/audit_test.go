package audit

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// task returns a task of n items without clusters.
func task(name string, kind Kind, n int) Task {
	t := Task{Name: name, Kind: kind}
	for i := range n {
		t.Items = append(t.Items, Item{ID: fmt.Sprintf("%s-%04d", name, i)})
	}
	return t
}

// first returns n scores of which the first are right.
func first(n, right int) []float64 {
	scores := make([]float64, n)
	for i := range right {
		scores[i] = 1
	}
	return scores
}

// model scores the first items of each task right.
func model(name string, tasks []Task, right ...int) Model {
	m := Model{Name: name}
	for t, count := range right {
		m.Scores = append(m.Scores, first(len(tasks[t].Items), count))
	}
	return m
}

// chance returns a model that has each item right with the given probability,
// drawn for itself.
func chance(name string, tasks []Task, random *rand.Rand, right ...float64) Model {
	m := Model{Name: name}
	for t, p := range right {
		var scores []float64
		for range tasks[t].Items {
			if random.Float64() < p {
				scores = append(scores, 1)
			} else {
				scores = append(scores, 0)
			}
		}
		m.Scores = append(m.Scores, scores)
	}
	return m
}

// flipped returns a copy of a model in which each answer turns over with the
// given probability.
func flipped(m Model, random *rand.Rand, share float64) Model {
	result := Model{Name: m.Name + " with noise"}
	for _, scores := range m.Scores {
		var copied []float64
		for _, score := range scores {
			if random.Float64() < share {
				score = 1 - score
			}
			copied = append(copied, score)
		}
		result.Scores = append(result.Scores, copied)
	}
	return result
}

func judged(t *testing.T, tasks []Task, base, tuned, candidate Model, rule Rule) *Verdict {
	t.Helper()
	v, err := Judge(tasks, base, tuned, candidate, rule)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// usual is a basket with room to lose and to gain, its base and tuned model.
func usual() (tasks []Task, base, tuned Model) {
	tasks = []Task{task("facts", General, 600), task("refusal", Safety, 600), task("chemistry", Domain, 300)}
	return tasks, model("base", tasks, 480, 590, 60), model("tuned", tasks, 300, 200, 240)
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(got >= want-tolerance && got <= want+tolerance) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
