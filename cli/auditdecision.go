package cli

import (
	"crypto/sha256"
	"fmt"
	"math"
	"strings"

	"surgeon/cli/memo"
	"surgeon/probe/audit"
	"surgeon/probe/record"
)

// decisionPage is page 1: what is decided, by which rule, on what.
func (r *auditResult) decisionPage(c *cited) (memo.Page, error) {
	d := r.Decision
	sentence := c.print(d.Why)
	if d.What != "" {
		sentence = fmt.Sprintf("Ship %s. %s", c.print(d.What), sentence)
	}
	blocks := []memo.Block{
		memo.Verdict{Word: string(d.Word), Sentence: sentence + " The verdict holds for these weights, tokenizers and tasks alone; any change of them asks for a new audit.", Good: d.Word == audit.Ship, Bad: d.Word == audit.Hold},
		r.headline(c),
		memo.Heading{Text: "Decision rule, written before the first answer"},
		memo.Paragraph{Text: r.ruleWords(c)},
		r.basket(c),
		memo.Heading{Text: "To be decided"},
		memo.List{Items: r.toDecide(c)},
		memo.Code{Text: r.identities()},
	}
	return memo.Page{Heading: "Decision", Blocks: blocks}, nil
}

// headline is the three numbers of the memo.
func (r *auditResult) headline(c *cited) memo.Numbers {
	largest := memo.Number{Value: "none shown", Label: "largest regression", Detail: c.print(r.Lost.Why)}
	if r.Lost.Largest >= 0 {
		g := r.Lost.Tasks[r.Lost.Largest]
		largest = memo.Number{Value: c.points(-r.Lost.Simultaneous.Value), Label: "largest regression: " + c.print(g.Task),
			Detail: fmt.Sprintf("above chance; %s to %s, simultaneous; n = %s, all items; the largest in %s of resamples", c.points(-r.Lost.Simultaneous.High), c.points(-r.Lost.Simultaneous.Low), c.count(g.N), c.percent(r.Lost.Probability))}
		if r.Lost.RunnerUp >= 0 {
			largest.Detail += "; next: " + c.print(r.Lost.Tasks[r.Lost.RunnerUp].Task)
		}
	}
	gap := "of the largest gap closed by "
	if r.Verdict.Largest != "" {
		gap = "of the gap of " + c.print(r.Verdict.Largest) + " closed by "
	}
	return memo.Numbers{largest, r.interval(c, r.Verdict.GapClosed, gap), r.interval(c, r.Verdict.Retention, "of the domain gain kept by ")}
}

func (r *auditResult) interval(c *cited, i audit.Interval, label string) memo.Number {
	n := memo.Number{Value: "undefined", Label: label + c.print(r.Chosen), Detail: c.print(i.Why)}
	if i.Defined {
		n.Value, n.Detail = c.percent(i.Value), fmt.Sprintf("%s, on %s items that chose nothing", c.bounds(i), c.count(r.Items.Report))
	}
	return n
}

// ruleWords are the rule of the plan.
func (r *auditResult) ruleWords(c *cited) string {
	var margins []string
	seen := map[string]bool{}
	for _, t := range r.Shipped.Tasks {
		if t.Kind == audit.Domain {
			continue
		}
		if text := fmt.Sprintf("%s %s", t.Kind, c.margin(t.Margin)); !seen[text] {
			seen[text] = true
			margins = append(margins, text)
		}
	}
	finalists := "All of them were judged."
	if r.Rule.Finalists != finalistsAll {
		finalists = "Those judged are the chosen one and the best of each class."
	}
	return fmt.Sprintf("A gap is closed if no protected task loses more against the base than its margin (%s), by the lower one-sided %s bound, and %s of the domain's gain are kept, by its lower bound. The worst task decides, never the mean. "+
		"A repair that is partly closed, by %s of every gap at least, ships with conditions if no safety task lost more than its margin, %s of each gap that is left are closed and %s of the gain are kept; otherwise it is held back. What is open is never a pass. "+
		"%s candidates, the fine-tune among them, were chosen from on %s items, by their hash, and judged on the %s others; intervals are of %s. %s %s Plan %s.%s",
		strings.Join(margins, ", "), c.round(r.Rule.Confidence), c.round(r.Rule.Retention), c.round(r.Rule.Partly), c.round(r.Rule.Retention), c.round(r.Rule.Partly), c.count(r.Choice.Candidates), c.count(r.Items.Select), c.count(r.Items.Report), c.round(r.Rule.Confidence), finalists, r.luck(c), c.print(r.Plan[:12]), r.deviations())
}

