package audit

import (
	"fmt"
	"slices"
	"strings"

	"surgeon/probe/stat"
)

// panel is a checked basket with the models scored on it, items in ascending
// order of their IDs, so that no sum depends on the order they came in.
type panel struct {
	tasks             []Task
	models            []Model
	rule              Rule
	protected, domain []int // positions of the tasks of these kinds
}

// The models of a panel: base and tuned come first, candidates after them.
const (
	baseAt = iota
	tunedAt
	candidateAt
)

func newPanel(tasks []Task, rule Rule, models ...Model) (panel, error) {
	p := panel{rule: rule.complete()}
	if err := checkRule(p.rule); err != nil {
		return p, err
	}
	if err := checkTasks(tasks); err != nil {
		return p, err
	}
	orders := make([][]int, len(tasks))
	for t, task := range tasks {
		orders[t] = make([]int, len(task.Items))
		for i := range orders[t] {
			orders[t][i] = i
		}
		slices.SortFunc(orders[t], func(i, j int) int { return strings.Compare(task.Items[i].ID, task.Items[j].ID) })
		if task.Protected() {
			p.protected = append(p.protected, t)
		} else {
			p.domain = append(p.domain, t)
		}
	}
	for _, m := range models {
		if err := checkModel(tasks, m); err != nil {
			return p, err
		}
		var sorted Model
		p.tasks, sorted = Sub(tasks, m, orders)
		p.models = append(p.models, sorted)
	}
	return p, nil
}

// groups returns the cluster of each item of a task, or nil if all items are
// independent.
func (p panel) groups(task int) []string {
	items, seen, shared := p.tasks[task].Items, map[string]bool{}, false
	result := make([]string, len(items))
	for i, item := range items {
		result[i] = "cluster " + item.Cluster
		if item.Cluster == "" {
			result[i] = "item " + item.ID
		}
		shared = shared || seen[result[i]]
		seen[result[i]] = true
	}
	if !shared {
		return nil
	}
	return result
}

// table returns the scores of one model on one task as package stat wants them.
func (p panel) table(task, model int) stat.Table {
	table := stat.Table{Clusters: p.groups(task), Seeds: []int64{0}, Scores: p.models[model].Scores[task]}
	for _, item := range p.tasks[task].Items {
		table.Items = append(table.Items, item.ID)
	}
	return table
}

func (p panel) options(task int) stat.Options {
	return stat.Options{
		Confidence: p.rule.Confidence, Margin: p.tasks[task].margin(), Chance: p.tasks[task].Chance,
		Draws: p.rule.Resamples, Seed: p.rule.Seed,
	}
}

// compare sets two models side by side on one task.
func (p panel) compare(task, from, to int) (stat.Difference, error) {
	d, err := stat.Compare(p.table(task, from), p.table(task, to), p.options(task))
	if err != nil {
		return d, fmt.Errorf("audit: task %q cannot be compared: %w", p.tasks[task].Name, err)
	}
	return d, nil
}

// score returns the mean score of a model on a task.
func (p panel) score(task, model int) float64 {
	sum := 0.0
	for _, score := range p.models[model].Scores[task] {
		sum += score
	}
	return sum / float64(len(p.tasks[task].Items))
}

// mean returns the mean over some tasks of the mean score of a model on each.
func (p panel) mean(tasks []int, model int) float64 {
	sum := 0.0
	for _, task := range tasks {
		sum += p.score(task, model)
	}
	return sum / float64(max(1, len(tasks)))
}
