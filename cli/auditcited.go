package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"surgeon/cli/memo"
	"surgeon/cli/table"
	"surgeon/probe/audit"
)

// cited writes the numbers of a memo. Each must be a number of results.json, exactly,
// before it is rounded for print; so a memo holds nothing that has no record.
type cited struct {
	values  map[float64]bool // of the records
	printed map[string]bool  // as memo.Numbers writes them
	strays  []string         // that were to be printed, and are in no record
}

// newCited takes the numbers of results, and those within its names and sentences.
func newCited(results any) (*cited, error) {
	data, err := json.Marshal(results)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	c := &cited{values: map[float64]bool{}, printed: map[string]bool{}}
	c.take(tree)
	return c, nil
}

func (c *cited) take(node any) {
	switch v := node.(type) {
	case float64:
		c.values[math.Abs(v)] = true
	case string:
		c.print(v)
	case []any:
		for _, one := range v {
			c.take(one)
		}
	case map[string]any:
		for name, one := range v {
			c.print(name)
			c.take(one)
		}
	}
}

// print makes the numbers of a text known.
func (c *cited) print(text string) string {
	for _, n := range memo.NumbersIn(text) {
		c.printed[n] = true
		c.printed[strings.TrimPrefix(n, "-")] = true
	}
	return text
}

// write prints a value of the records.
func (c *cited) write(v float64, text string) string {
	if !c.values[math.Abs(v)] {
		c.strays = append(c.strays, text)
	}
	return c.print(text)
}

func (c *cited) percent(share float64) string { return c.write(share, table.Percent(share)) }

// round prints a share of a rule in per cent, without decimals that it does not have,
// and margin one in points.
func (c *cited) round(share float64) string {
	return c.write(share, strconv.FormatFloat(100*share, 'f', -1, 64)+" %")
}

func (c *cited) margin(share float64) string {
	return c.write(share, strconv.FormatFloat(100*share, 'f', -1, 64)+" pp")
}

func (c *cited) points(share float64) string {
	text := table.Points(share)
	if math.Abs(share) < 0.0005 {
		text = "0.0 pp" // the sign of nothing tells nothing here
	}
	return c.write(share, text)
}

func (c *cited) count(n int) string { return c.write(float64(n), fmt.Sprint(n)) }
func (c *cited) sig(v float64, digits int) string {
	return c.write(v, table.Sig(v, digits))
}
func (c *cited) fixed(v float64, digits int) string {
	return c.write(v, fmt.Sprintf("%.*f", digits, v))
}

// maybe prints a value that need not be there.
func (c *cited) maybe(v number, digits int) string {
	if math.IsNaN(float64(v)) {
		return "-"
	}
	return c.fixed(float64(v), digits)
}

// bare prints a share in per cent without the unit, which a table's head has.
func (c *cited) bare(share float64) string {
	return c.write(share, strings.TrimSuffix(table.Percent(share), " %"))
}

// change prints a difference with its interval, in points, whose unit the head has.
func (c *cited) change(i audit.Interval) string {
	if !i.Defined {
		return "-"
	}
	bare := func(v float64) string { return strings.TrimSuffix(c.points(v), " pp") }
	return fmt.Sprintf("%s [%s, %s]", bare(i.Value), bare(i.Low), bare(i.High))
}

// bounds prints the bounds of a share.
func (c *cited) bounds(i audit.Interval) string {
	return fmt.Sprintf("%s to %s", c.percent(i.Low), c.percent(i.High))
}

// share prints a share with its interval, where it is defined.
func (c *cited) share(i audit.Interval) string {
	if !i.Defined {
		return "undefined"
	}
	return fmt.Sprintf("%s [%s]", c.percent(i.Value), c.bounds(i))
}

// lint is the error of a memo with a number that has no record, or with a recommendation
// without a record, an interval and a number of items.
func (c *cited) lint(m *memo.Memo) error {
	if len(c.strays) > 0 {
		return fmt.Errorf("the memo would print %s, which is in no record of results.json", join(c.strays))
	}
	if unknown := memo.Lint(m, func(n string) bool { return c.printed[n] }); len(unknown) > 0 {
		return fmt.Errorf("the memo would print %s, for which no record is cited", join(unknown))
	}
	return nil
}

// lintAdvice is the error of a recommendation that rests on nothing.
func (r *auditResult) lintAdvice() error {
	for _, a := range r.Advice {
		if len(a.Evidence) == 0 || !a.Effect.Defined || a.N < 1 {
			return fmt.Errorf("recommendation %d has no record, no interval or no number of items", a.Rank)
		}
		for _, id := range a.Evidence {
			if !r.hasRecord(id) {
				return fmt.Errorf("recommendation %d rests on %s, which is no record of results.json", a.Rank, id)
			}
		}
	}
	return nil
}

// hasRecord reports whether results.json has what a piece of evidence names.
func (r *auditResult) hasRecord(id string) bool {
	list, name, _ := strings.Cut(id, "/")
	switch list {
	case "candidates":
		return slices.ContainsFunc(r.Candidates, func(c auditedCandidate) bool { return c.Name == name })
	case "lost":
		return slices.ContainsFunc(r.Lost.Tasks, func(g audit.Gap) bool { return g.Task == name })
	case "against":
		return slices.ContainsFunc(r.Comparisons, func(c audit.Comparison) bool { return c.ID == id })
	case "choice":
		return r.Choice != nil
	case "routing":
		return r.Routing != nil
	case "relearned":
		return r.Relearned != nil
	case "where":
		return r.Where != nil && r.Where.hasRecord(name)
	}
	return false
}

// hasRecord reports whether a finding is there.
func (f *attribution) hasRecord(name string) bool {
	list, name, _ := strings.Cut(name, "/")
	switch list {
	case "groups":
		return slices.ContainsFunc(f.Groups, func(g groupFound) bool { return g.Group == name })
	case "effective_alpha":
		_, there := f.Effective[name]
		return there
	}
	return list == "drift_against_harm" || list == "additivity"
}
