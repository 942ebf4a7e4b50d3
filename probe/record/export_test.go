package record_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"surgeon/probe/record"
)

var exportTime = time.Date(2026, 8, 21, 10, 11, 12, 345678000, time.UTC)

// exported is a run with every kind of answer, and the questions to it.
func exported() (record.Run, map[string]record.Sample) {
	type s = map[string]float64
	samples := map[string]record.Sample{
		"anatomy/0": {Document: 0, Doc: json.RawMessage(`{"question":"<é>","b":1}`), Target: "1", Requests: []record.Request{{Context: "Q0", Continuation: " A"}, {Context: "Q0", Continuation: " B"}}},
		"anatomy/7": {Document: 7, Doc: json.RawMessage(`{}`), Target: "0", Requests: []record.Request{{Context: "Q7", Continuation: " A"}, {Context: "Q7", Continuation: " B"}}},
		"gsm8k/3":   {Document: 3, Target: "#### 18", Requests: []record.Request{{Context: "Question", Generation: json.RawMessage(`{"until":["Q:"],"do_sample":false}`)}}},
		"1000":      {Document: 0, Target: "0", Requests: []record.Request{{Context: "Write", Generation: json.RawMessage(`{"until":[]}`)}}},
		"page":      {Document: 1, Target: "text", Requests: []record.Request{{Context: "text", Whole: true}}},
	}
	r := func(model, task, item string, seed int64, scores s) record.Record {
		return record.Record{Key: record.Key(model, item), Model: model, Task: task, Item: item, Seed: seed, DocHash: sha(item),
			PromptHash: sha(samples[item].Requests[0].Context), Scores: scores}
	}
	a := r("org/base", "mmlu_anatomy", "anatomy/0", 1234, s{"acc": 1, "acc_norm": 0})
	a.LogProbs, a.Greedy, a.Chosen, a.Cluster = []float64{-5.006414890289307, -1e-05}, []bool{false, true}, ptr(1), "anatomy"
	b := r("org/base", "mmlu_anatomy", "anatomy/7", 1234, s{"acc": 0, "acc_norm": 1})
	b.LogProbs, b.Chosen = []float64{math.Inf(-1), -16}, ptr(1)
	c := r("org/base", "gsm8k", "gsm8k/3", 1234, s{"exact_match,strict-match": 0, "exact_match,flexible-extract": 1})
	c.Text, c.Finish, c.Tokens, c.Flags = ptr("It is \"18\"\n"), "stop", 9, []string{"unparseable"}
	c.Extracted = map[string]string{"exact_match,strict-match": "[invalid]", "exact_match,flexible-extract": "18"}
	d := r("org/base", "ifeval", "1000", 1234, s{"prompt_level_strict_acc": 0, "inst_level_strict_acc": 1.0 / 3, "inst_level_loose_acc": 0.9})
	d.Text = ptr("")
	d.Parts = map[string][]bool{"inst_level_strict_acc": {true, false, false}, "inst_level_loose_acc": {true}} // 0.9 is no share of it
	e := r("org/base", "wikitext", "page", 1234, s{"word_perplexity": 52.94312345678901})
	e.LogProbs = []float64{-444.9189758300781}
	f := r("chem", "mmlu_anatomy", "anatomy/7", 1, s{"acc": 0})
	g := r("chem", "mmlu_anatomy", "anatomy/7", 2, s{"acc": 1})
	return record.Run{Records: []record.Record{a, b, c, d, e, f, g}}, samples
}

func export(t *testing.T, run record.Run, samples map[string]record.Sample, change func(*record.ExportOptions)) (dir string, paths []string) {
	t.Helper()
	opt := record.ExportOptions{Time: exportTime, Sample: func(r record.Record) (record.Sample, error) { return samples[r.Item], nil }}
	if change != nil {
		change(&opt)
	}
	dir = t.TempDir()
	paths, err := record.Export(dir, run, opt)
	if err != nil {
		t.Fatal(err)
	}
	return dir, paths
}

func TestExportReadsBack(t *testing.T) {
	run, samples := exported()
	dir, paths := export(t, run, samples, nil)
	var names []string
	for _, path := range paths {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, strings.ReplaceAll(filepath.ToSlash(name), date, "D"))
	}
	if want := []string{"chem_seed_1/results_D.json", "chem_seed_1/samples_mmlu_anatomy_D.jsonl", "chem_seed_2/results_D.json", "chem_seed_2/samples_mmlu_anatomy_D.jsonl",
		"org__base/results_D.json", "org__base/samples_gsm8k_D.jsonl", "org__base/samples_ifeval_D.jsonl", "org__base/samples_mmlu_anatomy_D.jsonl", "org__base/samples_wikitext_D.jsonl"}; !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	back := read(t, dir)
	if len(back.Notes) > 0 {
		t.Errorf("notes %q", back.Notes)
	}
	byKey := func(a, b record.Record) int {
		return strings.Compare(a.Key+a.Model, b.Key+b.Model) + int(2*(a.Seed-b.Seed))
	}
	slices.SortFunc(back.Records, byKey)
	slices.SortFunc(run.Records, byKey)
	same(t, back, run.Records)
	again, _ := export(t, run, samples, nil)
	for i, path := range paths {
		rel, _ := filepath.Rel(dir, path)
		one, _ := os.ReadFile(path)
		two, err := os.ReadFile(filepath.Join(again, rel))
		if err != nil || string(one) != string(two) {
			t.Errorf("exported twice, %s differs (%v)", names[i], err)
		}
	}
}

