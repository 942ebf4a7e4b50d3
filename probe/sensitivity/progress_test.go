package sensitivity_test

import (
	"testing"

	"surgeon/probe/attribute"
	"surgeon/probe/sensitivity"
	"surgeon/probe/train"
)

// TestProgress: every computation tells how far it is, never backwards, from its
// first part to its whole.
func TestProgress(t *testing.T) {
	var told [][2]int64
	tell := func(done, total int64) { told = append(told, [2]int64{done, total}) }
	check := func(name string, total int64, parts int, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		last := int64(0)
		for _, p := range told {
			if p[0] <= last || p[1] != total {
				t.Errorf("%s: %d of %d after %d, of %d", name, p[0], p[1], last, total)
			}
			last = p[0]
		}
		if last != total || len(told) < parts {
			t.Errorf("%s ended at %d of %d, told %d times", name, last, total, len(told))
		}
		told = nil
	}
	base := tinyBase()
	batches := train.GradientOptions{BatchTokens: 33}
	_, err := sensitivity.Path(t.Context(), tiny, base, diff(t, base, tuned(t)), sums(25, 0), sums(15, 4), attribute.Groups(base.Names(), 1), sensitivity.PathOptions{Nodes: 2, Gradients: batches, Progress: tell})
	check("Path", 4*(25+15), 16, err)
	batches.Progress = tell
	_, err = sensitivity.Fisher(t.Context(), tiny, base, sums(7, 0), batches)
	check("Fisher", 7, 7, err)
	_, err = sensitivity.Relearn(t.Context(), tiny, base, sums(7, 0), sensitivity.RelearnOptions{Steps: []int{1, 3}, BatchTokens: 64, Progress: tell})
	check("Relearn", 3, 3, err)
}
