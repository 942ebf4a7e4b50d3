package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/record"
)

// TestExportReadBack: what is exported compares equal with the run folder, for
// choices, texts, instructions, requests and numbers, to the last prompt.
func TestExportReadBack(t *testing.T) {
	dir := t.TempDir()
	out, export := filepath.Join(dir, "run"), filepath.Join(dir, "export")
	numbers := write(t, dir, "numbers.jsonl", `{"id":"n","form":"numeric","prompt":"Pi is","gold":3.14,"topic":"circles"}`+"\n"+`{"id":"m","form":"numeric","prompt":"Two is","gold":"2","tolerance":0}`+"\n")
	tasks := []string{facts(t, dir, 12), sayings(t, dir, 6), numbers, "symbols", "instruct", "refusal"}
	got := scored(t, "base", "--tasks", strings.Join(tasks, ","), "--num-fewshot", "1", "--max-tokens", "8", "--limit", "12", "--out", out, "--export", export)
	results, samples := exported(t, export, "base")
	if len(samples) != len(tasks) {
		t.Errorf("samples %q of %d tasks", samples, len(tasks))
	}
	for _, task := range got.Tasks {
		scores := results.Results[task.Task]
		for metric, value := range task.Others {
			name := metric
			if !strings.Contains(metric, ",") {
				name += ",none"
			}
			if written, ok := scores[name].(float64); !ok || !near(written, float64(value)) {
				t.Errorf("%s: %s is %v in the results, want %v", task.Task, name, scores[name], value)
			}
		}
		if se, _ := scores[task.Metric+"_stderr,none"].(float64); task.Task != "instruct" && !near(se, float64(task.SE)) {
			t.Errorf("%s: the standard error is %v in the results, want %v", task.Task, se, task.SE)
		}
		if n := results.Samples[task.Task].Effective; n != task.N {
			t.Errorf("%s: %d samples, want %d", task.Task, n, task.N)
		}
	}
	if results.Config.Limit != 12 || results.Shots["facts"] != 1 || results.Shots["instruct"] != 0 {
		t.Errorf("limit %v, shots %v", results.Config.Limit, results.Shots)
	}
	equalRuns(t, out, export)
}

// lmEval is some of a results file of lm-evaluation-harness.
type lmEval struct {
	Results map[string]map[string]any
	Groups  map[string]map[string]any
	Shots   map[string]int                               `json:"n-shot"`
	Samples map[string]struct{ Original, Effective int } `json:"n-samples"`
	Config  struct {
		Limit float64
		Model string
		Seed  int64 `json:"fewshot_seed"`
	}
	GroupSubtasks map[string][]string `json:"group_subtasks"`
}

// exported reads the results of an exported model, and the names of its samples.
func exported(t *testing.T, dir, model string) (results lmEval, samples []string) {
	t.Helper()
	files := tree(t, filepath.Join(dir, model))
	for name, text := range files {
		switch {
		case strings.HasPrefix(name, "results_") && strings.HasSuffix(name, ".json"):
			results = parsed[lmEval](t, text)
		case strings.HasPrefix(name, "samples_") && strings.HasSuffix(name, ".jsonl"):
			samples = append(samples, name)
		default:
			t.Errorf("a file %s", name)
		}
	}
	slices.Sort(samples)
	return results, samples
}

// equalRuns compares a run folder with another run that must be the same.
func equalRuns(t *testing.T, a, b string) {
	t.Helper()
	answers := len(records(t, a))
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		got := decoded[comparison](t, "compare", "--json", pair[0], pair[1])
		if len(got.Tasks) == 0 {
			t.Errorf("%v share no task", pair)
		}
		for _, task := range got.Tasks {
			if task.Diff != 0 || task.Base != task.Tuned || task.Lost+task.Gained != 0 {
				t.Errorf("%v: %s %s: %v and %v, %d lost, %d won", pair, task.Task, task.Metric, task.Base, task.Tuned, task.Lost, task.Gained)
			}
		}
		says(t, "notes", strings.Join(got.Notes, "\n"), fmt.Sprintf("both models saw the same prompts: all %d hashes are equal", answers))
		for _, note := range got.Notes {
			if strings.Contains(note, "only in the") || strings.Contains(note, "different prompts") {
				t.Errorf("%v: %s", pair, note)
			}
		}
	}
}

// TestExportSeeds: a folder for each seed, read back as one run.
func TestExportSeeds(t *testing.T) {
	dir := t.TempDir()
	out, export := filepath.Join(dir, "run"), filepath.Join(dir, "export")
	got := scored(t, "chem", "--tasks", facts(t, dir, 10), "--num-fewshot", "2", "--seeds", "3,4", "--out", out, "--export", export)
	if got.Tasks[0].Seeds != 2 {
		t.Fatal(got.Tasks[0])
	}
	list := records(t, out)
	for seed, name := range map[int64]string{3: "chem_seed_3", 4: "chem_seed_4"} {
		results, samples := exported(t, export, name)
		want := meanOfRecords(list, "acc", func(r record.Record) bool { return r.Seed == seed })
		if acc, _ := results.Results["facts"]["acc,none"].(float64); !near(acc, want) || len(samples) != 1 || results.Config.Seed != seed {
			t.Errorf("%s: acc %v, want %v; seed %d", name, acc, want, results.Config.Seed)
		}
	}
	equalRuns(t, out, export)
}

