package cli

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/record"
	"surgeon/tensors/tensorstest"
)

// TestScoreSeeds asks a file under three draws of shots from its own items: the
// score is the mean over items and seeds, its spread that of the seeds' scores.
func TestScoreSeeds(t *testing.T) {
	dir := t.TempDir()
	file, out := facts(t, dir, 40), filepath.Join(dir, "run")
	got := scored(t, "base", "--tasks", file, "--num-fewshot", "3", "--shots-per", "seed", "--seeds", "1,2,3", "--out", out)
	list := records(t, out)
	task := got.Tasks[0]
	if task.N != 40 || task.Seeds != 3 || len(list) != 120 || strings.Contains(got.notes(), "asked once") {
		t.Fatalf("%d items, %d seeds, %d answers: %v", task.N, task.Seeds, len(list), got.Notes)
	}
	var means []float64
	prompts := map[string]bool{}
	for seed := int64(1); seed <= 3; seed++ {
		means = append(means, meanOfRecords(list, "acc", func(r record.Record) bool { return r.Seed == seed }))
	}
	for _, r := range list {
		prompts[r.PromptHash] = true
	}
	if len(prompts) != 120 {
		t.Errorf("%d different prompts, want 120: other shots for each seed, other questions for each item", len(prompts))
	}
	mean := (means[0] + means[1] + means[2]) / 3
	spread := math.Sqrt((math.Pow(means[0]-mean, 2) + math.Pow(means[1]-mean, 2) + math.Pow(means[2]-mean, 2)) / 2)
	if !near(float64(task.Score), mean) || !near(float64(task.Others["acc"]), mean) || !near(float64(task.SDSeeds), spread) {
		t.Errorf("score %v, metrics %v, spread %v, want %v and %v of %v", task.Score, task.Others, task.SDSeeds, mean, spread, means)
	}
}

// TestScoreDraws: the three ways to draw shots give three different sets of
// prompts, each the same every time.
func TestScoreDraws(t *testing.T) {
	dir := t.TempDir()
	file := facts(t, dir, 12)
	seen := map[string]string{}
	for _, draw := range []string{"task", "seed", "item"} {
		var texts [2]string
		for i := range texts {
			out := filepath.Join(dir, draw+string(rune('0'+i)))
			scored(t, "base", "--tasks", file, "--num-fewshot", "2", "--shots-per", draw, "--seeds", "5,6", "--out", out)
			var hashes []string
			for _, r := range records(t, out) {
				hashes = append(hashes, r.PromptHash)
			}
			slices.Sort(hashes)
			texts[i] = strings.Join(hashes, " ")
		}
		if texts[0] != texts[1] {
			t.Errorf("--shots-per %s: the same run has other prompts", draw)
		}
		if other := seen[texts[0]]; other != "" {
			t.Errorf("--shots-per %s has the prompts of %s", draw, other)
		}
		seen[texts[0]] = draw
	}
}

// TestScoreSeedsThatCannotMatter are said in words and asked once; sampling, and
// options in another order, make them matter.
func TestScoreSeedsThatCannotMatter(t *testing.T) {
	dir := t.TempDir()
	file, out := facts(t, dir, 8), filepath.Join(dir, "run")
	got := scored(t, "base", "--tasks", file+",symbols", "--seeds", "1,2,3", "--out", out)
	says(t, "notes", got.notes(), "facts, symbols: no prompt depends on the seed and nothing is sampled", "asked once")
	if n := len(records(t, out)); n != 8+24 || got.Tasks[0].Seeds != 1 {
		t.Errorf("%d answers, %d seeds", n, got.Tasks[0].Seeds)
	}
	// Only the task that has shots is asked again.
	letters := write(t, dir, "letters.jsonl", `{"id":"1","prompt":"Which is an element?\nA. H\nB. Xx\nC. Yy\nD. Zz\nAnswer:","choices":["H","Xx","Yy","Zz"],"gold":0}`)
	got = scored(t, "base", "--tasks", letters, "--tasks", file, "--seeds", "1,2,3", "--shuffle-options")
	says(t, "notes", got.notes(), "facts: no prompt depends on the seed")
	if got.Tasks[0].Seeds != 3 || got.Tasks[1].Seeds != 1 {
		t.Errorf("%d and %d seeds, want 3 for the options that change places and 1", got.Tasks[0].Seeds, got.Tasks[1].Seeds)
	}
	texts := scored(t, "base", "--tasks", sayings(t, dir, 4), "--seeds", "1,2", "--gen-kwargs", "temperature=1,max_gen_toks=3")
	if texts.Tasks[0].Seeds != 2 || strings.Contains(texts.notes(), "asked once") {
		t.Errorf("sampled: %d seeds, %v", texts.Tasks[0].Seeds, texts.Notes)
	}
}

// TestScoreLimit takes the first items of each task, and says before the run
// which differences so few can show.
func TestScoreLimit(t *testing.T) {
	dir := t.TempDir()
	file, out := facts(t, dir, 40), filepath.Join(dir, "run")
	_, errs, code := surgeon(t, "score", "base", "--tasks", file+",symbols", "--limit", "5", "--out", out)
	if got := itemsOf(records(t, out)); code != ExitDone || strings.Join(got, " ") != "f00 f01 f02 f03 f04 symbol-00 symbol-01 symbol-02 symbol-03 symbol-04" {
		t.Errorf("exit code %d, items %v", code, got)
	}
	says(t, "standard error", errs, "facts: 5 of 40 items: ", "symbols: 5 of 24 items: ", "with 80 % power a difference between two models is found in no case if a tenth of the answers change")
	// Before the run: it comes although the run is refused.
	_, errs, code = surgeon(t, "score", "base", "--tasks", file, "--limit", "6", "--out", out)
	if note, refusal, ok := strings.Cut(errs, "another plan"); code != ExitInput || !ok || !strings.Contains(note, "6 of 40 items") || refusal == "" {
		t.Errorf("exit code %d: %s", code, errs)
	}
	if got := scored(t, "base", "--tasks", file, "--limit", "1000"); got.Tasks[0].N != 40 {
		t.Errorf("%d items of 40", got.Tasks[0].N)
	}
}

