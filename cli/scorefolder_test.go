package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"surgeon/probe/record"
)

// TestScoreFolder: a run folder has the plan with its hash, an answer a line, and
// results that are the same bytes for the same run, also when it is given again.
func TestScoreFolder(t *testing.T) {
	dir := t.TempDir()
	file := facts(t, dir, 10)
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	line := func(out string) []string {
		return []string{"score", "chem", "--tasks", file + ",symbols", "--num-fewshot", "1", "--seeds", "1,2", "--out", out}
	}
	first := done(t, line(one)...)
	done(t, line(two)...)
	plan, err := record.ReadPlan(one)
	if err != nil {
		t.Fatal(err)
	}
	other, err := record.ReadPlan(two)
	if err != nil || plan.Hash() != other.Hash() || !strings.Contains(read(t, filepath.Join(one, "run.json")), `"hash": "`+plan.Hash()+`"`) {
		t.Errorf("%v: hashes %s and %s", err, plan.Hash(), other.Hash())
	}
	if plan.Models[0].Digest == "" || plan.Data[0].Digest != sum(read(t, file)) || !slices.Equal(plan.Seeds, []int64{1, 2}) || plan.Tasks[0].Items != 10 || plan.Tasks[0].Shots != 1 {
		t.Errorf("plan %+v", plan)
	}
	before, others := tree(t, one), tree(t, two)
	if before["results.json"] == "" || before["results.json"] != others["results.json"] {
		t.Errorf("results.json: %q and %q", before["results.json"], others["results.json"])
	}
	lines := bytes.Count([]byte(before["log.jsonl"]), []byte("\n"))
	if lines != (10+24)*2 {
		t.Errorf("%d lines in the log", lines)
	}
	// Given again nothing is computed, and only the note on that is new.
	again := done(t, line(one)...)
	note := ""
	for text := range strings.Lines(again) {
		if !strings.Contains(first, text) {
			note += text
		}
	}
	if !strings.Contains(note, fmt.Sprintf("%d answers", lines)) || strings.Count(note, "\n") != 1 {
		t.Errorf("given again it says\n%s", note)
	}
	sameTree(t, "given again", tree(t, one), before)
	// Results that are lost come back.
	if err := os.Remove(filepath.Join(one, "results.json")); err != nil {
		t.Fatal(err)
	}
	done(t, line(one)...)
	sameTree(t, "without its results", tree(t, one), before)
}

// TestScoreFolderResumes stops a run when some answers are in its log: the same
// command goes on and comes to the results of an undisturbed run.
func TestScoreFolderResumes(t *testing.T) {
	dir := t.TempDir()
	whole, out := filepath.Join(dir, "whole"), filepath.Join(dir, "run")
	line := func(out string) []string {
		return []string{"score", "base", "--tasks", "instruct", "--max-tokens", "24", "--out", out}
	}
	if _, errs, code := surgeon(t, line(whole)...); code != ExitDone {
		t.Fatal(errs)
	}
	count := func() int {
		data, _ := os.ReadFile(filepath.Join(out, "log.jsonl"))
		return bytes.Count(data, []byte("\n"))
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for end := time.Now().Add(20 * time.Second); count() < 20 && time.Now().Before(end); {
			time.Sleep(200 * time.Microsecond)
		}
		cancel()
	}()
	var o, e bytes.Buffer
	code := run(ctx, environment{out: &o, err: &e, timeless: true}, line(out))
	kept := count()
	if code != ExitInterrupted || o.Len() > 0 || !strings.Contains(e.String(), fmt.Sprintf("%d answers are kept in %s", kept, out)) || kept >= 170 {
		t.Fatalf("exit code %d, %d answers kept: %s%s", code, kept, o.String(), e.String())
	}
	if _, err := os.Stat(filepath.Join(out, "results.json")); err == nil {
		t.Error("a run that was stopped has results")
	}
	text, errs, code := surgeon(t, line(out)...)
	if code != ExitDone || !strings.Contains(text, fmt.Sprintf("%d answers", kept)) {
		t.Errorf("exit code %d: %s%s", code, text, errs)
	}
	if a, b := read(t, filepath.Join(out, "results.json")), read(t, filepath.Join(whole, "results.json")); a != b {
		t.Errorf("resumed:\n%s\nundisturbed:\n%s", a, b)
	}
	if n := count(); n != 170 {
		t.Errorf("%d lines in the log of 170 questions", n)
	}
	sameRecords(t, out, whole)
}

// sameRecords checks that two run folders have the same answers.
func sameRecords(t *testing.T, a, b string) {
	t.Helper()
	x, y := strings.Split(read(t, filepath.Join(a, "log.jsonl")), "\n"), strings.Split(read(t, filepath.Join(b, "log.jsonl")), "\n")
	slices.Sort(x)
	slices.Sort(y)
	if !slices.Equal(x, y) {
		t.Errorf("%s and %s have other answers, %d and %d", a, b, len(x), len(y))
	}
}

