package probe_test

import (
	"context"
	"strings"
	"testing"

	"surgeon/probe"
	"surgeon/tensors/tensorstest"
)

// An empty continuation is refused also beside one that spans the join.
func TestEncodeEmptyBesideSpanning(t *testing.T) {
	for _, continuations := range [][]string{{"", "ol"}, {"ol", ""}} {
		if r, err := probe.Encode(picoTokenizer(t), "The symb", continuations); err == nil {
			t.Errorf("%q is accepted as %v", continuations, r)
		}
	}
}

// A candidate that does not fit is refused before hours go into others.
func TestCandidatesAreCheckedFirst(t *testing.T) {
	b := picoBench(t, symbols(t))
	b.Progress = func(int64, int64) { t.Error("a candidate was scored before all were checked") }
	_, err := b.Score(context.Background(), []probe.Candidate{{ID: "good", Source: picoBase.Weights()}, {ID: "bad", Source: tensorstest.NewMemory()}})
	if err == nil || !strings.HasPrefix(err.Error(), "bad: ") {
		t.Errorf("error %v", err)
	}
}
