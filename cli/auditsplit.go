package cli

import (
	"fmt"
	"slices"
	"strings"

	"surgeon/probe"
	"surgeon/probe/audit"
	"surgeon/probe/task"
)

// sortTasks says of every task whether it is of the domain, of safety or general.
func (a *auditing) sortTasks() error {
	units := a.set.units()
	if a.in.base.embedded && len(a.opt.domain) == 0 {
		for _, unit := range units {
			if strings.Contains(unit, "chemistry") {
				a.opt.domain = append(a.opt.domain, unit)
			}
		}
	}
	a.kinds = map[string]audit.Kind{}
	for _, unit := range units {
		switch {
		case a.set.inBits(unit):
			return usagef("%s is measured in bits, of which less is better: an audit takes tasks that are scored by shares", unit)
		case slices.Contains(a.opt.domain, unit):
			a.kinds[unit] = audit.Domain
		case slices.Contains(a.opt.safety, unit) || strings.Contains(unit, "refusal") || strings.Contains(unit, "benign") || strings.Contains(unit, "safety"):
			a.kinds[unit] = audit.Safety
		default:
			a.kinds[unit] = audit.General
		}
	}
	for flag, list := range map[string][]string{"domain": a.opt.domain, "safety": a.opt.safety} {
		for _, name := range list {
			if !slices.Contains(units, name) {
				return usagef("--%s %s: there is no such task: the tasks are %s", flag, name, some(units))
			}
		}
	}
	if !slices.ContainsFunc(units, func(u string) bool { return a.kinds[u] == audit.Domain }) {
		return usagef("--domain is needed: which of the tasks the fine-tune was made for: %s", some(units))
	}
	if !slices.ContainsFunc(units, func(u string) bool { return a.kinds[u] != audit.Domain }) {
		return usagef("--domain names all tasks: nothing is left that could be forgotten")
	}
	return nil
}

// ofDomain reports whether a question is of the domain's tasks.
func (a *auditing) ofDomain(q probe.Asked) bool {
	return a.kinds[a.unit(a.bench.Tasks[q.Task].Name)] == audit.Domain
}

// unit is the group of a task, or the task itself.
func (a *auditing) unit(name string) string {
	if group := a.set.group(name); group != "" {
		return group
	}
	return name
}

// selects reports whether an item is one of those on which candidates are chosen.
func (a *auditing) selects(name string, item task.Item) bool {
	if a.selected == nil {
		a.selected = map[string]bool{}
		tasks := a.auditTasks()
		chosen, _ := audit.Split(tasks, selectShare, auditSalt)
		for k, t := range tasks {
			for _, i := range chosen[k] {
				a.selected[t.Name+" "+t.Items[i].ID] = true
			}
		}
	}
	unit := a.unit(name)
	return a.selected[unit+" "+itemName(unit, name, item.ID)]
}

// bothSides reports a task all of whose items fall on one side of the split, so that
// nothing could be chosen or nothing judged by it.
func (a *auditing) bothSides() error {
	tasks := a.auditTasks()
	chosen, judged := audit.Split(tasks, selectShare, auditSalt)
	for i, t := range tasks {
		if len(chosen[i]) == 0 || len(judged[i]) == 0 {
			return fmt.Errorf("%s has %s, and by their hashes all of them would choose a repair or all judge it: an audit needs some for both: ask more", t.Name, plural(len(t.Items), "item"))
		}
	}
	return nil
}

// auditTasks are the tasks with the items that are asked.
func (a *auditing) auditTasks() (list []audit.Task) {
	for i, t := range a.bench.Tasks {
		unit := a.unit(t.Name)
		at := slices.IndexFunc(list, func(u audit.Task) bool { return u.Name == unit })
		if at < 0 {
			at, list = len(list), append(list, audit.Task{Name: unit, Kind: a.kinds[unit]})
		}
		asked := func(n int) bool {
			return a.set.items == nil || a.set.items[i] == nil || slices.Contains(a.set.items[i], n)
		}
		for n, item := range t.Items {
			if asked(n) {
				list[at].Items = append(list[at].Items, audit.Item{ID: itemName(unit, t.Name, item.ID), Cluster: item.Cluster})
			}
		}
	}
	return list
}

// itemName is what an item of a task is called within its unit.
func itemName(unit, name, id string) string {
	if unit == name {
		return id
	}
	return name + "/" + id
}

// auditSalt keeps the split of an audit from being that of anything else.
const auditSalt = "surgeon audit"
