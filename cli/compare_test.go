package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// scoresFile makes a CSV of the scores of a task's items, one seed.
func scoresFile(t *testing.T, name, task string, scores []float64) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("task,item,seed,score\n")
	for i, s := range scores {
		fmt.Fprintf(&text, "%s,item-%04d,0,%v\n", task, i, s)
	}
	return write(t, t.TempDir(), name+".csv", text.String())
}

// pairedScores are the scores of n items of which both models get so many right,
// and each alone lost and gained.
func pairedScores(n, both, lost, gained int) (base, tuned []float64) {
	for i := range n {
		a, b := 0., 0.
		switch {
		case i < both:
			a, b = 1, 1
		case i < both+lost:
			a = 1
		case i < both+lost+gained:
			b = 1
		}
		base, tuned = append(base, a), append(tuned, b)
	}
	return base, tuned
}

// TestCompareGSM8K: two published models on the same items, by the golden numbers
// of the specification.
func TestCompareGSM8K(t *testing.T) {
	list := lines[solution](t, shared(t, "data/gsm8k/example_model_solutions.jsonl"))
	var small, large []float64
	lost, gained, right := 0, 0, [2]float64{}
	for _, s := range list {
		both := ones([]bool{s.Small.Correct, s.Large.Correct})
		small, large = append(small, both[0]), append(large, both[1])
		right[0], right[1] = right[0]+both[0], right[1]+both[1]
		if both[0] > both[1] {
			lost++
		} else if both[0] < both[1] {
			gained++
		}
	}
	if lost != 88 || gained != 260 || right != [2]float64{286, 458} {
		t.Fatalf("the data: %d lost, %d gained, %v right", lost, gained, right)
	}
	base, tuned := scoresFile(t, "small", "gsm8k", small), scoresFile(t, "large", "gsm8k", large)
	got := decoded[comparison](t, "compare", "--json", base, tuned).Tasks[0]
	if got.N != 1319 || got.Seeds != 1 || got.Lost != lost || got.Gained != gained || !near(float64(got.Base), 286./1319) || !near(float64(got.Tuned), 458./1319) {
		t.Errorf("%+v", got)
	}
	for _, figure := range []struct {
		name, want, got string
	}{
		{"diff", "0.13040", fmt.Sprintf("%.5f", float64(got.Diff))},
		{"se", "0.01368", fmt.Sprintf("%.5f", float64(got.SE))},
		{"p_mcnemar", "7.47e-21", fmt.Sprintf("%.3g", float64(got.McNemar))},
		{"margin", "0.03", fmt.Sprint(float64(got.Margin))},
		{"verdict", "RETAINED", got.Verdict},
	} {
		if figure.got != figure.want {
			t.Errorf("%s is %s, want %s", figure.name, figure.got, figure.want)
		}
	}
	if !(got.CI[0] < got.Diff-1.9*got.SE && got.CI[1] > got.Diff+1.9*got.SE && got.Flips < 0.001) {
		t.Errorf("interval %v, permutation p %v", got.CI, got.Flips)
	}
	// The other way round everything has the other sign.
	back := decoded[comparison](t, "compare", "--json", tuned, base).Tasks[0]
	if back.Diff != -got.Diff || back.SE != got.SE || back.Lost != gained || back.Gained != lost || back.McNemar != got.McNemar || back.Verdict != "MATERIAL" ||
		math.Abs(float64(back.CI[0]+got.CI[1])) > 1e-9 || math.Abs(float64(back.CI[1]+got.CI[0])) > 1e-9 {
		t.Errorf("the other way round: %+v", back)
	}
	says(t, "table", wide(t, "compare", tuned, base), "│ 1319 │ 34.7 % │ 21.7 % │ -13.0 pp │", "│ MATERIAL │ score  │ <0.0001 │ 260/88", "largest regression: gsm8k, -13.0 pp")
}

