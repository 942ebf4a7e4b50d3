package task_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"surgeon/probe/chat"
	"surgeon/probe/task"
	"surgeon/probe/task/dataset"
)

// The benchmark data and the results of lm-evaluation-harness 0.4.13 that lie
// beside this checkout.
const (
	benchmarks = "../../../shared/data/"
	harness    = "../../../shared/golden/lm_eval/"
)

// open opens tasks on the benchmark data.
func open(t *testing.T, names ...string) task.Basket {
	t.Helper()
	if _, err := os.Stat(benchmarks); err != nil {
		t.Skip("the benchmark data is not beside this checkout")
	}
	key := strings.Join(names, ",")
	if basket, ok := opened[key]; ok {
		return basket
	}
	data, err := dataset.Open(benchmarks)
	if err != nil {
		t.Fatal(err)
	}
	basket, err := task.Open(names, task.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	opened[key] = basket
	return basket
}

// opened are the baskets that tests have opened; no test changes one.
var opened = map[string]task.Basket{}

// lines reads JSON lines.
func lines[T any](t *testing.T, file string) (list []T) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Skipf("%s is not beside this checkout", file)
	}
	defer f.Close()
	scanner := bufio.NewScanner(f)
	for scanner.Buffer(nil, 16<<20); scanner.Scan(); {
		var line T
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		list = append(list, line)
	}
	return list
}

// result is a line of the goldens.
type result struct {
	Item       string
	DocID      int    `json:"doc_id"`
	DocHash    string `json:"doc_hash"`
	PromptHash string `json:"prompt_sha256"`
	TextHash   string `json:"text_sha256"`
	Prompt     string
	Shots      int
	Target     string

	Continuations []string
	LogLikelihood json.RawMessage
	Acc, AccNorm  *float64
	Text, Finish  string
	Until         []string
	MaxNewTokens  int `json:"max_new_tokens"`
	Filtered      map[string]string
	ExactMatch    map[string]float64 `json:"exact_match"`
	Words, Bytes  int
	IDs           []string `json:"instruction_id_list"`
}

