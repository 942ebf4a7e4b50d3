package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/cli/table"
)

// print prints the table of the primary rows, those of their parts where they
// are few or asked for, the largest regression and the flipped items.
func (c *comparison) print(env environment, opt compareOptions) error {
	env.printf("%s - %s: differences with 95 %% intervals, paired by item\n\n", c.Tuned, c.Base)
	columns := []table.Column{{Name: "task"}, {Name: "n", Right: true}, {Name: "base", Right: true, Spare: true}, {Name: "tuned", Right: true, Spare: true},
		{Name: "diff", Right: true}, {Name: "interval (pp)", Right: true}, {Name: "verdict"}, {Name: "metric", Spare: true}, {Name: "p adj.", Right: true, Spare: true},
		{Name: "b/c", Right: true, Spare: true}}
	var rows [][]string
	var warnings []string
	add := func(list []comparedTask, part bool) {
		for i, t := range list {
			if (t.Group != "") != part {
				continue
			}
			rows = append(rows, t.row(part, i > 0 && list[i-1].Task == t.Task))
			if t.primary {
				warnings = append(warnings, t.notes()...)
			}
		}
	}
	add(c.Groups, false)
	add(c.Tasks, false)
	if opt.all || len(c.Tasks) <= fewTasks {
		add(c.Tasks, true)
	}
	if err := env.printTable(columns, rows); err != nil {
		return err
	}
	c.printLargest(env)
	if err := c.printFlips(env, opt); err != nil {
		return err
	}
	env.printf("\n")
	adjusted := "p adj.: by Holm over the tasks and groups, of the parts of a group by Benjamini and Hochberg; the words are each task's own"
	return env.footnotes(slices.Concat(c.Notes, warnings, []string{adjusted}))
}

// fewTasks is up to how many tasks the parts of groups have rows without --all.
const fewTasks = 12

func (t comparedTask) row(part, again bool) []string {
	name := t.Task
	if part {
		name = "  " + name
	}
	p := ""
	switch {
	case t.Adjusted != nil:
		p = pValue(float64(*t.Adjusted))
	case t.FDR != nil:
		p = pValue(float64(*t.FDR))
	}
	verdict := t.Verdict
	if again {
		name = "  " + t.Metric
	}
	if again && !t.primary {
		verdict = ""
	}
	n := fmt.Sprint(t.N)
	if t.Seeds > 1 {
		n += fmt.Sprintf(" x %d", t.Seeds)
	}
	interval := span("%+.1f to %+.1f", 100*float64(t.CI[0]), 100*float64(t.CI[1]))
	if t.Unit != "" {
		interval = span("%+.4g to %+.4g", float64(t.CI[0]), float64(t.CI[1]))
	}
	return []string{name, n, t.value(t.Base), t.value(t.Tuned), t.change(), interval,
		verdict, t.Metric, p, fmt.Sprintf("%d/%d", t.Lost, t.Gained)}
}

// value is a score of the task, in its unit.
func (t comparedTask) value(v number) string {
	if t.Unit != "" {
		return fmt.Sprintf("%.4g", float64(v))
	}
	return percent(v)
}

// change is the difference of the task, in its unit.
func (t comparedTask) change() string {
	if t.Unit != "" {
		return fmt.Sprintf("%+.4g", float64(t.Diff))
	}
	return table.Points(float64(t.Diff))
}

// span is an interval; one without ends says nothing.
func span(format string, low, high float64) string {
	if math.IsInf(low, 0) || math.IsInf(high, 0) || math.IsNaN(low) || math.IsNaN(high) {
		return "-"
	}
	return fmt.Sprintf(format, low, high)
}

func percent(v number) string { return fmt.Sprintf("%.1f %%", 100*float64(v)) }

// pValue has as many digits as matter.
func pValue(p float64) string {
	switch {
	case p < 0.0001:
		return "<0.0001"
	case p < 0.1:
		return fmt.Sprintf("%.4f", p)
	}
	return fmt.Sprintf("%.2f", p)
}