// TestExportLine compares a line with what lm_eval 0.4.13 writes of the same
// sample.
func TestExportLine(t *testing.T) {
	run, samples := exported()
	dir, _ := export(t, run, samples, nil)
	check := func(task string, lines ...string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, "org__base", "samples_"+task+"_"+date+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if len(got) != len(lines) {
			t.Fatalf("%s has %d lines, want %d", task, len(got), len(lines))
		}
		for i, line := range got {
			line, _, _ = strings.Cut(line, `,"surgeon":{`)
			if line != lines[i] {
				t.Errorf("%s, line %d is\n%s, want\n%s", task, i+1, line, lines[i])
			}
		}
	}
	check("mmlu_anatomy",
		`{"doc_id":0,"doc":{"question":"<é>","b":1},"target":"1","arguments":{"gen_args_0":{"arg_0":"Q0","arg_1":" A"},"gen_args_1":{"arg_0":"Q0","arg_1":" B"}},"resps":[[["-5.006414890289307","False"]],[["-1e-05","True"]]],"filtered_resps":[["-5.006414890289307","False"],["-1e-05","True"]],"filter":"none","metrics":["acc","acc_norm"],"doc_hash":"`+sha("anatomy/0")+`","prompt_hash":"`+sha("Q0")+`","target_hash":"`+sha("1")+`","acc":1.0,"acc_norm":0.0`,
		`{"doc_id":7,"doc":{},"target":"0","arguments":{"gen_args_0":{"arg_0":"Q7","arg_1":" A"},"gen_args_1":{"arg_0":"Q7","arg_1":" B"}},"resps":[[["-inf","False"]],[["-16.0","False"]]],"filtered_resps":[["-inf","False"],["-16.0","False"]],"filter":"none","metrics":["acc","acc_norm"],"doc_hash":"`+sha("anatomy/7")+`","prompt_hash":"`+sha("Q7")+`","target_hash":"`+sha("0")+`","acc":0.0,"acc_norm":1.0`)
	generation := func(filtered, filter, score string) string {
		return `{"doc_id":3,"doc":null,"target":"#### 18","arguments":{"gen_args_0":{"arg_0":"Question","arg_1":{"until":["Q:"],"do_sample":false}}},"resps":[["It is \"18\"\n"]],"filtered_resps":["` + filtered + `"],"filter":"` + filter + `","metrics":["exact_match"],"doc_hash":"` + sha("gsm8k/3") + `","prompt_hash":"` + sha("Question") + `","target_hash":"` + sha("#### 18") + `","exact_match":` + score
	}
	check("gsm8k", generation("18", "flexible-extract", "1.0"), generation("[invalid]", "strict-match", "0.0"))
	check("ifeval", `{"doc_id":0,"doc":null,"target":"0","arguments":{"gen_args_0":{"arg_0":"Write","arg_1":{"until":[]}}},"resps":[[""]],"filtered_resps":[""],"filter":"none","metrics":["inst_level_loose_acc","inst_level_strict_acc","prompt_level_strict_acc"],"doc_hash":"`+sha("1000")+`","prompt_hash":"`+sha("Write")+`","target_hash":"`+sha("0")+`","inst_level_loose_acc":[true],"inst_level_strict_acc":[true,false,false],"prompt_level_strict_acc":false`)
	check("wikitext", `{"doc_id":1,"doc":null,"target":"text","arguments":{"gen_args_0":{"arg_0":"text"}},"resps":[["-444.9189758300781"]],"filtered_resps":["-444.9189758300781"],"filter":"none","metrics":["word_perplexity"],"doc_hash":"`+sha("page")+`","prompt_hash":"`+sha("text")+`","target_hash":"`+sha("text")+`","word_perplexity":52.94312345678901`)
}