// TestScoreOtherPlan: a folder with another plan is refused with the field that
// differs, and left alone.
func TestScoreOtherPlan(t *testing.T) {
	dir := t.TempDir()
	file, texts, out := facts(t, dir, 10), sayings(t, dir, 4), filepath.Join(dir, "run")
	line := []string{"score", "base", "--tasks", file, "--tasks", texts, "--out", out, "--max-tokens", "3"}
	if _, errs, code := surgeon(t, line...); code != ExitDone {
		t.Fatal(errs)
	}
	before := tree(t, out)
	check := func(says string, args ...string) {
		t.Helper()
		_, errs, code := surgeon(t, append(slices.Clone(line), args...)...)
		last := errs[strings.LastIndex(strings.TrimRight(errs, "\n"), "\n")+1:]
		if code != ExitInput || !strings.HasPrefix(last, "surgeon: "+out+" holds a run with another plan: ") || !strings.Contains(last, says) || !strings.Contains(last, "give another folder") {
			t.Errorf("%v: exit code %d: %s, want %q", args, code, last, says)
		}
		sameTree(t, strings.Join(args, " "), tree(t, out), before)
	}
	check("seeds[0] is 1234 there and 7 here", "--seeds", "7")
	check("seeds[1] is absent there and 9 here", "--seeds", "1234,9")
	check("tasks[0] (facts).shots is 0 there and 2 here", "--num-fewshot", "2")
	check("tasks[0] (facts).items is 10 there and 3 here", "--limit", "3")
	check("tasks[0] (facts).items is 10 there and 5 here", "--sample", "5")
	check(`(facts).draw is "stock" there and "item" here`, "--shots-per", "item")
	check("(facts).shuffle is absent there and true here", "--shuffle-options")
	check("settings.temperature is 0 there and 0.5 here", "--gen-kwargs", "temperature=0.5")
	check(`settings.system is "" there and "Be brief." here`, "--system-instruction", "Be brief.")
	check("margins.facts is absent there and 0.3 here", "--margin", "facts=0.3", "--margin", "0.02", "--margin", "gsm8k=0.03", "--margin", "ifeval=0.03", "--margin", "safety=0.01", "--margin", "refusal=0.01")
	check("data[2]", "--tasks", "symbols")
	line[1] = "chem"
	check("models[0].digest is ")
	line[1] = "base"
	write(t, dir, "facts.jsonl", read(t, file)+`{"id":"new","prompt":"a","choices":["b","c"],"gold":0}`+"\n")
	check("data[0] (facts.jsonl).digest is ")
	facts(t, dir, 10)
	// The same file elsewhere is the same data.
	moved := write(t, t.TempDir(), "facts.jsonl", read(t, file))
	if _, errs, code := surgeon(t, "score", "base", "--tasks", moved, "--tasks", texts, "--out", out, "--max-tokens", "3"); code != ExitDone {
		t.Errorf("the same file elsewhere: exit code %d: %s", code, errs)
	}
	// A plan that was changed by hand is no plan.
	write(t, out, "run.json", strings.Replace(before["run.json"], `"items": 10`, `"items": 11`, 1))
	if _, errs, code := surgeon(t, line...); code != ExitInput || !strings.Contains(errs, "run.json does not have the hash it was written with") {
		t.Errorf("a changed plan: exit code %d: %s", code, errs)
	}
	if err := os.Remove(filepath.Join(out, "run.json")); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := surgeon(t, line...); code != ExitInput || !strings.Contains(errs, "has answers in log.jsonl but no run.json") {
		t.Errorf("without a plan: exit code %d: %s", code, errs)
	}
}

