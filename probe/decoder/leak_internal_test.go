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