func TestExportResults(t *testing.T) {
	run, samples := exported()
	dir, _ := export(t, run, samples, func(opt *record.ExportOptions) {
		opt.Tasks = map[string]record.TaskExport{
			"mmlu_anatomy": {Alias: "anatomy", Version: "1.0", Shots: 5, Original: 135, HigherIsBetter: map[string]bool{"acc": true}, Config: json.RawMessage(`{"task":"mmlu_anatomy","num_fewshot":5}`)},
			"wikitext":     {Results: map[string]float64{"word_perplexity": 40.5}},
		}
		opt.Header = record.HarnessHeader{Source: "surgeon", Version: "0.4.13", Limit: ptr(2), ChatTemplate: "{{x}}", Seconds: 12, RandomSeed: ptr(int64(0))}
	})
	text, err := os.ReadFile(filepath.Join(dir, "org__base", "results_"+date+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields("results group_subtasks configs versions n-shot higher_is_better n-samples config git_hash date pretty_env_info transformers_version lm_eval_version upper_git_hash tokenizer_pad_token tokenizer_eos_token tokenizer_bos_token eot_token_id max_length task_hashes model_source model_name model_name_sanitized system_instruction system_instruction_sha fewshot_as_multiturn chat_template chat_template_sha total_evaluation_time_seconds") {
		if _, ok := got[name]; !ok {
			t.Errorf("the results have no %q", name)
		}
	}
	check := func(want any, path ...string) {
		t.Helper()
		var at any = got
		for _, name := range path {
			at = at.(map[string]any)[name]
		}
		if !reflect.DeepEqual(at, want) {
			t.Errorf("%q is %v, want %v", path, at, want)
		}
	}
	check(map[string]any{"name": "mmlu_anatomy", "alias": "anatomy", "sample_len": 2.0, "acc,none": 0.5, "acc_stderr,none": 0.5, "acc_norm,none": 0.5, "acc_norm_stderr,none": 0.5}, "results", "mmlu_anatomy")
	check(1.0/3, "results", "ifeval", "inst_level_strict_acc,none")
	check("N/A", "results", "ifeval", "inst_level_strict_acc_stderr,none")
	check("N/A", "results", "gsm8k", "exact_match_stderr,strict-match")
	check(40.5, "results", "wikitext", "word_perplexity,none")
	check(1.0, "versions", "mmlu_anatomy")
	check(map[string]any{"original": 135.0, "effective": 2.0}, "n-samples", "mmlu_anatomy")
	check(map[string]any{"task": "mmlu_anatomy", "num_fewshot": 5.0}, "configs", "mmlu_anatomy")
	check(5.0, "n-shot", "mmlu_anatomy")
	check(1234.0, "config", "fewshot_seed")
	check(2.0, "config", "limit")
	check(nil, "config", "numpy_seed")
	check("org/base", "model_name")
	check("org__base", "model_name_sanitized")
	check(sha("{{x}}"), "chat_template_sha")
	check(nil, "system_instruction_sha")
	check("12.0", "total_evaluation_time_seconds")
	check(1787307072.345678, "date")
	check(sha(sha("anatomy/0")+sha("Q0")+sha("1")+sha("anatomy/7")+sha("Q7")+sha("0")), "task_hashes", "mmlu_anatomy")
}

func TestExportRefuses(t *testing.T) {
	check := func(want string, change func(*record.Run, map[string]record.Sample)) {
		t.Helper()
		run, samples := exported()
		change(&run, samples)
		_, err := record.Export(t.TempDir(), run, record.ExportOptions{Sample: func(r record.Record) (record.Sample, error) { return samples[r.Item], nil }})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	set := func(item string, change func(*record.Sample)) func(*record.Run, map[string]record.Sample) {
		return func(_ *record.Run, samples map[string]record.Sample) {
			s := samples[item]
			change(&s)
			samples[item] = s
		}
	}
	check(`items "anatomy/0" and "anatomy/7" of task "mmlu_anatomy" are both document 0`, set("anatomy/7", func(s *record.Sample) { s.Document = 0 }))
	check(`item "gsm8k/3" cannot be exported: its prompt has the hash`, set("gsm8k/3", func(s *record.Sample) { s.Requests[0].Context = "other" }))
	check("nothing says what was asked", set("gsm8k/3", func(s *record.Sample) { s.Requests = nil }))
	check("it has 2 log-likelihoods of 1 requests", set("anatomy/0", func(s *record.Sample) { s.Requests = s.Requests[:1] }))
	check("are not JSON", set("1000", func(s *record.Sample) { s.Doc = json.RawMessage("{") }))
	check(`a metric cannot be called "doc"`, func(run *record.Run, _ map[string]record.Sample) { run.Records[0].Scores["doc"] = 1 })
	check(`a metric cannot be called "acc`, func(run *record.Run, _ map[string]record.Sample) { run.Records[0].Scores["acc,none"] = 1 })
	check(`its score of "acc" is NaN`, func(run *record.Run, _ map[string]record.Sample) { run.Records[0].Scores["acc"] = math.NaN() })
	check("it has no score", func(run *record.Run, _ map[string]record.Sample) { run.Records[0].Scores = nil })
	check(`models "org/base" and "org:base" would share the folder "org__base"`, func(run *record.Run, _ map[string]record.Sample) { run.Records[5].Model = "org:base" })
	check(`two tasks would share the file`, func(run *record.Run, _ map[string]record.Sample) {
		run.Records[0].Task, run.Records[1].Task = "a/b", "a:b"
	})
}
