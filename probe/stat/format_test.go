package stat

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestSplitFormat: ten answers by hand, and many tables at random, whose parts
// add up to Compare's difference.
func TestSplitFormat(t *testing.T) {
	base := single(1, 1, 1, 0, 1, 1, 0, 0, 0, 0)
	tuned := single(1, 0, 0, 1, 0, 0, 0, 1, 0, 0)
	baseRead := single(1, 1, 1, 1, 1, 1, 0, 0, 0, 1)
	tunedRead := single(1, 1, 1, 1, 0, 0, 0, 1, 0, 1)
	s, err := SplitFormat(base, tuned, baseRead, tunedRead)
	if err != nil {
		t.Fatal(err)
	}
	want := FormatSplit{Difference: -0.2, Knowledge: -0.1, Format: -0.1, Both: 5, BaseOnly: 2, TunedOnly: 1, Neither: 2}
	if fmt.Sprint(s) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", s, want)
	}
	random := rand.New(rand.NewPCG(71, 1))
	for range 50 {
		base, tuned := manyRuns(random, 30, 3, 0.5, 0.2)
		s, err := SplitFormat(base, tuned, jitter(random, ones(base)), jumbled(random, jitter(random, ones(base))))
		if err != nil {
			t.Fatal(err)
		}
		near(t, "sum", s.Knowledge+s.Format+s.Unread, s.Difference, 1e-16)
		near(t, "difference", s.Difference, compare(t, base, tuned, Options{Draws: 100}).Difference, 1e-15)
		if s.Both+s.BaseOnly+s.TunedOnly+s.Neither != 90 || s.Both == 90 {
			t.Errorf("%+v", s)
		}
	}
	tunedRead.Scores[3] = 0.5
	if _, err := SplitFormat(base, tuned, baseRead, tunedRead); err == nil || !strings.Contains(err.Error(), `item "q0003" with seed 0 is 0.5 in the tuned model's readable answers`) {
		t.Errorf("error %v", err)
	}
	if _, err := SplitFormat(base, tuned, single(1), tunedRead); err == nil || !strings.Contains(err.Error(), "base's readable answers") {
		t.Errorf("error %v", err)
	}
}

func ones(t Table) Table {
	scores := make([]float64, len(t.Scores))
	for i := range scores {
		scores[i] = 1
	}
	t.Scores = scores
	return t
}
