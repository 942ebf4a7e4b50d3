package record_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/probe/record"
)

// TestLogAfterLossOfPower: a tail of zeros, which a file system may leave, is
// cut off, and answers longer than any buffer are read.
func TestLogAfterLossOfPower(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	log := open(t, path)
	long := answer(0)
	long.Text = ptr(strings.Repeat("long \"answer\" ", 20000))
	if err := log.Append(long); err != nil {
		t.Fatal(err)
	}
	appendAll(t, log, 1, 2)
	log.Close()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, make([]byte, 5000)...), 0o644); err != nil {
		t.Fatal(err)
	}
	log = open(t, path)
	if w := strings.Join(log.Warnings(), "; "); log.Len() != 2 || !strings.Contains(w, "the last line was cut off when it was written and does not count (line 3)") {
		t.Errorf("%d records, warnings %q", log.Len(), w)
	}
	if got, err := log.Get(long.Key); err != nil || *got.Text != *long.Text {
		t.Errorf("the long answer is lost (%v)", err)
	}
	appendAll(t, log, 2, 3)
	log.Close()
	if got, _ := os.ReadFile(path); !strings.HasPrefix(string(got), string(text)) || strings.Contains(string(got), "\x00") {
		t.Error("the zeros are still there, or a line is not")
	}
}

