package cli

import (
	"context"
	"fmt"
	"slices"
	"surgeon/probe/audit"
	"surgeon/probe/sensitivity"
	"surgeon/probe/train"
)

// relearnSteps are those after which a relearned fine-tune is asked again.
var relearnSteps = []int{5, 10, 20, 40}

func relearnedName(steps int) string { return fmt.Sprintf("relearned %d", steps) }

// controlSteps are those after which a model is asked that never knew anything: a few
// more teach it, too.
var controlSteps = []int{5, 10, 20}

func controlName(steps int) string { return fmt.Sprintf("relearned control %d", steps) }

// relearn makes the models of the relearning probe: the fine-tune after some steps of
// general answers of the items to choose by, and a control.
func (a *auditing) relearn(ctx context.Context, general []train.Example) error {
	step, finish := a.opt.progress(stage(2, "relearning"), "steps")
	defer finish()
	control, err := sensitivity.Scrambled(a.bench.Config, a.candidates[1].source, 1)
	if err != nil {
		return err
	}
	first := int64(relearnSteps[len(relearnSteps)-1])
	all := first + int64(controlSteps[len(controlSteps)-1])
	learned, err := sensitivity.Relearn(ctx, a.bench.Config, a.candidates[1].source, general, sensitivity.RelearnOptions{Steps: relearnSteps, BatchTokens: relearnRows, Progress: behind(step, 0, all)})
	if err != nil {
		return err
	}
	for _, c := range learned {
		a.made(relearnedName(c.Step), c.Weights, a.learned())
	}
	learned, err = sensitivity.Relearn(ctx, a.bench.Config, control, general, sensitivity.RelearnOptions{Steps: controlSteps, BatchTokens: relearnRows, Progress: behind(step, first, all)})
	if err != nil {
		return err
	}
	for _, c := range learned {
		a.made(controlName(c.Step), c.Weights, a.learned())
	}
	return nil
}

// relearned is the relearning probe: what comes back within a few steps was not lost,
// only unlearned.
type relearned struct {
	Steps  []int               `json:"steps"`  // 0 is the fine-tune as it is
	Scores map[string][]number `json:"scores"` // by protected task, on the items to judge on
	Mean   []number            `json:"mean"`   // of the protected tasks
	Half   map[string]*number  `json:"half"`   // steps at which half of a loss is back; null: never
	Items  map[string]int      `json:"items"`

	ControlSteps []int               `json:"control_steps"` // of a model that never knew anything
	Control      map[string][]number `json:"control"`
	ControlMean  []number            `json:"control_mean"`
}

// relearnedOf reads the probe's answers.
func relearnedOf(m *gathered) *relearned {
	names, controls := []string{"tuned"}, []string{}
	for _, s := range relearnSteps {
		names = append(names, relearnedName(s))
	}
	for _, s := range controlSteps {
		controls = append(controls, controlName(s))
	}
	for _, name := range slices.Concat(names, controls) {
		if !m.has(name, m.report) {
			return nil
		}
	}
	r := &relearned{Steps: append([]int{0}, relearnSteps...), Half: map[string]*number{}, Items: map[string]int{}, ControlSteps: controlSteps}
	r.Scores, r.Mean = m.protectedScores(names)
	r.Control, r.ControlMean = m.protectedScores(controls)
	base, _ := m.protectedScores([]string{"base"})
	for t, task := range m.tasks {
		if task.Kind == audit.Domain {
			continue
		}
		var scores []float64
		for _, v := range r.Scores[task.Name] {
			scores = append(scores, float64(v))
		}
		r.Items[task.Name], r.Half[task.Name] = len(m.report[t]), nil
		if half, ok := sensitivity.Halflife(r.Steps, scores, float64(base[task.Name][0])); ok {
			n := number(half)
			r.Half[task.Name] = &n
		}
	}
	return r
}

// protectedScores are the mean scores of some models on each protected task, of the
// items to judge on, and their means over the tasks.
func (g *gathered) protectedScores(models []string) (scores map[string][]number, means []number) {
	scores, means = map[string][]number{}, make([]number, len(models))
	tasks := number(0)
	for t, task := range g.tasks {
		if task.Kind == audit.Domain {
			continue
		}
		tasks++
		for k, model := range models {
			sum := number(0)
			for _, v := range g.part(model, g.report).Scores[t] {
				sum += number(v)
			}
			sum /= number(len(g.report[t]))
			scores[task.Name], means[k] = append(scores[task.Name], sum), means[k]+sum
		}
	}
	for k := range means {
		means[k] /= max(1, tasks)
	}
	return scores, means
}
