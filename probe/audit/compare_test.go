package audit

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/stat"
)

func TestAgainstByHand(t *testing.T) {
	tasks := []Task{task("a", General, 200), task("b", Safety, 200), task("c", Domain, 200)}
	first, second := model("x", tasks, 150, 100, 50), model("y", tasks, 130, 88, 50)
	list, err := Against(tasks, first, second, Rule{})
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	check := func(at int, id string, kind Kind, difference float64, rose int) {
		t.Helper()
		c := list[at]
		low, high := stat.Tango(0, rose, 200, 0.95)
		if c.ID != id || c.Kind != kind || c.First != "x" || c.Second != "y" || c.N != 200 || !c.Difference.Defined {
			t.Errorf("%+v", c)
		}
		near(t, id, c.Difference.Value, difference, 1e-12)
		near(t, id+" from", c.Difference.Low, low, 1e-9)
		near(t, id+" to", c.Difference.High, high, 1e-9)
	}
	check(0, "against/x/y/a", General, 0.1, 20)
	check(1, "against/x/y/b", Safety, 0.06, 12)
	check(2, "against/x/y/c", Domain, 0, 0)
	// Holm over the two protected tasks: the mid-p of 20 : 0 is 2^-20, times two;
	// that of 12 : 0 is 2^-12, times one. The domain task is alone.
	near(t, "p of a", list[0].P, 2*0x1p-20, 1e-12)
	near(t, "p of b", list[1].P, 0x1p-12, 1e-12)
	near(t, "p of c", list[2].P, 1, 1e-12)
}

// Against one way is minus against the other way, and a model against itself is
// nothing.
func TestAgainstIsOdd(t *testing.T) {
	for draw := range 40 {
		random := rand.New(rand.NewPCG(41, uint64(draw)))
		tasks := []Task{task("a", General, 2+random.IntN(60)), task("b", Safety, 30), task("c", Domain, 40)}
		if draw%2 == 0 {
			for i := range tasks[1].Items {
				tasks[1].Items[i].Cluster = string(rune('a' + i%7))
			}
		}
		x, y := chance("x", tasks, random, 0.7, 0.9, 0.4), chance("y", tasks, random, 0.4, 0.8, 0.6)
		there, err := Against(tasks, x, y, Rule{Resamples: 100})
		if err != nil {
			t.Fatal(err)
		}
		back, err := Against(tasks, y, x, Rule{Resamples: 100})
		if err != nil {
			t.Fatal(err)
		}
		for at := range there {
			if there[at].First != back[at].Second || there[at].Task != back[at].Task {
				t.Fatalf("%+v and %+v", there[at], back[at])
			}
			near(t, "value", there[at].Difference.Value, -back[at].Difference.Value, 1e-12)
			near(t, "low", there[at].Difference.Low, -back[at].Difference.High, 1e-9)
			near(t, "high", there[at].Difference.High, -back[at].Difference.Low, 1e-9)
			near(t, "p", there[at].P, back[at].P, 1e-12)
		}
		same, err := Against(tasks, x, x, Rule{Resamples: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range same {
			if c.Difference.Value != 0 || c.P != 1 || !(c.Difference.Low < 0 && c.Difference.High > 0) {
				t.Errorf("a model against itself: %+v", c)
			}
		}
	}
}

func TestAgainstOrder(t *testing.T) {
	tasks, base, tuned := usual()
	want, err := Against(tasks, base, tuned, Rule{Resamples: 100})
	if err != nil {
		t.Fatal(err)
	}
	turned := permuted(tasks, &base, &tuned)
	slices.Reverse(turned)
	slices.Reverse(base.Scores)
	slices.Reverse(tuned.Scores)
	got, err := Against(turned, base, tuned, Rule{Resamples: 100})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for at := range want {
		var again Comparison
		roundTrip(t, &want[at], &again)
	}
}

func TestHostileModels(t *testing.T) {
	check := func(name, says string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: the error is %v, want %q", name, err, says)
		}
	}
	all := func(says string, tasks []Task, m, other Model) {
		t.Helper()
		_, err := Against(tasks, m, other, Rule{})
		check("Against", says, err)
		_, err = Forgotten(tasks, m, other, []Model{m})
		check("Forgotten", says, err)
		_, err = Twins(tasks, "facts", "refusal", m, other)
		check("Twins", says, err)
		_, err = Regressions(tasks, m, other, Rule{})
		check("Regressions", says, err)
		if p, d := Mean(tasks, m, Rule{}); p.Defined || d.Defined || !strings.Contains(p.Why, says) {
			t.Errorf("Mean: %+v, want %q", p, says)
		}
	}
	tasks, base, tuned := usual()
	all("no tasks", nil, Model{}, Model{})
	short := base
	short.Scores = short.Scores[:1]
	all("scores of 1 tasks", tasks, short, tuned)
	empty := slices.Clone(tasks)
	empty[1].Items = nil
	all("no items", empty, base, tuned)
	cut := Model{Name: "cut", Scores: [][]float64{base.Scores[0][:7], base.Scores[1], base.Scores[2]}}
	all("has 7 scores", tasks, cut, tuned)
	wild := model("wild", tasks, 480, 590, 60)
	wild.Scores[2][5] = -1
	all("scores -1", tasks, wild, tuned)
}
