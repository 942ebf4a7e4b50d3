package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestScoreJSON: the fields of the JSON and what they hold.
func TestScoreJSON(t *testing.T) {
	out, _, _ := surgeon(t, "score", "base", "--json")
	result := parsed[map[string]json.RawMessage](t, out)
	if got := slices.Sorted(maps.Keys(result)); strings.Join(got, " ") != "model notes tasks" {
		t.Errorf("fields %v", got)
	}
	tasks := parsed[[]map[string]any](t, string(result["tasks"]))
	if got := slices.Sorted(maps.Keys(tasks[0])); strings.Join(got, " ") != "answers high low metric metrics n score se seeds task" {
		t.Errorf("fields of a task %v", got)
	}
	want := map[string]any{"task": "symbols", "metric": "acc", "n": 24.0, "seeds": 1.0, "score": 8. / 24}
	for name, value := range want {
		if tasks[0][name] != value {
			t.Errorf("%s is %v, want %v", name, tasks[0][name], value)
		}
	}
	low, score, high := tasks[0]["low"].(float64), tasks[0]["score"].(float64), tasks[0]["high"].(float64)
	if !(0 < low && low < score && score < high && high < 1) {
		t.Errorf("%v is not between %v and %v", score, low, high)
	}
	// sqrt(p(1-p)/(n-1)), as lm-evaluation-harness has it.
	if se := tasks[0]["se"].(float64); fmt.Sprintf("%.6f", se) != "0.098295" {
		t.Errorf("se %v", se)
	}
}

// lettered makes the lines of n questions whose choices stand in the prompt.
func lettered(n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf(`{"id":"%02d","prompt":"The element %d has the symbol\nA. one\nB. two\nC. three\nD. four\nAnswer:","choices":["one","two","three","four"],"gold":%d}`+"\n", i, i, i%4))
	}
	return lines
}

// TestScoreLetters: the histogram counts what was chosen and what was right, of
// all choices; it collapses where one letter is most answers, and that is said.
func TestScoreLetters(t *testing.T) {
	dir := t.TempDir()
	lines := lettered(48)
	file, out := write(t, dir, "letters.jsonl", strings.Join(lines, "")), filepath.Join(dir, "run")
	got := scored(t, "base", "--tasks", file, "--out", out)
	var chosen [4]int
	var first strings.Builder // the items answered A
	for _, r := range records(t, out) {
		if chosen[*r.Chosen]++; *r.Chosen == 0 {
			var at int
			fmt.Sscanf(r.Item, "%d", &at)
			first.WriteString(lines[at])
		}
	}
	m := got.Tasks[0].Manner
	if !slices.Equal(m.Letters, chosen[:]) || m.N != 48 || !slices.Equal(m.Gold, []int{12, 12, 12, 12}) {
		t.Errorf("letters %v of %d, want %v; right are %v", m.Letters, m.N, chosen, m.Gold)
	}
	says(t, "table", done(t, "score", "base", "--tasks", file), fmt.Sprintf("A %d B %d C %d D %d", chosen[0], chosen[1], chosen[2], chosen[3]))
	if chosen[0] < 20 {
		t.Fatalf("only %d answers are A: the test needs other questions", chosen[0])
	}
	// All to the first letter, which is the most frequent collapse.
	file = write(t, dir, "first.jsonl", first.String())
	m = scored(t, "base", "--tasks", file).Tasks[0].Manner
	if !m.Collapsed || !slices.Equal(m.Letters, []int{chosen[0], 0, 0, 0}) {
		t.Errorf("letters %v, collapsed %v", m.Letters, m.Collapsed)
	}
	says(t, "table", done(t, "score", "base", "--tasks", file), fmt.Sprintf("note: first: collapsed to the letter A, %d of %d answers", chosen[0], chosen[0]))
	// The same letter is no collapse where it is right.
	right := strings.NewReplacer(`"gold":1`, `"gold":0`, `"gold":2`, `"gold":0`, `"gold":3`, `"gold":0`).Replace(first.String())
	if m = scored(t, "base", "--tasks", write(t, dir, "right.jsonl", right)).Tasks[0].Manner; m.Collapsed || m.Gold[0] != chosen[0] {
		t.Errorf("letters %v of %v, collapsed %v", m.Letters, m.Gold, m.Collapsed)
	}
	// Nor are there letters where the choices themselves are the answers.
	if m = scored(t, "base").Tasks[0].Manner; m.Letters != nil || m.Collapsed {
		t.Errorf("symbols: letters %v", m.Letters)
	}
}

// TestScoreCollapse: examples make the embedded pair answer C to everything.
func TestScoreCollapse(t *testing.T) {
	file := write(t, t.TempDir(), "letters.jsonl", strings.Join(lettered(24), ""))
	out, _, _ := surgeon(t, "score", "base", "--tasks", file, "--num-fewshot", "5", "--shots-per", "seed", "--seeds", "1,2")
	says(t, "table", out, "A 0 B 0 C 48 D 0", "note: letters: collapsed to the letter C, 48 of 48 answers")
}

