package record

import (
	"fmt"
	"maps"
	"slices"
)

// metric makes the series of a metric.
func (out *Alignment) metric(task, metric string, items []string, a, b answers) error {
	has := func(item string, seed int64) bool {
		x, okA := a[item][seed]
		y, okB := b[item][seed]
		_, scoredA := x.Scores[metric]
		_, scoredB := y.Scores[metric]
		return okA && okB && scoredA && scoredB
	}
	seeds, kept := rectangle(items, a, has)
	if len(kept) == 0 {
		out.note("%s, %s: no item has a score in both runs with the same seed", task, metric)
		return nil
	}
	out.dropped(task, items, kept, seeds, a, has)
	s := Series{Task: task, Metric: metric, Seeds: seeds}
	parts, err := partsCount(task, metric, kept, seeds, a, b)
	if err != nil {
		return err
	}
	for i, item := range kept {
		cluster, err := clusterOf(task, item, a[item], b[item])
		if err != nil {
			return err
		}
		if parts == nil {
			s.add(item, cluster, a[item], b[item], func(r Record) float64 { return r.Scores[metric] })
			continue
		}
		if cluster == "" {
			cluster = item
		}
		for part := range parts[i] {
			s.add(fmt.Sprintf("%s#%d", item, part+1), cluster, a[item], b[item], func(r Record) float64 { return verdict(r.Parts[metric][part]) })
		}
	}
	out.Series = append(out.Series, s)
	return nil
}

func verdict(right bool) float64 {
	if right {
		return 1
	}
	return 0
}

// add adds a row.
func (s *Series) add(item, cluster string, a, b map[int64]Record, score func(Record) float64) {
	s.Items = append(s.Items, item)
	s.Clusters = append(s.Clusters, cluster)
	for _, seed := range s.Seeds {
		s.A, s.ParsedA = append(s.A, score(a[seed])), append(s.ParsedA, a[seed].Parsed(s.Metric))
		s.B, s.ParsedB = append(s.B, score(b[seed])), append(s.ParsedB, b[seed].Parsed(s.Metric))
	}
}

// dropped notes which shared items and seeds are not in a series.
func (out *Alignment) dropped(task string, items, kept []string, seeds []int64, a answers, has func(item string, seed int64) bool) {
	var names []string
	lost := map[int64]bool{}
	for _, item := range items {
		for seed := range a[item] {
			if has(item, seed) && !slices.Contains(seeds, seed) {
				lost[seed] = true
			}
		}
		if _, ok := slices.BinarySearch(kept, item); !ok {
			names = append(names, item)
		}
	}
	if len(names) > 0 {
		out.once("%s: %s left out for want of a score in both runs with each of the seeds %v: %s", task, counted(len(names), "item"), seeds, listed(names[:min(named, len(names))], len(names)))
	}
	if len(lost) > 0 {
		out.once("%s: seeds that too few items have in both runs are left out: %v", task, slices.Sorted(maps.Keys(lost)))
	}
}

// once notes what may be true of several metrics.
func (out *Alignment) once(format string, values ...any) {
	if text := fmt.Sprintf(format, values...); !slices.Contains(out.Notes, text) {
		out.Notes = append(out.Notes, text)
	}
}

// partsCount is how many verdicts each item has, or nil if the metric has none.
func partsCount(task, metric string, items []string, seeds []int64, a, b answers) (counts []int, err error) {
	any := false
	for _, item := range items {
		count := -1
		for _, side := range []answers{a, b} {
			for _, seed := range seeds {
				n := len(side[item][seed].Parts[metric])
				if count >= 0 && n != count {
					return nil, fmt.Errorf("item %q of task %q has %d verdicts of %q in one answer and %d in another", item, task, count, metric, n)
				}
				count = n
			}
		}
		counts = append(counts, count)
		any = any || count > 0
	}
	if !any {
		return nil, nil
	}
	if at := slices.Index(counts, 0); at >= 0 {
		return nil, fmt.Errorf("item %q of task %q has no verdicts of %q, which other items have", items[at], task, metric)
	}
	return counts, nil
}

// rectangle chooses the seeds and items of a series: seeds in the order of how
// many items have them, as many as keep the most pairs, and the items that have
// all of these.
func rectangle(items []string, a answers, has func(item string, seed int64) bool) (seeds []int64, kept []string) {
	count := map[int64]int{}
	for _, item := range items {
		for seed := range a[item] {
			if has(item, seed) {
				count[seed]++
			}
		}
	}
	order := slices.Sorted(maps.Keys(count))
	slices.SortStableFunc(order, func(x, y int64) int { return count[y] - count[x] })
	left, most, best := items, 0, 0
	for k, seed := range order {
		left = slices.DeleteFunc(slices.Clone(left), func(item string) bool { return !has(item, seed) })
		if pairs := len(left) * (k + 1); pairs > most {
			most, best, kept = pairs, k+1, left
		}
	}
	return slices.Sorted(slices.Values(order[:best])), kept
}
