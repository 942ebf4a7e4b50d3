package probe_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/probe"
	"surgeon/probe/decoder"
	"surgeon/probe/task"
)

// shotTask asks ten items, with one of them before each as a shot.
func shotTask() task.Task {
	t := task.Task{Name: "shots", Form: task.Exact, Shots: 1, OwnPool: true, Delimiter: " ", MaxTokens: 2}
	for i := range 10 {
		t.Items = append(t.Items, task.Item{ID: fmt.Sprint(i), Prompt: fmt.Sprintf("The symbol %d", i), Target: "x", Answers: []string{"x"}})
	}
	t.Pool = t.Items
	return t
}

func mustAsk(t *testing.T, b *probe.Bench) []probe.Asked {
	t.Helper()
	asked, err := b.Ask()
	if err != nil {
		t.Fatal(err)
	}
	return asked
}

// TestAskSeeds: a task whose prompts depend on the seed is asked under each, one
// whose prompts do not only once, unless its texts are sampled: each question
// then has a seed of its own.
func TestAskSeeds(t *testing.T) {
	count := func(b *probe.Bench) map[string]int {
		seen := map[string]int{}
		for _, a := range mustAsk(t, b) {
			seen[fmt.Sprint(b.Tasks[a.Task].Name, " ", a.Seed)]++
		}
		return seen
	}
	b := picoBench(t, symbols(t), shotTask())
	b.Setting.Shots, b.Setting.Draw = -1, task.PerSeed
	b.Seeds = []int64{1, 2, 3}
	if got := count(b); got["symbols 1"] != 24 || got["symbols 2"] != 0 || got["shots 1"] != 10 || got["shots 3"] != 10 {
		t.Errorf("asked %v", got)
	}
	b.Setting.Shots = 0
	if got := count(b); got["shots 1"] != 10 || got["shots 2"] != 0 {
		t.Errorf("without shots: asked %v", got)
	}
	b.Sampling.Temperature = 1
	if got := count(b); got["symbols 2"] != 0 || got["shots 2"] != 10 {
		t.Errorf("sampled: asked %v", got)
	}
	digests := map[string]bool{}
	for _, a := range mustAsk(t, b) {
		digests[a.Digest] = true
	}
	if len(digests) != 24+30 {
		t.Errorf("%d different questions of 54", len(digests))
	}
}

// TestAskItems asks some items: their questions are those of a whole run.
func TestAskItems(t *testing.T) {
	b := picoBench(t, shotTask())
	b.Setting.Shots = -1
	whole := mustAsk(t, b)
	b.Items = [][]int{{7, 2}}
	some := mustAsk(t, b)
	if len(some) != 2 || some[0].Digest != whole[7].Digest || some[1].Digest != whole[2].Digest {
		t.Errorf("%d questions, which differ from those of a whole run", len(some))
	}
	answers := 0
	b.Answered = func(_ int, a probe.Answer) { answers++ }
	got := mustScore(t, b, probe.Candidate{ID: "base", Source: picoBase.Weights()})
	if answers != 2 || !slices.Equal(got[0].Tasks[0].Sample.Items, []string{"7", "2"}) {
		t.Errorf("%d answers, of %v", answers, got[0].Tasks[0].Sample.Items)
	}
}

// TestPerplexity compares a text's bits per byte with the log-likelihoods of its
// tokens asked one by one, and one of several windows with the rule for them.
func TestPerplexity(t *testing.T) {
	text := func(n int) task.Task {
		s := strings.Repeat("The symbol of iron is Fe. ", n)
		return task.Task{Name: "text", Form: task.Perplexity, FixedShots: true, Items: []task.Item{{ID: "1", Prompt: s, Words: 6 * n, Bytes: len(s)}}}
	}
	for _, n := range []int{2, 60} { // shorter than the context of 512 and longer
		b := picoBench(t, text(n))
		b.EOS = []int32{1}
		m, err := decoder.Open(b.Config, picoBase.Weights())
		if err != nil {
			t.Fatal(err)
		}
		windows, err := probe.Rolling(b.Tokenizer.Encode(b.Tasks[0].Items[0].Prompt), 1, b.Config.Context)
		if err != nil {
			t.Fatal(err)
		}
		if (len(windows) > 1) != (n == 60) {
			t.Fatalf("%d windows", len(windows))
		}
		sum := 0.0
		for _, w := range windows {
			out, err := m.Score(context.Background(), []decoder.Request{w}, decoder.Options{})
			if err != nil {
				t.Fatal(err)
			}
			sum += out[0].LogProbs[0]
		}
		got := mustScore(t, b, probe.Candidate{ID: "base", Source: picoBase.Weights()})[0].Tasks[0].Sample.Scores[0]
		if want := -sum / math.Ln2 / float64(b.Tasks[0].Items[0].Bytes); got != want {
			t.Errorf("%d windows: %v bits per byte, want %v", len(windows), got, want)
		}
	}
	b := picoBench(t, text(2))
	if _, err := b.Ask(); err == nil || !strings.Contains(err.Error(), "no token begins or ends texts") {
		t.Errorf("without a token before the first: %v", err)
	}
}

// TestManner counts answers, letters by their place in the prompt.
func TestManner(t *testing.T) {
	var asked []probe.Asked
	var answers []probe.Answer
	add := func(n, chosen, gold int, order []int) {
		for range n {
			answers = append(answers, probe.Answer{Question: len(asked), Reply: task.Reply{LogProbs: []float64{0, -1}}, Grade: task.Grade{Chosen: chosen}})
			asked = append(asked, probe.Asked{Question: task.Question{Continuations: []string{" A", " B"}, Gold: gold, Order: order}})
		}
	}
	add(16, 0, 1, nil)
	add(4, 1, 0, []int{1, 0}) // chosen is the second of the data set, which stands first here
	m := probe.MannerOf(asked, answers)
	if !slices.Equal(m.Letters, []int{20, 0}) || !slices.Equal(m.Gold, []int{4, 16}) || !m.Collapsed {
		t.Errorf("%+v, want it collapsed to the first letter", m)
	}
	add(1, 1, 1, nil)
	if m = probe.MannerOf(asked, answers); !slices.Equal(m.Letters, []int{20, 1}) || !m.Collapsed {
		t.Errorf("%+v, want it collapsed", m)
	}
	add(12, 1, 1, nil)
	if m = probe.MannerOf(asked, answers); m.Collapsed {
		t.Errorf("%+v is not collapsed", m)
	}
	texts := []probe.Answer{{Reply: task.Reply{Text: "x", Tokens: 3}, Grade: task.Grade{Flags: []string{task.Truncated, task.Refused}}}, {Reply: task.Reply{Tokens: 1}, Grade: task.Grade{Flags: []string{task.Empty}}}}
	m = probe.MannerOf([]probe.Asked{{}}, texts)
	if m.Tokens != 2 || m.Empty != 0.5 || m.Truncated != 0.5 || m.Refused != 0.5 || m.Repeated != 0 || m.Letters != nil {
		t.Errorf("%+v", m)
	}
	if m = probe.MannerOf(nil, nil); m.N != 0 || m.Tokens != 0 {
		t.Errorf("of nothing: %+v", m)
	}
}
