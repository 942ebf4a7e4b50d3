package record_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/probe/record"
)

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func ptr[T any](x T) *T { return &x }

const date = "2026-08-21T10-11-12.345678"

// What lm_eval 0.4.13 writes: three kinds of tasks, of one model.
var harness = map[string]string{
	"org__model/results_" + date + ".json": `{
  "results": {"mmlu_anatomy": {"alias": "anatomy", "acc,none": 0.5, "acc_stderr,none": NaN}},
  "configs": {}, "versions": {"mmlu_anatomy": 1.0},
  "config": {"model": "hf", "model_args": {"pretrained": "org/model", "dtype": "float32"}, "fewshot_seed": 1234},
  "model_name": "org/model"
}`,
	"org__model/samples_mmlu_anatomy_" + date + ".jsonl": `{"doc_id": 0, "doc": {"question": "q"}, "target": "1", "arguments": {"gen_args_0": {"arg_0": "Q\nA:", "arg_1": " A"}, "gen_args_1": {"arg_0": "Q\nA:", "arg_1": " B"}}, "resps": [[["-5.006414890289307", "False"]], [["-1e-05", "True"]]], "filtered_resps": [["-5.006414890289307", "False"], ["-1e-05", "True"]], "filter": "none", "metrics": ["acc", "acc_norm"], "doc_hash": "d0", "prompt_hash": "p0", "target_hash": "t0", "acc": 1.0, "acc_norm": 0.0}
{"doc_id": 1, "doc": {}, "target": "0", "arguments": {"gen_args_0": {"arg_0": "Q", "arg_1": " A"}, "gen_args_1": {"arg_0": "Q", "arg_1": " B"}}, "resps": [[["-inf", "False"]], [["-inf", "False"]]], "filtered_resps": [["-inf", "False"], ["-inf", "False"]], "filter": "none", "metrics": ["acc", "acc_norm"], "doc_hash": "d1", "prompt_hash": "p1", "target_hash": "t1", "acc": NaN, "acc_norm": 1.0}
{"doc_id": 2, "doc": {}, "target": "0", "arguments": {}, "resps": [], "filtered_resps": [], "filter": "none", "metrics": ["acc"], "doc_hash": "d2", "prompt_hash": "p2", "acc": NaN}
`,
	"org__model/samples_gsm8k_" + date + ".jsonl": `{"doc_id": 0, "arguments": {"gen_args_0": {"arg_0": "Question", "arg_1": {"until": ["Q:"], "do_sample": false}}}, "resps": [[" 12 + 6 = 18.\n#### 18", "other"]], "filtered_resps": ["18"], "filter": "strict-match", "metrics": ["exact_match"], "doc_hash": "g0", "prompt_hash": "h0", "exact_match": 1.0}
{"doc_id": 7, "arguments": {"gen_args_0": {"arg_0": "Question", "arg_1": {"until": ["Q:"]}}}, "resps": [["It is 18"]], "filtered_resps": ["[invalid]"], "filter": "strict-match", "metrics": ["exact_match"], "doc_hash": "g7", "prompt_hash": "h7", "exact_match": 0.0}
{"doc_id": 0, "arguments": {"gen_args_0": {"arg_0": "Question", "arg_1": {"until": ["Q:"], "do_sample": false}}}, "resps": [[" 12 + 6 = 18.\n#### 18"]], "filtered_resps": ["18"], "filter": "flexible-extract", "metrics": ["exact_match"], "doc_hash": "g0", "prompt_hash": "h0", "exact_match": 1.0}
{"doc_id": 7, "arguments": {"gen_args_0": {"arg_0": "Question", "arg_1": {"until": ["Q:"]}}}, "resps": [["It is 18"]], "filtered_resps": ["18"], "filter": "flexible-extract", "metrics": ["exact_match"], "doc_hash": "g7", "prompt_hash": "h7", "exact_match": 1.0}
`,
	"org__model/samples_ifeval_" + date + ".jsonl": `{"doc_id": 3, "arguments": {"gen_args_0": {"arg_0": "Write", "arg_1": {"until": []}}}, "resps": [["NaN, \"Infinity\""]], "filtered_resps": ["NaN, \"Infinity\""], "filter": "none", "metrics": ["prompt_level_strict_acc", "inst_level_strict_acc"], "doc_hash": "i3", "prompt_hash": "j3", "prompt_level_strict_acc": false, "inst_level_strict_acc": [true, false, false, true]}
`,
	"org__model/samples_wikitext_" + date + ".jsonl": `{"doc_id": 0, "arguments": {"gen_args_0": {"arg_0": "page"}}, "resps": [["-444.5"]], "filtered_resps": ["-444.5"], "filter": "none", "metrics": ["word_perplexity", "bits_per_byte", "f1"], "doc_hash": "w0", "prompt_hash": "v0", "word_perplexity": [-444.5, 90], "bits_per_byte": [-444.5, 364], "f1": [1, 0]}
`,
}