// notes say what a reader of a primary row must know.
func (t comparedTask) notes() (list []string) {
	name := t.Task + t.by
	if t.NeededItems > 0 || t.NeededSeeds > 0 {
		text := fmt.Sprintf("%s: INCONCLUSIVE at a margin of %.1f pp: ", name, 100*float64(t.Margin))
		switch {
		case t.NeededSeeds == 0:
			text += fmt.Sprintf("about %d items would decide it", t.NeededItems)
		case t.NeededItems == 0:
			text += fmt.Sprintf("about %d seeds would decide it", t.NeededSeeds)
		default:
			text += fmt.Sprintf("about %d items or %d seeds would decide it", t.NeededItems, t.NeededSeeds)
		}
		list = append(list, text)
	}
	if f := t.Format; f != nil && math.Abs(float64(f.Form)) >= 0.0005 {
		list = append(list, fmt.Sprintf("%s: of %+.1f pp, %+.1f pp are knowledge and %+.1f pp form: %s of the base's answers could be read and %s of the tuned model's",
			name, 100*float64(t.Diff), 100*float64(f.Knowledge), 100*float64(f.Form), percent(f.BaseRead), percent(f.TunedRead)))
	}
	if r := t.Retention; r != nil && r.Undefined == "" && r.High-r.Low < 2 { // a wider one says nothing
		list = append(list, fmt.Sprintf("%s: %.0f %% of what the base knows above chance is left (%.0f to %.0f)", name, 100*float64(r.Ratio), 100*float64(r.Low), 100*float64(r.High)))
	}
	if p := t.Components; p != nil {
		list = append(list, fmt.Sprintf("%s: over %d seeds the base's score has a standard deviation of %.1f pp, the tuned model's %.1f pp and their difference %.1f pp; more %s would narrow the interval most",
			name, t.Seeds, 100*float64(p.SDBase), 100*float64(p.SDTuned), 100*float64(p.SDDiff), strings.Replace(p.Buy, "either", "items or seeds", 1)))
	}
	if t.Unit != "" {
		list = append(list, fmt.Sprintf("%s: %s, by %s, are no shares: no margin applies, and the words say only whether a change is shown", name, t.Unit, t.Metric))
	}
	for _, warning := range t.Warnings {
		if strings.HasPrefix(warning, "McNemar's test treats") { // the table has another p
			continue
		}
		list = append(list, name+": "+warning)
	}
	return list
}

func (c *comparison) printLargest(env environment) {
	l := c.Largest
	if l == nil {
		lost := slices.ContainsFunc(slices.Concat(c.Groups, c.Tasks), func(t comparedTask) bool { return t.primary && t.Unit != "" })
		if !lost {
			env.printf("\nno task scored lower\n")
		}
		return
	}
	env.printf("\nlargest regression: %s, %+.1f pp adjusted for chance (%+.1f to %+.1f, simultaneous), p %s", l.Task, 100*float64(l.Diff), 100*float64(l.Low), 100*float64(l.High), pValue(float64(l.P)))
	if l.HeldOut != "" {
		env.printf(", largest in %.0f %% of bootstrap samples", 100*float64(l.Probability))
	}
	env.printf("\n")
	if l.RunnerUp != "" {
		env.printf("runner-up: %s\n", l.RunnerUp)
	}
	if l.HeldOut != "" {
		env.printf("%s\n", l.HeldOut)
	}
}

// printFlips lists items whose answers flipped.
func (c *comparison) printFlips(env environment, opt compareOptions) error {
	if opt.flips == 0 {
		return nil
	}
	var rows [][]string
	for _, t := range c.Tasks {
		for _, f := range t.Flipped {
			rows = append(rows, []string{t.Task, t.Metric, f.Item, fmt.Sprint(f.Seed), fmt.Sprintf("%.3g", float64(f.Base)), fmt.Sprintf("%.3g", float64(f.Tuned))})
		}
	}
	env.printf("\nflipped items, up to %d lost and %d won of each task\n\n", opt.flips, opt.flips)
	columns := []table.Column{{Name: "task"}, {Name: "metric", Spare: true}, {Name: "item"}, {Name: "seed", Right: true}, {Name: "base", Right: true}, {Name: "tuned", Right: true}}
	return env.printTable(columns, rows)
}