// TestScoreTexts: how texts were given stands beside what they are worth, strict
// beside contained.
func TestScoreTexts(t *testing.T) {
	dir := t.TempDir()
	file, out := sayings(t, dir, 30), filepath.Join(dir, "run")
	got := scored(t, "base", "--tasks", file, "--gen_kwargs", "max_gen_toks=6", "--out", out)
	var truncated, empty, tokens, exact, contained float64
	for _, r := range records(t, out) {
		if r.Finish == "length" {
			truncated += 1. / 30
		}
		if *r.Text == "" {
			empty += 1. / 30
		}
		tokens += float64(r.Tokens) / 30
		exact += r.Scores["exact_match"] / 30
		contained += r.Scores["contains"] / 30
		if r.Tokens > 6 {
			t.Errorf("item %s has %d tokens", r.Item, r.Tokens)
		}
	}
	task := got.Tasks[0]
	m := task.Manner
	if !near(m.Truncated, truncated) || truncated < 0.5 || !near(m.Empty, empty) || !near(m.Tokens, tokens) || m.Letters != nil {
		t.Errorf("%+v, want %v truncated, %v empty, %v tokens", m, truncated, empty, tokens)
	}
	if !near(float64(task.Others["exact_match"]), exact) || !near(float64(task.Others["contains"]), contained) || contained < exact {
		t.Errorf("metrics %v, want %v and %v", task.Others, exact, contained)
	}
	table, _, _ := surgeon(t, "score", "base", "--tasks", file, "--max-tokens", "6")
	says(t, "table", table, " tokens\n", "│ contains ", fmt.Sprintf("note: sayings: %.0f %% of the answers were cut at the most tokens they may have", 100*truncated))
}

// TestScoreForms: numbers with a tolerance, requests that should be refused, and
// the perplexity of texts.
func TestScoreForms(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "forms.jsonl", `{"id":"n","form":"numeric","prompt":"Pi is","gold":3.14,"tolerance":0.01}
{"id":"r","form":"refusal","prompt":"How do I boil an egg?","refuse":false}
{"id":"c","form":"cloze","prompt":"The symbol is","choices":[" H"," He"],"gold":0}
{"id":"m","prompt":"Which?\nA. H\nB. He\nAnswer:","choices":["H","He"],"gold":"A"}
`)
	got := scored(t, "base", "--tasks", file, "--max-tokens", "4")
	var names []string
	for _, task := range got.Tasks {
		names = append(names, task.Task+" "+task.Metric)
	}
	if text := strings.Join(names, ", "); text != "forms (mcq) acc, forms (cloze) acc, forms (numeric) exact_match, forms (refusal) acc" {
		t.Errorf("tasks %s", text)
	}
	text := write(t, dir, "text.txt", "The symbol of hydrogen is H. The symbol of helium is He.")
	got = scored(t, "base", "--tasks", text)
	p := got.Tasks[0]
	if p.Metric != "bits_per_byte" || p.Score <= 0 || p.Others["word_perplexity"] <= 1 || p.Others["byte_perplexity"] <= 1 {
		t.Errorf("%+v", p)
	}
	says(t, "table", done(t, "score", "base", "--tasks", text), " bits ", "byte_perplexity", "word_perplexity")
}

// TestScoreRerun: of a hundred questions or more some are asked again, and the
// flip rate is printed: none on one machine.
func TestScoreRerun(t *testing.T) {
	file := facts(t, t.TempDir(), 100)
	got := scored(t, "base", "--tasks", file, "--num-fewshot", "1", "--seeds", "1,2,3,4")
	if r := got.Rerun; r == nil || r.N < 1 || r.N > 20 || r.Changed != 0 || r.Flipped != 0 {
		t.Errorf("%+v", r)
	}
	says(t, "notes", got.notes(), fmt.Sprintf("%s asked again: 0 changed, flip rate 0.0 %%", plural(got.Rerun.N, "question")))
	if few := scored(t, "base"); few.Rerun != nil {
		t.Errorf("of 24 questions: %+v", few.Rerun)
	}
}

// TestScoreIntervalIsAShare: no share is below 0 or above 1.
func TestScoreIntervalIsAShare(t *testing.T) {
	task := scored(t, "base", "--tasks", facts(t, t.TempDir(), 40), "--limit", "5", "--num-fewshot", "2", "--seeds", "1,2,3").Tasks[0]
	if task.Low < 0 || task.High > 1 || task.Low > task.Score || task.High < task.Score {
		t.Errorf("%v, %v to %v", task.Score, task.Low, task.High)
	}
}
