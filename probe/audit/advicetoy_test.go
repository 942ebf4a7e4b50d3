package audit

import (
	"math"
	"testing"
)

// The toy's verdicts and comparisons by name, since every test needs them. No test
// changes one.
var (
	toyVerdicts    = map[string]*Verdict{}
	toyComparisons = map[string][]Comparison{}
)

func toyVerdict(t *testing.T, tasks []Task, base, tuned, candidate Model) *Verdict {
	t.Helper()
	if toyVerdicts[candidate.Name] == nil {
		toyVerdicts[candidate.Name] = judged(t, tasks, base, tuned, candidate, Rule{Resamples: 400})
	}
	return toyVerdicts[candidate.Name]
}

func toyAgainst(t *testing.T, tasks []Task, first, second row) []Comparison {
	t.Helper()
	key := first.name + "/" + second.name
	if toyComparisons[key] == nil {
		list, err := Against(tasks, first.model(tasks), second.model(tasks), Rule{Resamples: 400})
		if err != nil {
			t.Fatal(err)
		}
		toyComparisons[key] = list
	}
	return toyComparisons[key]
}

// toyTrials judges rows of the table of mitigations.
func toyTrials(t *testing.T, tasks []Task, base, tuned Model, rows map[string]Trial, table []row) (trials []Trial) {
	t.Helper()
	for _, r := range table {
		trial, there := rows[r.name]
		if !there {
			continue
		}
		trial.Name, trial.ID = r.name, "judged/"+r.name
		trial.Verdict = toyVerdict(t, tasks, base, tuned, r.model(tasks))
		trials = append(trials, trial)
	}
	return trials
}

var toyRows = []row{
	{name: "alpha=0.3", general: 97.7, sums: 95, refusal: 100, held: 28, seen: 45},
	{name: "alpha=0.5", general: 90.6, sums: 67.5, refusal: 95.8, held: 38, seen: 52},
	{name: "alpha=0.7", general: 62.2, sums: 26, refusal: 1, held: 47, seen: 67},
	{name: "alpha=0.9", general: 44.5, sums: 4.5, refusal: 0, held: 58, seen: 100},
	{name: "revert 1", general: 75.3, sums: 17.5, refusal: 100, held: 39, seen: 68},
	{name: "mild", general: 69.6, sums: 21.5, refusal: 61, held: 47, seen: 89},
	{name: "lora", general: 66.7, sums: 4.5, refusal: 98, held: 53, seen: 97},
	{name: "replay", general: 96.1, sums: 91, refusal: 100, held: 63, seen: 100},
	{name: "no refusals", general: 78.8, sums: 89.5, refusal: 0, held: 60, seen: 100},
}

// toy is the whole table as evidence, of the trials named.
func toy(t *testing.T, chosen string, leave ...string) Evidence {
	t.Helper()
	tasks := toyTasks(1)
	base := row{name: "base", general: 98.8, sums: 99.5, refusal: 100, held: 26, seen: 43.8}.model(tasks)
	tuned := row{name: "chem", general: 39.5, sums: 2.5, refusal: 0, held: 62.5, seen: 100}.model(tasks)
	merge := func(alpha float64) Trial { return Trial{Class: ClassInterpolation, Strength: alpha} }
	trials := map[string]Trial{
		"alpha=0.3": merge(0.3), "alpha=0.5": merge(0.5), "alpha=0.7": merge(0.7), "alpha=0.9": merge(0.9),
		"revert 1":    {Class: ClassRevert, Reverted: []string{"embedding"}, Strength: math.NaN()},
		"mild":        {Class: ClassTraining, Recipe: &Recipe{LearningRate: 2.5e-4, Steps: 600}},
		"lora":        {Class: ClassTraining, Recipe: &Recipe{LearningRate: 1e-3, Steps: 600, Rank: 16}},
		"replay":      {Class: ClassTraining, Recipe: &Recipe{LearningRate: 1e-3, Steps: 600, Replay: 0.1, Pool: 10_000}},
		"no refusals": {Class: ClassTraining, Recipe: &Recipe{LearningRate: 1e-3, Steps: 600, Replay: 0.1, Pool: 10_000, Without: []string{"refusal"}}},
	}
	for _, name := range leave {
		delete(trials, name)
	}
	e := Evidence{
		Tuned:      Trial{ID: "judged/chem", Name: "chem", Class: ClassTuned, Verdict: toyVerdict(t, tasks, base, tuned, tuned), Recipe: &Recipe{LearningRate: 1e-3, Steps: 600}},
		Candidates: toyTrials(t, tasks, base, tuned, trials, toyRows), Chosen: chosen, Choice: &Choice{Met: true},
		Groups: []Group{
			{ID: "where/embedding", Name: "embedding", Harm: 0.536, Benefit: 0.720, Revert: 0.6, Insert: 0.5, N: 400},
			{ID: "where/layer 0", Name: "layer 0", Harm: 0.425, Benefit: 3.487, Revert: 0.4, Insert: 0.4, N: 400},
		},
		Relearned: &Relearning{ID: "relearned", Steps: []int{0, 5, 10, 20, 40}, Tasks: []string{"refusal"}, Scores: [][]float64{{0, 0.125, 0.76, 0.99, 1}}, Control: []float64{0, 0.01, 0.02, 0.03, 0.039}},
		Seeds:     3,
	}
	e.Lost = e.Tuned.Verdict.Regression
	for _, r := range toyRows {
		if r.name == chosen {
			for _, other := range toyRows {
				if _, there := trials[other.name]; !there || other.name == chosen {
					continue
				}
				e.Comparisons = append(e.Comparisons, toyAgainst(t, tasks, r, other)...)
			}
		}
	}
	return e
}
