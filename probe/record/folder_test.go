package record_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"surgeon/probe/record"
)

func plan() record.Plan {
	return record.Plan{
		Version: "surgeon 0.4.0", Argv: []string{"surgeon", "score"}, Created: "2026-11-28T00:00:00Z",
		Models: []record.Model{
			{Input: record.Input{Name: "base", Path: "/models/base", Digest: strings.Repeat("a", 64)}, Tokenizer: "t1"},
			{Input: record.Input{Name: "chem", Path: "/models/chem", Digest: strings.Repeat("b", 64)}, Tokenizer: "t1"},
		},
		Data:     []record.Input{{Name: "gsm8k/test.jsonl", Path: "/data/gsm8k/test.jsonl", Digest: strings.Repeat("c", 64)}},
		Tasks:    []record.TaskPlan{{Name: "gsm8k", Version: "3.0", Items: 250, Shots: 5, Draw: "fixed"}, {Name: "ifeval", Items: 541}},
		Seeds:    []int64{1, 2, 3},
		Settings: json.RawMessage(`{"max_tokens": 256, "stop": ["<b>", "Q:"]}`),
		Margins:  json.RawMessage(`{"gsm8k": 0.03, "ifeval": 3e-2}`),
		Rule:     json.RawMessage(`["holm", {"alpha": 0.05}]`),
	}
}

