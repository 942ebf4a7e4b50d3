package task

import (
	"cmp"
	"fmt"
	"slices"
)

// First chooses the first n items of every task, in their order: --limit of
// lm-evaluation-harness.
func First(tasks []Task, n int) [][]int {
	chosen := make([][]int, len(tasks))
	for t := range tasks {
		for i := range min(n, len(tasks[t].Items)) {
			chosen[t] = append(chosen[t], i)
		}
	}
	return chosen
}

// stratum is the items of a cluster of a task.
type stratum struct {
	task, number int
	items        []int
	chosen       int
	remainder    int
}

// Stratified chooses n items of all tasks together, each topic, or else cluster, of
// each task in proportion to its size: by the method of the largest remainder, of equal ones
// the first. Which items of a cluster are chosen depends on the seed, the task's
// name and the cluster alone. All are chosen where there are no more than n. The
// numbers of a task's items come in ascending order.
func Stratified(tasks []Task, n int, seed int64) [][]int {
	if n < 0 {
		panic(fmt.Sprintf("task: a sample of %d items", n))
	}
	strata, total := strataOf(tasks)
	n = min(n, total)
	apportion(strata, n, total)
	chosen := make([][]int, len(tasks))
	for _, s := range strata {
		name := tasks[s.task].Name + "\x00" + cmp.Or(tasks[s.task].Items[s.items[0]].Topic, tasks[s.task].Items[s.items[0]].Cluster)
		for _, k := range permutation(seed, "sample "+name, 0, len(s.items))[:s.chosen] {
			chosen[s.task] = append(chosen[s.task], s.items[k])
		}
	}
	for t := range chosen {
		slices.Sort(chosen[t])
	}
	return chosen
}

// strataOf lists the clusters of all tasks in the order of their first items.
func strataOf(tasks []Task) (strata []*stratum, total int) {
	for t := range tasks {
		places := map[string]*stratum{}
		for i, item := range tasks[t].Items {
			name := cmp.Or(item.Topic, item.Cluster)
			s := places[name]
			if s == nil {
				s = &stratum{task: t, number: len(strata)}
				places[name] = s
				strata = append(strata, s)
			}
			s.items = append(s.items, i)
			total++
		}
	}
	return strata, total
}

// apportion gives every stratum its share of n, which is at most total.
func apportion(strata []*stratum, n, total int) {
	left := n
	for _, s := range strata {
		s.chosen, s.remainder = n*len(s.items)/total, n*len(s.items)%total
		left -= s.chosen
	}
	order := slices.Clone(strata)
	slices.SortFunc(order, func(a, b *stratum) int {
		return cmp.Or(cmp.Compare(b.remainder, a.remainder), cmp.Compare(a.number, b.number))
	})
	for _, s := range order[:left] {
		s.chosen++
	}
}
