package cli

import (
	"fmt"
	"slices"
	"strings"

	"surgeon/cli/memo"
	"surgeon/probe/audit"
)

// actionPage is page 3: what to do.
func (r *auditResult) actionPage(c *cited) (memo.Page, error) {
	blocks := append([]memo.Block{r.adviceTable(c)}, r.confidence(c)...)
	if r.Replay != nil && len(r.Replay.Slices) > 0 {
		blocks = append(blocks, memo.Heading{Text: "Replay plan for a next training"}, memo.Paragraph{Text: r.replayWords(c)})
	}
	blocks = append(blocks,
		memo.Heading{Text: "Residual risks"}, memo.List{Items: r.risks(c)},
		memo.Heading{Text: "Limitations"}, memo.List{Items: r.limitations(c)},
		memo.Heading{Text: "Reproduce and roll back"}, memo.Code{Text: r.reproduce()},
		memo.Paragraph{Text: fmt.Sprintf("The same inputs give the same plan, answers, memo and bytes; "+timesFile+" beside this memo has the wall time. Roll back: serve %s, whose files' sha256 stand on the first page; nothing here changes it.", r.Base)})
	return memo.Page{Heading: "Action", Blocks: blocks}, nil
}

// adviceTable is table 3.
func (r *auditResult) adviceTable(c *cited) memo.Table {
	t := memo.Table{Caption: c.print("Table 3.") + " Recommendations, the first one first. Evidence names a record of results.json, a list and the name in it; confidence is high where an effect was repeated over seeds or has all the evidence its kind asks for, medium of one run, low where only the loss was measured here.",
		Columns: []memo.Column{{Name: "#", Right: true}, {Name: "change", Width: 6}, {Name: "from → to", Width: 4}, {Name: "effect [interval], n", Width: 5}, {Name: "evidence", Width: 4}, {Name: "confidence", Width: 2}, {Name: "owner", Width: 2}, {Name: "gate that verifies it", Width: 4}}}
	for _, a := range r.Advice {
		t.Rows = append(t.Rows, []string{c.count(a.Rank), c.print(r.changeWords(a)), r.sides(c, a), r.effect(c, a), strings.Join(a.Evidence[:min(2, len(a.Evidence))], ", "), string(a.Confidence), blank(r.Rule.Owner), r.gateOf(c, a.Gate)})
	}
	if len(t.Rows) == 0 {
		t.Rows = append(t.Rows, []string{"-", "none: nothing measured here asks for a change", "-", "-", "-", "-", "-", "-"})
	}
	return t
}

// doing says what each kind of recommendation asks for.
var doing = map[audit.Action]string{
	audit.ActLearningRate: "Train with a smaller learning rate:", audit.ActReplay: "Train with replay:", audit.ActLoRA: "Use a low-rank adapter:",
	audit.ActFreeze: "Leave groups untrained:", audit.ActMerge: "Merge with the base:", audit.ActIsolation: "Keep the fine-tune apart:", audit.ActCheckpoint: "Use another checkpoint:",
	audit.ActDivergence: "Hold the training to the base:", audit.ActGates: "Ask more items:", audit.ActStop: "Stop:",
}

// changeWords are a recommendation without the numbers that stand beside it.
func (r *auditResult) changeWords(a audit.Recommendation) string {
	switch {
	case a.EffectOf.What == audit.EffectRestored:
		text, by := doing[a.Kind]+" "+a.Change, strings.TrimPrefix(a.Evidence[0], "candidates/")
		if by != a.Change {
			text += fmt.Sprintf(", measured by %s and not by training", by)
		}
		for _, one := range r.Candidates {
			if one.Name == by && one.Verdict != nil {
				text += fmt.Sprintf("; the gap is %s", one.Verdict.Word)
			}
		}
		return text + "."
	case a.Kind == audit.ActGates && len(a.Needs) == 0:
		return strings.TrimSuffix(doing[a.Kind], ":") + " of " + a.Change + "."
	case a.EffectOf.What == audit.EffectWorse:
		return fmt.Sprintf("%s %s scores less than %s, and on no protected task more.", doing[a.Kind], join(a.From.Names), a.EffectOf.Against)
	}
	return doing[a.Kind] + " " + a.Why
}

// confidence says what recommendations would need to be of high confidence.
func (r *auditResult) confidence(c *cited) []memo.Block {
	var needs []string
	for _, a := range r.Advice {
		if len(a.Needs) > 0 {
			needs = append(needs, fmt.Sprintf("%s: %s", c.count(a.Rank), c.print(join(a.Needs))))
		}
	}
	if len(needs) == 0 {
		return nil
	}
	return []memo.Block{memo.Paragraph{Text: "For high confidence would be needed: " + strings.Join(needs, "; ") + "."}}
}

