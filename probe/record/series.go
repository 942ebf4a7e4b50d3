package record

import (
	"fmt"
	"maps"
	"slices"
)

// grid is what two runs have of a task: the items that both have, and the seeds
// that any of these has in both. A record is nil where a run has none.
type grid struct {
	task            string
	items, clusters []string
	seeds           []int64
	a, b            []*Record // shape (items, seeds)
}

// gridOf puts the answers into a grid. That an item is another document on the
// other side, or in another cluster, is an error.
func gridOf(task string, a, b answers) (*grid, error) {
	g := &grid{task: task}
	seeds := map[int64]bool{}
	for _, item := range sortedKeys(a) {
		if b[item] == nil {
			continue
		}
		if err := sameDocument(task, item, a[item], b[item]); err != nil {
			return nil, err
		}
		cluster, err := clusterOf(task, item, a[item], b[item])
		if err != nil {
			return nil, err
		}
		g.items, g.clusters = append(g.items, item), append(g.clusters, cluster)
		for seed := range a[item] {
			if b[item][seed] != nil {
				seeds[seed] = true
			}
		}
	}
	g.seeds = slices.Sorted(maps.Keys(seeds))
	for _, item := range g.items {
		for _, seed := range g.seeds {
			g.a, g.b = append(g.a, a[item][seed]), append(g.b, b[item][seed])
		}
	}
	return g, nil
}

func sameDocument(task, item string, a, b bySeed) error {
	hashA, err := docHash(task, item, a)
	if err != nil {
		return err
	}
	hashB, err := docHash(task, item, b)
	if err != nil {
		return err
	}
	if hashA != "" && hashB != "" && hashA != hashB {
		return fmt.Errorf("item %q of task %q is another document in the first run (doc_hash %.12s) than in the second (%.12s): the runs are of different data", item, task, hashA, hashB)
	}
	return nil
}

// metric makes the series of a metric.
func (out *Alignment) metric(g *grid, metric string) error {
	has := make([]bool, len(g.a))
	for i, a := range g.a {
		if b := g.b[i]; a != nil && b != nil {
			_, left := a.Scores[metric]
			_, right := b.Scores[metric]
			has[i] = left && right
		}
	}
	items, seeds := rectangle(has, len(g.items), len(g.seeds))
	if len(items) == 0 {
		out.note("%s, %s: no item has a score in both runs with the same seed", g.task, metric)
		return nil
	}
	out.dropped(g, has, items, seeds)
	s := Series{Task: g.task, Metric: metric}
	for _, k := range seeds {
		s.Seeds = append(s.Seeds, g.seeds[k])
	}
	counts, err := partCounts(g, metric, items, seeds)
	if err != nil {
		return err
	}
	for row, i := range items {
		if counts == nil {
			s.add(g, i, seeds, g.items[i], g.clusters[i], func(r *Record) float64 { return r.Scores[metric] })
			continue
		}
		cluster := g.clusters[i]
		if cluster == "" {
			cluster = g.items[i]
		}
		for part := range counts[row] {
			s.add(g, i, seeds, fmt.Sprintf("%s#%d", g.items[i], part+1), cluster, func(r *Record) float64 {
				if r.Parts[metric][part] {
					return 1
				}
				return 0
			})
		}
	}
	out.Series = append(out.Series, s)
	return nil
}

// add adds a row.
func (s *Series) add(g *grid, i int, seeds []int, name, cluster string, score func(*Record) float64) {
	s.Items, s.Clusters = append(s.Items, name), append(s.Clusters, cluster)
	for _, k := range seeds {
		a, b := g.a[i*len(g.seeds)+k], g.b[i*len(g.seeds)+k]
		s.A, s.ParsedA = append(s.A, score(a)), append(s.ParsedA, a.Parsed(s.Metric))
		s.B, s.ParsedB = append(s.B, score(b)), append(s.ParsedB, b.Parsed(s.Metric))
	}
}

// rectangle chooses the items and seeds of a series, by their places: seeds in
// the order of how many items have them, as many as keep the most pairs, and the
// items that have all of these.
func rectangle(has []bool, items, seeds int) (rows, columns []int) {
	count := make([]int, seeds)
	var left, order []int
	for i := range items {
		left = append(left, i)
		for k := range seeds {
			if has[i*seeds+k] {
				count[k]++
			}
		}
	}
	for k := range seeds {
		order = append(order, k)
	}
	slices.SortStableFunc(order, func(x, y int) int { return count[y] - count[x] })
	most, best := 0, 0
	for n, k := range order {
		left = slices.DeleteFunc(slices.Clone(left), func(i int) bool { return !has[i*seeds+k] })
		if pairs := len(left) * (n + 1); pairs > most {
			most, best, rows = pairs, n+1, left
		}
	}
	return rows, slices.Sorted(slices.Values(order[:best]))
}

// dropped notes which shared items and seeds are not in a series.
func (out *Alignment) dropped(g *grid, has []bool, items, seeds []int) {
	kept := make([]int64, len(seeds))
	for i, k := range seeds {
		kept[i] = g.seeds[k]
	}
	var names []string
	for i, item := range g.items {
		if _, ok := slices.BinarySearch(items, i); !ok {
			names = append(names, item)
		}
	}
	var lost []int64
	for k, seed := range g.seeds {
		with := func(i int) bool { return has[i*len(g.seeds)+k] }
		if _, ok := slices.BinarySearch(seeds, k); !ok && slices.ContainsFunc(indices(len(g.items)), with) {
			lost = append(lost, seed)
		}
	}
	if len(names) > 0 {
		out.once("%s: %s left out for want of a score in both runs with each of the seeds %v: %s", g.task, counted(len(names), "item"), kept, listed(names[:min(named, len(names))], len(names)))
	}
	if len(lost) > 0 {
		out.once("%s: seeds that too few items have in both runs are left out: %v", g.task, lost)
	}
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// once notes what may be true of several metrics.
func (out *Alignment) once(format string, values ...any) {
	if text := fmt.Sprintf(format, values...); !slices.Contains(out.Notes, text) {
		out.Notes = append(out.Notes, text)
	}
}

// partCounts is how many verdicts each item of a series has, or nil if the
// metric has none.
func partCounts(g *grid, metric string, items, seeds []int) (counts []int, err error) {
	most := 0
	for _, i := range items {
		count := -1
		for _, k := range seeds {
			for _, r := range []*Record{g.a[i*len(g.seeds)+k], g.b[i*len(g.seeds)+k]} {
				n := len(r.Parts[metric])
				if count >= 0 && n != count {
					return nil, fmt.Errorf("item %q of task %q has %d verdicts of %q in one answer and %d in another", r.Item, g.task, count, metric, n)
				}
				count = n
			}
		}
		counts = append(counts, count)
		most = max(most, count)
	}
	if most == 0 {
		return nil, nil
	}
	if at := slices.Index(counts, 0); at >= 0 {
		return nil, fmt.Errorf("item %q of task %q has no verdicts of %q, which other items have", g.items[items[at]], g.task, metric)
	}
	return counts, nil
}