func harnessRecords() (gsm8k, ifeval, mmlu, wikitext []record.Record) {
	type s = map[string]float64
	r := func(task, item, doc, prompt string, scores s) record.Record {
		return record.Record{Model: "org/model", Task: task, Item: item, Seed: 1234, DocHash: doc, PromptHash: prompt, Scores: scores}
	}
	g0 := r("gsm8k", "0", "g0", "h0", s{"exact_match,strict-match": 1, "exact_match,flexible-extract": 1})
	g0.Text = ptr(" 12 + 6 = 18.\n#### 18")
	g0.Extracted = map[string]string{"exact_match,strict-match": "18", "exact_match,flexible-extract": "18"}
	g7 := r("gsm8k", "7", "g7", "h7", s{"exact_match,strict-match": 0, "exact_match,flexible-extract": 1})
	g7.Text = ptr("It is 18")
	g7.Extracted = map[string]string{"exact_match,strict-match": "[invalid]", "exact_match,flexible-extract": "18"}
	i3 := r("ifeval", "3", "i3", "j3", s{"prompt_level_strict_acc": 0, "inst_level_strict_acc": 0.5})
	i3.Text, i3.Parts = ptr("NaN, \"Infinity\""), map[string][]bool{"inst_level_strict_acc": {true, false, false, true}}
	m0 := r("mmlu_anatomy", "0", "d0", "p0", s{"acc": 1, "acc_norm": 0})
	m0.LogProbs, m0.Greedy, m0.Chosen = []float64{-5.006414890289307, -1e-05}, []bool{false, true}, ptr(1)
	m1 := r("mmlu_anatomy", "1", "d1", "p1", s{"acc_norm": 1})
	m1.LogProbs, m1.Greedy, m1.Chosen = []float64{math.Inf(-1), math.Inf(-1)}, []bool{false, false}, ptr(0)
	nats := 444.5 // a variable, so that it is divided as when it is read
	w0 := r("wikitext", "0", "w0", "v0", s{"word_perplexity": math.Exp(nats / 90), "bits_per_byte": nats / 364 / math.Ln2})
	w0.LogProbs = []float64{-444.5}
	return []record.Record{g0, g7}, []record.Record{i3}, []record.Record{m0, m1}, []record.Record{w0}
}

func TestReadHarness(t *testing.T) {
	dir := files(t, harness)
	gsm8k, ifeval, mmlu, wikitext := harnessRecords()
	all := append(append(append(append([]record.Record(nil), gsm8k...), ifeval...), mmlu...), wikitext...)
	notes := []string{"1 sample with several responses, of which the first is kept (line 1)", "1 sample left out for want of a score (line 3)",
		"f1: no score for each document", "bits_per_byte, word_perplexity: kept for each document"}
	same(t, read(t, dir), all, notes...)
	model := filepath.Join(dir, "org__model")
	same(t, read(t, model), all, notes...)
	same(t, read(t, filepath.Join(model, "results_"+date+".json")), all, notes...)
	same(t, read(t, filepath.Join(model, "samples_ifeval_"+date+".jsonl")), ifeval)
	if got := gsm8k[1]; got.Parsed("exact_match,strict-match") || !got.Parsed("exact_match,flexible-extract") {
		t.Error("[invalid] counts as an answer, or a number does not")
	}
}

