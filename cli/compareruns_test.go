package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/probe/record"
)

// TestCompareRunFolders: the counts and the flipped items are those of the logs.
func TestCompareRunFolders(t *testing.T) {
	dir := t.TempDir()
	file := facts(t, dir, 40)
	var runs [2]string
	var scores [2]map[string]float64
	for i, model := range []string{"base", "chem"} {
		runs[i], scores[i] = filepath.Join(dir, model), map[string]float64{}
		done(t, "score", model, "--tasks", file+",symbols", "--out", runs[i])
		for _, r := range records(t, runs[i]) {
			scores[i][r.Task+" "+r.Item] = r.Scores["acc"]
		}
	}
	flipped := map[string]float64{}
	counts := map[string][2]int{}
	for name, a := range scores[0] {
		task, _, _ := strings.Cut(name, " ")
		c := counts[task]
		switch b := scores[1][name]; {
		case b < a:
			c[0]++
			flipped[name] = a
		case b > a:
			c[1]++
			flipped[name] = a
		}
		counts[task] = c
	}
	if len(flipped) < 2 {
		t.Fatalf("the pair differs in %v alone", flipped)
	}
	got := decoded[comparison](t, "compare", "--json", "--flips", "100", runs[0], runs[1])
	listed := 0
	for _, task := range got.Tasks {
		if c := counts[task.Task]; task.Lost != c[0] || task.Gained != c[1] {
			t.Errorf("%s: b %d, c %d, the logs say %v", task.Task, task.Lost, task.Gained, c)
		}
		for i, f := range task.Flipped {
			if a, ok := flipped[task.Task+" "+f.Item]; !ok || float64(f.Base) != a || float64(f.Tuned) != 1-a || f.Seed != 1234 {
				t.Errorf("%s: %+v did not flip so", task.Task, f)
			}
			if i > 0 && f.Base > task.Flipped[i-1].Base {
				t.Errorf("%s: an item that was lost stands behind one that was won", task.Task)
			}
			listed++
		}
	}
	if listed != len(flipped) {
		t.Errorf("%d flipped items are listed, %d flipped", listed, len(flipped))
	}
	says(t, "notes", strings.Join(got.Notes, "\n"), "both models saw the same prompts: all 64 hashes are equal")
	table := done(t, "compare", "--flips", "1", runs[0], runs[1])
	says(t, "table", table, "flipped items, up to 1 lost and 1 won of each task")
	if few := decoded[comparison](t, "compare", "--json", "--flips", "1", runs[0], runs[1]); len(few.Tasks[0].Flipped) > 2 || len(few.Tasks[1].Flipped) > 2 {
		t.Errorf("%+v", few.Tasks)
	}
	if none := decoded[comparison](t, "compare", "--json", runs[0], runs[1]); none.Tasks[0].Flipped != nil {
		t.Errorf("without --flips: %+v", none.Tasks[0].Flipped)
	}
}

// TestCompareOtherPrompts: runs whose prompts differ are compared with a warning
// that counts them.
func TestCompareOtherPrompts(t *testing.T) {
	dir := t.TempDir()
	plain, shots := filepath.Join(dir, "plain"), filepath.Join(dir, "shots")
	done(t, "score", "base", "--out", plain)
	done(t, "score", "base", "--num-fewshot", "2", "--out", shots)
	got := decoded[comparison](t, "compare", "--json", plain, shots)
	says(t, "notes", strings.Join(got.Notes, "\n"), "24 of 24 pairs of answers were given to different prompts", "shots, template or wording")
	if strings.Contains(strings.Join(got.Notes, "\n"), "same prompts") {
		t.Errorf("notes %v", got.Notes)
	}
	// Of other data under the same names nothing can be compared.
	file := write(t, dir, "symbols.jsonl", `{"id":"symbol-00","prompt":"Something else","choices":["a","b"],"gold":0}`)
	other := filepath.Join(dir, "other")
	done(t, "score", "base", "--tasks", file, "--out", other)
	refused(t, ExitInput, []string{`"symbol-00"`, "another document", "different data"}, "compare", plain, other)
}

// TestComparePlannedMargins: the margins of both plans hold, those of one do not,
// and flags come first.
func TestComparePlannedMargins(t *testing.T) {
	dir := t.TempDir()
	run := func(name, model string, args ...string) string {
		out := filepath.Join(dir, name)
		done(t, append([]string{"score", model, "--out", out}, args...)...)
		return out
	}
	check := func(a, b string, want float64, noted bool, args ...string) {
		t.Helper()
		got := decoded[comparison](t, append([]string{"compare", "--json", a, b}, args...)...)
		if float64(got.Tasks[0].Margin) != want || strings.Contains(strings.Join(got.Notes, "\n"), "the usual ones are taken") != noted {
			t.Errorf("%v: margin %v, want %v; notes %v", args, got.Tasks[0].Margin, want, got.Notes)
		}
	}
	usual, usual2 := run("a", "base"), run("b", "chem")
	set, set2, other := run("c", "base", "--margin", "symbols=0.15"), run("d", "chem", "--margin", "symbols=0.15"), run("e", "chem", "--margin", "0.3")
	check(usual, usual2, 0.02, false)
	check(set, set2, 0.15, false)
	check(set, set2, 0.07, false, "--margin", "0.07")
	check(set, other, 0.02, true)
	check(usual, set2, 0.02, true)
}

