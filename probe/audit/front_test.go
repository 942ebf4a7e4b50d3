package audit

import (
	"strings"
	"testing"
	"time"
)

func TestFront(t *testing.T) {
	tasks, base, tuned := usual()
	points, err := Front(tasks, base, tuned, []Model{
		base, tuned, model("good", tasks, 470, 580, 220), model("worse in all", tasks, 400, 400, 150),
		model("good but for one item", tasks, 470, 579, 220), model("good again", tasks, 470, 580, 220),
	}, Rule{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the base keeps", points[0].Retention.Value, 0, 1e-12)
	near(t, "the base's room", points[0].Slack.Value, 0.01, 1e-12)
	near(t, "the tuned model keeps", points[1].Retention.Value, 1, 1e-12)
	near(t, "its room", points[1].Slack.Value, -390.0/600+0.01, 1e-12)
	near(t, "good keeps", points[2].Retention.Value, 160.0/180, 1e-12)
	near(t, "its room", points[2].Slack.Value, -10.0/600+0.01, 1e-12)
	if points[0].Tight != "refusal" || points[2].Tight != "refusal" {
		t.Errorf("the tightest tasks are %s and %s", points[0].Tight, points[2].Tight)
	}
	for c, point := range points {
		if want := c == 3; point.Dominated != want || want && !strings.HasPrefix(point.DominatedBy, "good") {
			t.Errorf("%s dominated: %v by %q with %v", point.Name, point.Dominated, point.DominatedBy, point.Probability)
		}
		if s := point.Slack; !(s.Low <= s.Value && s.Value <= s.High) {
			t.Errorf("%s: room %+v", point.Name, s)
		}
	}
	// One item more is drawn at least once in 1-1/e = 63 % of the samples.
	near(t, "the probability of one item", points[4].Probability, 0.632, 0.04)
}

func TestFrontWithoutDomain(t *testing.T) {
	tasks, base, tuned := usual()
	cut := func(m Model, from, to int) Model { m.Scores = m.Scores[from:to]; return m }
	points, err := Front(tasks[:2], cut(base, 0, 2), cut(tuned, 0, 2), []Model{cut(base, 0, 2), cut(tuned, 0, 2)}, Rule{})
	if err != nil || points[0].Dominated || !points[1].Dominated || points[0].Retention.Defined || !points[0].Slack.Defined {
		t.Errorf("by the room alone: %+v, %v", points, err)
	}
	points, err = Front(tasks[2:], cut(base, 2, 3), cut(tuned, 2, 3), []Model{cut(base, 2, 3), cut(tuned, 2, 3)}, Rule{})
	if err != nil || !points[0].Dominated || points[1].Dominated || points[0].Slack.Defined {
		t.Errorf("by the domain alone: %+v, %v", points, err)
	}
}

func TestHypervolume(t *testing.T) {
	at := func(kept, slack float64) Point {
		return Point{Retention: Interval{Value: kept, Defined: true}, Slack: Interval{Value: slack, Defined: true}}
	}
	check := func(want float64, points ...Point) {
		t.Helper()
		near(t, "the area", Hypervolume(points, -0.5), want, 1e-12)
	}
	check(0)
	check(0, at(1, -0.5), at(0, 0))
	check(0.4, at(0.8, 0))
	check(0.5*0.5+0.3*0.25, at(0.8, -0.25), at(0.5, 0))
	check(0.5*0.5+0.3*0.25, at(0.5, 0), at(0.4, -0.1), at(0.8, -0.25), Point{})
}

// A sweep of 21 candidates over 2,000 items.
func TestFrontIsFast(t *testing.T) {
	tasks, base, tuned := usual()
	tasks = append(tasks, task("more", General, 500))
	var candidates []Model
	for step := range 21 {
		candidates = append(candidates, model("m", tasks, 480-9*step, 590-19*step, 60+9*step, 400-10*step))
	}
	base.Scores, tuned.Scores = append(base.Scores, first(500, 400)), append(tuned.Scores, first(500, 200))
	began := time.Now()
	if _, err := Front(tasks, base, tuned, candidates, Rule{}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("a front of 21 candidates took %v", took)
	} else {
		t.Logf("a front of 21 candidates took %v", took)
	}
}
