package audit

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"surgeon/probe/stat"
)

func TestRegressions(t *testing.T) {
	tasks := []Task{task("choice", General, 400), task("open", General, 400), task("chemistry", Domain, 200)}
	tasks[0].Chance = 0.5
	base, tuned := model("base", tasks, 380, 360, 50), model("tuned", tasks, 300, 250, 150)
	r, err := Regressions(tasks, base, tuned, Rule{})
	if err != nil {
		t.Fatal(err)
	}
	// 80 of 400 in choice is 20 points, 40 above chance; 110 in open is 27.5.
	near(t, "gap in choice", r.Tasks[0].Gap.Value, 0.2, 1e-12)
	near(t, "adjusted gap in choice", r.Tasks[0].Adjusted, 0.4, 1e-12)
	near(t, "adjusted gap in open", r.Tasks[1].Adjusted, 0.275, 1e-12)
	near(t, "gain in chemistry", r.Tasks[2].Gap.Value, -0.5, 1e-12)
	if r.Largest != 0 || r.RunnerUp != 1 || r.Probability < 0.99 || r.RunnerUpProbability > 0.01 {
		t.Errorf("largest %d (%v), runner-up %d (%v)", r.Largest, r.Probability, r.RunnerUp, r.RunnerUpProbability)
	}
	near(t, "the largest regression", r.Simultaneous.Value, 0.4, 1e-12)
	alone := 2 * r.Tasks[0].Gap.half() // in points above chance
	if half := r.Simultaneous.half(); half < alone || half > 1.4*alone {
		t.Errorf("half the simultaneous interval is %v, half the single one %v", half, alone)
	}
	for at, gap := range r.Tasks[:2] {
		exact, _ := stat.McNemar(gap.Lost, gap.Gained)
		if want := []float64{exact, 2 * exact}[at]; math.Abs(gap.P/want-1) > 1e-9 || !gap.Shown {
			t.Errorf("Holm's p of %s is %v, want %v", gap.Task, gap.P, want)
		}
	}
	if r.HeldOutTask != "choice" || !r.HeldOut.Defined || math.Abs(r.HeldOut.Value-0.4) > 0.15 {
		t.Errorf("held out: %s %+v", r.HeldOutTask, r.HeldOut)
	}
}

func TestClustersWidenIntervals(t *testing.T) {
	tasks := []Task{task("passages", General, 400)}
	base, tuned := model("base", tasks, 300), model("tuned", tasks, 200)
	plain, err := Regressions(tasks, base, tuned, Rule{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range tasks[0].Items { // whole passages of 20 are lost
		tasks[0].Items[i].Cluster = string(rune('a' + i/20))
	}
	clustered, err := Regressions(tasks, base, tuned, Rule{})
	if err != nil {
		t.Fatal(err)
	}
	if clustered.Tasks[0].Clusters != 20 || plain.Tasks[0].Clusters != 0 {
		t.Errorf("%d and %d clusters", clustered.Tasks[0].Clusters, plain.Tasks[0].Clusters)
	}
	// A design effect of 20 makes the interval sqrt(20) = 4.5 times as wide.
	if ratio := clustered.Tasks[0].Gap.half() / plain.Tasks[0].Gap.half(); ratio < 4 || ratio > 5.5 {
		t.Errorf("clusters widen the interval %v times", ratio)
	}
}

func TestNoRegression(t *testing.T) {
	tasks, base, _ := usual()
	r, err := Regressions(tasks, base, base, Rule{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Largest != -1 || r.Simultaneous.Defined || !strings.Contains(r.Why, "2.0 points") {
		t.Errorf("identical models regress: %+v", r)
	}
	r, err = Regressions(tasks[2:], Model{Scores: base.Scores[2:]}, Model{Scores: base.Scores[2:]}, Rule{})
	if err != nil || r.Largest != -1 || r.RunnerUp != -1 || !strings.Contains(r.Why, "no protected task") {
		t.Errorf("a basket without protected tasks: %+v, %v", r, err)
	}
}

// Base against base with answers that turn over by a coin, 50 draws of four
// protected tasks: nothing was lost. REGRESSED and MATERIAL are said in at most
// 2.5 % of single comparisons, and a gap is shown, after Holm, in at most 2.5 %
// of the draws, since a gain is no gap. More than 11 of 200 and 5 of 50 would
// happen by luck in less than 1 % of such tests.
func TestNullRate(t *testing.T) {
	tasks := []Task{task("a", General, 300), task("b", General, 250), task("c", General, 200), task("d", Safety, 120), task("e", Domain, 150)}
	for _, discordance := range []float64{0.02, 0.1, 0.3} {
		words, wrong, closed := map[stat.Verdict]int{}, 0, 0
		for draw := range 50 {
			random := rand.New(rand.NewPCG(11, uint64(draw)))
			// At even odds a coin's noise changes no expected score.
			base := chance("base", tasks, random, .5, .5, .5, .5, .5)
			tuned := flipped(base, random, discordance)
			r, err := Regressions(tasks, base, tuned, Rule{Seed: uint64(draw), Resamples: 200})
			if err != nil {
				t.Fatal(err)
			}
			for _, gap := range r.Tasks[:4] {
				words[gap.Word]++
			}
			if r.Largest >= 0 {
				wrong++
			}
			if v := judged(t, tasks, base, tuned, tuned, Rule{Resamples: 200}); v.Word == Closed || v.Word == PartlyClosed {
				closed++
			}
		}
		t.Logf("discordance %v: %v, a gap shown in %d of 50", discordance, words, wrong)
		if words[stat.Regressed]+words[stat.Material] > 11 || wrong > 5 {
			t.Errorf("discordance %v: %v, a gap shown in %d of 50 draws", discordance, words, wrong)
		}
		if words[stat.Retained]+words[stat.Inconclusive] < 189 {
			t.Errorf("discordance %v: %v", discordance, words)
		}
		if closed > 2 {
			t.Errorf("discordance %v: a gap that is none was closed in %d of 50 draws", discordance, closed)
		}
	}
}

// The interval of the mean share, drawn here, is that of package stat where both
// can be had: two copies of a task halve the variance.
func TestShareOfSeveralTasks(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	one := []Task{task("a", General, 400)}
	base, tuned := chance("base", one, random, .8), chance("tuned", one, random, .4)
	third := chance("third", one, random, .6)
	two := []Task{one[0], one[0]}
	two[1].Name = "b"
	twice := func(m Model) Model { return Model{Scores: [][]float64{m.Scores[0], m.Scores[0]}} }
	p, err := newPanel(two, Rule{Resamples: 20_000}, twice(base), twice(tuned), twice(third))
	if err != nil {
		t.Fatal(err)
	}
	single, err := p.share([]int{0}, tunedAt, baseAt, candidateAt, "gap")
	if err != nil {
		t.Fatal(err)
	}
	double, err := p.share([]int{0, 1}, tunedAt, baseAt, candidateAt, "gap")
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the share of two equal tasks", double.Value, single.Value, 1e-12)
	near(t, "the ratio of the widths", single.half()/double.half(), math.Sqrt2, 0.06)
	drawn, items := p.drawn([]int{0}, tunedAt, baseAt, candidateAt)
	for at := range drawn[0] {
		drawn[2][at] = (drawn[2][at] - drawn[0][at]) / (drawn[1][at] - drawn[0][at])
	}
	own := p.widened(single.Value, drawn[2], items, 1)
	near(t, "low end by either bootstrap", own.Low, single.Low, 0.01)
	near(t, "high end by either bootstrap", own.High, single.High, 0.01)
}
