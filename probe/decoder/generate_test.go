package decoder_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/tensors/kernel"
)

// TestGreedyGoldens continues the prompts of the goldens together, as
// transformers did one by one, up to the first near-tie.
func TestGreedyGoldens(t *testing.T) {
	for _, folder := range []string{"testdata/forward", forward, os.Getenv("SURGEON_FORWARD")} {
		files, _ := filepath.Glob(filepath.Join(folder, "*", "golden.json"))
		if len(files) == 0 {
			t.Logf("%q has no goldens: skipped", folder)
		}
		for _, file := range files {
			t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
				m, g := open(t, filepath.Dir(file)), readGolden(t, file)
				var requests []decoder.Generation
				for _, p := range g.Prompts {
					requests = append(requests, decoder.Generation{Prompt: p.IDs, MaxTokens: len(p.Greedy.IDs)})
				}
				answers := generate(t, m, requests, decoder.GenerateOptions{})
				for i, p := range g.Prompts {
					same := len(p.Greedy.IDs)
					if tie := slices.IndexFunc(p.Greedy.Gap, func(gap float64) bool { return gap < 1e-3 }); tie >= 0 {
						same = tie
					}
					if !slices.Equal(answers[i].IDs[:same], p.Greedy.IDs[:same]) || answers[i].Finish != decoder.FinishLength {
						t.Errorf("prompt %d: %v, %s; want %v, the first %d of them", i, answers[i].IDs, answers[i].Finish, p.Greedy.IDs, same)
					}
				}
			})
		}
	}
}

func generate(t *testing.T, m *decoder.Model, requests []decoder.Generation, opt decoder.GenerateOptions) []decoder.Generated {
	t.Helper()
	out, err := m.Generate(context.Background(), requests, opt)
	if err != nil {
		t.Fatal(err)
	}
	if out.Rows < int64(len(requests)) || out.Time <= 0 {
		t.Errorf("%d rows in %v for %d requests", out.Rows, out.Time, len(requests))
	}
	return out.Answers
}

// crowd are prompts that share beginnings, repeat and differ in length, some of
// them longer than a page, with all ways to sample and to end.
func crowd() []decoder.Generation {
	long := make([]int32, 262)
	for i := range long {
		long[i] = int32(i*7) % 60
	}
	prompts := [][]int32{{5}, {5}, {5, 6, 7}, long[:250], long[:254], long, append(slices.Clone(long[:240]), 3, 3, 3), {9, 8}, {5, 6, 7, 8}}
	var requests []decoder.Generation
	for i, p := range prompts {
		g := decoder.Generation{Prompt: p, MaxTokens: 3 + i, EOS: []int32{11}}
		if i%3 == 1 {
			g.Sampling = decoder.Sampling{Temperature: 1.5, TopK: 20, TopP: 0.9, Seed: uint64(i)}
		}
		if i%4 == 3 {
			g.Stop = func(ids []int32) bool { return ids[len(ids)-1]%5 == 0 }
		}
		requests = append(requests, g)
	}
	return requests
}

// TestGenerateIdentical: each answer is that of the request alone, and of the
// prompt computed anew for each token by Score, for any number of sequences at
// once, any cache, any number of threads and any instruction set but AMX, with weights
// that are kept or read again.
func TestGenerateIdentical(t *testing.T) {
	for _, family := range []string{"gemma3", "smollm3"} {
		m := open(t, filepath.Join("testdata/forward", family))
		m.Config().Context = 512
		requests := crowd()
		var want []decoder.Generated
		for _, r := range requests {
			want = append(want, again(t, m, r))
		}
		check := func(what string, got []decoder.Generated) {
			t.Helper()
			for i := range got {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Errorf("%s, %s: answer %d is %v, want %v", family, what, i, got[i], want[i])
				}
			}
		}
		check("all at once", generate(t, m, requests, decoder.GenerateOptions{}))
		check("three at once", generate(t, m, requests, decoder.GenerateOptions{Sequences: 3}))
		check("one at once", generate(t, m, requests, decoder.GenerateOptions{Sequences: 1}))
		check("little cache", generate(t, m, requests, decoder.GenerateOptions{Cache: 600 << 10}))
		check("no cache", generate(t, m, requests, decoder.GenerateOptions{Cache: 1}))
		m.Keep()
		check("kept weights", generate(t, m, requests, decoder.GenerateOptions{}))
		check("kept weights again", generate(t, m, requests, decoder.GenerateOptions{Sequences: 2}))
		if best := kernel.Instructions(); kernel.Portable() {
			t.Cleanup(func() { use(t, best) })
			use(t, "generic")
			check("plain Go", generate(t, m, requests[:1], decoder.GenerateOptions{}))
			use(t, best)
		}
	}
}

