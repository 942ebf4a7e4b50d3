package decoder

import (
	"context"
	"runtime"
	"testing"

	"surgeon/tensors/tensorstest"
)

// TestCollected: a model that is no longer used, and the machines that ran it, leave
// nothing behind: audits open hundreds.
func TestCollected(t *testing.T) {
	p := tensorstest.Pico{Seed: 1}
	config, err := ParseConfig(p.Config())
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan bool, 8)
	for range cap(gone) {
		m, err := Open(config, p.Weights())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Score(context.Background(), []Request{{Prompt: []int32{1, 2, 3}, Logits: true}}, Options{}); err != nil {
			t.Fatal(err)
		}
		runtime.AddCleanup(m.space, func(gone chan bool) { gone <- true }, gone)
	}
	for range 10 {
		runtime.GC()
	}
	if n := len(gone); n < cap(gone)-1 {
		t.Errorf("%d of %d workspaces were collected", n, cap(gone))
	}
}

// TestEndedSequencesCollected: the caches of a text that has ended are given back while
// others are still written: a run may write thousands.
func TestEndedSequencesCollected(t *testing.T) {
	m := picoModel(t, tensorstest.Pico{})
	var texts []Generation
	for i := range 12 { // the first eight end after a few tokens
		texts = append(texts, Generation{Prompt: []int32{int32(i + 1), 2, 3}, MaxTokens: 2 + i/8*40})
	}
	g := newGenerator(m, texts, GenerateOptions{Sequences: 4})
	gone := make(chan bool, len(texts))
	for _, s := range g.waiting {
		runtime.AddCleanup(s, func(gone chan bool) { gone <- true }, gone)
	}
	for g.answers[7].Finish == "" || len(g.waiting) > 0 {
		if err := g.step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		runtime.GC()
	}
	if n := len(gone); n < 7 { // the last that joined may still lend its beginning
		t.Errorf("%d of 8 sequences that have ended were collected", n)
	}
	runtime.KeepAlive(g)
}
