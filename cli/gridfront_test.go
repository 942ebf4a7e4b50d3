package cli

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/record"
)

// clusteredSE is the standard error of a candidate's score: of clusters where items
// have some, or else each item for itself.
func clusteredSE(list []record.Record, model, task string) float64 {
	clusters, n, mean := map[string][]float64{}, 0., 0.
	for _, r := range list {
		if r.Model == model && r.Task == task {
			name := r.Cluster
			if name == "" {
				name = "item " + r.Item
			}
			clusters[name] = append(clusters[name], r.Scores["acc"])
			n, mean = n+1, mean+r.Scores["acc"]
		}
	}
	sum := 0.
	for _, scores := range clusters {
		part := 0.
		for _, s := range scores {
			part += s - mean/n
		}
		sum += part * part
	}
	c := float64(len(clusters))
	return math.Sqrt(c/(c-1)*sum) / n
}

// TestGridFront: general and domain are means over their tasks, marks are of what
// nothing beats, and the figure is drawn.
func TestGridFront(t *testing.T) {
	dir := t.TempDir()
	path := gridOfFacts(t, dir, "methods: [linear, {trim: 0.3}, {drop: 0.5, seed: 3}]", "alphas: [-1, 0.5, 1, 2]", "domain: [symbols]")
	figure := filepath.Join(dir, "front.png")
	got := decoded[gridOutput](t, "grid", "--json", "--plot", figure, path)
	if !slices.Equal(got.General, []string{"facts"}) || !slices.Equal(got.Domain, []string{"symbols"}) {
		t.Fatalf("general %v, domain %v", got.General, got.Domain)
	}
	list := records(t, filepath.Join(dir, "grid.run"))
	marked := 0
	for _, a := range got.Candidates {
		beaten := false
		for _, b := range got.Candidates {
			x, y := b.General.Score-a.General.Score, b.Domain.Score-a.Domain.Score
			beaten = beaten || x >= 0 && y >= 0 && x+y > 0
		}
		if a.Front == beaten {
			t.Errorf("%s: front %v, beaten %v", a.ID, a.Front, beaten)
		}
		if a.Front {
			marked++
		}
		for _, task := range a.Tasks {
			m := a.General
			if task.Task == "symbols" {
				m = a.Domain
			}
			if m.Score != task.Tuned || m.Diff != task.Diff || !(m.Low <= m.Score && m.Score <= m.High) || math.Abs(float64(m.SE)-clusteredSE(list, a.ID, task.Task)) > 1e-12 {
				t.Errorf("%s, %s: %+v, want %v ± %v", a.ID, task.Task, m, task.Tuned, clusteredSE(list, a.ID, task.Task))
			}
		}
	}
	table := wide(t, "grid", path)
	if marked == 0 || marked == len(got.Candidates) || strings.Count(table, "│ *") != marked {
		t.Errorf("%d marks of %d in\n%s", strings.Count(table, "│ *"), marked, table)
	}
	says(t, "table", table, "general: facts; domain: symbols")
	png, err := os.ReadFile(figure)
	if err != nil || !strings.HasPrefix(string(png), "\x89PNG") {
		t.Errorf("%v: %.8q", err, png)
	}
	if svg := read(t, filepath.Join(dir, "grid.run", "figures", "front.svg")); !strings.Contains(svg, "<svg") || !strings.Contains(svg, "general") || !strings.Contains(svg, "trim=0.3") {
		t.Errorf("no figure in the run folder: %.200s", svg)
	}
	// results.json is what --json says, and the same bytes when the grid is given
	// again.
	before := read(t, filepath.Join(dir, "grid.run", "results.json"))
	written, said := parsed[gridOutput](t, before), decoded[gridOutput](t, "grid", "--json", path)
	if inJSON(t, written.Candidates) != inJSON(t, said.Candidates) || inJSON(t, written.Bases) != inJSON(t, said.Bases) || len(said.Candidates) == 0 {
		t.Errorf("results.json says %+v, --json %+v", written.Candidates, said.Candidates)
	}
	if after := read(t, filepath.Join(dir, "grid.run", "results.json")); after != before {
		t.Errorf("given again: %d and %d bytes", len(before), len(after))
	}
}

// inJSON is a value as it is printed: numbers that are not defined are null.
func inJSON(t *testing.T, v any) string {
	t.Helper()
	content, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestGridGeneralOfSeveral: the mean over tasks counts each alike.
func TestGridGeneralOfSeveral(t *testing.T) {
	dir := t.TempDir()
	texts := sayings(t, dir, 4)
	path := gridOfFacts(t, dir, "alphas: [1]", "general: [symbols, facts]", "domain: ["+texts+"]", "max_gen_toks: 2")
	content := strings.Replace(read(t, path), "tasks: [", "tasks: ["+texts+", ", 1)
	write(t, dir, "grid.yml", content)
	got := decoded[gridOutput](t, "grid", "--json", path)
	if !slices.Equal(got.Domain, []string{"sayings"}) {
		t.Errorf("domain %v", got.Domain)
	}
	for _, c := range got.Candidates {
		sum, diff, n := 0., 0., 0.
		for _, task := range c.Tasks {
			if task.Task != "sayings" {
				sum, diff, n = sum+float64(task.Tuned), diff+float64(task.Diff), n+1
			}
		}
		if n != 2 || !near(float64(c.General.Score), sum/2) || !near(float64(c.General.Diff), diff/2) {
			t.Errorf("%s: %+v of %v tasks, want %v and %v", c.ID, c.General, n, sum/2, diff/2)
		}
	}
}

// TestGridCompare: candidates of a grid are compared by name.
func TestGridCompare(t *testing.T) {
	dir := t.TempDir()
	path, out := gridOfFacts(t, dir, "alphas: [0.5, 2]"), filepath.Join(dir, "run")
	grid := decoded[gridOutput](t, "grid", "--json", "--out", out, path)
	got := decoded[comparison](t, "compare", "--json", out, out, "--base-model", "base", "--tuned-model", "linear alpha=2")
	for _, c := range grid.Candidates {
		if c.ID != "linear alpha=2" {
			continue
		}
		for i, task := range c.Tasks {
			if other := got.Tasks[i]; other.Task != task.Task || other.Diff != task.Diff || other.SE != task.SE || other.Lost != task.Lost || other.Verdict != task.Verdict || other.Margin != task.Margin {
				t.Errorf("the grid says %+v, compare %+v", task, other)
			}
		}
	}
	refused(t, ExitUsage, []string{"answers of 4 models", "linear alpha=2"}, "compare", out, out)
}

// TestGridSays: what score says of seeds and items that are left out, grid says
// too, and it counts no comparison of the base with itself.
func TestGridSays(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "quiz.jsonl", quiz)
	path := write(t, dir, "grid.yml", "alphas: [1]\ntasks: [symbols, "+file+"]\nseeds: [1, 2]\nlimit: 5\n")
	out, _, code := surgeon(t, "grid", path)
	says(t, "grid", out, "asked once", `1 item of the form "essay" is not asked`, "embedded: ")
	if code != ExitDone || strings.Contains(out, "symbols: 2 comparisons inconclusive") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}
