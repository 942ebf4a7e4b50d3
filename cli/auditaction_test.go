package cli

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"surgeon/probe/audit"
	"surgeon/probe/record"
)

// TestChangeWords: a recommendation names what was measured for it, and the verdict on
// that.
func TestChangeWords(t *testing.T) {
	r := &auditResult{Candidates: []auditedCandidate{
		{Name: "replay", Verdict: &audit.Verdict{Word: audit.PartlyClosed}}, {Name: "revert 2", Verdict: &audit.Verdict{Word: audit.NotClosed}}}}
	check := func(a audit.Recommendation, words, sides string) {
		t.Helper()
		if got := r.changeWords(a); got != words {
			t.Errorf("%q, want %q", got, words)
		}
		if c, err := newCited(a); err != nil || r.sides(c, a) != sides {
			t.Errorf("%q, want %q: %v", r.sides(c, a), sides, err)
		}
	}
	restored := audit.EffectOf{What: audit.EffectRestored, Task: "refusal", Against: "tuned"}
	check(audit.Recommendation{Kind: audit.ActReplay, Change: "replay", EffectOf: restored, Evidence: []string{"candidates/replay"}, From: audit.Setting{Unit: "share"}, To: audit.Setting{Number: 0.1, Unit: "share", Names: []string{"facts"}}},
		"Train with replay: replay; the gap is partly closed.", "0.0 % → 10.0 % of facts")
	check(audit.Recommendation{Kind: audit.ActFreeze, Change: "norms, embedding", EffectOf: restored, Evidence: []string{"candidates/revert 2"}, To: audit.Setting{Names: []string{"norms", "embedding"}}},
		"Leave groups untrained: norms, embedding, measured by revert 2 and not by training; the gap is not closed.", "all trained → frozen: norms, embedding")
	check(audit.Recommendation{Kind: audit.ActGates, Change: "refusal", EffectOf: audit.EffectOf{What: audit.EffectDifference}}, "Ask more items of refusal.", "- → -")
	check(audit.Recommendation{Kind: audit.ActStop, Change: "groups", EffectOf: audit.EffectOf{What: audit.EffectWorse, Against: "replay"}, From: audit.Setting{Names: []string{"by group"}}, To: audit.Setting{Names: []string{"replay"}}},
		"Stop: by group scores less than replay, and on no protected task more.", "by group → replay")
	check(audit.Recommendation{Kind: audit.ActLearningRate, Why: "Nothing else helped.", EffectOf: audit.EffectOf{What: audit.EffectAtStake}}, "Train with a smaller learning rate: Nothing else helped.", "- → -")
}

// TestFileSums: the digests of one file or two stand as they are, those of more as that of
// the lines of sha256sum.
func TestFileSums(t *testing.T) {
	files := []record.Input{{Name: "a", Digest: "01"}, {Name: "b", Digest: "02"}, {Name: "c", Digest: "03"}}
	if got := fileSums(files[:2]); !slices.Equal(got, []string{"  sha256 01 a", "  sha256 02 b"}) {
		t.Errorf("%q", got)
	}
	want := fmt.Sprintf("  sha256 %x of what sha256sum prints of its 3 files", sha256.Sum256([]byte("01  a\n02  b\n03  c\n")))
	if got := fileSums(files); !slices.Equal(got, []string{want}) {
		t.Errorf("%q, want %q", got, want)
	}
}
