package cli

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/probe/audit"
	"surgeon/probe/record"
)

// gathered are the tasks of a run and the scores of its models, item by item.
type gathered struct {
	tasks            []audit.Task
	models           map[string]audit.Model
	selected, report [][]int // items to choose on and to judge on, by task

	answered map[string][][]bool // by model: whether an item of a task was answered
	counts   map[string]map[gatheredItem]int
	records  []record.Record // sorted by model and question
}

// gatheredItem names an item.
type gatheredItem struct{ unit, item string }

// gatherModels puts the answers of a run into tables: a row for each unit, its items
// in the order of their names, the mean over seeds.
func gatherModels(run record.Run, rule auditRule, rules margins) (*gathered, error) {
	planned := plannedGroups([2]record.Run{run, run})
	chances := chancesOf(run)
	sums, chance := map[string]map[gatheredItem]float64{}, map[string]float64{}
	items := map[string]map[string]audit.Item{}
	g := &gathered{models: map[string]audit.Model{}, answered: map[string][][]bool{}, counts: map[string]map[gatheredItem]int{}}
	g.records = slices.SortedFunc(slices.Values(run.Records), func(a, b record.Record) int { // so that sums do not depend on the log's order
		return cmp.Or(strings.Compare(a.Model, b.Model), byQuestion(a, b))
	})
	for _, rec := range g.records {
		unit := unitOf(rec.Task, planned)
		score, ok := rec.Scores[rule.Metrics[rec.Task]]
		if !ok {
			return nil, fmt.Errorf("the answer of %s to %s, item %s has no score by %s: the log was changed, so give another folder", rec.Model, rec.Task, rec.Item, rule.Metrics[rec.Task])
		}
		name := itemName(unit, rec.Task, rec.Item)
		if items[unit] == nil {
			items[unit] = map[string]audit.Item{}
		}
		items[unit][name] = audit.Item{ID: name, Cluster: rec.Cluster}
		if sums[rec.Model] == nil {
			sums[rec.Model], g.counts[rec.Model] = map[gatheredItem]float64{}, map[gatheredItem]int{}
		}
		sums[rec.Model][gatheredItem{unit, name}] += score
		g.counts[rec.Model][gatheredItem{unit, name}]++
		if c, ok := chances[rec.Task]; ok {
			chance[unit] = c
		}
	}
	for unit, kind := range rule.Kinds {
		t := audit.Task{Name: unit, Kind: kind, Chance: chance[unit], Margin: marginOf(rules, unit, kind)}
		for _, item := range items[unit] {
			t.Items = append(t.Items, item)
		}
		slices.SortFunc(t.Items, func(a, b audit.Item) int { return strings.Compare(a.ID, b.ID) })
		g.tasks = append(g.tasks, t)
	}
	slices.SortFunc(g.tasks, orderOf)
	for model := range sums {
		g.add(model, sums[model])
	}
	g.selected, g.report = audit.Split(g.tasks, rule.Select, auditSalt)
	return g, nil
}

// add makes the table of a model.
func (g *gathered) add(model string, sums map[gatheredItem]float64) {
	m := audit.Model{Name: model, Strength: math.NaN()}
	var answered [][]bool
	for _, t := range g.tasks {
		row, there := make([]float64, len(t.Items)), make([]bool, len(t.Items))
		for i, item := range t.Items {
			k := gatheredItem{t.Name, item.ID}
			if n := g.counts[model][k]; n > 0 {
				row[i], there[i] = sums[k]/float64(n), n == g.counts["base"][k]
			}
		}
		m.Scores, answered = append(m.Scores, row), append(answered, there)
	}
	g.models[model], g.answered[model] = m, answered
}

// has reports whether a model answered all of some items, under every seed.
func (g *gathered) has(model string, items [][]int) bool {
	answered, ok := g.answered[model]
	for t := range items {
		for _, i := range items[t] {
			ok = ok && answered[t][i]
		}
	}
	return ok
}

// part is a model on some items.
func (g *gathered) part(model string, items [][]int) audit.Model {
	_, one := audit.Sub(g.tasks, g.models[model], items)
	return one
}

// on are the tasks with some items.
func (g *gathered) on(items [][]int) []audit.Task {
	tasks, _ := audit.Sub(g.tasks, g.models["base"], items)
	return tasks
}

// marginOf is a task's margin: its own or its group's, or that of safety, or that of all.
func marginOf(rules margins, unit string, kind audit.Kind) float64 {
	for name := range rules {
		if name != "" && partOf(unit, name) {
			return rules.of(unit)
		}
	}
	if safety, there := rules["safety"]; there && kind == audit.Safety {
		return safety
	}
	return rules[""]
}

// orderOf sorts tasks: general ones, safety, domain, and by name.
func orderOf(a, b audit.Task) int {
	place := map[audit.Kind]int{audit.General: 0, audit.Safety: 1, audit.Domain: 2}
	if d := place[a.Kind] - place[b.Kind]; d != 0 {
		return d
	}
	return strings.Compare(a.Name, b.Name)
}
