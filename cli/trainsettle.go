package cli

import (
	"fmt"
	"path/filepath"

	"github.com/pbnjay/memory"

	"surgeon/cli/table"
	"surgeon/probe/train"
)

// possible refuses options that the base cannot be trained with, before any data
// are read.
func (t *training) possible() error {
	if l := t.opt.options.LowRank; l != nil {
		if err := l.Check(t.config); err != nil {
			return usagef("--lora with %s: %w", t.name, err)
		}
	}
	return t.freeze()
}

// freeze finds the tensors that stay as they are.
func (t *training) freeze() error {
	if len(t.opt.freeze) == 0 {
		return nil
	}
	used, frozen := make([]bool, len(t.opt.freeze)), map[string]bool{}
	all := t.config.Tensors()
	for _, tensor := range all {
		for i, pattern := range t.opt.freeze {
			if ok, _ := filepath.Match(pattern, tensor.Name); ok { // checked before
				used[i], frozen[tensor.Name] = true, true
			}
		}
	}
	for i, is := range used {
		if !is {
			return usagef("--freeze %s matches no tensor of %s: surgeon inspect lists them", t.opt.freeze[i], t.name)
		}
	}
	if len(frozen) == len(all) {
		return usagef("--freeze: every tensor of %s is frozen, so nothing is left to train", t.name)
	}
	t.opt.options.Frozen = func(name string) bool { return frozen[name] }
	return nil
}

// settle fills in what depends on the model and the data.
func (t *training) settle(data train.Data) error {
	o := &t.opt.options
	if o.LearningRate == 0 {
		if o.LearningRate = 2e-5; parameters(t.source) < 10e6 {
			o.LearningRate = 1e-3
		}
		if o.LowRank != nil {
			o.LearningRate *= 10
		}
	}
	if o.Steps == 0 {
		tokens := 0
		for _, e := range data.Domain {
			tokens += len(e.Tokens)
		}
		o.Steps = max(1, int(3*float64(tokens)/(1-o.ReplayShare)/float64(o.BatchTokens)+0.5))
	}
	if o.WarmUp == 0 {
		o.WarmUp = max(1, min(50, o.Steps/10))
	}
	return t.fits()
}

// fits refuses a training that the machine has no memory for.
func (t *training) fits() error {
	need, have := train.Memory(t.config, t.opt.options), int64(memory.TotalMemory())
	if have > 0 && need > have {
		return fmt.Errorf("%s: training takes about %s of memory and the machine has %s: set a smaller --batch-tokens or, if it is the weights, train an adapter of two projections (--lora r=16,targets=q_proj+v_proj)", t.name, table.Bytes(need), table.Bytes(have))
	}
	return nil
}