// again generates by scoring the whole prompt for every token.
func again(t *testing.T, m *decoder.Model, r decoder.Generation) decoder.Generated {
	t.Helper()
	ids := slices.Clone(r.Prompt)
	for {
		got, err := m.Score(context.Background(), []decoder.Request{{Prompt: ids, Logits: true}}, decoder.Options{})
		if err != nil {
			t.Fatal(err)
		}
		token := r.Sampling.Draw(got[0].Logits, len(ids)-len(r.Prompt))
		if slices.Contains(r.EOS, token) {
			return decoder.Generated{IDs: ids[len(r.Prompt):], Finish: decoder.FinishEOS}
		}
		ids = append(ids, token)
		switch new := ids[len(r.Prompt):]; {
		case r.Stop != nil && r.Stop(new):
			return decoder.Generated{IDs: new, Finish: decoder.FinishStop}
		case len(new) == r.MaxTokens:
			return decoder.Generated{IDs: new, Finish: decoder.FinishLength}
		}
	}
}

// TestGenerateContext fills the context and no more.
func TestGenerateContext(t *testing.T) {
	m := open(t, "testdata/forward/olmo2") // a context of 64
	prompt := make([]int32, 60)
	got := generate(t, m, []decoder.Generation{{Prompt: prompt, MaxTokens: 100}, {Prompt: make([]int32, 64), MaxTokens: 100}}, decoder.GenerateOptions{})
	if len(got[0].IDs) != 5 || got[0].Finish != decoder.FinishContext || len(got[1].IDs) != 1 || got[1].Finish != decoder.FinishContext {
		t.Errorf("prompts of 60 and 64 tokens in a context of 64: %v", got)
	}
}

// TestGenerateDone tells every answer once, when it is there.
func TestGenerateDone(t *testing.T) {
	m := open(t, "testdata/forward/olmo2")
	requests := []decoder.Generation{{Prompt: []int32{3}, MaxTokens: 9}, {Prompt: []int32{4}, MaxTokens: 2}, {Prompt: []int32{5}, MaxTokens: 4}}
	var order []int
	var last int64
	answers := generate(t, m, requests, decoder.GenerateOptions{Progress: func(tokens int64) { last = tokens }, Done: func(i int, g decoder.Generated) {
		order = append(order, i)
		if len(g.IDs) != requests[i].MaxTokens {
			t.Errorf("answer %d has %d tokens", i, len(g.IDs))
		}
	}})
	if !slices.Equal(order, []int{1, 2, 0}) || last != 15 || len(answers) != 3 {
		t.Errorf("answers came in the order %v, %d tokens", order, last)
	}
}

func TestGenerateRefuses(t *testing.T) {
	m := open(t, "testdata/forward/olmo2")
	check := func(g decoder.Generation, words string) {
		t.Helper()
		_, err := m.Generate(context.Background(), []decoder.Generation{{Prompt: []int32{1}, MaxTokens: 1}, g}, decoder.GenerateOptions{})
		if err == nil || !strings.Contains(err.Error(), "request 2: "+words) {
			t.Errorf("%+v: error %v does not say %q", g, err, words)
		}
	}
	check(decoder.Generation{MaxTokens: 1}, "the prompt is empty")
	check(decoder.Generation{Prompt: []int32{64}, MaxTokens: 1}, "prompt: token id 64")
	check(decoder.Generation{Prompt: make([]int32, 65), MaxTokens: 1}, "prompt: 65 tokens are longer than the context of 64")
	check(decoder.Generation{Prompt: []int32{1}}, "max_tokens is 0")
	sampling := func(s decoder.Sampling, words string) {
		t.Helper()
		check(decoder.Generation{Prompt: []int32{1}, MaxTokens: 1, Sampling: s}, words)
	}
	sampling(decoder.Sampling{Temperature: -1}, "temperature -1")
	sampling(decoder.Sampling{TopP: 1.1}, "top_p 1.1")
	sampling(decoder.Sampling{TopK: -1}, "top_k -1")
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Generate(cancelled, crowd()[:1], decoder.GenerateOptions{}); err != context.Canceled {
		t.Errorf("a cancelled context: %v", err)
	}
}
