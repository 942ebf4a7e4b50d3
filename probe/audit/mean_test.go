package audit

import (
	"math"
	"math/rand/v2"
	"testing"

	"surgeon/probe/stat"
)

// 60 of 100 and 30 of 50 right: variances 0.24/99 and 0.24/49 of the means.
func TestMeanByHand(t *testing.T) {
	tasks := []Task{task("a", General, 100), task("b", Safety, 50), task("c", Domain, 100)}
	protected, domain := Mean(tasks, model("m", tasks, 60, 40, 20), Rule{})
	check := func(what string, i Interval, value, half float64) {
		t.Helper()
		if !i.Defined || i.Why != "" {
			t.Errorf("%s: %+v", what, i)
		}
		near(t, what, i.Value, value, 1e-12)
		near(t, what+" from", i.Low, value-half, 1e-5)
		near(t, what+" to", i.High, value+half, 1e-5)
	}
	// Var = (0.24/99 + 0.16/49) / 4, and 1.95996 of its root
	check("protected", protected, 0.7, 1.959964*math.Sqrt((0.24/99+0.16/49)/4))
	check("domain", domain, 0.2, 1.959964*math.Sqrt(0.16/99))
	protected, _ = Mean(tasks, model("m", tasks, 60, 40, 20), Rule{Confidence: 0.9})
	check("at 90 %", protected, 0.7, 1.644854*math.Sqrt((0.24/99+0.16/49)/4))
	// All right: no spread, but 150 items leave room for 1-0.025^(1/150).
	protected, domain = Mean(tasks, model("m", tasks, 100, 50, 0), Rule{})
	near(t, "all right", protected.Low, math.Pow(0.025, 1.0/150), 1e-9)
	near(t, "none right", domain.High, 1-math.Pow(0.025, 1.0/100), 1e-9)
	if protected.High != 1 || domain.Low != 0 {
		t.Errorf("%+v and %+v leave the scale", protected, domain)
	}
}

// Sixteen clusters of three, each all right or all wrong, count as sixteen items.
func TestMeanOfClusters(t *testing.T) {
	tasks, units := []Task{task("a", General, 48)}, []Task{task("a", General, 16)}
	for i := range tasks[0].Items {
		tasks[0].Items[i].Cluster = string(rune('a' + i/3))
	}
	clustered, _ := Mean(tasks, model("m", tasks, 24), Rule{})
	near(t, "the clusters", clustered.half(), 1.959964*math.Sqrt(0.25/15), 1e-5)
	alone, _ := Mean(units, model("m", units, 8), Rule{})
	near(t, "as many items", alone.half(), clustered.half(), 1e-12)
}

// The mean of one task has the standard error that package stat gives the task,
// the mean of two equal tasks half its square, and no order matters.
func TestMeanLaws(t *testing.T) {
	for draw := range 50 {
		random := rand.New(rand.NewPCG(51, uint64(draw)))
		one := task("a", General, 100+random.IntN(200))
		other := task("b", General, len(one.Items))
		m := chance("m", []Task{one}, random, 0.3+0.4*random.Float64())
		sample := stat.Sample{Scores: m.Scores[0]}
		for _, item := range one.Items {
			sample.Items = append(sample.Items, item.ID)
		}
		want, err := stat.Mean(sample, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		single, none := Mean([]Task{one}, m, Rule{})
		near(t, "the mean", single.Value, want.Mean, 1e-12)
		near(t, "its error", single.half(), 1.959964*want.SE, 1e-6)
		if none.Defined || none.Why == "" {
			t.Errorf("no domain task: %+v", none)
		}
		two, _ := Mean([]Task{one, other}, Model{Scores: [][]float64{m.Scores[0], m.Scores[0]}}, Rule{})
		near(t, "two alike", two.half(), single.half()/math.Sqrt2, 1e-9)
		turned := permuted([]Task{one}, &m)
		if again, _ := Mean(turned, m, Rule{}); again != single {
			t.Errorf("in another order %+v, want %+v", again, single)
		}
	}
}

func TestMeanUndefined(t *testing.T) {
	tasks := []Task{task("a", General, 1), task("b", General, 50), task("c", Domain, 2)}
	tasks[2].Items[0].Cluster, tasks[2].Items[1].Cluster = "x", "x"
	protected, domain := Mean(tasks, model("m", tasks, 1, 30, 1), Rule{})
	if protected.Defined || domain.Defined || protected.Why == "" || domain.Why == "" {
		t.Errorf("one item and one cluster: %+v and %+v", protected, domain)
	}
	if protected, _ := Mean(tasks, model("m", tasks, 1, 30, 1), Rule{Confidence: 95}); protected.Defined {
		t.Errorf("at a confidence of 95: %+v", protected)
	}
}
