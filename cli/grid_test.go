package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/record"
)

// gridOutput is what grid --json says, to be read by tests.
type gridOutput struct {
	General, Domain []string
	Candidates      []gridScored
	Bases           map[string]string
	Notes           []string
}

// gridOfFacts writes a grid of the embedded pair over the embedded task and a file
// of facts, with more keys if given.
func gridOfFacts(t *testing.T, dir string, keys ...string) string {
	t.Helper()
	file := facts(t, dir, 40)
	return write(t, dir, "grid.yml", "pairs: [{base: base, tuned: chem}]\ntasks: [symbols, "+file+"]\n"+strings.Join(keys, "\n")+"\n")
}

// scoresOf are a candidate's answers, by task and item.
func scoresOf(list []record.Record, model string) map[string]float64 {
	scores := map[string]float64{}
	for _, r := range list {
		if r.Model == model {
			scores[r.Task+" "+r.Item] = r.Scores["acc"]
		}
	}
	return scores
}

// TestGridCandidates: a grid has the base, the tuned model and every point that is
// neither, and their scores are those of score.
func TestGridCandidates(t *testing.T) {
	dir := t.TempDir()
	path := gridOfFacts(t, dir, "methods: [linear, {trim: 0.5}]", "alphas: [0, 0.5, 1]")
	got := decoded[gridOutput](t, "grid", "--json", path)
	var ids []string
	for _, c := range got.Candidates {
		ids = append(ids, c.ID)
	}
	// alpha 0 is the base whatever the method, and linear alpha 1 the tuned model.
	want := []string{"base", "tuned", "linear alpha=0.5", "trim=0.5 alpha=0.5", "trim=0.5 alpha=1"}
	if !slices.Equal(ids, want) {
		t.Errorf("candidates %q, want %q", ids, want)
	}
	list := records(t, filepath.Join(dir, "grid.run"))
	if len(list) != len(ids)*64 {
		t.Errorf("%d answers of %d candidates to 64 questions", len(list), len(ids))
	}
	for name, model := range map[string]string{"base": "base", "tuned": "chem"} {
		out := filepath.Join(dir, model)
		done(t, "score", model, "--tasks", "symbols,"+filepath.Join(dir, "facts.jsonl"), "--out", out)
		if a, b := scoresOf(list, name), scoresOf(records(t, out), model); fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("%s: %v, score says %v", name, a, b)
		}
	}
	base := scoresOf(list, "base")
	for _, c := range got.Candidates {
		if got.Bases[c.ID] != "base" || c.Error != "" {
			t.Errorf("%s is compared with %q: %s", c.ID, got.Bases[c.ID], c.Error)
		}
		mine := scoresOf(list, c.ID)
		for _, task := range c.Tasks {
			lost, gained, right, n := 0, 0, 0., 0.
			for name, score := range mine {
				if strings.HasPrefix(name, task.Task+" ") {
					right, n = right+score, n+1
					if score < base[name] {
						lost++
					} else if score > base[name] {
						gained++
					}
				}
			}
			if task.Lost != lost || task.Gained != gained || !near(float64(task.Tuned), right/n) || task.N != int(n) {
				t.Errorf("%s, %s: %d lost, %d gained, %v of %d; the log says %d, %d, %v of %v", c.ID, task.Task, task.Lost, task.Gained, task.Tuned, task.N, lost, gained, right/n, n)
			}
		}
	}
}

// TestGridMerge: a point's answers are those of the merge that is written, to the
// last bit.
func TestGridMerge(t *testing.T) {
	dir := t.TempDir()
	path := gridOfFacts(t, dir, "alphas: [0.5]", "groups: [{tensors: norms, alphas: [1.5]}]")
	done(t, "grid", path)
	merged, out := filepath.Join(dir, "merged"), filepath.Join(dir, "out")
	done(t, "merge", "base", "chem", "--alpha", "norms=1.5,*=0.5", "-o", merged)
	done(t, "score", merged, "--tasks", "symbols,"+filepath.Join(dir, "facts.jsonl"), "--out", out)
	want := map[string][]float64{}
	for _, r := range records(t, out) {
		want[r.Task+" "+r.Item] = r.LogProbs
	}
	found := 0
	for _, r := range records(t, filepath.Join(dir, "grid.run")) {
		if r.Model == "linear alpha=0.5 norms=1.5" {
			found++
			if !slices.Equal(r.LogProbs, want[r.Task+" "+r.Item]) {
				t.Errorf("%s: %v, the written merge has %v", r.Item, r.LogProbs, want[r.Task+" "+r.Item])
			}
		}
	}
	if found != 64 {
		t.Errorf("%d answers of the point", found)
	}
}