// luck is the winner's-curse meter.
func (r *auditResult) luck(c *cited) string {
	how := "better"
	if r.Choice.AgainstBase < 0 {
		how = "worse"
	}
	return fmt.Sprintf("Winner's curse: on the items that chose it the chosen candidate scored %s %s than on the others, against the base; of so many candidates, were they independent, %s would be expected.",
		c.write(r.Choice.AgainstBase, fmt.Sprintf("%.1f pp", 100*math.Abs(r.Choice.AgainstBase))), how, c.points(r.Choice.Expected))
}

// deviations are candidates of the plan that came to nothing.
func (r *auditResult) deviations() string {
	var missing []string
	for _, one := range r.Candidates {
		if one.Error != "" {
			missing = append(missing, fmt.Sprintf("%s (%s)", one.Name, one.Error))
		}
	}
	if len(missing) == 0 {
		return " No deviation from it."
	}
	return " Deviations: not tried: " + strings.Join(missing, "; ") + "."
}

// basket is table 1.
func (r *auditResult) basket(c *cited) memo.Table {
	t := memo.Table{Caption: c.print("Table 1.") + fmt.Sprintf(" The basket, on the items that chose nothing, in per cent. Differences are %s against the base, in pp with their interval; lost/healed: items that the base has and the fine-tune has not, and how many of them %s has.", c.print(r.Chosen), c.print(r.Chosen)),
		Columns: []memo.Column{{Name: "task", Width: 2}, {Name: "kind"}, {Name: "n", Right: true}, {Name: "base", Right: true}, {Name: "tuned", Right: true}, {Name: "chosen", Right: true},
			{Name: "difference [interval]", Right: true}, {Name: "lost/healed", Right: true}, {Name: "gate", Width: 2}}, Marks: map[memo.Cell]memo.Mark{}}
	for i, v := range r.Verdict.Tasks {
		gate, mark := r.gateWord(c, v)
		t.Rows = append(t.Rows, []string{c.print(v.Task), string(v.Kind), c.count(v.N), c.bare(v.Base), c.bare(v.Tuned), c.bare(v.Candidate), c.change(v.Difference), c.count(v.Lost) + "/" + c.count(v.Healed), gate})
		if mark != memo.None {
			t.Marks[memo.Cell{Row: i, Column: 8}] = mark
		}
	}
	return t
}

// gateWord says whether a task passes its gate.
func (r *auditResult) gateWord(c *cited, v audit.TaskVerdict) (string, memo.Mark) {
	switch {
	case v.Kind == audit.Domain:
		return "-", memo.None
	case v.Floor:
		return "base at the floor", memo.None
	case v.NonInferior:
		return "pass", memo.Good
	case v.Failed:
		return "fail", memo.Bad
	case v.Needed > 0:
		return "open: " + c.count(v.Needed) + " items needed", memo.None
	}
	return "open", memo.None
}

// toDecide is what the reader is asked.
func (r *auditResult) toDecide(c *cited) (items []string) {
	for _, condition := range r.Decision.Conditions {
		items = append(items, c.print(condition))
	}
	if len(r.Advice) > 0 {
		items = append(items, "Whether the next cycle follows recommendation 1 of page 3.")
		c.print("recommendation 1 of page 3")
	}
	return append(items, fmt.Sprintf("Decision: ____________   by: %s   on: ____________", blank(r.Rule.Owner)))
}

// identities name what was audited.
func (r *auditResult) identities() string {
	var lines []string
	for _, m := range r.Models {
		if m.Name != "base" && m.Name != "tuned" && r.Chosen != m.Name && !strings.HasPrefix(r.Chosen, m.Name+" x ") {
			continue // another repair: results.json has its digest
		}
		lines = append(lines, fmt.Sprintf("%s: %s, digest of weights, tokenizer and template %.16s...", m.Name, m.Path, m.Digest))
		lines = append(lines, fileSums(m.Files)...)
	}
	return strings.Join(lines, "\n")
}

// mostSums is of how many files of a model the first page has the digests one by one.
const mostSums = 2

// fileSums are the digests of a model's files as sha256sum prints them; of many files that of
// these lines.
func fileSums(files []record.Input) (lines []string) {
	whole := sha256.New()
	for _, f := range files {
		lines = append(lines, fmt.Sprintf("  sha256 %s %s", f.Digest, f.Name))
		fmt.Fprintf(whole, "%s  %s\n", f.Digest, f.Name)
	}
	if len(files) > mostSums {
		return []string{fmt.Sprintf("  sha256 %x of what sha256sum prints of its %d files", whole.Sum(nil), len(files))}
	}
	return lines
}
