package probe_test

import (
	"bytes"
	"context"
	"errors"
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
	"surgeon/testdata"
)

// The Pico pair, as in the embedded models.
var picoBase, picoChem = tensorstest.Pico{Seed: 7}, tensorstest.Pico{Seed: 7, Drift: 0.05}

// symbols is the task that Pico's tokenizer was made for.
func symbols(t testing.TB) task.MCQ {
	t.Helper()
	mcq, err := task.ReadMCQ("symbols", "symbols.jsonl", bytes.NewReader(testdata.Task()))
	if err != nil {
		t.Fatal(err)
	}
	return mcq
}

func picoBench(t testing.TB, tasks ...task.MCQ) *probe.Bench {
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
	few := task.MCQ{Name: "few", Items: slices.Clone(whole.Items[5:8])}
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
	if !reflect.DeepEqual(turned, []probe.Scores{got[2], got[0], got[1]}) {
		t.Error("the order of the candidates changes their scores")
	}
}

// checkTask compares a task's scores with those of each item asked alone.
func checkTask(t *testing.T, b *probe.Bench, candidate probe.Candidate, mcq task.MCQ, got probe.TaskScore) {
	t.Helper()
	m, err := decoder.Open(b.Config, candidate.Source)
	if err != nil {
		t.Fatal(err)
	}
	want := probe.TaskScore{Task: mcq.Name, Metric: "acc"}
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
		want.Sample.Items, want.Sample.Scores, want.Chosen = append(want.Sample.Items, item.ID), append(want.Sample.Scores, score), append(want.Chosen, best)
	}
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
	got := mustScore(t, picoBench(t, task.MCQ{Name: "empty"}, symbols(t)), base)[0].Tasks
	if len(got) != 2 || got[0].Task != "empty" || len(got[0].Chosen) != 0 || len(got[1].Chosen) != 24 {
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
	b := picoBench(t, first, task.MCQ{Name: "empty"}, second)
	refuse(b, probe.Candidate{ID: "untrained", Source: tensorstest.NewMemory()}, "untrained: ", `tensor "model.embed_tokens.weight" is missing`)
	refuse(b, probe.Candidate{ID: "small", Source: tensorstest.Pico{Hidden: 24}.Weights()}, "small: ", "[320 24]", "[320 48]")
	refuse(b, probe.Candidate{ID: "sick", Source: poison(t, "model.layers.1.mlp.up_proj.weight")}, "sick: ", "layer 1 gives a value that is not finite")
	refuse(b, probe.Candidate{ID: "dumb", Source: poison(t, "model.norm.weight")}, "dumb: ", "task first, item symbol-00: the log-likelihood of continuation 1 is not a number")

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
	for _, at := range []int{0, 4, 23} { // the first and the last, too
		long := symbols(t)
		long.Name = "long"
		long.Items[at].Prompt = strings.Repeat("1", 513) // a token each; the context holds 512
		want := "good: task long, item " + long.Items[at].ID + ": prompt: 513 tokens are longer than the context of 512"
		if _, err := picoBench(t, first, task.MCQ{Name: "empty"}, long).Score(context.Background(), []probe.Candidate{good}); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := picoBench(t, first).Score(ctx, []probe.Candidate{good}); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "good: ") {
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
