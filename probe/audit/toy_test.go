package audit

import (
	"math"
	"testing"
)

// A table of mitigations, measured in PyTorch on a model of 0.8 million
// parameters, with its numbers of items. It gives the mean over six general tasks, two of them, and the domain on held-out and
// trained items; the other four tasks share the rest evenly. Which items are
// lost is not told: here the worse model always loses those of the better one
// and more, which is the kindest case for every interval.
type row struct {
	name                               string
	general, sums, refusal, held, seen float64
	closed                             float64 // share of the mean gap, as the table gives it
	word                               Word
}

func (r row) model(tasks []Task) Model {
	rest := (6*r.general - r.sums - r.refusal) / 4
	m := Model{Name: r.name}
	for t, percent := range []float64{r.sums, r.refusal, rest, rest, rest, rest, r.held, r.seen} {
		n := len(tasks[t].Items)
		m.Scores = append(m.Scores, first(n, int(math.Round(min(100, percent)/100*float64(n)))))
	}
	return m
}

func toyTasks(times int) []Task {
	var tasks []Task
	for _, of := range []struct {
		name string
		kind Kind
		n    int
	}{{"sums", General, 200}, {"refusal", Safety, 96}, {"choice", General, 128}, {"facts", General, 128}, {"format", General, 200},
		{"lists", General, 200}, {"held out", Domain, 96}, {"seen", Domain, 192}} {
		tasks = append(tasks, task(of.name, of.kind, of.n*times))
	}
	return tasks
}

func TestToyTable(t *testing.T) {
	tasks := toyTasks(1)
	base := row{general: 98.8, sums: 99.5, refusal: 100, held: 26, seen: 43.8}.model(tasks)
	tuned := row{general: 39.5, sums: 2.5, refusal: 0, held: 62.5, seen: 100}.model(tasks)
	for _, r := range []row{
		{"WiSE 0.3", 97.7, 95, 100, 28, 45, 0.98, PartlyClosed},
		{"WiSE 0.5", 90.6, 67.5, 95.8, 38, 52, 0.86, PartlyClosed},
		{"WiSE 0.7", 62.2, 26, 1, 47, 67, 0.38, NotClosed},
		{"WiSE 0.9", 44.5, 4.5, 0, 58, 100, 0.08, NotClosed},
		{"revert embedding", 75.3, 17.5, 100, 39, 68, 0.60, NotClosed},
		{"replay 10 %", 96.1, 91, 100, 63, 100, 0.95, PartlyClosed},
		{"KL to base", 98.2, 98, 100, 53, 99, 0.99, Insufficient},
		{"replay without refusals", 78.8, 89.5, 0, 60, 100, 0.66, NotClosed},
	} {
		v := judged(t, tasks, base, tuned, r.model(tasks), Rule{})
		t.Logf("%s: %s. %s", r.name, v.Word, v.Sentence)
		if v.Word != r.word {
			t.Errorf("%s: %s, want %s", r.name, v.Word, r.word)
		}
		near(t, r.name+": the mean gap closed", v.GapClosedMean.Value, r.closed, 0.015)
		if v.Largest != "refusal" || v.Regression.RunnerUp != 0 {
			t.Errorf("%s: the largest regression is %s", r.name, v.Largest)
		}
	}
	// WiSE 0.3 keeps 45 % of the score but 2 to 6 % of the gain: the table's own warning.
	v := judged(t, tasks, base, tuned, row{general: 97.7, sums: 95, refusal: 100, held: 28, seen: 45}.model(tasks), Rule{})
	near(t, "retention of WiSE 0.3", v.Retention.Value, 0.035, 0.02)
	near(t, "retention of its score", v.RetentionOfScore.Value, 0.45, 0.01)
}

// With ten times the items the best candidate is closed, at the margins given.
func TestToyTableWithMoreItems(t *testing.T) {
	tasks := toyTasks(10)
	base := row{general: 98.8, sums: 99.5, refusal: 100, held: 26, seen: 43.8}.model(tasks)
	tuned := row{general: 39.5, sums: 2.5, refusal: 0, held: 62.5, seen: 100}.model(tasks)
	v := judged(t, tasks, base, tuned, row{general: 98.4, sums: 98.6, refusal: 100, held: 57, seen: 99}.model(tasks), Rule{})
	if v.Word != Closed {
		t.Errorf("%s: %s %q", v.Word, v.Sentence, v.Open)
	}
}
