package cli

import (
	"fmt"
	"surgeon/cli/table"
	"surgeon/probe/audit"
)

// print prints what was lost, where it sits, and what the repairs come to.
func (r *auditResult) print(env environment) error {
	if err := env.printf("audit of %s against %s: %d items, candidates chosen on %d and judged on %d\n", r.Tuned, r.Base, r.Items.All, r.Items.Select, r.Items.Report); err != nil {
		return err
	}
	env.printf("\nwhat was lost\n\n")
	var rows [][]string
	for _, t := range r.Lost.Tasks {
		rows = append(rows, []string{t.Task, string(t.Kind), fmt.Sprint(t.N), percent(number(t.Base)), percent(number(t.Tuned)), table.Points(-t.Gap.Value), fmt.Sprintf("%d/%d", t.Lost, t.Gained), string(t.Word)})
	}
	if err := env.printTable([]table.Column{{Name: "task"}, {Name: "kind", Spare: true}, {Name: "items", Right: true, Spare: true}, {Name: "base", Right: true}, {Name: "tuned", Right: true},
		{Name: "difference", Right: true}, {Name: "lost/gained", Right: true, Spare: true}, {Name: "verdict"}}, rows); err != nil {
		return err
	}
	env.printf("\n%s\n", r.largest())
	if err := r.printWhere(env); err != nil {
		return err
	}
	env.printf("\nrepairs, on the items that chose none of them\n\n")
	bracketed := false
	rows = nil
	for _, c := range r.Candidates {
		name := c.Name
		if name == r.Chosen {
			name += " *"
		}
		row := []string{name, portion(c.Protected), portion(c.Domain), "", "", c.Error}
		if !c.Judged && c.Error == "" {
			row[1], row[2] = "("+row[1]+")", "("+row[2]+")"
			bracketed = true
		}
		if c.Class == classBase {
			row = append(row[:3], "-", "-", "-")
		} else if c.Verdict != nil {
			row = append(row[:3], portion(c.Verdict.GapClosed), portion(c.Verdict.Retention), string(c.Verdict.Word))
		} else if c.Error == "" {
			row[5] = "not judged"
		}
		rows = append(rows, row)
	}
	if err := env.printTable([]table.Column{{Name: "candidate"}, {Name: "protected", Right: true}, {Name: "domain", Right: true}, {Name: "gap closed", Right: true},
		{Name: "gain kept", Right: true}, {Name: "the gap is"}}, rows); err != nil {
		return err
	}
	env.printf("\n* %s\n", r.Choice.Why)
	for _, words := range r.Repaired {
		env.printf("  %s\n", words)
	}
	if bracketed {
		env.printf("(...) scores on the items to choose by: only the best of each class are judged on the others\n")
	}
	if err := r.printDecision(env); err != nil {
		return err
	}
	return env.footnotes(r.Notes)
}

// printDecision prints what is decided, what it is bound to, and what to do next.
func (r *auditResult) printDecision(env environment) error {
	d := r.Decision
	words := d.Why
	if d.What != "" {
		words = "Ship " + d.What + ". " + words
	}
	env.printf("\n%s: %s\n", d.Word, words)
	for _, condition := range d.Conditions {
		env.printf("  - %s\n", condition)
	}
	if len(r.Advice) > 0 {
		env.printf("\nnext\n")
	}
	for _, a := range r.Advice {
		env.printf("  %d. %s %s (confidence: %s)\n", a.Rank, doing[a.Kind], a.Why, a.Confidence)
	}
	return env.printf("\n")
}

// largest says which loss is the largest, and how sure that is.
func (r *auditResult) largest() string {
	l := r.Lost
	if l.Largest < 0 {
		return "no loss of the protected tasks is shown: " + l.Why
	}
	g := l.Tasks[l.Largest]
	text := fmt.Sprintf("largest regression: %s, %s adjusted for chance (%s to %s, simultaneous), largest in %s of bootstrap samples", g.Task, table.Points(-l.Simultaneous.Value),
		table.Points(-l.Simultaneous.High), table.Points(-l.Simultaneous.Low), table.Percent(l.Probability))
	if l.RunnerUp >= 0 {
		text += fmt.Sprintf("; runner-up: %s", l.Tasks[l.RunnerUp].Task)
	}
	return text
}

// portion is an interval's value as per cent, where it is defined.
func portion(i audit.Interval) string {
	if !i.Defined {
		return "undefined"
	}
	return table.Percent(i.Value)
}

// printWhere prints where the harm sits.
func (r *auditResult) printWhere(env environment) error {
	if r.Where == nil {
		return nil
	}
	env.printf("\nwhere it sits, by the cross-entropy of %d general and %d domain answers (nats a token)\n\n", r.Where.References[0], r.Where.References[1])
	var rows [][]string
	for _, g := range r.Where.Groups {
		rows = append(rows, []string{g.Group, table.Percent(float64(g.Relative)), fmt.Sprintf("%+.3f", float64(g.Harm)), fmt.Sprintf("%+.3f", float64(g.Benefit)), table.Sig(float64(g.Exchange), 3)})
	}
	return env.printTable([]table.Column{{Name: "group"}, {Name: "moved", Right: true}, {Name: "harm", Right: true}, {Name: "benefit", Right: true}, {Name: "harm/benefit", Right: true}}, rows)
}
