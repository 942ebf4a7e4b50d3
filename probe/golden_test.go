package probe_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/probe"
	"surgeon/probe/decoder"
	"surgeon/probe/task"
)

// goldenItem is a line of shared/golden/lm_eval: what lm_eval 0.4.13 asked the
// real base model and what it got.
type goldenItem struct {
	Item               string    `json:"item"` // SUBJECT/row
	Row                int       `json:"doc_id"`
	Target             string    `json:"target"`
	PromptSHA256       string    `json:"prompt_sha256"`
	PromptTokens       int       `json:"prompt_tokens"`
	Continuations      []string  `json:"continuations"`
	ContinuationTokens [][]int32 `json:"continuation_tokens"`
	LogLikelihood      []float64 `json:"loglikelihood"`
	IsGreedy           []bool    `json:"is_greedy"`
	Accuracy           float64   `json:"acc"`
}

// mmluRow is a line of the benchmark: question, choices A to D, gold letter.
type mmluRow struct {
	subject, question string
	choices           []string
}

// mmluStyles are the two zero-shot forms of lm_eval's MMLU. The target
// delimiter, one blank, stands before each continuation.
var mmluStyles = []struct {
	run           string
	prompt        func(mmluRow) string
	continuations func(mmluRow) []string
}{
	{"mmlu_letters_0shot", lettersPrompt, func(mmluRow) []string { return []string{" A", " B", " C", " D"} }},
	{"mmlu_continuation_0shot", continuationPrompt, func(r mmluRow) []string {
		var list []string
		for _, choice := range r.choices {
			list = append(list, " "+choice)
		}
		return list
	}},
}

func lettersPrompt(r mmluRow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The following are multiple choice questions (with answers) about %s.\n\n%s\n", blanks(r.subject), strings.TrimSpace(r.question))
	for i, choice := range r.choices {
		fmt.Fprintf(&b, "%c. %s\n", 'A'+i, choice)
	}
	return b.String() + "Answer:"
}

func continuationPrompt(r mmluRow) string {
	return fmt.Sprintf("The following are questions (with answers) about %s.\n\nQuestion: %s\nAnswer:", blanks(r.subject), strings.TrimSpace(r.question))
}

func blanks(subject string) string { return strings.ReplaceAll(subject, "_", " ") }

