package audit

import (
	"math"
	"strings"
	"testing"
)

func TestHostileInput(t *testing.T) {
	check := func(says string, spoil func(tasks []Task, base, candidate *Model, rule *Rule) []Task) {
		t.Helper()
		tasks, base, tuned := usual()
		candidate, rule := model("candidate", tasks, 480, 590, 240), Rule{}
		tasks = spoil(tasks, &base, &candidate, &rule)
		_, err := Judge(tasks, base, tuned, candidate, rule)
		switch {
		case err == nil:
			t.Errorf("no error that says %q", says)
		case !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), "audit: ") || strings.ContainsAny(err.Error(), "\n"):
			t.Errorf("the error is %q, want %q in it", err, says)
		}
		if _, err := Choose(tasks, base, tuned, []Model{candidate}, rule); err == nil {
			t.Errorf("Choose has no error that says %q", says)
		}
		if _, err := Front(tasks, base, tuned, []Model{candidate}, rule); err == nil {
			t.Errorf("Front has no error that says %q", says)
		}
	}
	type tasks = []Task
	check("no tasks", func(all tasks, _, _ *Model, _ *Rule) tasks { return nil })
	check("task 2 of the basket has no name", func(all tasks, _, _ *Model, _ *Rule) tasks { all[1].Name = ""; return all })
	check(`named "facts"`, func(all tasks, _, _ *Model, _ *Rule) tasks { all[1].Name = "facts"; return all })
	check(`kind "skill"`, func(all tasks, _, _ *Model, _ *Rule) tasks { all[1].Kind = "skill"; return all })
	check("guessing is NaN", func(all tasks, _, _ *Model, _ *Rule) tasks { all[0].Chance = math.NaN(); return all })
	check("guessing is 1", func(all tasks, _, _ *Model, _ *Rule) tasks { all[0].Chance = 1; return all })
	check(`margin of task "facts" is -0.02`, func(all tasks, _, _ *Model, _ *Rule) tasks { all[0].Margin = -0.02; return all })
	check("margin", func(all tasks, _, _ *Model, _ *Rule) tasks { all[0].Margin = math.Inf(1); return all })
	check(`"chemistry" has no items`, func(all tasks, _, _ *Model, _ *Rule) tasks { all[2].Items = nil; return all })
	check("item 4 of task", func(all tasks, _, _ *Model, _ *Rule) tasks { all[2].Items[3].ID = ""; return all })
	check(`"chemistry-0001" comes twice`, func(all tasks, _, _ *Model, _ *Rule) tasks { all[2].Items[0].ID = "chemistry-0001"; return all })
	check(`model "base" has scores of 2 tasks`, func(all tasks, base, _ *Model, _ *Rule) tasks { base.Scores = base.Scores[:2]; return all })
	check(`model "candidate" has 599 scores in task "refusal"`, func(all tasks, _, c *Model, _ *Rule) tasks { c.Scores[1] = c.Scores[1][1:]; return all })
	check(`scores NaN on item "facts-0007"`, func(all tasks, _, c *Model, _ *Rule) tasks { c.Scores[0][7] = math.NaN(); return all })
	check("scores 1.5", func(all tasks, base, _ *Model, _ *Rule) tasks { base.Scores[0][0] = 1.5; return all })
	check("confidence", func(all tasks, _, _ *Model, r *Rule) tasks { r.Confidence = 95; return all })
	check("retention", func(all tasks, _, _ *Model, r *Rule) tasks { r.Retention = math.NaN(); return all })
	check("in part", func(all tasks, _, _ *Model, r *Rule) tasks { r.Partly = 2; return all })
	check("least gap", func(all tasks, _, _ *Model, r *Rule) tasks { r.LeastGap = 0.001; return all })
	check("99 resamples", func(all tasks, _, _ *Model, r *Rule) tasks { r.Resamples = 99; return all })
}

// A single item decides nothing, and leaves no number that is not finite.
func TestOneItem(t *testing.T) {
	tasks := []Task{task("facts", General, 1), task("chemistry", Domain, 1)}
	base, tuned := model("base", tasks, 1, 0), model("tuned", tasks, 0, 1)
	v := judged(t, tasks, base, tuned, model("", tasks, 1, 1), Rule{})
	if v.Word != Insufficient {
		t.Errorf("one item: %s: %s", v.Word, v.Sentence)
	}
	for _, task := range v.Tasks {
		for _, number := range []float64{task.Difference.Low, task.Difference.High, task.LowerBound, task.Gap.Low, task.Gap.High} {
			if math.IsNaN(number) || math.IsInf(number, 0) {
				t.Errorf("one item leaves %v in %+v", number, task)
			}
		}
	}
	for i := range 2 {
		tasks[i].Items = append(tasks[i].Items, Item{ID: "second", Cluster: "x"})
		tasks[i].Items[0].Cluster = "x" // one cluster is one unit too
	}
	v = judged(t, tasks, model("", tasks, 2, 0), model("", tasks, 0, 2), model("", tasks, 2, 2), Rule{})
	if v.Word != Insufficient {
		t.Errorf("one cluster: %s: %s", v.Word, v.Sentence)
	}
}
