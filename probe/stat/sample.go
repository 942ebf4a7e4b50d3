package stat

import (
	"fmt"
	"math"
	"sort"
)

// Sample holds the scores of one model on the items of one task.
type Sample struct {
	// Items holds the names of the items, each of them once, in any order.
	Items []string
	// Scores holds one finite score per item: Scores[i] belongs to Items[i].
	// Accuracies are 0 or 1, shares lie between, but any real number will do.
	Scores []float64
}

// sorted returns a copy of s with the items in ascending order, so that sums
// over it do not depend on the order in which the items were scored. It
// panics if the two slices differ in length, and returns an error that names
// the item if a name comes twice or a score is not finite.
func (s Sample) sorted() (Sample, error) {
	if len(s.Items) != len(s.Scores) {
		panic(fmt.Sprintf("stat: a Sample of %d items has %d scores", len(s.Items), len(s.Scores)))
	}
	order := make([]int, len(s.Items))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return s.Items[order[i]] < s.Items[order[j]] })
	result := Sample{Items: make([]string, len(order)), Scores: make([]float64, len(order))}
	for i, at := range order {
		result.Items[i], result.Scores[i] = s.Items[at], s.Scores[at]
	}
	return result, result.check()
}

// check reports what keeps a sorted sample from being averaged.
func (s Sample) check() error {
	if len(s.Items) == 0 {
		return fmt.Errorf("stat: a sample without items has no mean")
	}
	for i, item := range s.Items {
		if i > 0 && item == s.Items[i-1] {
			return fmt.Errorf("stat: item %q is scored more than once", item)
		}
		if math.IsNaN(s.Scores[i]) || math.IsInf(s.Scores[i], 0) {
			return fmt.Errorf("stat: the score of item %q is %v, not a finite number", item, s.Scores[i])
		}
	}
	return nil
}

// sameItems returns an error naming the first item that only one of two
// sorted samples has.
func sameItems(base, candidate Sample) error {
	for i := 0; i < len(base.Items) || i < len(candidate.Items); i++ {
		switch {
		case i == len(candidate.Items) || i < len(base.Items) && base.Items[i] < candidate.Items[i]:
			return fmt.Errorf("stat: item %q is scored for the base but not for the candidate", base.Items[i])
		case i == len(base.Items) || base.Items[i] > candidate.Items[i]:
			return fmt.Errorf("stat: item %q is scored for the candidate but not for the base", candidate.Items[i])
		}
	}
	return nil
}

// binary reports whether all scores are 0 or 1.
func binary(scores []float64) bool {
	for _, score := range scores {
		if score != 0 && score != 1 {
			return false
		}
	}
	return true
}
