package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"surgeon/probe/audit"
	"surgeon/probe/record"
	"unicode"
	"unicode/utf8"
)

// open is what the verdict leaves undecided; of the fine-tune once, if it is the chosen
// one.
func (r *auditResult) open() []string {
	return slices.DeleteFunc(slices.Clone(r.Verdict.Open), func(s string) bool { return r.Chosen == "tuned" && strings.Contains(s, "the tuned model") })
}

// risks are what is left, and who has to accept it.
func (r *auditResult) risks(c *cited) (items []string) {
	for _, open := range r.open() {
		// Where the fine-tune is the candidate, page 1 says the same of the fine-tune.
		if !slices.Contains(r.Decision.Conditions, open) && !slices.Contains(r.Decision.Conditions, strings.Replace(open, "the candidate", "the fine-tune", 1)) {
			items = append(items, c.print(open))
		}
	}
	if len(r.Decision.Conditions) > 0 {
		items = append(items, "What page 1 leaves to be decided.")
		c.print("page 1")
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
		if k := slices.IndexFunc(p.ControlSteps, func(s int) bool { return number(s) >= *half }); k >= 0 {
			lost := r.Lost.Tasks[r.Lost.Largest]
			if known := p.Control[name][k]; known < number(lost.Tuned+lost.Base)/2 {
				meaning += fmt.Sprintf(", where those weights come to %s by step %s: it was unlearned rather than overwritten", c.percent(float64(known)), c.count(p.ControlSteps[k]))
			} else {
				meaning += ", but such weights learn it as fast: it is not told whether it was unlearned or overwritten"
			}
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
