package stat

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Table holds the scores of one model on one task, run with one or more seeds.
// A seed stands for whatever was drawn by chance in a run and could have been
// drawn otherwise: the few-shot examples, their order, the order of the
// options, the sampled tokens. Two models are compared fairly only if equal
// seeds gave both of them equal prompts.
type Table struct {
	// Items holds the names of the items, each of them once, in any order.
	Items []string
	// Clusters is nil, or holds one name per item. Items of one cluster, such
	// as questions about one passage, are not independent of each other: the
	// cluster is then the unit that is drawn, not the item.
	Clusters []string
	// Strata is nil, or holds one name per item. Strata are parts of the task
	// that every other draw of it would also have, in the same size, such as
	// the subjects of a benchmark if the claim is about these subjects only.
	// The differences between strata then cause no uncertainty.
	Strata []string
	// Seeds holds the seeds, each of them once, in any order.
	Seeds []int64
	// Scores holds one finite score per item and seed, all seeds of the first
	// item first: Scores[i*len(Seeds)+k] belongs to Items[i] and Seeds[k].
	// Right and wrong are 1 and 0; any other real number will do as well.
	Scores []float64
}

// largestScore bounds the scores, so that no power of them that occurs in this
// package overflows.
const largestScore = 1e50

// Check returns an error of one sentence if the table cannot be used: no items
// or no seeds, slices that do not fit each other, a name or a seed that comes
// twice, a score that is not a finite number of at most 1e50.
func (t Table) Check() error {
	_, err := t.order()
	return err
}

// order returns the positions of the items in ascending order of their names,
// after checking the table.
func (t Table) order() ([]int, error) {
	if err := t.checkShape(); err != nil {
		return nil, err
	}
	order := positions(t.Items)
	for i := 1; i < len(order); i++ {
		if t.Items[order[i]] == t.Items[order[i-1]] {
			return nil, fmt.Errorf("stat: item %q comes twice, but each item needs a name of its own", t.Items[order[i]])
		}
	}
	seen := map[int64]bool{}
	for _, seed := range t.Seeds {
		if seen[seed] {
			return nil, fmt.Errorf("stat: seed %d comes twice, but each run needs a seed of its own", seed)
		}
		seen[seed] = true
	}
	for at, score := range t.Scores {
		if !(math.Abs(score) <= largestScore) {
			return nil, fmt.Errorf("stat: the score of item %q with seed %d is %v, but must be a finite number of at most %g",
				t.Items[at/len(t.Seeds)], t.Seeds[at%len(t.Seeds)], score, largestScore)
		}
	}
	return order, nil
}

// checkShape reports slices whose lengths do not fit each other.
func (t Table) checkShape() error {
	switch {
	case len(t.Items) == 0:
		return fmt.Errorf("stat: the table has no items, so there is nothing to compare")
	case len(t.Seeds) == 0:
		return fmt.Errorf("stat: the table has no seeds: a single run needs one too, such as 0")
	case len(t.Scores) != len(t.Items)*len(t.Seeds):
		return fmt.Errorf("stat: the table has %d scores, but %d items with %d seeds need %d",
			len(t.Scores), len(t.Items), len(t.Seeds), len(t.Items)*len(t.Seeds))
	case t.Clusters != nil && len(t.Clusters) != len(t.Items):
		return fmt.Errorf("stat: the table names the clusters of %d items, but has %d items", len(t.Clusters), len(t.Items))
	case t.Strata != nil && len(t.Strata) != len(t.Items):
		return fmt.Errorf("stat: the table names the strata of %d items, but has %d items", len(t.Strata), len(t.Items))
	}
	return nil
}

// positions returns the positions of the names in ascending order, those of
// equal names as they stand.
func positions(names []string) []int {
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	if !slices.IsSorted(names) {
		slices.SortFunc(order, func(i, j int) int { return cmp.Or(strings.Compare(names[i], names[j]), i-j) })
	}
	return order
}
