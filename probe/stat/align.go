package stat

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// aligned holds the scores of several models on the same items with the same
// seeds, items and seeds in ascending order.
type aligned struct {
	items            []string
	clusters, strata []string // nil, or one per item
	seeds            []int64
	scores           [][]float64 // one slice per model, shape (items, seeds)
	scale            float64     // the largest magnitude among all scores
	collapsed        int         // number of seeds before equal ones became one, or 0
}

// align matches tables by the names of their items and the values of their
// seeds. The roles name the tables in errors, such as "base".
func align(roles []string, tables ...Table) (aligned, error) {
	var result aligned
	for i, table := range tables {
		order, err := table.order()
		if err != nil {
			return aligned{}, fmt.Errorf("%w (in the %s)", err, roles[i])
		}
		next := table.sorted(order)
		if i == 0 {
			result = next
			continue
		}
		if err := result.add(next, roles[0], roles[i]); err != nil {
			return aligned{}, err
		}
	}
	return result, nil
}

// sorted returns the scores of a checked table with its items in the given
// order and its seeds ascending.
func (t Table) sorted(order []int) aligned {
	seeds := make([]int, len(t.Seeds))
	for k := range seeds {
		seeds[k] = k
	}
	slices.SortFunc(seeds, func(a, b int) int { return cmp.Compare(t.Seeds[a], t.Seeds[b]) })
	result := aligned{items: pick(t.Items, order), clusters: pick(t.Clusters, order), strata: pick(t.Strata, order)}
	for _, k := range seeds {
		result.seeds = append(result.seeds, t.Seeds[k])
	}
	scores := make([]float64, 0, len(t.Scores))
	for _, i := range order {
		for _, k := range seeds {
			scores = append(scores, t.Scores[i*len(t.Seeds)+k])
		}
	}
	result.scores = [][]float64{scores}
	result.scale = magnitude(scores)
	return result
}

// pick returns the names at the given positions, nil for no names.
func pick(names []string, order []int) []string {
	if names == nil {
		return nil
	}
	result := make([]string, len(order))
	for i, at := range order {
		result[i] = names[at]
	}
	return result
}

// add takes in the scores of one more model after checking that it has the
// same items, seeds, clusters and strata. Clusters and strata may be told by
// some of the tables only.
func (a *aligned) add(next aligned, first, role string) error {
	if err := samePlaces(a.items, next.items, func(item string) string { return fmt.Sprintf("item %q", item) }, first, role); err != nil {
		return err
	}
	if err := samePlaces(a.seeds, next.seeds, func(seed int64) string { return fmt.Sprintf("seed %d", seed) }, first, role); err != nil {
		return err
	}
	var err error
	if a.clusters, err = sameGroups(a.items, a.clusters, next.clusters, "cluster", first, role); err != nil {
		return err
	}
	if a.strata, err = sameGroups(a.items, a.strata, next.strata, "stratum", first, role); err != nil {
		return err
	}
	a.scores = append(a.scores, next.scores...)
	a.scale = max(a.scale, next.scale)
	return nil
}

// samePlaces returns an error naming the first item or seed, in ascending
// order, that only one of two sorted lists has.
func samePlaces[T string | int64](base, next []T, name func(T) string, first, role string) error {
	for i := 0; i < len(base) || i < len(next); i++ {
		switch {
		case i == len(next) || i < len(base) && base[i] < next[i]:
			return fmt.Errorf("stat: %s is scored in the %s but not in the %s, so the two cannot be paired", name(base[i]), first, role)
		case i == len(base) || base[i] > next[i]:
			return fmt.Errorf("stat: %s is scored in the %s but not in the %s, so the two cannot be paired", name(next[i]), role, first)
		}
	}
	return nil
}

// sameGroups returns the clusters or strata that two models agree on.
func sameGroups(items, base, next []string, kind, first, role string) ([]string, error) {
	if base == nil {
		return next, nil
	}
	for i := range next {
		if next[i] != base[i] {
			return nil, fmt.Errorf("stat: item %q is in %s %q in the %s but in %q in the %s", items[i], kind, base[i], first, next[i], role)
		}
	}
	return base, nil
}

// column returns the scores of seed k, one per item.
func column(scores []float64, seeds, k int) []float64 {
	result := make([]float64, 0, len(scores)/seeds)
	for at := k; at < len(scores); at += seeds {
		result = append(result, scores[at])
	}
	return result
}

// means returns the mean over the seeds of a model, one per item.
func (a *aligned) means(model int) []float64 {
	seeds := len(a.seeds)
	result := make([]float64, len(a.items))
	for i := range result {
		sum := 0.0
		for _, score := range a.scores[model][i*seeds : (i+1)*seeds] {
			sum += score
		}
		result[i] = sum / float64(seeds)
	}
	return result
}

// differences returns the mean over the seeds of one model minus another, one
// per item. A difference that is no more than rounding counts as 0, lest items
// that agree count as changed.
func (a *aligned) differences(base, tuned int) []float64 {
	seeds := len(a.seeds)
	result := make([]float64, len(a.items))
	for i := range result {
		from, to := 0.0, 0.0
		for k := i * seeds; k < (i+1)*seeds; k++ {
			from += a.scores[base][k]
			to += a.scores[tuned][k]
		}
		if d := to - from; math.Abs(d) > 4*epsilon*a.scale*float64(seeds) {
			result[i] = d / float64(seeds)
		}
	}
	return result
}

// within reports whether all scores lie between 0 and 1.
func (a *aligned) within() bool {
	for _, scores := range a.scores {
		for _, score := range scores {
			if score < 0 || score > 1 {
				return false
			}
		}
	}
	return true
}

// binary reports whether all scores are 0 or 1.
func (a *aligned) binary() bool {
	for _, scores := range a.scores {
		if !binary(scores) {
			return false
		}
	}
	return true
}
