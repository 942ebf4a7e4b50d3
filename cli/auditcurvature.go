package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"surgeon/merge"
	"surgeon/probe/activation"
	"surgeon/probe/attribute"
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
var trainableParameters int64 = 20_000_000

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
	prompts := a.prompts()
	for side, list := range prompts {
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
		if err := a.becomes(regmeanName(w), delta, fmt.Sprint(prompts)); err != nil {
			return err
		}
	}
	return nil
}

// learned is what candidates were made of that gradients make: the references, as tokens.
func (a *auditing) learned() string {
	var text strings.Builder
	fmt.Fprintln(&text, len(a.general), len(a.domain))
	for _, r := range slices.Concat(a.general, a.domain) {
		fmt.Fprintln(&text, r.request.Prompt, r.request.Continuations)
	}
	return text.String()
}

// becomes makes a candidate of a difference to the base. Its identity is that of what it
// was made of.
func (a *auditing) becomes(name string, delta tensors.Delta, of string) error {
	m, err := merge.Apply(a.in.from, merge.Term{Label: a.tuned, Delta: delta, Alpha: merge.Number(1)})
	if err != nil {
		return err
	}
	a.made(name, m, of)
	return nil
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
	step, finish := a.opt.progress(stage(2, "squares of gradients"), "examples")
	defer finish()
	var diagonals [2]*sensitivity.Diagonal
	for side, examples := range [][]train.Example{general, domain} {
		before, all := int64(side*len(general)), int64(len(general)+len(domain))
		d, err := sensitivity.Fisher(ctx, a.bench.Config, a.candidates[side].source, examples, train.GradientOptions{Progress: behind(step, before, all)})
		if err != nil {
			return err
		}
		diagonals[side] = d.Normalised()
	}
	for _, w := range fisherWeights {
		delta := merge.Fisher(a.in.tuned[0].delta, merge.PrecisionOf(diagonals[0]), merge.PrecisionOf(diagonals[1]), w)
		if err := a.becomes(fisherName(w), delta, a.learned()); err != nil {
			return err
		}
	}
	return nil
}

// behind tells the progress of a part of a whole of which so much is done before; nil
// tells nobody.
func behind(step func(done, total int64), before, total int64) func(done, total int64) {
	if step == nil {
		return nil
	}
	return func(done, _ int64) { step(before+done, total) }
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
	step, finish := a.opt.progress(stage(2, "gradients along alpha"), "examples")
	defer finish()
	path, err := sensitivity.Path(ctx, a.bench.Config, a.in.from, a.in.tuned[0].delta, general, domain, a.groups, sensitivity.PathOptions{Nodes: pathNodes, Progress: step})
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
	if a.frozen != "" || len(a.general) == 0 || len(a.domain) == 0 {
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
