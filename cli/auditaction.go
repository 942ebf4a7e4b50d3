package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"surgeon/cli/memo"
	"surgeon/probe/audit"
	"surgeon/probe/record"
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
		memo.Paragraph{Text: fmt.Sprintf("The same inputs give the same plan, answers, memo and bytes. Roll back: serve %s, whose digest stands on the first page; nothing here changes it.", r.Base)})
	return memo.Page{Heading: "Action", Blocks: blocks}, nil
}

// adviceTable is table 3.
func (r *auditResult) adviceTable(c *cited) memo.Table {
	t := memo.Table{Caption: c.print("Table 3.") + " Recommendations, the first one first; their owner is the decision owner. Evidence is a path in results.json; confidence is high where an effect was repeated over seeds or has all the evidence its kind asks for, medium of one run, low where only the loss was measured here.",
		Columns: []memo.Column{{Name: "#", Right: true}, {Name: "change", Width: 6}, {Name: "from → to", Width: 4}, {Name: "effect [interval], n", Width: 4}, {Name: "evidence", Width: 4}, {Name: "confidence", Width: 2}, {Name: "gate that verifies it", Width: 4}}}
	for _, a := range r.Advice {
		t.Rows = append(t.Rows, []string{c.count(a.Rank), c.print(doing[a.Kind] + " " + a.Why), r.setting(c, a.From) + " → " + r.setting(c, a.To), r.effect(c, a), strings.Join(a.Evidence[:min(2, len(a.Evidence))], ", "), string(a.Confidence), r.gateOf(c, a.Gate)})
	}
	if len(t.Rows) == 0 {
		t.Rows = append(t.Rows, []string{"-", "none: nothing measured here asks for a change", "-", "-", "-", "-", "-"})
	}
	return t
}

