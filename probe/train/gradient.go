package train

import (
	"context"
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"surgeon/probe/decoder"
	"surgeon/probe/decoder/op"
	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// Gradients computes the loss of a model on examples, and its gradient by every
// weight, without a step: at one point after the other, if asked to. A tied
// embedding has one gradient, of both its places.
//
// It is for models small enough to train, of the families that New takes. It may
// be used by one goroutine at a time.
type Gradients struct {
	config     decoder.Config
	options    GradientOptions
	parameters []*parameter
	losses     *graph      // the way forward alone; nil until it is needed, as the next two
	batches    *graph      // of BatchTokens rows
	single     *graph      // of one example
	rows       int         // of single
	sums       [][]float64 // over batches, by parameter
	done, all  int         // examples of the call that runs
}

// GradientOptions are the choices of Gradients. Zero values stand for the
// defaults that are stated.
type GradientOptions struct {
	// BatchTokens are the rows of a batch, prompts included: 768. Sums within a
	// batch are float32, over batches float64, so that it shows in last digits.
	BatchTokens int
	// Memory is the bytes that may be taken, by the estimate of GradientMemory:
	// any number.
	Memory int64
	// Progress is told how many examples of a call of Loss, Mean or Each are done;
	// may be nil.
	Progress func(done, total int64)
}

func (o GradientOptions) withDefaults() GradientOptions {
	if o.BatchTokens == 0 {
		o.BatchTokens = 768
	}
	return o
}

// NewGradients reads a model into memory. The error names what has no gradient,
// or how much memory it would take.
func NewGradients(c decoder.Config, at tensors.Source, opt GradientOptions) (*Gradients, error) {
	opt = opt.withDefaults()
	need := GradientMemory(c, opt)
	switch err := supported(c); {
	case err != nil:
		return nil, err
	case opt.BatchTokens < 2 || opt.BatchTokens > 1<<20:
		return nil, fmt.Errorf("a batch of %d tokens: want from 2 to %d", opt.BatchTokens, 1<<20)
	case c.Window > 0 && c.Window < c.Context && c.Window < opt.BatchTokens:
		return nil, fmt.Errorf("a sliding window of %d tokens is narrower than a batch of %d", c.Window, opt.BatchTokens)
	case opt.Memory > 0 && need > opt.Memory:
		return nil, fmt.Errorf("gradients of this model take about %d MB of memory and %d MB are allowed: they are for models small enough to train; a smaller batch than %d tokens may help", need>>20, opt.Memory>>20, opt.BatchTokens)
	}
	g := &Gradients{config: c, options: opt}
	for _, t := range c.Tensors() {
		g.parameters = append(g.parameters, &parameter{name: t.Name, shape: t.Shape, values: make([]float32, tensor.Shape(t.Shape).TotalSize())})
	}
	return g, g.Move(at)
}

// Move goes to other weights of the same model. After an error the weights are
// of no use.
func (g *Gradients) Move(at tensors.Source) error {
	if _, err := decoder.Open(g.config, at); err != nil { // every tensor is there, in its shape
		return err
	}
	for _, p := range g.parameters {
		if err := at.Read(p.values, p.name, 0); err != nil {
			return err
		}
		if !kernel.Finite(p.values) {
			return fmt.Errorf("tensor %q holds a value that is not finite: there is no gradient there", p.name)
		}
		p.version++
	}
	return nil
}

// Loss is the mean cross-entropy of the examples' learned tokens in nats, each
// token of the same weight: the way forward alone.
func (g *Gradients) Loss(ctx context.Context, examples []Example) (float64, error) {
	if err := g.fit(examples); err != nil {
		return 0, err
	}
	if g.losses == nil {
		g.losses = newGraph(g.config, g.parameters, g.options.BatchTokens, nil, nil)
	}
	return g.mean(ctx, g.losses, examples, func(pass *op.Pass) error {
		logits, err := g.losses.forward()
		if err != nil {
			return err
		}
		l := &pass.Loss
		l.Rows = make([]float64, len(l.Targets))
		kernel.CrossEntropy(l.Rows, nil, logits, l.Targets, l.Weights)
		return nil
	})
}

// Mean is the Loss, and calls yield with its gradient, tensor by tensor in the
// order of decoder.Config.Tensors. What yield gets is its to read until it
// returns.
func (g *Gradients) Mean(ctx context.Context, examples []Example, yield func(name string, gradient []float64)) (float64, error) {
	if err := g.fit(examples); err != nil {
		return 0, err
	}
	if g.batches == nil {
		g.batches = newGraph(g.config, g.parameters, g.options.BatchTokens, g.parameters, nil)
		for _, p := range g.parameters {
			g.sums = append(g.sums, make([]float64, len(p.values)))
		}
	}
	for _, sum := range g.sums {
		clear(sum)
	}
	loss, err := g.mean(ctx, g.batches, examples, func(*op.Pass) error {
		return g.batches.gradients(g.parameters, func(i int, gradient []float32) {
			sum := g.sums[i]
			kernel.Parallel(len(sum), func(low, high int) {
				for i := low; i < high; i++ {
					sum[i] += float64(gradient[i])
				}
			})
		})
	})
	if err != nil {
		return 0, err
	}
	n := float64(learned(examples))
	for i, p := range g.parameters {
		for j := range g.sums[i] {
			g.sums[i][j] /= n
		}
		yield(p.name, g.sums[i])
	}
	return loss, nil
}

// Each calls yield with the gradient of every example alone: of the negative
// log-likelihood of its learned tokens, their sum and not their mean, in nats.
// For one example after the other it yields tensor by tensor, in the order of
// decoder.Config.Tensors. What yield gets is its to read until it returns. Each
// returns the Loss.
func (g *Gradients) Each(ctx context.Context, examples []Example, yield func(example int, name string, gradient []float32)) (float64, error) {
	if err := g.fit(examples); err != nil {
		return 0, err
	}
	longest := 0
	for _, e := range examples {
		longest = max(longest, len(e.Tokens)-1)
	}
	if g.single == nil || g.rows != longest { // bits do not depend on the rows behind an example
		g.single, g.rows = newGraph(g.config, g.parameters, longest, g.parameters, nil), longest
	}
	total := 0.0
	for i := range examples {
		loss, err := g.mean(ctx, g.single, examples[i:i+1], func(*op.Pass) error {
			return g.single.gradients(g.parameters, func(p int, gradient []float32) { yield(i, g.parameters[p].name, gradient) })
		})
		if err != nil {
			return 0, fmt.Errorf("example %d: %w", i+1, err)
		}
		total += float64(loss * float64(examples[i].learned()))
	}
	return total / float64(learned(examples)), nil
}

// fit checks examples, and begins a call for them.
func (g *Gradients) fit(examples []Example) error {
	g.done, g.all = 0, len(examples)
	if learned(examples) == 0 {
		return fmt.Errorf("no token of %d examples is learned: there is no loss", len(examples))
	}
	return fits("an example", examples, g.config, g.options.BatchTokens)
}

// learned is the number of tokens that examples teach.
func learned(examples []Example) (n int) {
	for _, e := range examples {
		n += e.learned()
	}
	return n
}

// mean runs a graph for one batch after the other, as many examples in each as
// it has rows for, and is the mean loss of the learned tokens, 0 if there are
// none. Each token has the weight 1 there.
func (g *Gradients) mean(ctx context.Context, on *graph, examples []Example, run func(pass *op.Pass) error) (float64, error) {
	sum, rows := 0.0, on.logits.Shape()[0]
	for from := 0; from < len(examples); {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		b := &batch{rows: rows}
		for used := 0; from < len(examples); from++ {
			if used += len(examples[from].Tokens) - 1; used > rows {
				break
			}
			b.sequences = append(b.sequences, &examples[from])
		}
		b.whole(&on.pass, g.config)
		if err := run(&on.pass); err != nil {
			return 0, err
		}
		sum += total(on.pass.Loss.Rows)
		if g.done += len(b.sequences); g.options.Progress != nil {
			g.options.Progress(int64(g.done), int64(g.all))
		}
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return 0, fmt.Errorf("the loss is %g: not finite", sum)
	}
	return sum / float64(max(1, learned(examples))), nil
}

// gradients runs the graph and calls use with the gradient of each parameter.
func (g *graph) gradients(of []*parameter, use func(i int, gradient []float32)) error {
	if err := g.backward(); err != nil {
		return err
	}
	for i, node := range g.slopes {
		gradient := op.Floats(node.Value())
		if !kernel.Finite(gradient) {
			return fmt.Errorf("the gradient of tensor %q is not finite", of[i].name)
		}
		use(i, gradient)
	}
	return nil
}
