package cli

import (
	"math"
	"slices"
	"surgeon/probe/audit"
)

// eligible are the candidates to choose from, on the items for it. What keeps the
// fine-tune apart is none: it is another way of serving, not a model to ship.
func (r *auditResult) eligible(candidates []auditCandidate, class string) (list []audit.Model) {
	for _, c := range candidates {
		if !shippable(c.Class) || class != "" && c.Class != class || !r.m.has(c.Name, r.m.selected) {
			continue
		}
		one := r.m.part(c.Name, r.m.selected)
		if one.Strength = math.NaN(); c.Strength != nil {
			one.Strength = float64(*c.Strength)
		}
		list = append(list, one)
	}
	return list
}

// choose chooses, and meets the choice on the items that had no part in it. A choice
// that could not be judged gives way to the next.
func (r *auditResult) choose(candidates []auditCandidate, selectTasks, reportTasks []audit.Task) (err error) {
	m := r.m
	for from := r.eligible(candidates, ""); ; {
		if r.Choice, err = audit.Choose(selectTasks, m.part("base", m.selected), m.part("tuned", m.selected), from, r.rule); err != nil {
			return err
		}
		if r.Chosen = from[r.Choice.Index].Name; m.has(r.Chosen, m.report) {
			break
		}
		r.Notes = append(r.Notes, r.Chosen+" would have been chosen, and could not be judged")
		from = slices.Delete(from, r.Choice.Index, r.Choice.Index+1)
	}
	for _, c := range r.Candidates {
		if c.Name == r.Chosen {
			r.Verdict = c.Verdict
		}
	}
	return r.Choice.Meet(reportTasks, m.part("base", m.report), m.part(r.Chosen, m.report))
}

// front sets all that were judged side by side.
func (r *auditResult) front(tasks []audit.Task) (err error) {
	m := r.m
	var list []audit.Model
	for _, c := range r.Candidates {
		if c.Judged {
			list = append(list, m.part(c.Name, m.report))
		}
	}
	if r.Front, err = audit.Front(tasks, m.part("base", m.report), m.part("tuned", m.report), list, r.rule); err != nil {
		return err
	}
	for _, p := range r.Front {
		if p.Name == "tuned" {
			r.Area = number(audit.Hypervolume(r.Front, p.Slack.Value))
		}
	}
	return nil
}

// finalistsOf are the candidates that are judged where not all are.
func finalistsOf(dir string) ([]string, error) {
	r, candidates, err := gatherAudit(dir)
	if err != nil {
		return nil, err
	}
	return r.best(candidates)
}

// best are the candidate that is chosen of all and those that would be of every class.
func (r *auditResult) best(candidates []auditCandidate) (names []string, err error) {
	tasks := r.m.on(r.m.selected)
	for _, class := range append([]string{""}, repairClasses...) {
		from := r.eligible(candidates, class)
		if len(from) == 0 {
			continue
		}
		choice, err := audit.Choose(tasks, r.m.part("base", r.m.selected), r.m.part("tuned", r.m.selected), from, r.rule)
		if err != nil {
			return nil, err
		}
		if name := from[choice.Index].Name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}
