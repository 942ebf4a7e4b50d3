package sensitivity

import (
	"context"
	"fmt"
	"slices"

	"surgeon/probe/decoder"
	"surgeon/probe/train"
	"surgeon/tensors"
)

// RelearnOptions are the choices of Relearn. Zero values stand for the defaults
// that are stated.
type RelearnOptions struct {
	Steps        []int   // whose weights are kept, ascending: 5, 10, 20, 40
	LearningRate float64 // of every step, without warm-up and decline: 5e-4, which suits small models
	BatchTokens  int     // rows of a batch, prompts included: 768
	Seed         uint64  // of the order of the examples
	Memory       int64   // bytes that may be taken, by the estimate of train.Memory and the copies: any number

	Progress func(done, total int64) // steps; may be nil
}

func (o RelearnOptions) withDefaults() RelearnOptions {
	if o.Steps == nil {
		o.Steps = []int{5, 10, 20, 40}
	}
	if o.LearningRate == 0 {
		o.LearningRate = 5e-4
	}
	if !ascending(append([]int{0}, o.Steps...)) || len(o.Steps) == 0 {
		panic(fmt.Sprintf("sensitivity: steps %v: want numbers from 1, ascending", o.Steps))
	}
	return o
}

// ascending reports whether each number is above the one before.
func ascending(list []int) bool {
	for i := 1; i < len(list); i++ {
		if list[i] <= list[i-1] {
			return false
		}
	}
	return true
}

// Checkpoint is a model after some steps of relearning.
type Checkpoint struct {
	Step     int
	Examples int            // that were seen up to there, those that came twice counted twice
	Loss     float64        // of the last batch before its step, nats a token
	Weights  *train.Weights // a copy, F32
}

// Relearn trains a model on what it may have forgotten, for a few steps, and keeps
// its weights at some of them, to be scored: the relearning probe. The learning
// rate is the same in all steps, so that a checkpoint does not depend on how far
// the run goes on behind it. The errors are those of train.New and Run.Step, and
// more memory than is allowed.
func Relearn(ctx context.Context, c decoder.Config, src tensors.Source, general []train.Example, opt RelearnOptions) ([]Checkpoint, error) {
	opt = opt.withDefaults()
	options := train.Options{
		Steps: opt.Steps[len(opt.Steps)-1], LearningRate: opt.LearningRate, WarmUp: 1, FinalRate: 1,
		BatchTokens: opt.BatchTokens, Seed: opt.Seed,
	}
	need := train.Memory(c, options) + int64(len(opt.Steps))*copyBytes(c)
	if opt.Memory > 0 && need > opt.Memory {
		return nil, fmt.Errorf("relearning takes about %d MB of memory and %d MB are allowed: it is for models small enough to train; fewer than %d checkpoints or smaller batches may help", need>>20, opt.Memory>>20, len(opt.Steps))
	}
	run, err := train.New(c, src, train.Data{Domain: general}, options)
	if err != nil {
		return nil, err
	}
	var list []Checkpoint
	for seen := 0; run.Done() < options.Steps; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		report, err := run.Step()
		if err != nil {
			return nil, err
		}
		seen += report.Examples
		if opt.Progress != nil {
			opt.Progress(int64(run.Done()), int64(options.Steps))
		}
		if slices.Contains(opt.Steps, report.Step) {
			list = append(list, Checkpoint{Step: report.Step, Examples: seen, Loss: report.Loss, Weights: run.Weights().Clone()})
		}
	}
	return list, nil
}

// copyBytes is what a model's values take in float32.
func copyBytes(c decoder.Config) (bytes int64) {
	for _, t := range c.Tensors() {
		bytes += tensors.Info{DType: tensors.F32, Shape: t.Shape}.Bytes()
	}
	return bytes
}

// Halflife is the number of steps at which half of what was lost is back: where
// the line through (steps[i], scores[i]), the first of which are those before
// relearning, first reaches the middle between the first score and the base's. It
// is of whatever steps counts, steps or examples. Scores may be losses, of which
// less is more. ok is false where that is never reached, where nothing was lost
// (base is the first score) and where a number is NaN. It panics unless steps are
// ascending and as many as scores, one at least.
func Halflife(steps []int, scores []float64, base float64) (at float64, ok bool) {
	if len(steps) != len(scores) || len(steps) == 0 || !ascending(steps) {
		panic(fmt.Sprintf("sensitivity: steps %v for %d scores: want ascending ones, one for each", steps, len(scores)))
	}
	if base == scores[0] {
		return 0, false
	}
	back := func(i int) float64 { return (scores[i] - scores[0]) / (base - scores[0]) }
	for i := 1; i < len(steps); i++ {
		if after := back(i); after >= 0.5 {
			before := back(i - 1)
			return float64(steps[i-1]) + (0.5-before)/(after-before)*float64(steps[i]-steps[i-1]), true
		} else if after != after {
			break
		}
	}
	return 0, false
}
