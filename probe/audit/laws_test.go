package audit

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

// Small random baskets, the more hostile for it: the verdict keeps its own rule,
// intervals hold their values, and every number can be written.
func TestLaws(t *testing.T) {
	words := map[Word]int{}
	for draw := range 300 {
		random := rand.New(rand.NewPCG(17, uint64(draw)))
		var tasks []Task
		var right [3][]float64
		for at, kind := range []Kind{General, Safety, Domain, Domain}[random.IntN(3):] {
			tasks = append(tasks, task(string(rune('a'+at)), kind, 1+random.IntN([]int{4, 60, 900}[random.IntN(3)])))
			tasks[at].Chance = []float64{0, 0.25}[random.IntN(2)]
			for m := range right {
				right[m] = append(right[m], []float64{0, 0.1, 0.5, 0.9, 1}[random.IntN(5)])
			}
			if random.IntN(3) == 0 {
				for i := range tasks[at].Items {
					tasks[at].Items[i].Cluster = []string{"", "x", "y", "z"}[random.IntN(4)]
				}
			}
		}
		base, tuned := chance("base", tasks, random, right[0]...), chance("tuned", tasks, random, right[1]...)
		candidate := []Model{base, tuned, chance("m", tasks, random, right[2]...), flipped(base, random, 0.02)}[random.IntN(4)]
		v := judged(t, tasks, base, tuned, candidate, Rule{Seed: uint64(draw), Resamples: 100})
		words[v.Word]++
		if _, err := json.Marshal(v); err != nil {
			t.Fatalf("draw %d: %v", draw, err)
		}
		obeys(t, v)
	}
	t.Log(words)
	if len(words) < 4 {
		t.Errorf("the draws give the words %v only", words)
	}
}

func obeys(t *testing.T, v *Verdict) {
	t.Helper()
	protected, failed, open := 0, 0, 0
	for _, task := range v.Tasks {
		for _, i := range []Interval{task.Gap, task.Difference, task.Closed} {
			if i.Defined == (i.Why != "") || i.Defined && !(i.Low <= i.Value && i.Value <= i.High) || !i.Defined && i != (Interval{Why: i.Why}) {
				t.Errorf("%s: interval %+v", task.Task, i)
			}
		}
		if task.Healed > task.Lost || task.NonInferior && task.Failed || task.NonInferior != (task.LowerBound > -task.Margin) {
			t.Errorf("%s: %+v", task.Task, task)
		}
		decided := task.Kind != Domain && !task.Floor && (task.NonInferior || task.Difference.High < -task.Margin)
		if gate := gateOf(task, v.rule); decided && task.Needed != 0 || task.Needed != 0 && (task.Needed <= task.N || task.Needed != gate.N || gate.Passed) {
			t.Errorf("%s needs %d items of %d", task.Task, task.Needed, task.N)
		}
		if task.Kind == Domain {
			continue
		}
		protected++
		if task.Failed {
			failed++
		} else if !task.NonInferior {
			open++
		}
	}
	kept := v.Retention.Defined && v.Retention.Low >= 0.8
	switch closed := failed == 0 && open == 0 && kept; {
	case protected == 0 && v.Word != Insufficient,
		v.Word == Closed && !closed,
		v.Word == NoGap && (failed > 0 || v.Largest != ""),
		closed && v.Largest != "" && v.Word != Closed,
		(v.Word == PartlyClosed || v.Word == NotClosed) && failed == 0 && !(v.Retention.Defined && v.Retention.High < 0.8),
		v.Word == Insufficient && len(v.Open) == 0 && protected > 0:
		t.Errorf("%q with %d failed, %d open, retention %+v: %s", v.Word, failed, open, v.Retention, v.Sentence)
	}
	if v.Sentence == "" || !strings.HasSuffix(v.Sentence, ".") || strings.Contains(v.Sentence, "%!") || strings.Contains(v.Sentence, "NaN") {
		t.Errorf("the sentence %q", v.Sentence)
	}
}
