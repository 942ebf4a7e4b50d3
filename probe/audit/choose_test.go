package audit

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func chosen(t *testing.T, tasks []Task, base, tuned Model, candidates []Model) *Choice {
	t.Helper()
	c, err := Choose(tasks, base, tuned, candidates, Rule{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChoose(t *testing.T) {
	tasks, base, tuned := usual()
	with := func(name string, strength float64, right ...int) Model {
		m := model(name, tasks, right...)
		m.Strength = strength
		return m
	}
	check := func(name string, index, best int, kept bool, says string, candidates ...Model) *Choice {
		t.Helper()
		c := chosen(t, tasks, base, tuned, candidates)
		if c.Index != index || c.Best != best || c.Kept != kept || !strings.Contains(c.Why, says) || c.Candidates != len(candidates) {
			t.Errorf("%s: chosen %d from %d, kept %v: %s", name, c.Index, c.Best, c.Kept, c.Why)
		}
		return c
	}
	unknown := math.NaN()
	c := check("the best that keeps enough", 1, 1, true, "b has the highest mean",
		with("a", 0.3, 480, 590, 120), with("b", 0.6, 440, 500, 210), with("c", 0.8, 350, 300, 230))
	near(t, "its mean", c.Mean, (440.0+500)/1200, 1e-12)
	near(t, "its retention", c.Retention.Value, 150.0/180, 1e-12)
	// d loses one item more: the standard error of one item's change is one item.
	check("one standard error", 1, 0, true, "d lies nearest to the tuned model",
		with("b", 0.6, 440, 500, 210), with("d", 0.7, 439, 500, 215), with("e", 0.9, 425, 500, 220))
	check("a strength that is not known", 1, 1, true, "b has",
		with("a", unknown, 439, 500, 215), with("b", unknown, 440, 500, 210))
	check("none keeps enough", 1, 1, false, "none keeps 80 % of the domain gain, and this one keeps most, 50 %",
		with("a", 0.2, 480, 590, 120), with("b", 0.5, 440, 500, 150), with("c", 0.5, 430, 500, 150))
	check("a tie", 1, 1, true, "b has",
		with("a", 0.6, 440, 500, 210), with("b", 0.6, 440, 500, 211))
	if _, err := Choose(tasks, base, tuned, nil, Rule{}); err == nil || !strings.Contains(err.Error(), "no candidates") {
		t.Errorf("no candidates: %v", err)
	}
	domain := Model{Scores: base.Scores[2:]}
	if _, err := Choose(tasks[2:], domain, domain, []Model{domain}, Rule{}); err == nil || !strings.Contains(err.Error(), "no general") {
		t.Errorf("no protected task: %v", err)
	}
	tuned = base
	check("no gain", 0, 0, false, "no domain gain to keep", with("a", 0.5, 480, 590, 10), with("b", 0.5, 440, 500, 210))
}

// Twenty-one candidates that are all alike: the best of them is lucky by about
// what is expected, and the report part shows it.
func TestWinnersCurse(t *testing.T) {
	whole := []Task{task("facts", General, 1000), task("refusal", Safety, 1000)}
	selected, report := Split(whole, 0.4, "salt")
	optimism, expected := 0.0, 0.0
	const rounds = 12
	for round := range rounds {
		random := rand.New(rand.NewPCG(21, uint64(round)))
		base, tuned := chance("base", whole, random, .8, .8), chance("tuned", whole, random, .3, .3)
		var candidates, parts []Model
		for range 21 {
			m := chance("m", whole, random, .7, .7)
			m.Strength = math.NaN()
			_, part := Sub(whole, m, selected)
			candidates, parts = append(candidates, m), append(parts, part)
		}
		tasks, part := Sub(whole, base, selected)
		_, other := Sub(whole, tuned, selected)
		c := chosen(t, tasks, part, other, parts)
		if c.Met {
			t.Fatal("the choice has met nothing yet")
		}
		rest, held := Sub(whole, base, report)
		_, picked := Sub(whole, candidates[c.Index], report)
		if err := c.Meet(rest, held, picked); err != nil {
			t.Fatal(err)
		}
		near(t, "optimism", c.Optimism, c.Mean-c.Reported, 1e-15)
		optimism += c.Optimism / rounds
		expected += c.Expected / rounds
	}
	// The mean of 800 items at 0.7 has a standard error of 0.0162, of which the
	// best of 21 gets 1.89; the rounds leave an error of 0.006 on their mean. The
	// difference to the base counts the base's error too: 0.0215.
	near(t, "the optimism", optimism, 1.89*0.0162, 0.018)
	near(t, "the optimism expected", expected, 1.89*0.0215, 0.003)
}

// Forgetting.md, section 4: 1.59, 1.89, 2.51 for 11, 21, 101 candidates.
func TestExpectedMaximum(t *testing.T) {
	for n, want := range map[int]float64{1: 0, 2: 1 / math.Sqrt(math.Pi), 3: 1.5 / math.Sqrt(math.Pi), 11: 1.59, 21: 1.89, 101: 2.51} {
		near(t, "the expected maximum", expectedMaximum(n), want, 0.006)
	}
}

func TestMeetRefuses(t *testing.T) {
	tasks, base, tuned := usual()
	c := chosen(t, tasks, base, tuned, []Model{base})
	if err := c.Meet(tasks[2:], Model{Scores: base.Scores[2:]}, Model{Scores: base.Scores[2:]}); err == nil || c.Met {
		t.Errorf("met without a protected task: %v", err)
	}
	if err := c.Meet(tasks, base, Model{}); err == nil || c.Met {
		t.Errorf("met without scores: %v", err)
	}
}