// TestExportInstructions: each seed has its own scores, and those by prompt their
// standard errors.
func TestExportInstructions(t *testing.T) {
	dir := t.TempDir()
	out, export := filepath.Join(dir, "run"), filepath.Join(dir, "export")
	scored(t, "base", "--tasks", "instruct", "--seeds", "1,2", "--gen-kwargs", "temperature=1,max_gen_toks=40", "--out", out, "--export", export)
	list := records(t, out)
	for seed, name := range map[int64]string{1: "base_seed_1", 2: "base_seed_2"} {
		scores := func() map[string]any { results, _ := exported(t, export, name); return results.Results["instruct"] }()
		kept, all := 0.0, 0.0
		for _, r := range list {
			if r.Seed != seed {
				continue
			}
			for _, k := range ones(r.Parts["inst_level_strict_acc"]) {
				kept, all = kept+k, all+1
			}
		}
		if written, _ := scores["inst_level_strict_acc,none"].(float64); !near(written, kept/all) {
			t.Errorf("seed %d: inst_level_strict_acc is %v, want %v", seed, written, kept/all)
		}
		if se, ok := scores["prompt_level_strict_acc_stderr,none"].(float64); !ok || se <= 0 {
			t.Errorf("seed %d: the standard error by prompt is %v", seed, scores["prompt_level_strict_acc_stderr,none"])
		}
		if scores["inst_level_strict_acc_stderr,none"] != "N/A" {
			t.Errorf("seed %d: that by instruction is %v", seed, scores["inst_level_strict_acc_stderr,none"])
		}
	}
}

// TestExportGroups: the subjects of a group with the group's score.
func TestExportGroups(t *testing.T) {
	dir := t.TempDir()
	export := filepath.Join(dir, "export")
	got := scored(t, "base", "--tasks", "mmlu", "--data", mmlu(t, map[string]int{"anatomy": 3, "virology": 9}), "--export", export)
	results, samples := exported(t, export, "base")
	if acc, _ := results.Groups["mmlu"]["acc,none"].(float64); !near(acc, float64(got.Groups[0].Score)) || len(samples) != 2 || strings.Join(results.GroupSubtasks["mmlu"], " ") != "mmlu_anatomy mmlu_virology" {
		t.Errorf("groups %v of %v, want %v", results.Groups, results.GroupSubtasks, got.Groups[0].Score)
	}
}

// TestExportSample: a line has the names and hashes that lm-evaluation-harness
// gives it.
func TestExportSample(t *testing.T) {
	export := filepath.Join(t.TempDir(), "export")
	scored(t, "base", "--limit", "1", "--export", export)
	_, samples := exported(t, export, "base")
	line := parsed[map[string]json.RawMessage](t, read(t, filepath.Join(export, "base", samples[0])))
	for name, want := range map[string]string{"doc_id": "0", "target": `"2"`, "filter": `"none"`, "metrics": `["acc"]`,
		"prompt_hash": `"` + sum("The symbol of hydrogen is") + `"`, "target_hash": `"` + sum("2") + `"`,
		"doc":      `{"id":"symbol-00","prompt":"The symbol of hydrogen is","choices":[" N"," K"," H"," O"],"gold":2}`,
		"doc_hash": `"` + sum("{\n  \"id\": \"symbol-00\",\n  \"prompt\": \"The symbol of hydrogen is\",\n  \"choices\": [\n    \" N\",\n    \" K\",\n    \" H\",\n    \" O\"\n  ],\n  \"gold\": 2\n}") + `"`} {
		if string(line[name]) != want {
			t.Errorf("%s is %s, want %s", name, line[name], want)
		}
	}
	var arguments map[string]struct {
		Context, Continuation string
	}
	text := strings.NewReplacer("arg_0", "Context", "arg_1", "Continuation").Replace(string(line["arguments"]))
	if err := json.Unmarshal([]byte(text), &arguments); err != nil || len(arguments) != 4 || arguments["gen_args_2"].Continuation != " H" || arguments["gen_args_2"].Context != "The symbol of hydrogen is" {
		t.Errorf("%v: arguments %s", err, line["arguments"])
	}
	var replies [][][]string
	if err := json.Unmarshal(line["resps"], &replies); err != nil || len(replies) != 4 || len(replies[0][0]) != 2 || !strings.HasPrefix(replies[0][0][0], "-") {
		t.Errorf("%v: resps %s", err, line["resps"])
	}
}