// sides are what changes, from what to what.
func (r *auditResult) sides(c *cited, a audit.Recommendation) string {
	if a.Kind == audit.ActFreeze && len(a.From.Names) == 0 {
		return "all trained → frozen: " + r.setting(c, a.To)
	}
	return r.setting(c, a.From) + " → " + r.setting(c, a.To)
}

// setting is one side of a change.
func (r *auditResult) setting(c *cited, s audit.Setting) string {
	var words []string
	switch s.Unit {
	case "":
	case "share":
		words = append(words, c.percent(s.Number))
	case "items", "steps", "rank":
		words = append(words, c.count(int(s.Number))+" "+s.Unit)
	default:
		words = append(words, s.Unit+" "+c.sig(s.Number, 3))
	}
	if len(s.Names) > 0 {
		words = append(words, c.print(some(s.Names)))
	}
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, " of ")
}

// effect is what a change brought, or could bring.
func (r *auditResult) effect(c *cited, a audit.Recommendation) string {
	of := c.print(a.EffectOf.Task)
	n := c.count(a.N)
	points := c.change(a.Effect) + " pp"
	switch a.EffectOf.What {
	case audit.EffectNats:
		return fmt.Sprintf("harm %s [%s, %s] nats a token, n = %s", c.fixed(a.Effect.Value, 2), c.fixed(a.Effect.Low, 2), c.fixed(a.Effect.High, 2), n)
	case audit.EffectAtStake:
		return fmt.Sprintf("at stake: %s %s, n = %s", of, points, n)
	case audit.EffectDifference:
		return fmt.Sprintf("%s %s against %s, n = %s", of, points, c.print(a.EffectOf.Against), n)
	}
	return fmt.Sprintf("%s %s against %s, n = %s", of, points, c.print(a.EffectOf.Against), n)
}

func (r *auditResult) gateOf(c *cited, g audit.Gate) string {
	switch {
	case g.Task == "":
		return "-"
	case g.N == 0:
		return fmt.Sprintf("%s: no number of items would do", c.print(g.Task))
	}
	shows := map[string]string{audit.ShowsAboveChance: "base above chance", audit.ShowsGain: "a gain is shown"}[g.Shows]
	switch g.Shows {
	case audit.ShowsRetained:
		shows = "loses less than " + c.margin(g.Margin)
	case audit.ShowsKept:
		shows = "loses less than " + c.round(g.Margin) + " of the gain"
	}
	return fmt.Sprintf("%s: %s, n = %s", c.print(g.Task), shows, c.count(g.N))
}

// replayWords are the replay plan.
func (r *auditResult) replayWords(c *cited) string {
	var parts []string
	for _, s := range r.Replay.Slices {
		parts = append(parts, fmt.Sprintf("%s %s", c.print(s.Task), c.percent(s.Share)))
	}
	return fmt.Sprintf("Swap %s of the examples for general ones, not besides (%s), of which: %s. Pool: at least %s different examples (%s). A plan without a safety slice is not made: replay protects what it holds.",
		c.percent(r.Replay.Share), c.print(r.Replay.Source), strings.Join(parts, ", "), c.count(r.Replay.Needed), c.print(r.Replay.NeededSource))
}

// shellWords are arguments as a shell takes them.
func shellWords(args []string) (list []string) {
	for _, arg := range args {
		if strings.ContainsAny(arg, " \t\n\"'`$&|;<>()*?[]#~\\") || arg == "" {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		list = append(list, arg)
	}
	return list
}

// reproduce is the command, without what changes no answer.
func (r *auditResult) reproduce() string {
	args := []string{"surgeon", "audit", r.Base, r.Tuned}
	if len(r.plan.Argv) > 0 {
		args = nil
		for i := 0; i < len(r.plan.Argv); i++ {
			name, _, whole := strings.Cut(strings.TrimLeft(r.plan.Argv[i], "-"), "=")
			switch {
			case !strings.HasPrefix(r.plan.Argv[i], "-"):
				args = append(args, r.plan.Argv[i])
			case slices.Contains([]string{"out", "o", "reuse", "ship"}, name):
				if !whole {
					i++
				}
			case !slices.Contains([]string{"quiet", "json", "gate"}, name):
				args = append(args, r.plan.Argv[i])
			}
		}
	}
	return fmt.Sprintf("%s\nplan %s", strings.Join(shellWords(args), " "), r.Plan)
}
