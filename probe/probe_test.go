package probe_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/decoder"
	"surgeon/probe/task"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// The Pico pair, as in the embedded models.
var picoBase, picoChem = tensorstest.Pico{Seed: 7}, tensorstest.Pico{Seed: 7, Drift: 0.05}

// symbols is the task that Pico's tokenizer was made for.
func symbols(t testing.TB) task.Task {
	t.Helper()
	set, err := task.Read("symbols", "symbols.jsonl", bytes.NewReader(tensorstest.Items()))
	if err != nil {
		t.Fatal(err)
	}
	return set.Tasks[0]
}

func picoBench(t testing.TB, tasks ...task.Task) *probe.Bench {
	t.Helper()
	config, err := decoder.ParseConfig(picoBase.Config())
	if err != nil {
		t.Fatal(err)
	}
	return &probe.Bench{Config: config, Tokenizer: picoTokenizer(t), Tasks: tasks}
}

// halfway is the merge of the Pico pair at alpha 0.5, never written.
func halfway(t *testing.T) tensors.Source {
	t.Helper()
	base := picoBase.Weights()
	difference, err := tensors.Diff(base, picoChem.Weights())
	if err != nil {
		t.Fatal(err)
	}
	m, err := merge.Apply(base, merge.Term{Label: "chem", Delta: difference, Alpha: merge.Number(0.5)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustScore(t *testing.T, b *probe.Bench, candidates ...probe.Candidate) []probe.Scores {
	t.Helper()
	got, err := b.Score(context.Background(), candidates)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestScore runs three candidates over two tasks, in two orders, and answers
// every item a second way: by asking the decoder for it alone.
func TestScore(t *testing.T) {
	whole := symbols(t)
	few := task.Task{Name: "few", Items: slices.Clone(whole.Items[5:8])}
	for i := range few.Items {
		few.Items[i].ID += " again"
	}
	b := picoBench(t, whole, few)
	base, chem, half := probe.Candidate{ID: "base", Source: picoBase.Weights()}, probe.Candidate{ID: "chem", Source: picoChem.Weights()}, probe.Candidate{ID: "half", Source: halfway(t)}
	got := mustScore(t, b, half, base, chem)
	for i, candidate := range []probe.Candidate{half, base, chem} {
		if got[i].ID != candidate.ID || len(got[i].Tasks) != 2 {
			t.Fatalf("result %d is of %s with %d tasks, want %s with 2", i, got[i].ID, len(got[i].Tasks), candidate.ID)
		}
		for j, mcq := range b.Tasks {
			checkTask(t, b, candidate, mcq, got[i].Tasks[j])
		}
	}
	if reflect.DeepEqual(got[0].Tasks, got[1].Tasks) || reflect.DeepEqual(got[1].Tasks, got[2].Tasks) {
		t.Error("two different candidates choose alike everywhere: nothing is proved")
	}
	turned := mustScore(t, b, chem, half, base)
	if !reflect.DeepEqual(untimed(turned), untimed([]probe.Scores{got[2], got[0], got[1]})) {
		t.Error("the order of the candidates changes their scores")
	}
}

// checkTask compares a task's scores with those of each item asked alone.
func checkTask(t *testing.T, b *probe.Bench, candidate probe.Candidate, mcq task.Task, got probe.TaskScore) {
	t.Helper()
	m, err := decoder.Open(b.Config, candidate.Source)
	if err != nil {
		t.Fatal(err)
	}
	want := probe.TaskScore{Task: mcq.Name, Metric: "acc"}
	var chosen []int
	for _, item := range mcq.Items {
		best, bestLogProb := -1, math.Inf(-1)
		for i, choice := range item.Choices {
			r, err := probe.Encode(b.Tokenizer, item.Prompt, []string{choice})
			if err != nil {
				t.Fatal(err)
			}
			responses, err := m.Score(context.Background(), []decoder.Request{r}, decoder.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if v := responses[0].LogProbs[0]; v > bestLogProb {
				best, bestLogProb = i, v
			}
		}
		score := 0.0
		if best == item.Gold {
			score = 1
		}
		want.Sample.Items, want.Sample.Scores, chosen = append(want.Sample.Items, item.ID), append(want.Sample.Scores, score), append(chosen, best)
	}
	if !reflect.DeepEqual(got.Chosen(), chosen) {
		t.Errorf("%s on %s: chose %v, want %v", candidate.ID, mcq.Name, got.Chosen(), chosen)
	}
	got.Answers = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s on %s:\n got %+v\nwant %+v", candidate.ID, mcq.Name, got, want)
	}
}

// TestScoreNothing: no candidates, no tasks, a task without items.
func TestScoreNothing(t *testing.T) {
	if got := mustScore(t, picoBench(t, symbols(t))); len(got) != 0 {
		t.Errorf("no candidates: %+v", got)
	}
	base := probe.Candidate{ID: "base", Source: picoBase.Weights()}
	if got := mustScore(t, picoBench(t), base); len(got) != 1 || got[0].ID != "base" || len(got[0].Tasks) != 0 {
		t.Errorf("no tasks: %+v", got)
	}
	got := mustScore(t, picoBench(t, task.Task{Name: "empty"}, symbols(t)), base)[0].Tasks
	if len(got) != 1 || got[0].Task != "symbols" || len(got[0].Chosen()) != 24 {
		t.Errorf("an empty task before another: %+v", got)
	}
}

// TestProgress: it grows over all candidates to one total.
func TestProgress(t *testing.T) {
	b := picoBench(t, symbols(t))
	var last, total int64
	calls := 0
	b.Progress = func(done, all int64) {
		if done <= last || done > all || total != 0 && all != total {
			t.Errorf("progress goes from %d of %d to %d of %d", last, total, done, all)
		}
		last, total = done, all
		calls++
	}
	mustScore(t, b, probe.Candidate{ID: "base", Source: picoBase.Weights()}, probe.Candidate{ID: "chem", Source: picoChem.Weights()})
	if last != total || total == 0 || calls < 4 { // two layers of two candidates at least
		t.Errorf("progress ends at %d of %d after %d calls", last, total, calls)
	}
}

// TestScoreErrors: an error names the candidate, and the item where there is
// one.
func TestScoreErrors(t *testing.T) {
	good := probe.Candidate{ID: "good", Source: picoBase.Weights()}
	first, second := symbols(t), symbols(t)
	first.Name, second.Name = "first", "second"
	refuse := func(b *probe.Bench, bad probe.Candidate, words ...string) {
		t.Helper()
		got, err := b.Score(context.Background(), []probe.Candidate{good, bad, good})
		if err == nil || got != nil {
			t.Errorf("%+v and error %v, want one with %q", got, err, words)
			return
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("error %q does not have %q", err, word)
			}
		}
		if strings.Contains(err.Error(), "good") || strings.Contains(err.Error(), "request ") {
			t.Errorf("error %q names what is not at fault, or a number that means nothing to a user", err)
		}
	}
	b := picoBench(t, first, task.Task{Name: "empty"}, second)
	refuse(b, probe.Candidate{ID: "untrained", Source: tensorstest.NewMemory()}, "untrained: ", `tensor "model.embed_tokens.weight" is missing`)
	refuse(b, probe.Candidate{ID: "small", Source: tensorstest.Pico{Hidden: 24}.Weights()}, "small: ", "[320 24]", "[320 48]")
	alone := func(bad probe.Candidate, want string) {
		t.Helper()
		got := mustScore(t, b, good, bad, good)
		if got[1].Err == nil || got[1].Err.Error() != want || got[1].Tasks != nil {
			t.Errorf("%s: %v, want %s", bad.ID, got[1].Err, want)
		}
		if got[0].Err != nil || !reflect.DeepEqual(untimed(got[:1]), untimed(got[2:])) || !reflect.DeepEqual(untimed(got[:1]), untimed(mustScore(t, b, good))) {
			t.Errorf("%s keeps the others from their scores", bad.ID)
		}
	}
	alone(probe.Candidate{ID: "sick", Source: poison(t, "model.layers.1.mlp.up_proj.weight")}, "layer 1 gives a value that is not finite")
	alone(probe.Candidate{ID: "dumb", Source: poison(t, "model.norm.weight")}, "task first, item symbol-00: the log-likelihood of continuation 1 is not a number")

	// Items that cannot be encoded, or that do not fit, before anything runs.
	b.Progress = func(int64, int64) { t.Error("something was scored") }
	spoil := func(change func(item *task.Item)) *probe.Bench {
		spoiled := second
		spoiled.Items = slices.Clone(second.Items)
		change(&spoiled.Items[4])
		b.Tasks[2] = spoiled
		return b
	}
	refuse(spoil(func(item *task.Item) { item.Prompt = "" }), probe.Candidate{}, "task second, item symbol-04: the prompt is empty")
	refuse(spoil(func(item *task.Item) { item.Choices = []string{" H", ""} }), probe.Candidate{}, "task second, item symbol-04: continuation 2 is empty")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := picoBench(t, first).Score(ctx, []probe.Candidate{good}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// poison is the Pico base with one element that is not a number.
func poison(t *testing.T, name string) tensors.Source {
	t.Helper()
	src := picoBase.Weights()
	info, ok := src.Info(name)
	if !ok {
		t.Fatalf("no tensor %q", name)
	}
	values := make([]float32, info.Len())
	if err := src.Read(values, name, 0); err != nil {
		t.Fatal(err)
	}
	values[1] = float32(math.NaN())
	src.Add(name, info.DType, info.Shape, values)
	return src
}

// untimed forgets what differs from run to run.
func untimed(scores []probe.Scores) []probe.Scores {
	scores = slices.Clone(scores)
	for i := range scores {
		scores[i].Time = 0
	}
	return scores
}

// TestScoreTruncated: a prompt that is too long loses its beginning, and that is
// said. The answer is that to its end.
func TestScoreTruncated(t *testing.T) {
	const n = 600 // tokens; the context holds 512
	item := func(digits int) task.Item {
		return task.Item{ID: fmt.Sprint(digits), Prompt: strings.Repeat("1", digits), Choices: []string{"2", "3"}}
	}
	exact := func(digits int) task.Item {
		return task.Item{ID: fmt.Sprint(digits), Prompt: strings.Repeat("1", digits), Answers: []string{"x"}}
	}
	b := picoBench(t, task.Task{Name: "long", Form: task.MultipleChoice, Items: []task.Item{item(n), item(512)}},
		task.Task{Name: "texts", Form: task.Exact, Items: []task.Item{exact(n), exact(512 - 8)}})
	b.Tasks[1].MaxTokens = 8
	var answers []probe.Answer
	b.Answered = func(_ int, a probe.Answer) { answers = append(answers, a) }
	got := mustScore(t, b, probe.Candidate{ID: "base", Source: picoBase.Weights()})
	if got[0].Truncated != 2 || len(answers) != 4 {
		t.Fatalf("%d items truncated, %d answers", got[0].Truncated, len(answers))
	}
	if !reflect.DeepEqual(answers[0].Reply.LogProbs, answers[1].Reply.LogProbs) || got[0].Tasks[1].Texts()[0] != got[0].Tasks[1].Texts()[1] {
		t.Errorf("answers to a truncated prompt and to its end differ: %v", answers)
	}
}

// TestScoreKnown: answers that are known are not computed, for some candidates
// or all, and the scores are those of a run without them.
func TestScoreKnown(t *testing.T) {
	whole := symbols(t)
	texts := task.Task{Name: "texts", Form: task.Exact}
	for _, item := range whole.Items[:5] {
		texts.Items = append(texts.Items, task.Item{ID: item.ID, Prompt: item.Prompt, Answers: []string{"x", "Li"}})
	}
	candidates := []probe.Candidate{{ID: "base", Source: picoBase.Weights()}, {ID: "chem", Source: picoChem.Weights()}, {ID: "half", Source: halfway(t)}}
	b := picoBench(t, whole, texts)
	b.Tasks[1].MaxTokens, b.Tasks[1].Until = 6, []string{"\n"}
	answers := make([][]probe.Answer, 3)
	b.Answered = func(k int, a probe.Answer) { answers[k] = append(answers[k], a) }
	want := mustScore(t, b, candidates...)
	for k := range answers {
		if len(answers[k]) != len(whole.Items)+5 || want[k].Tokens == 0 {
			t.Fatalf("candidate %d: %d answers, %d tokens", k, len(answers[k]), want[k].Tokens)
		}
	}
	b.Known = [][]probe.Answer{answers[0], answers[1][:7], nil}
	computed := 0
	b.Answered = func(int, probe.Answer) { computed++ }
	got := mustScore(t, b, candidates...)
	if computed != len(answers[1])-7+len(answers[2]) || got[0].Tokens != 0 {
		t.Errorf("%d answers were computed", computed)
	}
	for k := range got {
		if !reflect.DeepEqual(got[k].Tasks, want[k].Tasks) {
			t.Errorf("candidate %d: %+v, want %+v", k, got[k].Tasks, want[k].Tasks)
		}
	}
}

// TestScoreTexts grades what the decoder generates, cut at the stop string.
func TestScoreTexts(t *testing.T) {
	b := picoBench(t, task.Task{Name: "texts", Form: task.Exact, Items: []task.Item{{ID: "a", Prompt: "The symbol", Answers: []string{"?"}}}})
	b.Tasks[0].MaxTokens = 10
	candidate := probe.Candidate{ID: "base", Source: picoBase.Weights()}
	text := mustScore(t, b, candidate)[0].Tasks[0].Texts()[0]
	stop := text[3:5]
	b.Tasks[0].Until, b.Tasks[0].Items[0].Answers = []string{stop}, []string{strings.ToUpper(text[:strings.Index(text, stop)]) + "."}
	got := mustScore(t, b, candidate)[0].Tasks[0]
	if got.Metric != "exact_match" || got.Sample.Scores[0] != 1 || !strings.HasPrefix(text, got.Texts()[0]) || strings.Contains(got.Texts()[0], stop) {
		t.Errorf("%+v of %q until %q", got, text, stop)
	}
	b.Setting.Chat = true
	b.Chat = func([]task.Message) (string, error) { return "", errors.New("the template raises") }
	if _, err := b.Score(context.Background(), []probe.Candidate{candidate}); err == nil || err.Error() != "task texts, item a: the template raises" {
		t.Errorf("error %v", err)
	}
}
