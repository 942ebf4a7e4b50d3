package cli

import (
	"fmt"
	"strings"
	"testing"

	"surgeon/probe/audit"
)

// TestRepairedWords: a merge that closes the gaps and gives up the gain repairs in part,
// whatever the worst task says.
func TestRepairedWords(t *testing.T) {
	share := func(v float64) audit.Interval {
		return audit.Interval{Value: v, Low: v - 0.05, High: v + 0.05, Defined: true}
	}
	// merged are merges at 0.25, 0.5 and 0.75 that close and keep so much.
	merged := func(closed, kept [3]float64) *auditResult {
		r := &auditResult{Rule: auditRule{Partly: 0.5, Retention: 0.8}}
		for i := range closed {
			r.Candidates = append(r.Candidates, auditedCandidate{Name: fmt.Sprintf("alpha=%v", 0.25*float64(i+1)), Class: classInterpolation,
				Verdict: &audit.Verdict{Word: audit.NotClosed, Worst: "refusal", Tasks: []audit.TaskVerdict{{Task: "facts"}, {Task: "refusal", Difference: share(closed[i] - 1)}},
					GapClosedMean: share(closed[i]), Retention: share(kept[i])}})
		}
		return r
	}
	check := func(r *auditResult, want ...string) {
		t.Helper()
		if got := r.repairedWords(); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%q, want %q", got, want)
		}
	}
	check(merged([3]float64{0.97, 0.8, 0.4}, [3]float64{0.05, 0.3, 0.9}),
		"Merging by one alpha repairs in part: no alpha is shown to close 50 % of the gaps on the mean and to keep 80 % of the domain gain; alpha=0.5, the largest that closes so much, closes 80 % (75 to 85) of the gaps on the mean and keeps 30 % (25 to 35) of the gain; by its worst task, refusal (-20.0 pp), the gap is not closed.")
	check(merged([3]float64{0.97, 0.9, 0.6}, [3]float64{0.5, 0.9, 0.84}), "Of the merges by one alpha alpha=0.5 closes 90 % (85 to 95) of the gaps on the mean and keeps 90 % (85 to 95) of the gain; by its worst task, refusal (-10.0 pp), the gap is not closed.")
	check(merged([3]float64{0.5, 0.4, 0.1}, [3]float64{0.5, 0.9, 1}), "Merging by one alpha repairs little: none is shown to close 50 % of the gaps on the mean.")

	r := merged([3]float64{}, [3]float64{})
	r.Candidates = append(r.Candidates[:2], auditedCandidate{Name: "replay", Class: classTraining, Verdict: &audit.Verdict{
		Word: audit.PartlyClosed, GapClosedMean: share(0.95), Retention: audit.Interval{Why: "no gain"}, Worst: "sums", Tasks: []audit.TaskVerdict{{Task: "sums", Difference: share(-0.24)}}}})
	check(r) // two merges are too few, and no run is the best of its class
	r.Best = []string{"replay"}
	check(r, "Of the models that were trained otherwise replay closes 95 % (90 to 100) of the gaps on the mean; by its worst task, sums (-24.0 pp), the gap is partly closed.")
}