// TestCompareSeveralModels: of a run with several models one is named.
func TestCompareSeveralModels(t *testing.T) {
	file := write(t, t.TempDir(), "all.csv", "model,task,item,seed,score\na,t,1,0,1\na,t,2,0,1\nb,t,1,0,0\nb,t,2,0,1\n")
	refused(t, ExitUsage, []string{file, "answers of 2 models", "--base-model", "a, b"}, "compare", file, file)
	refused(t, ExitUsage, []string{"--tuned-model"}, "compare", file, file, "--base-model", "a")
	refused(t, ExitInput, []string{"no answers of a model c", "a, b"}, "compare", file, file, "--base-model", "a", "--tuned-model", "c")
	got := decoded[comparison](t, "compare", "--json", file, file, "--base-model", "a", "--tuned-model", "b").Tasks[0]
	if got.Base != 1 || got.Tuned != 0.5 || got.Lost != 1 {
		t.Errorf("%+v", got)
	}
	// One model alone may have any name, which need not be the other side's.
	one := write(t, t.TempDir(), "one.csv", "model,task,item,seed,score\nz,t,1,0,1\nz,t,2,0,0\n")
	if got := decoded[comparison](t, "compare", "--json", file, one, "--base-model", "b").Tasks[0]; got.Lost != 1 || got.Gained != 1 {
		t.Errorf("%+v", got)
	}
}

// TestCompareForm: a loss of answers that cannot be read is form, not knowledge.
func TestCompareForm(t *testing.T) {
	dir := t.TempDir()
	base, tuned := filepath.Join(dir, "base.run"), filepath.Join(dir, "tuned.run")
	plan := record.Plan{Models: []record.Model{{Input: record.Input{Name: "m", Digest: "d"}}}, Tasks: []record.TaskPlan{{Name: "gsm8k", Items: 100}}, Seeds: []int64{0}}
	for side, path := range []string{base, tuned} {
		folder, err := record.OpenFolder(path, plan)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			// Read by both: 60, of which the tuned model loses 6. Read of the base
			// alone: 40, of which it had 20 right.
			r := record.Record{Key: fmt.Sprint("key ", side, i), Model: "m", Task: "gsm8k", Item: fmt.Sprint(i), Scores: map[string]float64{"exact_match": 0}}
			if side == 0 && (i < 30 || 60 <= i && i < 80) || side == 1 && i < 24 {
				r.Scores["exact_match"] = 1
			}
			if side == 1 && i >= 60 {
				r.Flags = []string{record.Unparseable}
			}
			if err := folder.Log.Append(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := folder.Close(); err != nil {
			t.Fatal(err)
		}
	}
	got := decoded[comparison](t, "compare", "--json", base, tuned).Tasks[0]
	if f := got.Format; f == nil || !near(float64(f.Knowledge), -0.06) || !near(float64(f.Form), -0.20) || f.BaseRead != 1 || f.TunedRead != 0.6 || !near(float64(got.Diff), -0.26) {
		t.Errorf("%+v of %v", got.Format, got.Diff)
	}
	says(t, "notes", done(t, "compare", base, tuned), "gsm8k: of -26.0 pp, -6.0 pp are knowledge and -20.0 pp form: 100.0 % of the base's answers could be read and 60.0 % of the tuned model's")
	same := decoded[comparison](t, "compare", "--json", base, base).Tasks[0]
	if same.Format != nil {
		t.Errorf("where all can be read: %+v", same.Format)
	}
}

// TestCompareMetrics: a task has a row for each metric, of which the first has the
// verdict that counts.
func TestCompareMetrics(t *testing.T) {
	file := write(t, t.TempDir(), "a.csv", `task,item,seed,metric,score
gsm8k,1,0,"exact_match,strict-match",0
gsm8k,1,0,"exact_match,flexible-extract",1
gsm8k,2,0,"exact_match,strict-match",1
gsm8k,2,0,"exact_match,flexible-extract",1
`)
	got := decoded[comparison](t, "compare", "--json", file, file)
	if len(got.Tasks) != 2 || got.Tasks[0].Metric != "exact_match,flexible-extract" || got.Tasks[0].Base != 1 || got.Tasks[1].Base != 0.5 {
		t.Errorf("%+v", got.Tasks)
	}
	if got.Tasks[0].Adjusted == nil || got.Tasks[1].Adjusted != nil {
		t.Errorf("the family has %v and %v", got.Tasks[0].Adjusted, got.Tasks[1].Adjusted)
	}
}

// TestCompareUnfinished: a run that was stopped is no whole one, and that is said.
func TestCompareUnfinished(t *testing.T) {
	dir := t.TempDir()
	whole, part := filepath.Join(dir, "whole"), filepath.Join(dir, "part")
	for _, out := range []string{whole, part} {
		done(t, "score", "base", "--out", out)
	}
	lines := strings.SplitAfter(read(t, filepath.Join(part, "log.jsonl")), "\n")
	write(t, part, "log.jsonl", strings.Join(lines[:10], ""))
	says(t, "notes", done(t, "compare", part, part), part, "not finished", "10 of 24")
	if out := done(t, "compare", whole, whole); strings.Contains(out, "not finished") {
		t.Errorf("a run that is through:\n%s", out)
	}
}