func folder(t *testing.T, dir string, p record.Plan) *record.Folder {
	t.Helper()
	f, err := record.OpenFolder(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestPlanIsWrittenFirstAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "run")
	f := folder(t, dir, plan())
	before, err := os.ReadFile(filepath.Join(dir, "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := record.ReadPlan(dir)
	if err != nil || got.Hash() != plan().Hash() {
		t.Fatalf("the plan reads back as %+v (%v)", got, err)
	}
	if !reflect.DeepEqual(got.Tasks, plan().Tasks) || !reflect.DeepEqual(got.Models, plan().Models) || !reflect.DeepEqual(got.Argv, plan().Argv) {
		t.Errorf("the plan reads back as %+v", got)
	}
	f.Close()
	later := plan()
	later.Argv, later.Created, later.Models[0].Path = []string{"surgeon", "score", "--quiet"}, "tomorrow", "/elsewhere/base"
	f = folder(t, dir, later)
	if !reflect.DeepEqual(f.Plan.Argv, plan().Argv) {
		t.Errorf("a continued run has the argv %q, want that of its beginning", f.Plan.Argv)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "run.json")); err != nil || !bytes.Equal(before, after) {
		t.Errorf("continuing changed run.json (%v)", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("the folder holds %v, want run.json and log.jsonl", entries)
	}
}

// TestPlanHash: what changes a score changes the hash, and what only looks
// otherwise does not.
func TestPlanHash(t *testing.T) {
	check := func(what string, same bool, change func(*record.Plan)) {
		t.Helper()
		p := plan()
		change(&p)
		if got := p.Hash() == plan().Hash(); got != same {
			t.Errorf("%s: the same hash is %v, want %v", what, got, same)
		}
	}
	check("argv", true, func(p *record.Plan) { p.Argv = nil })
	check("created", true, func(p *record.Plan) { p.Created = "" })
	check("a path with a digest", true, func(p *record.Plan) { p.Data[0].Path = "x" })
	check("order and form of free JSON", true, func(p *record.Plan) {
		p.Settings = json.RawMessage("{\"stop\":[\"\\u003cb>\",\"Q:\"],\n\"max_tokens\":256}")
		p.Margins = json.RawMessage(`{"ifeval": 0.030, "gsm8k": 3e-2}`)
	})
	check("a path without a digest", false, func(p *record.Plan) { p.Data[0].Digest, p.Data[0].Path = "", "x" })
	check("version", false, func(p *record.Plan) { p.Version = "surgeon 0.5.0" })
	check("digest", false, func(p *record.Plan) { p.Models[1].Digest = "b" })
	check("order of seeds", false, func(p *record.Plan) { p.Seeds = []int64{2, 1, 3} })
	check("shots", false, func(p *record.Plan) { p.Tasks[0].Shots = 0 })
	check("margin", false, func(p *record.Plan) { p.Margins = json.RawMessage(`{"gsm8k": 0.03, "ifeval": 0.02}`) })
	check("a large number", false, func(p *record.Plan) { p.Rule = json.RawMessage(`[12345678901234567891]`) })
}

func TestOtherPlanIsRefused(t *testing.T) {
	dir := t.TempDir()
	folder(t, dir, plan()).Close()
	check := func(want string, change func(*record.Plan)) {
		t.Helper()
		p := plan()
		change(&p)
		f, err := record.OpenFolder(dir, p)
		if err == nil {
			f.Close()
			t.Fatalf("a plan with %s is accepted", want)
		}
		if !strings.Contains(err.Error(), ": "+want+"; give another folder") {
			t.Errorf("error %q, want %q", err, want)
		}
	}
	check(`version is "surgeon 0.4.0" there and "surgeon 0.5.0" here`, func(p *record.Plan) { p.Version, p.Seeds = "surgeon 0.5.0", nil })
	check(`models[1] (chem).digest is "`+strings.Repeat("b", 64)+`" there and "c" here`, func(p *record.Plan) { p.Models[1].Digest = "c"; p.Seeds = nil })
	check(`tasks[0] (gsm8k).shots is 5 there and 0 here`, func(p *record.Plan) { p.Tasks[0].Shots = 0 })
	check(`tasks[0].name is "gsm8k" there and "gsm8k_cot" here`, func(p *record.Plan) { p.Tasks[0].Name = "gsm8k_cot" })
	check(`tasks[2] is absent there and {"items":0,"name":"mmlu","shots":0} here`, func(p *record.Plan) { p.Tasks = append(p.Tasks, record.TaskPlan{Name: "mmlu"}) })
	check(`seeds[2] is 3 there and absent here`, func(p *record.Plan) { p.Seeds = p.Seeds[:2] })
	check(`chat is absent there and {"multiturn":true} here`, func(p *record.Plan) { p.Chat = &record.ChatPlan{Multiturn: true} })
	check(`margins.ifeval is 0.03 there and 0.05 here`, func(p *record.Plan) { p.Margins = json.RawMessage(`{"gsm8k":0.03,"ifeval":0.05}`) })
	check(`rule[1].alpha is 0.05 there and absent here`, func(p *record.Plan) { p.Rule = json.RawMessage(`["holm",{}]`) })
	check(`settings.max_tokens is 256 there and "`+strings.Repeat("é", 76)+`... here`, func(p *record.Plan) {
		p.Settings, _ = json.Marshal(map[string]any{"max_tokens": strings.Repeat("é", 100), "stop": []string{"<b>", "Q:"}})
	})
	folder(t, dir, plan())
	if _, err := record.OpenFolder(dir, plan()); err == nil || !strings.Contains(err.Error(), "is being written by another process") {
		t.Errorf("a second process gets %v", err)
	}
}

func TestChangedPlanIsFoundOut(t *testing.T) {
	dir := t.TempDir()
	folder(t, dir, plan()).Close()
	path := filepath.Join(dir, "run.json")
	text, _ := os.ReadFile(path)
	check := func(what, old, new, want string) {
		t.Helper()
		changed := strings.Replace(string(text), old, new, 1)
		if changed == string(text) {
			t.Fatalf("%s: run.json has no %q", what, old)
		}
		if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := record.ReadPlan(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", what, err, want)
		}
		if _, err := record.OpenFolder(dir, plan()); err == nil {
			t.Errorf("%s: the folder opens", what)
		}
	}
	check("margin", `"gsm8k": 0.03`, `"gsm8k": 0.10`, "changed afterwards")
	check("torn", `"seeds"`, "\x00", "is not JSON")
	check("wrong kind", `"items": 250`, `"items": "many"`, `"tasks.items" must be a whole number that fits 64 bits, not string`)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := record.ReadPlan(dir); err == nil || !strings.Contains(err.Error(), "is no run folder") {
		t.Errorf("no plan: %v", err)
	}
	log := open(t, filepath.Join(dir, "log.jsonl"))
	appendAll(t, log, 0, 1)
	log.Close()
	if _, err := record.OpenFolder(dir, plan()); err == nil || !strings.Contains(err.Error(), "has answers in log.jsonl but no run.json") {
		t.Errorf("answers without a plan: %v", err)
	}
}

func TestResultsAreCanonical(t *testing.T) {
	dir := t.TempDir()
	f := folder(t, dir, plan())
	write := func(results any) string {
		t.Helper()
		if err := f.WriteResults(results); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "results.json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	type row struct {
		Task string  `json:"task"`
		B    float64 `json:"b"`
		A    int64   `json:"a"`
		C    any     `json:"<c>"`
	}
	want := "{\n  \"<c>\": [\n    1,\n    1e-7,\n    1e+21,\n    true,\n    null\n  ],\n  \"a\": 9007199254740993,\n  \"b\": 0.1,\n  \"task\": \"x\"\n}\n"
	if got := write(row{"x", 0.1, 1<<53 + 1, []any{1.0, 1e-7, 1e21, true, nil}}); got != want {
		t.Errorf("results are\n%s, want\n%s", got, want)
	}
	if got := write(map[string]any{"task": "x", "<c>": json.RawMessage(`[1.0, 0.0000001, 1E21, true, null]`), "b": 0.1, "a": int64(1<<53 + 1)}); got != want {
		t.Errorf("equal results are\n%s, want\n%s", got, want)
	}
	if err := f.WriteResults(map[string]any{"d": math.NaN()}); err == nil {
		t.Error("NaN is written")
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "results.json")); string(text) != want {
		t.Error("a write that failed changed the results")
	}
}

func TestReuse(t *testing.T) {
	parent := t.TempDir()
	first := folder(t, filepath.Join(parent, "first"), plan())
	appendAll(t, first.Log, 0, 10)
	other := plan()
	other.Seeds = []int64{7}
	f := folder(t, filepath.Join(parent, "second"), other)
	if err := f.Reuse(filepath.Join(parent, "first")); err != nil {
		t.Fatal(err)
	}
	question := answer(3)
	question.Scores, question.Text, question.Model, question.Seed = nil, nil, "m0", 7
	got, found, err := f.Answer(question)
	want := answer(3)
	want.Model, want.Seed = "m0", 7
	if err != nil || !found || !reflect.DeepEqual(got, want) {
		t.Errorf("the answer is %+v (%v, %v), want %+v", got, found, err, want)
	}
	if stored, err := f.Log.Get(question.Key); err != nil || !reflect.DeepEqual(stored, want) || f.Log.Len() != 1 {
		t.Errorf("the copy is %+v (%v), one of %d", stored, err, f.Log.Len())
	}
	if again, found, err := f.Answer(question); err != nil || !found || !reflect.DeepEqual(again, want) || f.Log.Len() != 1 {
		t.Errorf("asked again, the answer is %+v (%v, %v)", again, found, err)
	}
	question = answer(4)
	question.Task = "mmlu_virology"
	if _, found, err := f.Answer(question); found || err != nil {
		t.Errorf("an answer of another task serves (%v)", err)
	}
	if _, found, err := f.Answer(answer(10)); found || err != nil {
		t.Errorf("an answer that nobody gave is found (%v)", err)
	}
	for _, dir := range []string{filepath.Join(parent, "nowhere"), filepath.Join(parent, "second")} {
		if err := f.Reuse(dir); err == nil {
			t.Errorf("%s is reused", dir)
		}
	}
}