// TestReadHarnessOlder reads what older versions wrote: arguments as lists, no
// hashes, no list of metrics, one list instead of lines.
func TestReadHarnessOlder(t *testing.T) {
	type s = map[string]float64
	line := `{"doc_id": 0, "doc": {"q": 1}, "target": 1, "arguments": [["ctx", " a"], ["ctx", " b"]], "resps": [[[-3.5, false]], [[-1.0, true]]], "filtered_resps": [[-3.5, false], [-1.0, true]], "acc": 1.0, "acc_norm": true}`
	want := record.Record{Model: "EleutherAI/pythia", Task: "hella_swag", Item: "0", PromptHash: sha("ctx"), LogProbs: []float64{-3.5, -1}, Greedy: []bool{false, true}, Chosen: ptr(1), Scores: s{"acc": 1, "acc_norm": 1}}
	results := `{"results": {"swag": {}, "hella_swag": {}}, "config": {"model_args": "pretrained=EleutherAI/pythia,dtype=float"}}`
	list := "[\n  " + strings.ReplaceAll(line, ", ", ",\n    ") + "\n]"
	dir := files(t, map[string]string{"results.json": results, "pretrained__EleutherAI__pythia_hella_swag.jsonl": list})
	same(t, read(t, dir), []record.Record{want})
	same(t, read(t, filepath.Join(dir, "pretrained__EleutherAI__pythia_hella_swag.jsonl")), []record.Record{want})

	want.Model, want.Task = "out", "arc"
	same(t, read(t, files(t, map[string]string{"samples_arc.jsonl": line + "\n"})), []record.Record{want})
	want.Task = "mine"
	same(t, read(t, filepath.Join(files(t, map[string]string{"mine.jsonl": line}), "mine.jsonl")), []record.Record{want})
}

func TestReadHarnessNewest(t *testing.T) {
	line := func(acc string) string { return `{"doc_id": 0, "acc": ` + acc + `}` + "\n" }
	dir := files(t, map[string]string{"samples_a_b_2026-01-01T00-00-00.1.jsonl": line("0"), "samples_a_b_2026-02-01T00-00-00.1.jsonl": line("1"), "samples_a_2026-03-01T00-00-00.1.jsonl": line("0.5")})
	same(t, read(t, dir), []record.Record{
		scored("out", "a", "0", "", 0, map[string]float64{"acc": 0.5}), scored("out", "a_b", "0", "", 0, map[string]float64{"acc": 1})},
		"samples_a_b_2026-01-01T00-00-00.1.jsonl: a later file of the same task counts: samples_a_b_2026-02-01")
}

func TestHarnessRefuses(t *testing.T) {
	const name = "samples_t.jsonl"
	line := func(id int, filter, hash string) string {
		return fmt.Sprintf(`{"doc_id": %d, "filter": %q, "doc_hash": %q, "acc": 1}`+"\n", id, filter, hash)
	}
	refuses(t, name, line(0, "a", "x")+line(1, "a", "y")+line(0, "a", "x"), `samples_t.jsonl:3: document 0, filter "a" is in line 1 already`)
	refuses(t, name, line(0, "a", "x")+line(0, "b", "y"), `samples_t.jsonl:2: document 0 has another doc_hash here (y) than in an earlier line (x)`)
	refuses(t, name, line(0, "a", "x")+"{\"doc_id\": 1", "samples_t.jsonl:2: is not JSON: unexpected end")
	refuses(t, name, line(0, "a", "x")+"[]\n", "samples_t.jsonl:2: must be an object, not array")
	refuses(t, name, line(0, "a", "x")+"{\"acc\": 1}\n", `samples_t.jsonl:2: has no "doc_id"`)
	refuses(t, name, `{"doc_id": [1], "acc": 1}`, `samples_t.jsonl:1: "doc_id" must be a number or text`)
	refuses(t, name, `{"doc_id": 1, "filter": 3, "acc": 1}`, `samples_t.jsonl:1: "filter": must be text, not number`)
	refuses(t, name, `{"doc_id": 1, "doc": {}}`, "has no scores")
	refuses(t, name, "[\n{\"doc_id\": 1, \"acc\": 1},\n{\"acc\": 1}]", `samples_t.jsonl: element 2: has no "doc_id"`)
	refuses(t, name, "[\n{\"doc_id\": 1, \"acc\": 1},\n", "is not JSON: it ends before it is complete")
	refuses(t, name, strings.Repeat(`{"doc_id":`, 20000), "is not JSON")
}
