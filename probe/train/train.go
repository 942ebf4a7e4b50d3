// Package train fine-tunes a Llama-shaped model: the decoder's own operations in
// one gorgonia graph, gorgonia's gradients through them, and AdamW.
//
// The story in order:
//
//  1. An [Example] is tokens and which of them are learned: the answer, not the
//     prompt. [Lines] reads examples from JSON lines.
//  2. [New] puts a model and [Data] together under [Options]: all weights or some
//     (Frozen), or a low-rank adapter beside them (LowRank); with general data
//     that replaces a share of the examples (ReplayShare), the divergence from
//     the model before on further texts (KL), or a pull back to the weights
//     before (L2SP).
//  3. [Run.Step] draws a batch of whole examples, each a sequence of its own,
//     and makes one step. [Run.Save] and [Restore] stop and go on: a run that was
//     stopped gives the same bits as one that was not.
//  4. [Run.Weights] is the trained model as a tensors.Source, [Run.Adapter] the
//     adapter.
//
// Everything is float32 in the fixed order of package kernel, sums over a model
// float64: a run has the same bits for any number of threads and any instruction
// set but kernel's amx. What is drawn depends on the seed and the number of the
// draw alone.
package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/probe/decoder"
	"surgeon/tensors"
)

// Data is what is learned from.
type Data struct {
	Domain     []Example // what the model is to learn
	Replay     []Example // what it knew, of which a share is mixed in
	Unlabelled []Example // texts on which it is to stay near the model before; all of their tokens count
}

// Run is a training that goes on.
type Run struct {
	config     decoder.Config
	options    Options
	data       Data
	parameters []*parameter // in the order of decoder.Config.Tensors; adapters behind what they adapt
	trained    []*parameter // those that change
	graph      *graph
	teacher    *graph // of the weights before, over the unlabelled rows; nil for none
	draw       *drawing
	step       int
	identity   string // at the start
}

// Report is what happened in a step.
type Report struct {
	Step         int     `json:"step"`                 // from 1
	Loss         float64 `json:"loss"`                 // mean cross-entropy of the learned tokens, nats
	Divergence   float64 `json:"divergence,omitempty"` // mean KL(before || now) of the unlabelled tokens, nats
	GradientNorm float64 `json:"gradient_norm"`        // before it was clipped
	LearningRate float64 `json:"learning_rate"`
	Learned      int     `json:"learned_tokens"` // whose loss counts
	Tokens       int     `json:"tokens"`         // of examples, prompts included
	Examples     int     `json:"examples"`
	Replayed     int     `json:"replayed"` // of the examples
}

// New begins a training of a model, whose weights are read into memory. The
// error names what cannot be trained or fits no batch.
func New(c decoder.Config, base tensors.Source, data Data, opt Options) (*Run, error) {
	opt = opt.withDefaults()
	if err := opt.check(c, data); err != nil {
		return nil, err
	}
	if _, err := decoder.Open(c, base); err != nil { // every tensor is there, in its shape
		return nil, err
	}
	r := &Run{config: c, options: opt, data: data}
	for _, t := range c.Tensors() {
		p, err := readParameter(base, t.Name, t.Shape)
		if err != nil {
			return nil, err
		}
		p.frozen = opt.LowRank != nil || opt.Frozen != nil && opt.Frozen(t.Name)
		r.parameters = append(r.parameters, p)
	}
	if opt.KL > 0 {
		r.teacher = newGraph(c, r.frozenCopies(), opt.UnlabelledTokens, nil, nil)
	}
	if opt.LowRank != nil {
		r.addLowRank()
	}
	for _, p := range r.parameters {
		if !p.frozen {
			p.begin(opt.L2SP > 0)
			r.trained = append(r.trained, p)
		}
	}
	if len(r.trained) == 0 {
		return nil, fmt.Errorf("every parameter is frozen: nothing can be trained")
	}
	rows := opt.BatchTokens
	if opt.KL > 0 {
		rows += opt.UnlabelledTokens
	}
	r.graph = newGraph(c, r.parameters, rows, r.trained, opt.LowRank)
	var err error
	if r.draw, err = newDrawing(c, data, opt); err != nil {
		return nil, err
	}
	r.Identity() // before anything changes
	return r, nil
}

// Options are those of the run, defaults filled in.
func (r *Run) Options() Options { return r.options }

// Done is the number of steps that were made.
func (r *Run) Done() int { return r.step }

// Parameters counts the values that are trained, and those of the model, to which
// an adapter does not belong.
func (r *Run) Parameters() (trained, all int64) {
	for _, p := range r.parameters {
		if !p.adapts() {
			all += int64(len(p.values))
		}
	}
	for _, p := range r.trained {
		trained += int64(len(p.values))
	}
	return trained, all
}

// Step makes the next step. The error says what is not finite; the weights are
// then those before the step.
func (r *Run) Step() (Report, error) {
	opt := r.options
	b := r.draw.batch()
	report := Report{Step: r.step + 1, LearningRate: opt.rate(r.step), Learned: b.learned, Tokens: b.tokens, Replayed: b.replayed, Examples: b.examples}
	pass := &r.graph.pass
	b.load(pass, r.config)
	if r.teacher != nil {
		u := r.draw.unlabelled()
		u.begin(&r.teacher.pass, r.config)
		logits, err := r.teacher.forward()
		if err != nil {
			return report, err
		}
		u.append(pass, r.config, opt, logits)
	}
	if err := r.graph.backward(); err != nil {
		return report, err
	}
	n := len(pass.Loss.Targets)
	report.Loss, report.Divergence = total(pass.Loss.Rows[:n]), total(pass.Loss.Rows[n:])
	if opt.KL > 0 {
		report.Divergence /= opt.KL
	}
	report.GradientNorm = norm(r.trained)
	if bad := report.Loss + report.Divergence + report.GradientNorm; math.IsNaN(bad) || math.IsInf(bad, 0) {
		return report, fmt.Errorf("step %d: loss %g, gradient norm %g: not finite; a lower learning rate than %g may help", report.Step, report.Loss, report.GradientNorm, opt.LearningRate)
	}
	r.step++
	scale := 1.0
	if opt.ClipNorm > 0 {
		scale = min(1, opt.ClipNorm/(report.GradientNorm+1e-6))
	}
	for _, p := range r.trained {
		p.update(opt, report.LearningRate, float32(scale), r.step)
	}
	return report, nil
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// frozenCopies are the parameters as they are now, to stay so. They share
// memory with what is frozen anyway.
func (r *Run) frozenCopies() []*parameter {
	copies := make([]*parameter, len(r.parameters))
	for i, p := range r.parameters {
		c := &parameter{name: p.name, shape: p.shape, values: p.values, frozen: true}
		if !p.frozen {
			c.values = slices.Clone(p.values)
		}
		copies[i] = c
	}
	return copies
}

// supported refuses by name what has no gradient.
func supported(c decoder.Config) error {
	var refused []string
	for _, s := range []struct {
		is   bool
		what string
	}{
		{c.GELU, "a GELU gate"}, {c.ScoreCap != 0, "capped attention scores"}, {c.LogitCap != 0, "capped logits"},
		{c.OnePlus, "norms that multiply by 1 + weight"}, {c.EmbeddingScale != 0, "a scaled embedding"},
		{c.Fused, "fused projections"}, {len(c.Each) > 0, "layers of different kinds"},
	} {
		if s.is {
			refused = append(refused, s.what)
		}
	}
	if refused != nil {
		return fmt.Errorf("a model of the family %s cannot be trained here: it has %s", c.Family, strings.Join(refused, ", "))
	}
	return nil
}
