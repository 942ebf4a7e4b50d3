package cli

import (
	"context"
	"fmt"
	"slices"

	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/activation"
	"surgeon/probe/attribute"
	"surgeon/probe/audit"
	"surgeon/probe/sensitivity"
	"surgeon/probe/train"
	"surgeon/tensors"
)

// Weights of the fine-tune in merges by the models' inputs and by their gradients.
var (
	regmeanWeights = []float64{0.25, 0.5, 0.75}
	fisherWeights  = []float64{0.3, 0.5, 0.7}
)

func regmeanName(w float64) string { return fmt.Sprintf("RegMean %v", w) }
func fisherName(w float64) string  { return fmt.Sprintf("Fisher %v", w) }

// trainableParameters is up to where a model is small enough for gradients.
const trainableParameters = 20_000_000

// untrainable says why there are no gradients of the models, or "".
func (a *auditing) untrainable() string {
	if n := parameters(a.in.base.Checkpoint); n > trainableParameters {
		return fmt.Sprintf("the model has %.1f million parameters, and gradients are taken of models of up to %d million", float64(n)/1e6, trainableParameters/1_000_000)
	}
	if _, err := train.NewGradients(a.bench.Config, a.in.from, train.GradientOptions{}); err != nil {
		return err.Error()
	}
	return ""
}

// regmean makes the merges by the Gram matrices of the inputs, of general prompts
// through the base and of the domain's through the fine-tune.
func (a *auditing) regmean(ctx context.Context) error {
	if !a.tries(classRegMean) {
		return nil
	}
	var grams [2]*activation.Grams
	for side, list := range a.prompts() {
		var ids [][]int32
		for _, text := range list {
			ids = append(ids, a.encoded(text))
		}
		step, finish := a.opt.progress(stage(2, "inputs of the matrices"), "rows")
		var err error
		grams[side], err = activation.Collect(ctx, a.bench.Config, a.candidates[side].source, ids, activation.Options{Progress: step})
		finish()
		if err != nil {
			return err
		}
	}
	for _, w := range regmeanWeights {
		delta := merge.RegMean(a.in.tuned[0].delta, grams[0].Of, grams[1].Of, merge.RegMeanOptions{Weight: w})
		if err := a.becomes(regmeanName(w), delta); err != nil {
			return err
		}
	}
	return nil
}

// becomes makes a candidate of a difference to the base.
func (a *auditing) becomes(name string, delta tensors.Delta) error {
	m, err := merge.Apply(a.in.from, merge.Term{Label: a.tuned, Delta: delta, Alpha: merge.Number(1)})
	if err != nil {
		return err
	}
	for i := range a.candidates {
		if c := &a.candidates[i]; c.Name == name {
			c.source, c.identity = m, a.digest(name, fmt.Sprint(a.opt.references))
		}
	}
	return nil
}

// encoded are the tokens of a prompt, its end if it is too long.
func (a *auditing) encoded(text string) []int32 {
	ids := probe.Begin(a.bench.Tokenizer, a.bench.Tokenizer.Encode(text))
	return ids[max(0, len(ids)-a.bench.Config.Context):]
}

// examples are reference answers to learn from.
func examples(list []reference) (examples []train.Example) {
	for _, r := range list {
		prompt, answer := r.request.Prompt, r.request.Continuations[0]
		e := train.Example{Tokens: slices.Concat(prompt, answer), Learned: make([]bool, len(prompt)+len(answer))}
		for i := len(prompt); i < len(e.Learned); i++ {
			e.Learned[i] = true
		}
		examples = append(examples, e)
	}
	return examples
}

// fisher makes the merges by the diagonals of the Fisher information.
func (a *auditing) fisher(ctx context.Context, general, domain []train.Example) error {
	if !a.tries(classFisher) {
		return nil
	}
	_, finish := a.opt.progress(stage(2, "squares of gradients"), "examples")
	defer finish()
	var diagonals [2]*sensitivity.Diagonal
	for side, examples := range [][]train.Example{general, domain} {
		d, err := sensitivity.Fisher(ctx, a.bench.Config, a.candidates[side].source, examples, train.GradientOptions{})
		if err != nil {
			return err
		}
		diagonals[side] = d.Normalised()
	}
	for _, w := range fisherWeights {
		delta := merge.Fisher(a.in.tuned[0].delta, merge.PrecisionOf(diagonals[0]), merge.PrecisionOf(diagonals[1]), w)
		if err := a.becomes(fisherName(w), delta); err != nil {
			return err
		}
	}
	return nil
}