// TestScorePlanOfMargins: the margin of every task has a name, too.
func TestScorePlanOfMargins(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	done(t, "score", "base", "--out", out)
	_, errs, code := surgeon(t, "score", "base", "--out", out, "--margin", "0.5")
	if code != ExitInput || !strings.Contains(errs, "0.02 there and 0.5 here") || strings.Contains(errs, "margins. is") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestScoreOtherTexts: how texts are cut is part of what was planned.
func TestScoreOtherTexts(t *testing.T) {
	dir := t.TempDir()
	texts := sayings(t, dir, 4)
	for _, args := range [][2][]string{{{"--max-tokens", "2"}, {"--max-tokens", "4"}}, {{"--stop", "a"}, {"--stop", "b"}}} {
		out := filepath.Join(t.TempDir(), "run")
		if _, errs, code := surgeon(t, append([]string{"score", "base", "--tasks", texts, "--out", out}, args[0]...)...); code != ExitDone {
			t.Fatal(errs)
		}
		_, errs, code := surgeon(t, append([]string{"score", "base", "--tasks", texts, "--out", out}, args[1]...)...)
		if code != ExitInput || !strings.Contains(errs, "another plan") {
			t.Errorf("%v in the folder of %v: exit code %d: %s", args[1], args[0], code, errs)
		}
		if _, errs, code := surgeon(t, "compare", out, out); code != ExitDone {
			t.Errorf("the folder cannot be read any more: %s", errs)
		}
	}
}

// TestScoreReuse: answers of another folder serve where the question is the same,
// and those of another model never do.
func TestScoreReuse(t *testing.T) {
	dir := t.TempDir()
	file := facts(t, dir, 12)
	both, one, chem, fresh := filepath.Join(dir, "both"), filepath.Join(dir, "one"), filepath.Join(dir, "chem"), filepath.Join(dir, "fresh")
	done(t, "score", "base", "--tasks", file+",symbols", "--out", both)
	got := scored(t, "base", "--tasks", file, "--out", one, "--reuse", both)
	says(t, "notes", got.notes(), "12 answers")
	if n := len(records(t, one)); n != 12 {
		t.Errorf("%d answers of 12 questions", n)
	}
	if poisoned := scored(t, "chem", "--tasks", file+",symbols", "--out", chem, "--reuse", both, "--reuse", one); strings.Contains(poisoned.notes(), "answers") {
		t.Errorf("the other model's answers serve: %v", poisoned.Notes)
	}
	done(t, "score", "chem", "--tasks", file+",symbols", "--out", fresh)
	sameRecords(t, chem, fresh)
	// Shots make another question of every item.
	if other := scored(t, "base", "--tasks", file, "--num-fewshot", "1", "--out", filepath.Join(dir, "shots"), "--reuse", both); strings.Contains(other.notes(), "answers") {
		t.Errorf("answers to other prompts serve: %v", other.Notes)
	}
	refused(t, ExitUsage, []string{"--reuse", "--out"}, "score", "base", "--reuse", both)
	refused(t, ExitInput, []string{"nowhere", "no answers to reuse"}, "score", "base", "--out", filepath.Join(dir, "new"), "--reuse", filepath.Join(dir, "nowhere"))
	refused(t, ExitInput, []string{one, "its own answers"}, "score", "base", "--tasks", file, "--out", one, "--reuse", one)
}

// TestScoreLogLines: a torn last line is asked again, a foreign line stays and
// counts nowhere.
func TestScoreLogLines(t *testing.T) {
	dir := t.TempDir()
	file, out := facts(t, dir, 10), filepath.Join(dir, "run")
	line := []string{"score", "base", "--tasks", file, "--out", out}
	done(t, line...)
	before := tree(t, out)
	write(t, out, "log.jsonl", before["log.jsonl"][:len(before["log.jsonl"])-30])
	says(t, "after a torn line", done(t, line...), "9 answers")
	after := tree(t, out)
	if after["results.json"] != before["results.json"] || strings.Count(after["log.jsonl"], "\n") != 10 {
		t.Errorf("after a torn line: %s\n%s", after["log.jsonl"], after["results.json"])
	}
	const foreign = `{"hello":"world"}` + "\nnot even JSON\n"
	write(t, out, "log.jsonl", foreign+before["log.jsonl"])
	text, errs, code := surgeon(t, line...)
	now := tree(t, out)
	if code != ExitDone || now["results.json"] != before["results.json"] || now["log.jsonl"] != foreign+before["log.jsonl"] {
		t.Errorf("with foreign lines: exit code %d: %s%s", code, text, errs)
	}
	says(t, "compare", done(t, "compare", out, out), "2 lines are no record of a run and not counted, but kept (lines 1, 2)")
}

// TestScoreSaysForeignLines: score says so, too.
func TestScoreSaysForeignLines(t *testing.T) {
	dir := t.TempDir()
	file, out := facts(t, dir, 4), filepath.Join(dir, "run")
	line := []string{"score", "base", "--tasks", file, "--out", out}
	done(t, line...)
	write(t, out, "log.jsonl", "not even JSON\n"+read(t, filepath.Join(out, "log.jsonl")))
	text, errs, _ := surgeon(t, line...)
	says(t, "score", text+errs, "no record of a run and not counted, but kept (line 1)")
}

// TestScoreLocked: two processes do not write to one folder.
func TestScoreLocked(t *testing.T) {
	dir := t.TempDir()
	file, out := facts(t, dir, 4), filepath.Join(dir, "run")
	done(t, "score", "base", "--tasks", file, "--out", out)
	plan, err := record.ReadPlan(out)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := record.OpenFolder(out, plan)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, ExitInput, []string{out}, "score", "base", "--tasks", file, "--out", out)
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	done(t, "score", "base", "--tasks", file, "--out", out)
}