// doing says what each kind of recommendation asks for.
var doing = map[audit.Action]string{
	audit.ActLearningRate: "Train with a smaller learning rate:", audit.ActReplay: "Train with replay:", audit.ActLoRA: "Use a low-rank adapter:",
	audit.ActFreeze: "Leave groups untrained:", audit.ActMerge: "Ship a merge:", audit.ActIsolation: "Keep the fine-tune apart:", audit.ActCheckpoint: "Ship a checkpoint:",
	audit.ActDivergence: "Hold the training to the base:", audit.ActGates: "Ask more items:", audit.ActStop: "Stop:",
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

// setting is one side of a change.
func (r *auditResult) setting(c *cited, s audit.Setting) string {
	var words []string
	switch s.Unit {
	case "":
	case "share":
		words = append(words, c.percent(s.Number))
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

// open is what the verdict leaves undecided; of the fine-tune once, if it is the chosen
// one.
func (r *auditResult) open() []string {
	return slices.DeleteFunc(slices.Clone(r.Verdict.Open), func(s string) bool { return r.Chosen == "tuned" && strings.Contains(s, "the tuned model") })
}

// risks are what is left, and who has to accept it.
func (r *auditResult) risks(c *cited) (items []string) {
	for _, open := range r.open() {
		items = append(items, c.print(open))
	}
	if x := r.Routing; x != nil && len(x.Of) > 0 {
		items = append(items, fmt.Sprintf("Isolation would move the risk to its router: of prompts that it had not seen it sent %s of %s general, %s of %s safety and %s of %s domain ones to the wrong model.",
			c.count(x.Wrong[audit.General]), c.count(x.Of[audit.General]), c.count(x.Wrong[audit.Safety]), c.count(x.Of[audit.Safety]), c.count(x.Wrong[audit.Domain]), c.count(x.Of[audit.Domain])))
	}
	for _, t := range r.Twins {
		if t.LostRefusal+t.OverRefusal+t.Incoherent > 0 {
			items = append(items, fmt.Sprintf("%s: of %s pairs of a request to refuse and its harmless twin, %s were both answered, %s both refused, %s neither done right.", c.print(t.Model), c.count(t.Pairs), c.count(t.LostRefusal), c.count(t.OverRefusal), c.count(t.Incoherent)))
		}
	}
	items = append(items, r.relearnedWords(c)...)
	return append(items, "Losses of what no task of the basket asks for; to be accepted by the decision owner.")
}

// relearnedWords say whether what was lost comes back at once: then it was unlearned
// and not overwritten.
func (r *auditResult) relearnedWords(c *cited) []string {
	p := r.Relearned
	if p == nil || r.Lost.Largest < 0 {
		return nil
	}
	name := r.Lost.Tasks[r.Lost.Largest].Task
	scores, ok := p.Scores[name]
	last := len(p.ControlSteps) - 1
	at := slices.Index(p.Steps, p.ControlSteps[last])
	if !ok || at < 0 {
		return nil
	}
	meaning := "no half of it comes back: it was overwritten, and asks for training"
	if half := p.Half[name]; half != nil {
		meaning = fmt.Sprintf("half of it is back after %s steps", c.sig(float64(*half), 2))
		if *half <= number(p.ControlSteps[last]) {
			meaning += ": it was unlearned rather than overwritten, so that an attacker or a next fine-tune may undo a repair as fast"
		}
	}
	return []string{fmt.Sprintf("Relearning: %s steps on general answers bring %s of the fine-tune from %s to %s and the mean of the protected tasks from %s to %s (a model of scrambled weights: %s and %s); %s.",
		c.count(p.ControlSteps[last]), c.print(name), c.percent(float64(scores[0])), c.percent(float64(scores[at])), c.percent(float64(p.Mean[0])), c.percent(float64(p.Mean[at])), c.percent(float64(p.Control[name][last])), c.percent(float64(p.ControlMean[last])), meaning)}
}

// named is a candidate.
func (r *auditResult) named(name string) auditedCandidate {
	return r.Candidates[slices.IndexFunc(r.Candidates, func(c auditedCandidate) bool { return c.Name == name })]
}

// limitations are what the numbers do not say.
func (r *auditResult) limitations(c *cited) (items []string) {
	seeds := "one fine-tune: how far it is luck is not known"
	if n := len(r.Repeats); n > 0 {
		var words []string
		for _, one := range r.Repeats {
			words = append(words, c.percent(one.Protected.Value))
		}
		seeds = fmt.Sprintf("%s more of its recipe with other seeds score %s on the protected tasks, beside %s of this one", c.count(n), strings.Join(words, " and "), c.percent(r.named("tuned").Protected.Value))
	}
	items = append(items, fmt.Sprintf("Training: %s. Evaluation seeds: %s; where no prompt depends on them a task is asked once.", seeds, c.print(strings.ReplaceAll(strings.Trim(fmt.Sprint(r.Seeds), "[]"), " ", ", "))))
	var few, floor, ceiling []string
	for _, t := range r.Lost.Tasks {
		if t.Few {
			few = append(few, t.Task)
		}
		if t.Floor {
			floor = append(floor, t.Task)
		}
		if t.Ceiling {
			ceiling = append(ceiling, t.Task)
		}
	}
	for _, one := range []struct {
		list []string
		text string
	}{{few, "Too few items to decide: %s"}, {floor, "The base is not shown to score above chance, so nothing can be lost: %s"}, {ceiling, "The base is near the ceiling, so gains are not seen: %s"}} {
		if len(one.list) > 0 {
			items = append(items, c.print(fmt.Sprintf(one.text, join(one.list)))+".")
		}
	}
	if untested := r.untested(); untested != "" {
		items = append(items, untested)
	}
	if r.Where != nil {
		if r.Where.NotTrainable != "" {
			items = append(items, c.print("No gradients, no relearning probe and no Fisher merge: "+r.Where.NotTrainable+"."))
		}
		for _, w := range r.Where.Warnings {
			items = append(items, c.print(sentence(w)))
		}
	}
	for _, note := range r.Notes {
		items = append(items, c.print(sentence(note)))
	}
	return append(items, "Replay that is phrased as the tasks are makes their scores an upper bound.")
}

// sentence begins a note with a capital and ends it with a full stop.
func sentence(note string) string {
	first, size := utf8.DecodeRuneInString(note)
	return strings.TrimSuffix(string(unicode.ToUpper(first))+note[size:], ".") + "."
}

// usualTasks are the general benchmarks that a reader expects.
var usualTasks = []string{"mmlu", "gsm8k", "ifeval", "instruct"}

// untested names the usual benchmarks that the basket lacks.
func (r *auditResult) untested() string {
	missing := slices.Sorted(maps.Keys(r.Rule.Missing))
	for _, name := range usualTasks {
		if !slices.Contains(missing, name) && !slices.ContainsFunc(r.plan.Tasks, func(t record.TaskPlan) bool {
			return strings.HasPrefix(t.Name, name) || strings.HasPrefix(t.Group, name)
		}) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	words := "Not tested: " + join(missing) + "."
	if len(r.Rule.Missing) > 0 {
		words += " Of " + join(slices.Sorted(maps.Keys(r.Rule.Missing))) + " no data were found."
	}
	return words
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
	return fmt.Sprintf("%s\nplan %s", strings.Join(args, " "), r.Plan)
}
