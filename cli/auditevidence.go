package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/cli/memo"
	"surgeon/probe/audit"
)

// evidencePage is page 2: what was measured.
func (r *auditResult) evidencePage(c *cited) (memo.Page, error) {
	blocks, err := r.figures(c)
	if err != nil {
		return memo.Page{}, err
	}
	blocks = append(blocks, r.repairTable(c))
	if len(r.Repaired) > 0 {
		blocks = append(blocks, memo.Paragraph{Text: c.print(strings.Join(r.Repaired, " "))})
	}
	blocks = append(blocks, memo.Paragraph{Text: strings.Join(slices.Concat(r.whereWords(c), r.behaviourWords(c)), " ")})
	if words := r.formWords(c); len(words) > 0 {
		blocks = append(blocks, memo.Heading{Text: "Form and knowledge"}, memo.Paragraph{Text: strings.Join(words, " ")})
	}
	if len(r.Examples) > 0 {
		blocks = append(blocks, memo.Heading{Text: "Answers that were lost"}, memo.Code{Text: r.exampleText()})
	}
	return memo.Page{Heading: "Evidence", Blocks: blocks}, nil
}

// costs say what a class of repairs asks for.
var costs = map[string]string{
	classInterpolation: "one merge", classLiNeS: "one merge", classRevert: "one merge", classGroups: "one merge, after a search",
	classLoRA: "one extraction", classRegMean: "one merge, after some prompts", classFisher: "one merge, after gradients",
	classIsolation: "two models and a router to serve",
}

// costOf says what a repair asks for; of a training run whose recipe is known, its steps.
func (r *auditResult) costOf(c *cited, one auditedCandidate) string {
	text := "a training run"
	if one.Steps > 0 {
		text += fmt.Sprintf(" of %s steps", c.count(one.Steps))
	}
	switch one.Class {
	case classTraining:
		return text
	case classTrainedMerge:
		return text + " and a merge"
	}
	return costs[one.Class]
}

// repairTable is the best repair of every class, and the chosen one.
func (r *auditResult) repairTable(c *cited) memo.Table {
	t := memo.Table{Caption: c.print("Table 2.") + fmt.Sprintf(" The best repair of each class, chosen on %s items and judged on %s others; in per cent. Differences are to the base.", c.count(r.Items.Select), c.count(r.Items.Report)),
		Columns: []memo.Column{{Name: "repair", Width: 2}, {Name: "protected", Right: true}, {Name: "worst task, difference (pp)", Width: 3}, {Name: "gain kept [interval]", Right: true}, {Name: "asks for", Width: 2}, {Name: "the gap is"}},
		Marks:   map[memo.Cell]memo.Mark{}}
	for _, one := range r.Candidates {
		if !slices.Contains(r.Best, one.Name) && one.Class != classIsolation || one.Verdict == nil {
			continue
		}
		name := c.print(one.Name)
		if one.Name == r.Chosen {
			name += " (chosen)"
		}
		row := len(t.Rows)
		t.Rows = append(t.Rows, []string{name, c.bare(one.Protected.Value), r.worstOf(c, one.Verdict), c.share(one.Verdict.Retention), r.costOf(c, one), string(one.Verdict.Word)})
		switch one.Verdict.Word {
		case audit.Closed:
			t.Marks[memo.Cell{Row: row, Column: 5}] = memo.Good
		case audit.NotClosed:
			t.Marks[memo.Cell{Row: row, Column: 5}] = memo.Bad
		}
	}
	return t
}

// worstOf is the protected task on which a verdict rests.
func (r *auditResult) worstOf(c *cited, v *audit.Verdict) string {
	for _, t := range v.Tasks {
		if t.Task == v.Worst {
			return fmt.Sprintf("%s %s", c.print(t.Task), c.change(t.Difference))
		}
	}
	return "-"
}

// leastHarm is the rise of the general loss that counts, in nats a token.
const leastHarm = 1e-3

// whereWords say where the harm sits, and whether drift would have told it.
func (r *auditResult) whereWords(c *cited) (words []string) {
	w := r.Where
	if w == nil || len(w.Groups) == 0 {
		return nil
	}
	worst := slices.MaxFunc(w.Groups, func(a, b groupFound) int { return compareNumbers(a.Harm, b.Harm) })
	if !(worst.Harm > leastHarm) {
		return []string{fmt.Sprintf("Where: the general loss went from %s to %s nats a token, by %s general answers: there is no harm to find a place for.", c.fixed(float64(w.Base.General), 3), c.fixed(float64(w.Tuned.General), 3), c.count(w.References[0]))}
	}
	words = append(words, fmt.Sprintf("Where: most of the harm sits in %s (%s nats a token of general loss, for %s of the domain's), by %s general and %s domain answers: the right ones where one is right, elsewhere the model's own that knows best; additivity %s, residual %s nats.",
		c.print(worst.Group), c.fixed(float64(worst.Harm), 2), c.fixed(float64(worst.Benefit), 2), c.count(w.References[0]), c.count(w.References[1]), c.maybe(w.Additivity, 2), c.maybe(w.Residual.General, 3)))
	if d := w.Drift; d.Rho == d.Rho {
		verdict := "a map, and no verdict"
		if d.Low > 0 {
			verdict = "it would have told much of it"
		}
		words = append(words, fmt.Sprintf("Drift ranks the groups as measured harm does with a rank correlation of %s [%s, %s] (n = %s groups): %s.",
			c.fixed(float64(d.Rho), 2), c.fixed(float64(d.Low), 2), c.fixed(float64(d.High), 2), c.count(d.N), verdict))
	}
	if i := w.Integrated; i != nil && !math.IsNaN(float64(i.Agreement.Rho)) {
		words = append(words, fmt.Sprintf("Gradients at %s points of the way rank them alike to %s.", c.count(i.Nodes), c.fixed(float64(i.Agreement.Rho), 2)))
	}
	for _, name := range r.Best {
		if v, there := w.Effective[name]; there && !math.IsNaN(float64(v)) {
			words = append(words, fmt.Sprintf("Stored as %s, %s comes to an effective alpha of %s.", w.Type, c.print(name), c.fixed(float64(v), 3)))
		}
	}
	return words
}

// behaviourWords say how far the next token and the hidden states moved.
func (r *auditResult) behaviourWords(c *cited) (words []string) {
	if r.Where == nil || r.Where.Behaviour == nil {
		return nil
	}
	b := r.Where.Behaviour
	words = append(words, fmt.Sprintf("Behaviour: the next token's KL(base || fine-tune) is %s nats behind %s general prompts and %s behind %s of the domain.",
		c.fixed(float64(b.Divergence[0]), 2), c.count(b.Prompts[0]), c.fixed(float64(b.Divergence[1]), 2), c.count(b.Prompts[1])))
	if n := len(b.Alignment); n > 0 {
		words = append(words, fmt.Sprintf("The residual streams agree to a CKA of %s before the first layer and %s behind the last.", c.fixed(float64(b.Alignment[0]), 2), c.fixed(float64(b.Alignment[n-1]), 2)))
	}
	return words
}

// exampleText shows some answers. They stand as they are, so apart from the numbers
// that are checked.
func (r *auditResult) exampleText() string {
	var lines []string
	for _, e := range r.Examples {
		lines = append(lines, fmt.Sprintf("%s/%s\n  base: %s\n  %s: %s", e.Task, e.Item, e.Base, "tuned", e.Tuned))
	}
	return strings.Join(lines, "\n")
}