func TestFolderWarnings(t *testing.T) {
	parent := t.TempDir()
	lender := folder(t, filepath.Join(parent, "a"), plan())
	lender.Close()
	if err := os.WriteFile(filepath.Join(parent, "a", "log.jsonl"), []byte("foreign\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := folder(t, filepath.Join(parent, "b"), plan())
	if err := f.Reuse(filepath.Join(parent, "a")); err != nil {
		t.Fatal(err)
	}
	if w := f.Warnings(); len(w) != 1 || !strings.Contains(w[0], filepath.Join("a", "log.jsonl")+": a line is no record of a run and not counted, but kept (line 1)") {
		t.Errorf("warnings %q", w)
	}
}

func TestPlanSame(t *testing.T) {
	if err := plan().Same(plan()); err != nil {
		t.Error(err)
	}
	other := plan()
	other.Argv, other.Seeds = nil, []int64{1, 5}
	if err := plan().Same(other); err == nil || err.Error() != "seeds[1] is 2 there and 5 here" {
		t.Errorf("another plan is said to differ in %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a plan with a part that is no JSON has a hash")
		}
	}()
	other.Rule = []byte("{")
	other.Hash()
}

// TestHarnessForms reads forms of samples that are rarer.
func TestHarnessForms(t *testing.T) {
	check := func(line string, want func(*record.Record), notes ...string) {
		t.Helper()
		r := record.Record{Model: "out", Task: "t", Item: "0", Scores: map[string]float64{}}
		want(&r)
		same(t, read(t, filepath.Join(files(t, map[string]string{"samples_t.jsonl": line}), "samples_t.jsonl")), []record.Record{r}, notes...)
	}
	check(`{"doc_id": 0, "arguments": [[[{"role": "user", "content": "Q"}], {"until": []}]], "resps": [["A"]], "filtered_resps": [["B", "C"]], "filter": "none", "exact_match,none": 1.0}`, func(r *record.Record) {
		r.Text, r.Extracted, r.Scores["exact_match"] = ptr("A"), map[string]string{"exact_match": "B"}, 1
	})
	// Two numbers are a repeated answer where a text was asked for, and a choice where none says so.
	check(`{"doc_id": 0, "arguments": [["Q", {}]], "resps": [["12"]], "filtered_resps": [["12", "1"]], "acc": "True"}`, func(r *record.Record) {
		r.PromptHash, r.Text, r.Scores["acc"] = sha("Q"), ptr("12"), 1
	})
	check(`{"doc_id": 0, "resps": [[["-12.5", "1"]]], "filtered_resps": [["-12.5", "1"]], "acc": "0.5"}`, func(r *record.Record) {
		r.LogProbs, r.Greedy, r.Scores["acc"] = []float64{-12.5}, []bool{true}, 0.5
	})
	check(`{"doc_id": 0, "filtered_resps": ["x"], "metrics": ["acc", "brier_score", "bleu", "missing"], "acc": 0, "brier_score": [1, [0.5, 0.5]], "bleu": ["a", "b"]}`, func(r *record.Record) {
		r.Scores["acc"] = 0
	}, "bleu, brier_score: no score for each document, left out")
	check(`{"doc_id": 0, "byte_perplexity": [-100000, 1], "word_perplexity": [-2, 1], "inst": []}`, func(r *record.Record) {
		r.Scores["word_perplexity"] = 7.38905609893065
	}, "word_perplexity: kept for each document")
}

func TestHarnessBadResultsFile(t *testing.T) {
	dir := files(t, map[string]string{"results_" + date + ".json": `{"config": {`, "samples_t_" + date + ".jsonl": `{"doc_id": 0, "acc": 1}`, "results_2025-01-01T00-00-00.0.json": `{"model_name": "of another run"}`})
	same(t, read(t, dir), []record.Record{scored("out", "t", "0", "", 0, map[string]float64{"acc": 1})}, `ends before it is complete; the model is called "out" after its folder`)
	for args, want := range map[string]string{`"pretrained=a/b,dtype=float32"`: "a/b", `"dtype=x,peft=c,pretrained=a"`: "c", `{"pretrained": "a/b"}`: "a/b", `"dtype=x"`: "out", `null`: "out", `7`: "out"} {
		dir := files(t, map[string]string{"results.json": fmt.Sprintf(`{"config": {"model_args": %s, "fewshot_seed": null}}`, args), "samples_t.jsonl": `{"doc_id": 0, "acc": 1}`})
		if got := read(t, dir).Records[0].Model; got != want {
			t.Errorf("of the arguments %s the model is %q, want %q", args, got, want)
		}
	}
}

// TestAlignImported compares a run of another program with one of this, as
// compare does.
func TestAlignImported(t *testing.T) {
	run, samples := exported()
	dir, _ := export(t, run.Select("org/base"), samples, nil)
	mine := run.Select("org/base")
	got := align(t, mine, read(t, dir))
	if got.PromptsDiffer != 0 || got.PromptsCompared != 5 {
		t.Errorf("%d of %d prompts differ", got.PromptsDiffer, got.PromptsCompared)
	}
	notes(t, got)
	var names []string
	for _, s := range got.Series {
		names = append(names, s.Task+" "+s.Metric)
		for i := range s.A {
			if s.A[i] != s.B[i] || s.ParsedA[i] != s.ParsedB[i] {
				t.Errorf("%s %s differs: %+v", s.Task, s.Metric, s)
			}
		}
	}
	if want := "[gsm8k exact_match,flexible-extract gsm8k exact_match,strict-match ifeval inst_level_loose_acc ifeval inst_level_strict_acc ifeval prompt_level_strict_acc mmlu_anatomy acc mmlu_anatomy acc_norm wikitext word_perplexity]"; fmt.Sprint(names) != want {
		t.Errorf("series %s, want %s", names, want)
	}
	seeds := run.Select("org/base")
	seeds.Records = append(seeds.Records, seeds.Records[0])
	seeds.Records[len(seeds.Records)-1].Seed++
	seeds.Records[len(seeds.Records)-1].DocHash = "other"
	if _, err := record.Align(seeds, mine); err == nil || !strings.Contains(err.Error(), "is one document") {
		t.Errorf("an item that is two documents: %v", err)
	}
}

// TestWrongKinds: what is of the wrong kind is said in words.
func TestWrongKinds(t *testing.T) {
	check := func(field, want string) {
		t.Helper()
		path := filepath.Join(files(t, map[string]string{"log.jsonl": `{"key":"k","task":"t","item":"i",` + field + "}\n"}), "log.jsonl")
		log, err := record.ReadLog(path)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		if _, err := log.Get("k"); err == nil || !strings.Contains(err.Error(), "log.jsonl:1: "+want) {
			t.Errorf("%s: error %v, want %q", field, err, want)
		}
	}
	check(`"seed":1.5`, `"seed" must be a whole number that fits 64 bits, not number 1.5`)
	check(`"scores":[]`, `"scores" must be an object, not array`)
	check(`"scores":{"acc":true}`, `"scores" must be a number that fits 64 bits, not bool`)
	check(`"logprobs":{}`, `"logprobs" must be a list, not object`)
	check(`"greedy":[1]`, `"greedy" must be true or false, not number`)
	check(`"text":{}`, `"text" must be text, not object`)
}