// TestScoreUndetectable: a difference cannot be larger than the share of answers
// that change, so two items can show none.
func TestScoreUndetectable(t *testing.T) {
	_, errs, _ := surgeon(t, "score", "base", "--limit", "2")
	if strings.Contains(errs, "62.6 pp") || strings.Contains(errs, "108.5 pp") {
		t.Errorf("says %s", errs)
	}
	for share, want := range map[float64]string{0.1: "from 5.6 pp on", 0.3: "from 9.7 pp on"} { // the published table: 250 items
		if got := detectable(250, share); got != want {
			t.Errorf("%v: %s, want %s", share, got, want)
		}
	}
}

// TestScoreSample takes the same share of every topic, the same items for both
// models.
func TestScoreSample(t *testing.T) {
	dir := t.TempDir()
	file := facts(t, dir, 40)
	var items [2][]string
	for i, model := range []string{"base", "chem"} {
		out := filepath.Join(dir, model)
		_, errs, code := surgeon(t, "score", model, "--tasks", file, "--sample", "10", "--out", out)
		says(t, "standard error", errs, "facts: 10 of 40 items: ", "in no case if three tenths do")
		list, topics := records(t, out), map[string]int{}
		for _, r := range list {
			topics[r.Cluster]++
		}
		for topic, n := range topics {
			if n < 2 || n > 3 {
				t.Errorf("%d items of %s, want 2 or 3", n, topic)
			}
		}
		if items[i] = itemsOf(list); code != ExitDone || len(items[i]) != 10 || len(topics) != 4 {
			t.Errorf("exit code %d, items %v of topics %v", code, items[i], topics)
		}
	}
	if !slices.Equal(items[0], items[1]) {
		t.Errorf("the models are asked other items: %v and %v", items[0], items[1])
	}
	if slices.Equal(items[0], []string{"f00", "f01", "f02", "f03", "f04", "f05", "f06", "f07", "f08", "f09"}) {
		t.Error("the sample is the first ten")
	}
}

// TestScoreHarnessFlags: flags may be written as lm-evaluation-harness writes
// them.
func TestScoreHarnessFlags(t *testing.T) {
	dir := t.TempDir()
	files := facts(t, dir, 10) + "," + sayings(t, dir, 5)
	check := func(args ...string) {
		t.Helper()
		line := append([]string{"score", "base", "--tasks", files}, args...)
		other := slices.Clone(line)
		for i, arg := range other[4:] {
			if strings.HasPrefix(arg, "--") {
				other[4+i] = "--" + strings.ReplaceAll(arg[2:], "-", "_")
			}
		}
		if slices.Equal(line, other) {
			t.Errorf("%q has nothing to write otherwise", args)
		}
		a, errsA, codeA := surgeon(t, line...)
		b, errsB, codeB := surgeon(t, other...)
		if codeA != ExitDone || codeB != codeA || a != b || errsA != errsB {
			t.Errorf("%q: exit codes %d and %d, %s%s\n%s%s", other, codeA, codeB, a, errsA, b, errsB)
		}
	}
	check("--num-fewshot", "3")
	check("--shots-per", "item", "--num-fewshot", "2")
	check("--gen-kwargs", "temperature=0.7,top_p=0.9,top_k=20,do_sample=true,max_gen_toks=4")
	check("--max-tokens=3")
	check("--system-instruction", "Be brief.")
	check("--shuffle-options")
	plain, _, _ := surgeon(t, "score", "base", "--tasks", files)
	if shots, _, _ := surgeon(t, "score", "base", "--tasks", files, "--num_fewshot", "3"); shots == plain {
		t.Error("--num_fewshot changes nothing")
	}
	refused(t, ExitInput, []string{"embedded base", "no chat template"}, "score", "base", "--tasks", files, "--apply_chat_template")
}

// TestScoreChat: prompts go through the model's template, with examples as turns
// or before the question; a template that allows no system message gets none.
func TestScoreChat(t *testing.T) {
	dir := t.TempDir()
	model := pico(t, dir, "model", tensorstest.Pico{Seed: 1})
	write(t, model, "chat_template.jinja", `{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[answer]{% endif %}`)
	file := write(t, dir, "two.jsonl", `{"id":"1","prompt":"Say 1:","answer":"one"}`+"\n"+`{"id":"2","prompt":"Say 2:","answer":"two"}`+"\n")
	check := func(want string, args ...string) {
		t.Helper()
		out := filepath.Join(t.TempDir(), "run")
		scored(t, append([]string{model, "--tasks", file, "--max-tokens", "2", "--out", out}, args...)...)
		for _, r := range records(t, out) {
			if r.Item == "1" && r.PromptHash != sum(want) {
				t.Errorf("%v: the prompt of item 1 is not %q", args, want)
			}
		}
	}
	check("Say 1:")
	check("Say 2: two\n\nSay 1:", "--num_fewshot", "1")
	check("[user]Say 1:[answer]", "--apply_chat_template")
	check("[user]Say 2:[assistant]two[user]Say 1:[answer]", "--apply_chat_template", "--num_fewshot", "1")
	check("[user]Say 2: two\n\nSay 1:[answer]", "--apply_chat_template", "--num_fewshot", "1", "--fewshot_as_multiturn=false")
	check("[user]Say 1:[answer]", "--apply_chat_template", "--system_instruction", "Be brief.")
}