func readGolden(t *testing.T, run string) []goldenItem {
	t.Helper()
	f, err := os.Open(needShared(t, "golden", "lm_eval", "base", run+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var items []goldenItem
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var item goldenItem
		if err := json.Unmarshal(lines.Bytes(), &item); err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(items) != 48 { // the first 12 rows of 4 subjects
		t.Fatalf("%s has %d items, want 48", run, len(items))
	}
	return items
}

func readMMLU(t *testing.T, subject string) []mmluRow {
	t.Helper()
	f, err := os.Open(needShared(t, "data", "mmlu", "test", subject+"_test.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	reader := csv.NewReader(f)
	reader.LazyQuotes = true
	records, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []mmluRow
	for _, r := range records {
		rows = append(rows, mmluRow{subject, r[0], r[1:5]})
	}
	return rows
}

// asked is a golden with the prompt and continuations rebuilt from the
// benchmark's own file.
type asked struct {
	goldenItem
	prompt        string
	continuations []string
}

// rebuild makes the prompts of a run and checks each against lm_eval's hash.
func rebuild(t *testing.T, run string, prompt func(mmluRow) string, continuations func(mmluRow) []string) []asked {
	t.Helper()
	rows := map[string][]mmluRow{}
	var list []asked
	for _, g := range readGolden(t, run) {
		subject, _, _ := strings.Cut(g.Item, "/")
		if rows[subject] == nil {
			rows[subject] = readMMLU(t, subject)
		}
		row := rows[subject][g.Row]
		a := asked{g, prompt(row), continuations(row)}
		sum := sha256.Sum256([]byte(a.prompt))
		if got := hex.EncodeToString(sum[:]); got != g.PromptSHA256 {
			t.Errorf("%s %s: the prompt hashes to %s, lm_eval's to %s:\n%q", run, g.Item, got, g.PromptSHA256, a.prompt)
		}
		if !slices.Equal(a.continuations, g.Continuations) {
			t.Errorf("%s %s: continuations %q, lm_eval's are %q", run, g.Item, a.continuations, g.Continuations)
		}
		list = append(list, a)
	}
	return list
}

// encodeAll encodes all items and checks the ids against lm_eval's.
func encodeAll(t *testing.T, m model, items []asked) []decoder.Request {
	t.Helper()
	var requests []decoder.Request
	for _, a := range items {
		r, err := probe.Encode(m.tokenizer, a.prompt, a.continuations)
		if err != nil {
			t.Fatalf("%s: %v", a.Item, err)
		}
		if len(r.Prompt) != a.PromptTokens {
			t.Errorf("%s: the prompt has %d tokens, lm_eval's %d", a.Item, len(r.Prompt), a.PromptTokens)
		}
		for i, want := range a.ContinuationTokens {
			if !slices.Equal(r.Continuations[i], want) {
				t.Errorf("%s: continuation %d is %v, lm_eval's %v", a.Item, i, r.Continuations[i], want)
			}
		}
		requests = append(requests, r)
	}
	return requests
}

// TestMMLUPrompts rebuilds all 96 prompts and their token ids.
func TestMMLUPrompts(t *testing.T) {
	m := openModel(t, needPair(t, "base"))
	for _, style := range mmluStyles {
		t.Run(style.run, func(t *testing.T) {
			encodeAll(t, m, rebuild(t, style.run, style.prompt, style.continuations))
		})
	}
}

// TestMMLUGoldens scores the real base model and compares every
// log-likelihood with lm_eval's: 1e-3 nats a token, since both compute in
// float32 but add in another order (shared/golden/lm_eval/README.md). It takes
// 20 s where the processor has AVX2 and minutes where it has not.
func TestMMLUGoldens(t *testing.T) {
	m := openModel(t, needPair(t, "base"))
	if testing.Short() {
		t.Skip("takes tens of seconds: left out by -short")
	}
	for _, style := range mmluStyles {
		t.Run(style.run, func(t *testing.T) {
			items := rebuild(t, style.run, style.prompt, style.continuations)
			responses, err := m.decoder(t).Score(context.Background(), encodeAll(t, m, items), decoder.Options{})
			if err != nil {
				t.Fatal(err)
			}
			compareMMLU(t, items, responses)
		})
	}
}

func compareMMLU(t *testing.T, items []asked, responses []decoder.Response) {
	t.Helper()
	var worst, worstPerToken float64
	for i, a := range items {
		got := responses[i]
		for j, want := range a.LogLikelihood {
			difference := math.Abs(got.LogProbs[j] - want)
			perToken := difference / float64(len(a.ContinuationTokens[j]))
			if !(perToken <= 1e-3) {
				t.Errorf("%s%s: log-likelihood %.6f, lm_eval's %.6f", a.Item, a.Continuations[j], got.LogProbs[j], want)
			}
			worst, worstPerToken = max(worst, difference), max(worstPerToken, perToken)
			if got.Greedy[j] != a.IsGreedy[j] {
				t.Errorf("%s%s: greedy is %v, lm_eval's %v", a.Item, a.Continuations[j], got.Greedy[j], a.IsGreedy[j])
			}
		}
		chosen := fmt.Sprint(task.Choose(got.LogProbs))
		if right := chosen == a.Target; right != (a.Accuracy == 1) {
			t.Errorf("%s: chose %s of gold %s, lm_eval's accuracy is %v", a.Item, chosen, a.Target, a.Accuracy)
		}
	}
	t.Logf("%d items: greatest difference %.2g nats, %.2g a token", len(items), worst, worstPerToken)
}

// clozeTasks are the pair's own questions and how many of them PyTorch gets
// right by the sum of log-likelihoods (shared/pair/README.md).
var clozeTasks = []struct {
	file       string
	items      int
	base, chem int
}{
	{"heldout_cloze", 100, 48, 69},
	{"general_cloze", 130, 80, 103},
}

// TestPairCloze takes minutes: 230 questions for each of two models.
func TestPairCloze(t *testing.T) {
	needHeavy(t)
	base, chem := openModel(t, needPair(t, "base")), openModel(t, needPair(t, "chem"))
	bench := probe.Bench{Config: base.config, Tokenizer: base.tokenizer}
	for _, c := range clozeTasks {
		bench.Tasks = append(bench.Tasks, readCloze(t, c.file, c.items))
	}
	got, err := bench.Score(context.Background(), []probe.Candidate{{ID: "base", Source: base.weights}, {ID: "chem", Source: chem.weights}})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range clozeTasks {
		for j, want := range []int{c.base, c.chem} {
			right := 0
			for _, v := range got[j].Tasks[i].Sample.Scores {
				right += int(v)
			}
			t.Logf("%s on %s: %d of %d right, PyTorch %d", got[j].ID, c.file, right, c.items, want)
			if right < want-1 || right > want+1 { // one near tie may fall the other way
				t.Errorf("%s on %s: %d right, PyTorch has %d", got[j].ID, c.file, right, want)
			}
		}
	}
}

func readCloze(t *testing.T, name string, items int) task.Task {
	t.Helper()
	path := needShared(t, "pair", "data", name+".jsonl")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	set, err := task.Read(name, filepath.Base(path), f)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Tasks[0].Items) != items {
		t.Fatalf("%s has %d items, want %d", name, len(set.Tasks[0].Items), items)
	}
	return set.Tasks[0]
}
