package cli

import (
	"context"
	"fmt"

	"surgeon/cli/table"
	"surgeon/probe/audit"
	"surgeon/probe/record"
)

// plan is written before the first score.
func (a *auditing) plan() record.Plan {
	plan := newPlan(a.env, "audit", a.bench, a.set, a.opt.bench)
	plan.Questions = len(a.asked)
	for i, name := range []string{a.base, a.tuned} {
		plan.Models = append(plan.Models, record.Model{Input: record.Input{Name: []string{"base", "tuned"}[i], Path: name, Digest: a.digests[i]}, Files: a.files[i]})
	}
	for _, c := range a.candidates {
		if c.Model != "" && (c.Class == classTraining || c.Class == classRepeat) {
			plan.Models = append(plan.Models, record.Model{Input: record.Input{Name: c.Name, Path: c.Model, Digest: c.identity}, Files: c.files})
		}
	}
	plan.Candidates = asJSON(a.candidates)
	plan.Margins = asJSON(auditMargins.with(a.opt.margins))
	metrics := map[string]string{}
	for _, t := range a.bench.Tasks {
		metrics[t.Name] = t.Form.Metrics()[0]
	}
	plan.Rule = asJSON(auditRule{Base: a.base, Tuned: a.tuned, Kinds: a.kinds, Metrics: metrics, Retention: a.opt.retention, Partly: partly, Select: selectShare, Questions: len(a.asked),
		Confidence: confidence, Finalists: a.opt.finalists, References: a.opt.references, Repairs: a.opt.repairs, Missing: a.missing, Date: a.opt.date, Author: a.opt.author, Owner: a.opt.owner})
	return plan
}

// auditMargins are those of an audit for which none are given, as shares.
var auditMargins = margins{"": 0.02, "safety": 0.01}

// auditRule is the part of the plan that says how the verdict follows.
type auditRule struct {
	Base      string                `json:"base"`
	Tuned     string                `json:"tuned"`
	Kinds     map[string]audit.Kind `json:"kinds"`
	Metrics   map[string]string     `json:"metrics"`
	Retention float64               `json:"retention"`
	Partly    float64               `json:"partly"` // share of a gap that counts as closed in part
	Select    float64               `json:"select"` // share of the items on which a candidate is chosen
	Questions int                   `json:"questions"`

	Confidence float64  `json:"confidence"` // of intervals
	Finalists  string   `json:"finalists"`  // which candidates are judged on the others: all, or the best of each class
	References int      `json:"references"` // answers of either kind, at most, by which harm is found
	Repairs    []string `json:"repairs"`    // classes that are tried

	Missing map[string]string `json:"missing,omitempty"` // benchmarks that were asked for and have no data, and why

	Date   string `json:"date,omitempty"`
	Author string `json:"author,omitempty"`
	Owner  string `json:"owner,omitempty"` // of the decision
}

// partly is the share of a gap whose closing counts as a part.
const partly = 0.5

// selectShare is the share of the items on which a candidate is chosen; it is
// judged on the others.
const selectShare = 0.4

// planOutput is what --plan-only --json prints.
type planOutput struct {
	Base       string                `json:"base"`
	Tuned      string                `json:"tuned"`
	Kinds      map[string]audit.Kind `json:"kinds"`
	Items      map[string]int        `json:"items"`
	Questions  int                   `json:"questions"`
	Candidates []auditCandidate      `json:"candidates"`
	Plan       string                `json:"plan"` // its hash
	Cost       auditCost             `json:"cost"`
	Notes      []string              `json:"notes,omitempty"`
}

// printPlan says what an audit would ask, and what that costs.
func (a *auditing) printPlan(ctx context.Context) error {
	cost, err := a.cost(ctx)
	if err != nil {
		return err
	}
	out := planOutput{Base: a.base, Tuned: a.tuned, Kinds: a.kinds, Items: map[string]int{}, Questions: len(a.asked), Candidates: a.candidates, Plan: a.plan().Hash(), Cost: cost, Notes: append(a.in.notes(), a.said...)}
	rows := [][]string{}
	for _, unit := range a.set.units() {
		out.Items[unit], _ = a.set.count(unit)
		rows = append(rows, []string{unit, string(a.kinds[unit]), fmt.Sprint(out.Items[unit])})
	}
	if a.opt.json {
		return a.env.printJSON(out)
	}
	a.env.printf("audit of %s against %s, into %s, plan %s\n\n", a.tuned, a.base, a.opt.out, out.Plan[:12])
	if err := a.env.printTable([]table.Column{{Name: "task"}, {Name: "kind"}, {Name: "items", Right: true}}, rows); err != nil {
		return err
	}
	var names []string
	for _, c := range a.candidates[2:] {
		names = append(names, c.Name)
	}
	a.env.printf("\n%s of the %s choose among the repairs, the others judge. To be tried: %s\n\n", table.Percent(selectShare), plural(len(a.asked), "question"), join(names))
	if err := a.printCost(cost); err != nil {
		return err
	}
	return a.env.footnotes(out.Notes)
}