// TestAllPromptHashes: every GSM8K prompt of five shots at seed 1234 and every
// MMLU prompt of five shots has the prompt_hash, the document the doc_hash that
// lm-evaluation-harness wrote.
func TestAllPromptHashes(t *testing.T) {
	basket := open(t, "mmlu", "gsm8k")
	want := map[string]result{}
	for _, line := range lines[result](t, harness+"prompt_hashes.jsonl") {
		want[line.Item] = line
	}
	equal := 0
	for k := range basket.Tasks {
		of := &basket.Tasks[k]
		questions, err := of.Questions(task.Setting{Shots: 5, Seed: 1234}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range questions {
			item := of.Items[q.Item]
			id := item.ID
			if of.Form == task.Arithmetic {
				id = "gsm8k/" + id
			}
			w := want[id]
			if got := task.PromptHash(q.Text); got != w.PromptHash || dataset.DocHash(item.Doc) != w.DocHash {
				t.Fatalf("%s: prompt %s, document %s, want %s, %s", id, got, dataset.DocHash(item.Doc), w.PromptHash, w.DocHash)
			}
			equal++
		}
	}
	t.Logf("%d prompt hashes and document hashes are equal", equal)
	if equal != len(want) || equal < 10000 {
		t.Errorf("%d questions, want the %d of the goldens", equal, len(want))
	}
}

// TestComputedPrompts compares with prompts that were computed from the task
// definitions with CPython's generator: three seeds, which rows, which hash.
func TestComputedPrompts(t *testing.T) {
	data, err := os.ReadFile(benchmarks + "golden/lm_eval_prompts.json")
	if err != nil {
		t.Skip("the benchmark data is not beside this checkout")
	}
	type row struct {
		DocID  int    `json:"doc_id"`
		Rows   []int  `json:"train_indices"`
		Hash   string `json:"prompt_sha256"`
		Target string
	}
	var want struct {
		GSM8K  map[int64][]row `json:"gsm8k_5shot"`
		Hashes []string        `json:"gsm8k_doc_sha256"`
		MMLU   map[string]row  `json:"mmlu_5shot"`
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	basket := open(t, "mmlu", "gsm8k")
	gsm8k := basket.Tasks[len(basket.Tasks)-1]
	equal := 0
	for seed, rows := range want.GSM8K {
		for _, row := range rows {
			questions, err := gsm8k.Questions(task.Setting{Shots: -1, Seed: seed}, []int{row.DocID})
			if err != nil {
				t.Fatal(err)
			}
			if q := questions[0]; !slices.Equal(q.Shots, row.Rows) || task.PromptHash(q.Text) != row.Hash {
				t.Errorf("seed %d, row %d: shots %v, want %v, prompt %s, want %s", seed, row.DocID, q.Shots, row.Rows, task.PromptHash(q.Text), row.Hash)
			}
			equal++
		}
	}
	for i, hash := range want.Hashes {
		if got := dataset.DocHash(gsm8k.Items[i].Doc); got != hash {
			t.Errorf("document %d: %s, want %s", i, got, hash)
		}
	}
	for subject, row := range want.MMLU {
		k := slices.IndexFunc(basket.Tasks, func(of task.Task) bool { return of.Name == "mmlu_"+subject })
		if k < 0 {
			continue // one of the subjects that are kept back
		}
		of := basket.Tasks[k]
		questions, err := of.Questions(task.Setting{Shots: 5}, []int{row.DocID})
		if err != nil || task.PromptHash(questions[0].Text) != row.Hash || of.Items[row.DocID].Target != row.Target {
			t.Errorf("%s: %s, %v, want %s", subject, task.PromptHash(questions[0].Text), err, row.Hash)
		}
		equal++
	}
	t.Logf("%d prompts are equal", equal)
	if equal < 21 {
		t.Errorf("only %d prompts were compared", equal)
	}
}

// run is a run of the goldens and the tasks that it asked.
type run struct {
	file, name string // of the tasks; SUBJECT stands for what is before the item's number
	chat       bool
}

var runs = []run{
	{"base/mmlu_letters_5shot", "mmlu_SUBJECT", false},
	{"base/mmlu_letters_0shot", "mmlu_SUBJECT", false},
	{"base/mmlu_continuation_0shot", "mmlu_SUBJECT_continuation", false},
	{"base/gsm8k_5shot", "gsm8k", false},
	{"base/gsm8k_easy_5shot", "gsm8k", false},
	{"base/ifeval", "ifeval", false},
	{"base/perplexity", "pages", false},
	{"chem/mmlu_letters_5shot", "mmlu_SUBJECT", false},
	{"chem/gsm8k_5shot", "gsm8k", false},
	{"base/mmlu_letters_5shot_chat", "mmlu_SUBJECT", true},
	{"base/gsm8k_5shot_chat", "gsm8k", true},
	{"base/ifeval_chat", "ifeval", true},
}

// tasks opens what a run asked, by name.
func (r run) tasks(t *testing.T) map[string]*task.Task {
	t.Helper()
	var basket task.Basket
	switch {
	case strings.Contains(r.file, "easy"):
		basket = easy(t)
	case r.name == "pages":
		basket = open(t, harness+"tasks/pages.jsonl")
	default:
		names := []string{r.name}
		if strings.Contains(r.name, "SUBJECT") {
			names = nil
			for _, subject := range []string{"abstract_algebra", "anatomy", "high_school_geography", "marketing", "professional_accounting", "miscellaneous"} {
				names = append(names, strings.Replace(r.name, "SUBJECT", subject, 1))
			}
		}
		basket = open(t, names...)
	}
	tasks := map[string]*task.Task{}
	for k := range basket.Tasks {
		tasks[basket.Tasks[k].Name] = &basket.Tasks[k]
	}
	return tasks
}

// easy is the goldens' own test split for GSM8K's train split.
func easy(t *testing.T) task.Basket {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, file := range map[string]string{"test.jsonl": harness + "tasks/easy_problems.jsonl", "train.jsonl": benchmarks + "gsm8k/train.jsonl"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Skipf("%s is not beside this checkout", file)
		}
		fsys[name] = &fstest.MapFile{Data: data}
	}
	data, err := dataset.OpenFS("easy", fsys)
	if err != nil {
		t.Fatal(err)
	}
	basket, err := task.Open([]string{"gsm8k"}, task.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return basket
}

// template is the chat template of the goldens' model.
func template(t *testing.T) *chat.Template {
	t.Helper()
	data, err := os.ReadFile("/opt/pair/base/tokenizer_config.json")
	if err != nil {
		t.Skip("the goldens' model is not on this machine")
	}
	var config struct {
		Template string `json:"chat_template"`
	}
	if err := json.Unmarshal(data, &config); err != nil || config.Template == "" {
		t.Skip("the goldens' model has no chat template in its tokenizer_config.json")
	}
	written, err := chat.New(config.Template, nil)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// TestRuns: prompts, documents, continuations and stop texts of every run are
// those of lm-evaluation-harness; in the chat runs as the model's template
// renders the messages.
func TestRuns(t *testing.T) {
	for _, r := range runs {
		t.Run(r.file, func(t *testing.T) {
			written := &chat.Template{}
			if r.chat {
				written = template(t)
			}
			tasks := r.tasks(t)
			golden := lines[result](t, harness+r.file+".jsonl")
			for _, want := range golden {
				subject, _, _ := strings.Cut(want.Item, "/")
				of := tasks[strings.Replace(r.name, "SUBJECT", subject, 1)]
				if of == nil {
					t.Fatalf("no task for %s", want.Item)
				}
				questions, err := of.Questions(task.Setting{Shots: want.Shots, Seed: 1234, Chat: r.chat, MultiTurn: true}, []int{want.DocID})
				if err != nil {
					t.Fatal(err)
				}
				q, item := questions[0], of.Items[want.DocID]
				text, hash := q.Text, want.PromptHash+want.TextHash
				if r.chat {
					if text, err = render(written, q.Messages); err != nil {
						t.Fatal(err)
					}
				}
				if task.PromptHash(text) != hash || want.Prompt != "" && text != want.Prompt {
					t.Errorf("%s: prompt\n%s\nwant\n%s", want.Item, text, want.Prompt)
				}
				if got := dataset.DocHash(item.Doc); got != want.DocHash {
					t.Errorf("%s: document %s, want %s", want.Item, got, want.DocHash)
				}
				if !slices.Equal(q.Continuations, want.Continuations) {
					t.Errorf("%s: continuations %q, want %q", want.Item, q.Continuations, want.Continuations)
				}
				if want.Continuations != nil && fmt.Sprint(q.Gold) != want.Target {
					t.Errorf("%s: gold %d, want %s", want.Item, q.Gold, want.Target)
				}
				if !slices.Equal(of.Until, want.Until) && len(of.Until)+len(want.Until) > 0 {
					t.Errorf("%s: stop texts %q, want %q", want.Item, of.Until, want.Until)
				}
			}
			t.Logf("%d prompts are equal", len(golden))
		})
	}
}

// render writes messages by a template.
func render(written *chat.Template, messages []task.Message) (string, error) {
	list := make([]chat.Message, len(messages))
	for i, m := range messages {
		list[i] = chat.Message(m)
	}
	return written.Render(context.Background(), list, chat.Options{Generation: true})
}

// TestScores: the log-likelihoods and texts that lm-evaluation-harness had are
// graded as it graded them.
func TestScores(t *testing.T) {
	for _, r := range runs {
		if r.name == "ifeval" {
			continue // package ifeval compares its verdicts
		}
		t.Run(r.file, func(t *testing.T) {
			tasks := r.tasks(t)
			golden := lines[map[string]json.RawMessage](t, harness+r.file+".jsonl")
			for _, line := range golden {
				var want result
				whole, _ := json.Marshal(line)
				if err := json.Unmarshal(whole, &want); err != nil {
					// exact_match is a map in these and acc a number in others
					t.Fatal(err)
				}
				subject, _, _ := strings.Cut(want.Item, "/")
				of := tasks[strings.Replace(r.name, "SUBJECT", subject, 1)]
				questions, err := of.Questions(task.Setting{Shots: 0}, []int{want.DocID})
				if err != nil {
					t.Fatal(err)
				}
				reply := task.Reply{Text: want.Text, Finish: want.Finish}
				if line["loglikelihood"] != nil && json.Unmarshal(line["loglikelihood"], &reply.LogProbs) != nil {
					reply.LogProbs = []float64{0}
					json.Unmarshal(line["loglikelihood"], &reply.LogProbs[0])
				}
				g := of.Grade(questions[0], reply)
				for _, metric := range []string{"acc", "acc_norm"} {
					var score float64
					if line[metric] != nil && (json.Unmarshal(line[metric], &score) != nil || g.Scores[metric] != score) {
						t.Errorf("%s: %s %v, want %s", want.Item, metric, g.Scores[metric], line[metric])
					}
				}
				for filter, score := range want.ExactMatch {
					if g.Scores["exact_match,"+filter] != score || g.Extracted["exact_match,"+filter] != want.Filtered[filter] {
						t.Errorf("%s: %s %q is %v, want %q, %v", want.Item, filter, g.Extracted["exact_match,"+filter], g.Scores["exact_match,"+filter], want.Filtered[filter], score)
					}
				}
				if item := of.Items[want.DocID]; item.Words != want.Words || item.Bytes != want.Bytes {
					t.Errorf("%s: %d words, %d bytes, want %d, %d", want.Item, item.Words, item.Bytes, want.Words, want.Bytes)
				}
				if got := slices.Contains(g.Flags, task.Truncated); got != (want.Finish == "length") {
					t.Errorf("%s: flags %v, and the text ends by %q", want.Item, g.Flags, want.Finish)
				}
			}
			t.Logf("%d grades are equal", len(golden))
		})
	}
}

// TestPerplexities: taken together the texts have the perplexities that
// lm-evaluation-harness printed.
func TestPerplexities(t *testing.T) {
	pages := run{"base/perplexity", "pages", false}.tasks(t)["pages"]
	var items []int
	var grades []task.Grade
	for _, line := range lines[struct {
		DocID         int `json:"doc_id"`
		LogLikelihood float64
	}](t, harness+"base/perplexity.jsonl") {
		items = append(items, line.DocID)
		grades = append(grades, pages.Grade(task.Question{Item: line.DocID}, task.Reply{LogProbs: []float64{line.LogLikelihood / 2, line.LogLikelihood / 2}}))
	}
	data, err := os.ReadFile(harness + "base/perplexity.results.json")
	if err != nil {
		t.Fatal(err)
	}
	var results struct {
		Results map[string]map[string]any
	}
	if err := json.Unmarshal(data, &results); err != nil {
		t.Fatal(err)
	}
	for _, metric := range pages.Form.Metrics() {
		want, _ := results.Results["local_perplexity"][metric+",none"].(float64)
		if got := pages.Aggregate(metric, items, grades); math.Abs(got-want) > 1e-9*want || want == 0 {
			t.Errorf("%s %v, want %v", metric, got, want)
		}
	}
}