// TestGridOnePoint: points that are the base or the tuned model are not scored
// twice.
func TestGridOnePoint(t *testing.T) {
	dir := t.TempDir()
	check := func(want int, keys ...string) {
		t.Helper()
		path := gridOfFacts(t, dir, append(keys, "limit: 3")...)
		out := filepath.Join(t.TempDir(), "run")
		text, errs, code := surgeon(t, "grid", "--out", out, path)
		models := map[string]bool{}
		for _, r := range records(t, out) {
			models[r.Model] = true
		}
		if code != ExitDone || len(models) != want {
			t.Errorf("%v: exit code %d, candidates %v, want %d: %s%s", keys, code, models, want, text, errs)
		}
	}
	check(2, "alphas: [0, 1]")
	check(2, "methods: [linear, linear]", "alphas: [0, 1]")
	check(3, "alphas: [1, 0.5]")
	check(2, "methods: [{drop: 1}, {trim: 1}]", "alphas: [0]")
	check(2, "alphas: [1]", "groups: [{tensors: norms, alphas: [1]}]")
	check(4, "alphas: [0, 1]", "groups: [{tensors: norms, alphas: [0, 1]}]")
	check(3, "methods: [{trim: 0.5}]", "alphas: [0, 1]")
}

// TestGridDensityOne: what keeps everything is no method of its own.
func TestGridDensityOne(t *testing.T) {
	dir := t.TempDir()
	got := decoded[gridOutput](t, "grid", "--json", gridOfFacts(t, dir, "methods: [linear, {trim: 1}, {drop: 1}]", "alphas: [0.5, 1]"))
	if len(got.Candidates) != 3 {
		t.Errorf("%d candidates, want base, tuned and one between", len(got.Candidates))
	}
}

// TestGridPairs: two pairs of one base share it, and every candidate is compared
// with the base of its pair.
func TestGridPairs(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "grid.yml", "pairs: [{name: there, base: base, tuned: chem}, {name: back, base: chem, tuned: base}]\nalphas: [0.5]\ntasks: [symbols]\nlimit: 6\n")
	out, _, code := surgeon(t, "grid", "--json", path)
	got := parsed[gridOutput](t, out)
	want := map[string]string{"there base": "there base", "there tuned": "there base", "there linear alpha=0.5": "there base", "back linear alpha=0.5": "there tuned"}
	if code != ExitDone || fmt.Sprint(got.Bases) != fmt.Sprint(want) {
		t.Errorf("exit code %d, bases %v, want %v", code, got.Bases, want)
	}
}

// TestGridOtherPlan: a folder of another grid is refused, and left alone.
func TestGridOtherPlan(t *testing.T) {
	dir := t.TempDir()
	path, out := gridOfFacts(t, dir, "alphas: [0.5]", "limit: 4"), filepath.Join(dir, "run")
	run := func(path string) (string, int) {
		_, errs, code := surgeon(t, "grid", "--out", out, path)
		return errs, code
	}
	if errs, code := run(path); code != ExitDone {
		t.Fatal(errs)
	}
	before := tree(t, out)
	check := func(says string, keys ...string) {
		t.Helper()
		errs, code := run(gridOfFacts(t, dir, keys...))
		if code != ExitInput || !strings.Contains(errs, "holds a run with another plan: ") || !strings.Contains(errs, says) {
			t.Errorf("%v: exit code %d: %s, want %q", keys, code, errs, says)
		}
		sameTree(t, strings.Join(keys, ", "), tree(t, out), before)
	}
	check(`candidates[2] is "linear alpha=0.5" there and "linear alpha=0.25" here`, "alphas: [0.25]", "limit: 4")
	check("items", "alphas: [0.5]", "limit: 5")
	check("margins", "alphas: [0.5]", "limit: 4", "margin: 0.1")
	check("rule", "alphas: [0.5]", "limit: 4", "domain: [symbols]")
	check("seeds[0]", "alphas: [0.5]", "limit: 4", "seeds: [7]")
	check("shots", "alphas: [0.5]", "limit: 4", "num_fewshot: 1")
	refused(t, ExitInput, []string{"no run folder", dir}, "grid", "collect", "--out", filepath.Join(dir, "new"), dir)
}

// TestGridOtherTokens: how long texts may be is part of what was planned.
func TestGridOtherTokens(t *testing.T) {
	dir := t.TempDir()
	texts := sayings(t, dir, 3)
	path := write(t, dir, "grid.yml", "alphas: [1]\ntasks: ["+texts+"]\nmax_gen_toks: 2\n")
	done(t, "grid", path)
	write(t, dir, "grid.yml", "alphas: [1]\ntasks: ["+texts+"]\nmax_gen_toks: 4\n")
	refused(t, ExitInput, []string{"another plan"}, "grid", path)
}

// TestGridReuse: the answers of score's folders serve for the pair's ends.
func TestGridReuse(t *testing.T) {
	dir := t.TempDir()
	path := gridOfFacts(t, dir, "alphas: [0.5]")
	base, fresh, reused := filepath.Join(dir, "base"), filepath.Join(dir, "fresh"), filepath.Join(dir, "reused")
	done(t, "score", "base", "--tasks", "symbols,"+filepath.Join(dir, "facts.jsonl"), "--out", base)
	done(t, "grid", "--out", fresh, path)
	done(t, "grid", "--out", reused, "--reuse", base, path)
	sameRecords(t, fresh, reused)
	// The base's records are copied first, so they stand before all others.
	for i, r := range records(t, reused)[:64] {
		if r.Model != "base" {
			t.Errorf("record %d is of %s", i, r.Model)
		}
	}
	if a, b := read(t, filepath.Join(fresh, "results.json")), read(t, filepath.Join(reused, "results.json")); a != b {
		t.Error("results.json differs")
	}
}