// integrated is the harm and the benefit of groups by gradients along the way from
// the base to the fine-tune, a second opinion of the sweep's.
type integrated struct {
	Nodes        int         `json:"nodes"`
	Harm         []number    `json:"harm"` // of each group, nats a token
	Benefit      []number    `json:"benefit"`
	Residual     losses      `json:"residual"`
	Completeness losses      `json:"completeness"` // the residual as a share of the whole
	Agreement    correlation `json:"harm_against_sweep"`
}

// integrate finds the shares of the groups by gradients.
func (a *auditing) integrate(ctx context.Context, f *attribution) error {
	if a.frozen != "" {
		return nil
	}
	general, domain := examples(a.general), examples(a.domain)
	_, finish := a.opt.progress(stage(2, "gradients along alpha"), "nodes")
	defer finish()
	path, err := sensitivity.Path(ctx, a.bench.Config, a.in.from, a.in.tuned[0].delta, general, domain, a.groups, sensitivity.PathOptions{Nodes: pathNodes})
	if err != nil {
		return err
	}
	i := &integrated{Nodes: len(path.Nodes), Residual: lossesOf(path.Residual), Completeness: lossesOf(path.Completeness)}
	var swept, integrals []float64
	for n, e := range path.Effects {
		i.Harm, i.Benefit = append(i.Harm, number(e.Harm)), append(i.Benefit, number(e.Benefit))
		swept, integrals = append(swept, float64(f.Groups[n].Harm)), append(integrals, e.Harm)
	}
	rho, low, high := attribute.RankCorrelation(integrals, swept)
	i.Agreement = correlation{number(rho), number(low), number(high), len(swept)}
	f.Integrated = i
	return nil
}

// byGradients makes the candidates that take gradients.
func (a *auditing) byGradients(ctx context.Context) error {
	if a.frozen != "" {
		return nil
	}
	general, domain := examples(a.general), examples(a.domain)
	if err := a.fisher(ctx, general, domain); err != nil {
		return err
	}
	return a.relearn(ctx, general)
}

// pathNodes is at how many points on the way gradients are taken, and relearnRows the
// tokens of a batch of relearning.
const (
	pathNodes   = 5
	relearnRows = 768
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
	_, finish := a.opt.progress(stage(2, "relearning"), "steps")
	defer finish()
	control, err := sensitivity.Scrambled(a.bench.Config, a.candidates[1].source, 1)
	if err != nil {
		return err
	}
	add := func(name string, src tensors.Source) {
		for i := range a.candidates {
			if c := &a.candidates[i]; c.Name == name {
				c.source, c.identity = src, a.digest(name, fmt.Sprint(a.opt.references))
			}
		}
	}
	learned, err := sensitivity.Relearn(ctx, a.bench.Config, a.candidates[1].source, general, sensitivity.RelearnOptions{Steps: relearnSteps, BatchTokens: relearnRows})
	if err != nil {
		return err
	}
	for _, c := range learned {
		add(relearnedName(c.Step), c.Weights)
	}
	learned, err = sensitivity.Relearn(ctx, a.bench.Config, control, general, sensitivity.RelearnOptions{Steps: controlSteps, BatchTokens: relearnRows})
	if err != nil {
		return err
	}
	for _, c := range learned {
		add(controlName(c.Step), c.Weights)
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
				sum += number(v) / number(len(g.report[t]))
			}
			scores[task.Name], means[k] = append(scores[task.Name], sum), means[k]+sum
		}
	}
	for k := range means {
		means[k] /= max(1, tasks)
	}
	return scores, means
}

// prompts are those of the items to choose by, general ones and those of the domain.
func (a *auditing) prompts() (prompts [2][]string) {
	seen := map[string]bool{}
	for _, q := range a.asked {
		side := 0
		if a.kinds[a.unit(a.bench.Tasks[q.Task].Name)] == audit.Domain {
			side = 1
		}
		if !seen[q.Prompt] && a.selects(a.bench.Tasks[q.Task].Name, a.bench.Tasks[q.Task].Items[q.Item]) {
			seen[q.Prompt] = true
			prompts[side] = append(prompts[side], q.Prompt)
		}
	}
	for side := range prompts {
		prompts[side] = thin(prompts[side], mostPrompts)
	}
	return prompts
}
