package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/probe/record"
)

// mmlu makes a folder of subjects in hendrycks' form: five answered questions
// each, and as many others as the number says.
func mmlu(t *testing.T, sizes map[string]int) string {
	t.Helper()
	dir := t.TempDir()
	for subject, size := range sizes {
		for split, n := range map[string]int{"dev": 5, "test": size} {
			var lines strings.Builder
			for i := range n {
				fmt.Fprintf(&lines, "\"%s %s %d, is it?\",one,two,three,four,%c\r\n", subject[:3], split, i, 'A'+(3*i+len(subject))%4)
			}
			write(t, dir, filepath.Join(split, subject+"_"+split+".csv"), lines.String())
		}
	}
	return dir
}

// TestScoreGroups: a group's score is that of all its items, whatever the sizes
// of its subjects, and groups within groups have their own.
func TestScoreGroups(t *testing.T) {
	data, out := mmlu(t, map[string]int{"anatomy": 3, "astronomy": 12, "econometrics": 7, "sociology": 5}), filepath.Join(t.TempDir(), "run")
	got := scored(t, "base", "--tasks", "mmlu", "--data", data, "--out", out)
	says(t, "notes", got.notes(), "mmlu: 53 of 57 subjects are not in "+data)
	list := records(t, out)
	groups := map[string]float64{}
	for _, g := range got.Groups {
		groups[g.Task] = float64(g.Score)
	}
	check := func(group string, n int, subjects ...string) {
		t.Helper()
		want := meanOfRecords(list, "acc", func(r record.Record) bool {
			for _, s := range subjects {
				if r.Task == "mmlu_"+s {
					return true
				}
			}
			return false
		})
		if score, ok := groups[group]; !ok || !near(score, want) {
			t.Errorf("%s: %v, want %v; there are %v", group, score, want, groups)
		}
		for _, g := range got.Groups {
			if g.Task == group && (g.N != n || g.Manner.N != n || !near(float64(g.Others["acc"]), want)) {
				t.Errorf("%s: %d items, %d answers, metrics %v", group, g.N, g.Manner.N, g.Others)
			}
		}
	}
	check("mmlu", 27, "anatomy", "astronomy", "econometrics", "sociology")
	check("mmlu_stem", 15, "anatomy", "astronomy")
	check("mmlu_social_sciences", 12, "econometrics", "sociology")
	if len(got.Tasks) != 4 || got.Tasks[0].Task != "mmlu_anatomy" || got.Tasks[0].Group != "mmlu" {
		t.Errorf("tasks %+v", got.Tasks)
	}
	// One subject alone is no group.
	if one := scored(t, "base", "--tasks", "mmlu_anatomy", "--data", data); len(one.Groups) != 0 || one.Tasks[0].Group != "" {
		t.Errorf("one subject: groups %v", one.Groups)
	}
}

// TestScoreGroupsPrinted: the rows of many subjects stand there with --all
// alone, and limits are said of the group.
func TestScoreGroupsPrinted(t *testing.T) {
	sizes := map[string]int{}
	for _, subject := range []string{"abstract_algebra", "anatomy", "astronomy", "college_biology", "college_physics", "computer_security", "conceptual_physics",
		"econometrics", "electrical_engineering", "global_facts", "human_aging", "sociology", "virology"} {
		sizes[subject] = 4
	}
	data := mmlu(t, sizes)
	few, errs, code := surgeon(t, "score", "base", "--tasks", "mmlu", "--data", data, "--sample", "26")
	if code != ExitDone || strings.Count(errs, "\n") != 1 {
		t.Errorf("exit code %d: %s", code, errs)
	}
	says(t, "standard error", errs, "mmlu: 26 of 52 items")
	says(t, "table", few, "\nmmlu ", "\nmmlu_stem ", "│    26 │")
	if strings.Contains(few, "mmlu_virology") {
		t.Errorf("a row of a subject:\n%s", few)
	}
	all, _, _ := surgeon(t, "score", "base", "--tasks", "mmlu", "--data", data, "--sample", "26", "--all")
	says(t, "table with --all", all, "\n  mmlu_virology ", "│     2 │")
}

// TestScoreContinuation: the whole choice follows, by log-likelihood and by that
// per character.
func TestScoreContinuation(t *testing.T) {
	data, out := mmlu(t, map[string]int{"anatomy": 6, "virology": 2}), filepath.Join(t.TempDir(), "run")
	got := scored(t, "base", "--tasks", "mmlu_continuation", "--data", data, "--out", out)
	right, rightByLength := 0.0, 0.0
	for _, r := range records(t, out) {
		best, bestByLength := 0, 0
		for i, text := range []string{"one", "two", "three", "four"} {
			if r.LogProbs[i] > r.LogProbs[best] {
				best = i
			}
			if r.LogProbs[i]/float64(len(text)) > r.LogProbs[bestByLength]/float64(len([]string{"one", "two", "three", "four"}[bestByLength])) {
				bestByLength = i
			}
		}
		if *r.Chosen != best {
			t.Errorf("%s: %d is chosen of %v", r.Item, *r.Chosen, r.LogProbs)
		}
		right += r.Scores["acc"] / 8
		rightByLength += r.Scores["acc_norm"] / 8
		var row int
		fmt.Sscanf(r.Item[strings.LastIndexByte(r.Item, '/')+1:], "%d", &row)
		subject, _, _ := strings.Cut(r.Item, "/")
		gold := (3*row + len(subject)) % 4
		if (r.Scores["acc"] == 1) != (best == gold) || (r.Scores["acc_norm"] == 1) != (bestByLength == gold) {
			t.Errorf("%s: scores %v, the best are %d and %d, right is %d", r.Item, r.Scores, best, bestByLength, gold)
		}
	}
	if g := got.Groups[0]; g.Task != "mmlu_continuation" || !near(float64(g.Others["acc"]), right) || !near(float64(g.Others["acc_norm"]), rightByLength) {
		t.Errorf("%+v, want acc %v and acc_norm %v", g, right, rightByLength)
	}
}
