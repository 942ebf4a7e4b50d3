package lora

import (
	"fmt"
	"slices"
	"strings"

	"surgeon/tensors"
)

// quantised are the ends of names that stand beside a weight that is stored as codes,
// by GPTQ and AWQ, compressed-tensors, FP8 and bitsandbytes.
var quantised = []string{".qweight", ".weight_packed", ".weight_scale", ".weight_scale_inv", ".SCB", ".weight.absmax"}

// missing says why a base may not have a tensor that an adapter changes; nil if it
// has it, or if there is nothing to say but that.
func missing(base tensors.Source, name string) error {
	for _, packed := range quantised {
		if module, ok := strings.CutSuffix(name, ".weight"); ok && has(base, module+packed) {
			return fmt.Errorf("adapts tensor %q, which the base has quantised (%q): give the base that it was quantised from", name, module+packed)
		}
	}
	if has(base, name) {
		return nil
	}
	if head(name) && slices.ContainsFunc(base.Names(), embedding) {
		return fmt.Errorf("changes tensor %q apart from the embedding, to which the base ties it: PEFT would give the head weights of its own; give a base that has %q", name, name)
	}
	return nil
}

// laid is an adapter whose products lie as the base has its weights. PEFT writes
// fan_in_fan_out as the last module that it adapted has it, so that it is not set
// for a GPT-2 whose head, which is no Conv1D, is adapted too; and where it is set for
// other models it ignores it.
func (a *Adapter) laid(base tensors.Source) *Adapter {
	transposed := slices.ContainsFunc(base.Names(), func(name string) bool {
		info, _ := base.Info(name)
		return strings.HasSuffix(name, ".attn.c_attn.weight") && len(info.Shape) == 2 && info.Shape[1] == 3*info.Shape[0]
	})
	l := *a
	l.LowRank = slices.Clone(a.LowRank)
	for i, p := range l.LowRank {
		switch {
		case p.Layout == Linear && transposed && strings.HasPrefix(endOf(p.Tensor), "c_"):
			l.LowRank[i].Layout = Conv1D
		case p.Layout == Conv1D && !transposed:
			l.LowRank[i].Layout = Linear
		}
	}
	return &l
}