// TestCompareJSON: the names of the fields, as documented.
func TestCompareJSON(t *testing.T) {
	base, tuned := pairedScores(200, 100, 12, 8)
	out := done(t, "compare", "--json", scoresFile(t, "a", "t", base), scoresFile(t, "b", "t", tuned))
	result := parsed[map[string]json.RawMessage](t, out)
	for _, name := range []string{"base", "tuned", "sources", "tasks", "notes"} {
		if result[name] == nil {
			t.Errorf("no field %s in %v", name, slices.Sorted(maps.Keys(result)))
		}
	}
	task := parsed[[]map[string]any](t, string(result["tasks"]))[0]
	for _, name := range []string{"task", "n", "seeds", "base", "tuned", "diff", "se", "ci", "b", "c", "p_mcnemar", "p_permutation", "verdict"} {
		if task[name] == nil {
			t.Errorf("no field %s in %v", name, slices.Sorted(maps.Keys(task)))
		}
	}
	ci, _ := task["ci"].([]any)
	if len(ci) != 2 || !(ci[0].(float64) < task["diff"].(float64)) || !(task["diff"].(float64) < ci[1].(float64)) {
		t.Errorf("ci %v around %v", task["ci"], task["diff"])
	}
	if task["task"] != "t" || task["n"] != 200. || task["b"] != 12. || task["c"] != 8. || !near(task["base"].(float64), 112./200) || !near(task["tuned"].(float64), 108./200) || !near(task["diff"].(float64), -4./200) {
		t.Errorf("%v", task)
	}
	// Var = ((b+c)/n - D²)/(n-1), and the binomial tail of 20 flips.
	if want := math.Sqrt((20./200 - 0.02*0.02) / 199); !near(task["se"].(float64), want) {
		t.Errorf("se %v, want %v", task["se"], want)
	}
	if p := task["p_mcnemar"].(float64); math.Abs(p-0.503444671630859375) > 1e-12 {
		t.Errorf("p_mcnemar %v", p)
	}
	if again := done(t, "compare", "--json", parsed[string](t, string(result["base"])), parsed[string](t, string(result["tuned"]))); again != out {
		t.Error("the same runs give other bytes")
	}
}

// TestCompareVerdicts: the four words, by margin, and the gate.
func TestCompareVerdicts(t *testing.T) {
	check := func(want string, n, both, lost, gained int, margin string) comparedTask {
		t.Helper()
		base, tuned := pairedScores(n, both, lost, gained)
		a, b := scoresFile(t, "a", "quiz", base), scoresFile(t, "b", "quiz", tuned)
		got := decoded[comparison](t, "compare", "--json", "--margin", margin, a, b).Tasks[0]
		if got.Verdict != want || fmt.Sprint(float64(got.Margin)) != margin {
			t.Errorf("%d lost, %d gained of %d at %s: %s, want %s: %+v", lost, gained, n, margin, got.Verdict, want, got)
		}
		code, out := ExitNegative, ""
		if want == "RETAINED" {
			code = ExitDone
		}
		table, errs, exit := surgeon(t, "compare", "--gate", "--margin", margin, a, b)
		if code != ExitDone {
			out = "surgeon: the gate is not passed: quiz is " + want + "\n"
		}
		if exit != code || errs != out || !strings.Contains(table, want) {
			t.Errorf("--gate: exit code %d, want %d: %s%s", exit, code, table, errs)
		}
		return got
	}
	check("RETAINED", 1000, 500, 10, 10, "0.02")
	check("RETAINED", 1000, 500, 30, 5, "0.05")
	check("REGRESSED", 1000, 500, 30, 5, "0.03")
	check("MATERIAL", 1000, 500, 100, 5, "0.03")
	if few := check("INCONCLUSIVE", 100, 50, 5, 5, "0.02"); few.NeededItems <= 100 {
		t.Errorf("%d items would decide what 100 do not", few.NeededItems)
	}
	check("RETAINED", 1000, 500, 0, 100, "0.02")
}

// TestCompareNothing: runs that share no task, item or file are errors.
func TestCompareNothing(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir, "a.csv", "task,item,seed,score\nt,1,0,1\nt,2,0,0\n")
	check := func(content string, says ...string) {
		t.Helper()
		refused(t, ExitInput, says, "compare", a, write(t, dir, "b.csv", content))
	}
	check("task,item,seed,score\nu,1,0,1\n", "share nothing", "t (2 items)", "u (1 item)")
	check("task,item,seed,score\nt,3,0,1\nt,4,0,1\n", "share nothing")
	check("task,item,seed,score\nt,1,0,1\nt,1,0,0\n", "b.csv:3: ", `item "1"`, "line 2 already")
	check("task,item,seed,score\nt,1,0,good\n", "b.csv:2: ", `the score "good"`)
	check("task,item,seed,score\nt,1,first,1\n", "b.csv:2: ", `the seed "first"`)
	check("task,item,seed,score\nt,,0,1\n", "b.csv:2: ", "must not be empty")
	check("task,item,seed,score\nt,1,0\n", "b.csv:2: ", "as many fields")
	check("task,item,seed\nt,1,0\n", "b.csv:1: ", `no column "score"`)
	check("task,item,seed,score\n", "no scores")
	check("", "is empty")
	check(`{"id":"1","prompt":"a","answer":"b"}`+"\n", "is of no kind that is known")
	refused(t, ExitInput, []string{"nowhere"}, "compare", a, filepath.Join(dir, "nowhere"))
	refused(t, ExitInput, []string{dir, "no run folder"}, "compare", a, dir)
	refused(t, ExitUsage, []string{"compare takes two runs, and 1 were given"}, "compare", a)
	refused(t, ExitUsage, []string{"--flips -1"}, "compare", "--flips=-1", a, a)
	refused(t, ExitUsage, []string{"--margin 2"}, "compare", "--margin", "2", a, a)
	refused(t, ExitUsage, []string{"every task stands there already"}, "compare", "--margin", "0.1", "--margin", "0.2", a, a)
}

// TestCompareSeedsShareNothing: runs with several seeds each and none in common
// say that it is the seeds.
func TestCompareSeedsShareNothing(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir, "a.csv", "task,item,seed,score\nt,1,0,1\nt,1,1,0\n")
	b := write(t, dir, "b.csv", "task,item,seed,score\nt,1,2,1\nt,1,3,0\n")
	refused(t, ExitInput, []string{"seed"}, "compare", a, b)
}

// TestCompareMissingItems: what one side lacks is counted and named, and the rest
// compared.
func TestCompareMissingItems(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir, "a.csv", "item,task,score,seed,comment\n1,t,1,0,x\n2,t,0,0,\n3,t,0.5,0,\n")
	b := write(t, dir, "b.jsonl", `{"task":"t","item":1,"seed":0,"score":0}
{"task":"t","item":"3","seed":0,"score":true}
{"task":"t","item":"7","seed":0,"score":1}
{"task":"t","item":"8","seed":0,"score":null}
{"task":"u","item":"7","seed":0,"score":1}
`)
	got := decoded[comparison](t, "compare", "--json", a, b)
	if task := got.Tasks[0]; len(got.Tasks) != 1 || task.N != 2 || task.Base != 0.75 || task.Tuned != 0.5 || task.Lost != 1 || task.Gained != 1 {
		t.Errorf("%+v", got.Tasks)
	}
	if got.Sources != [2]string{"CSV", "JSON lines"} {
		t.Errorf("sources %q", got.Sources)
	}
	says(t, "notes", strings.Join(got.Notes, "\n"), "t: 1 item only in the first run: 2", "t: 1 item only in the second run: 7", "1 task only in the second run: u",
		`"comment"`, "1 row left out", "no plan sets the margins")
}

// TestCompareNarrow: in 80 columns verdicts and names can still be read.
func TestCompareNarrow(t *testing.T) {
	file := write(t, t.TempDir(), "a.csv", "task,item,seed,score\nmmlu_anatomy,1,0,1\nmmlu_anatomy,2,0,0\nmmlu_virology,1,0,1\nmmlu_virology,2,0,0\n")
	says(t, "table", done(t, "compare", file, file), "INCONCLUSIVE", "mmlu_anatomy", "mmlu_virology")
}

// TestCompareInspect reads a log of Inspect.
func TestCompareInspect(t *testing.T) {
	dir := t.TempDir()
	log := func(name string, values ...string) string {
		var samples []string
		for i, v := range values {
			samples = append(samples, fmt.Sprintf(`{"id":"q%d","epoch":1,"input":"Which?","target":"A","scores":{"choice":{"value":%s,"answer":"A"}}}`, i, v))
		}
		return write(t, dir, name, `{"version":2,"status":"success","eval":{"task":"quiz","model":"m"},"samples":[`+strings.Join(samples, ",")+`]}`)
	}
	a, b := log("a.json", `"C"`, `"C"`, `"I"`, `"P"`), log("b.json", `"C"`, `"I"`, `"I"`, "NaN")
	got := decoded[comparison](t, "compare", "--json", a, b)
	task := got.Tasks[0]
	if task.Task != "quiz" || task.N != 3 || !near(float64(task.Base), 2./3) || !near(float64(task.Tuned), 1./3) || task.Lost != 1 || !strings.Contains(got.Sources[0], "Inspect") {
		t.Errorf("%v: %+v, notes %v", got.Sources, task, got.Notes)
	}
	if os.WriteFile(b, []byte(`{"version":2,"status":"success","eval":{"task":"quiz","model":"m"},"samples":[{]}`), 0o644) != nil {
		t.Fatal("not written")
	}
	refused(t, ExitInput, []string{b}, "compare", a, b)
}
