package merge

import (
	"fmt"
	"slices"
	"strings"

	"surgeon/tensors"
)

// Policy says what becomes of tensors that the models of a merge do not have in
// common, or have in different shapes.
type Policy string

// The policies.
const (
	Refuse    Policy = "refuse" // refuse the merge
	TakeBase  Policy = "base"   // the result has the base's tensors and shapes
	TakeTuned Policy = "tuned"  // the result has the tuned model's tensors and shapes
)

// Policies lists them.
var Policies = []Policy{Refuse, TakeBase, TakeTuned}

// Coverage says what becomes of every tensor of the union of two models:
// merged, copied from one of them, or left out; and why it is not merged.
// Resized embeddings and heads are merged in the rows that both have and stand
// in Copied for the others. What is the same in both and no number type is
// neither merged nor listed.
type Coverage struct {
	Merged  int // tensors with a difference
	Copied  []tensors.Unmatched
	LeftOut []tensors.Unmatched
}

// Reconciled are two models that can be merged.
type Reconciled struct {
	Base  tensors.Source      // the base, in the layout of the result
	Delta *tensors.Difference // tuned - Base
	Coverage
}

// Reconcile decides every tensor of the union of two models, before anything
// is computed. Tensors of the same shape and of number types are merged; the
// policy decides the others. An error names the first tensor that is refused
// and says how many there are.
func Reconcile(base, tuned tensors.Source, policy Policy) (*Reconciled, error) {
	if !slices.Contains(Policies, policy) {
		panic(fmt.Sprintf("merge: no policy %q", policy))
	}
	if err := unscaled(base); err != nil {
		return nil, fmt.Errorf("the base: %w", err)
	}
	if err := unscaled(tuned); err != nil {
		return nil, fmt.Errorf("the tuned model: %w", err)
	}
	d, err := tensors.Diff(base, tuned)
	if err != nil {
		return nil, err
	}
	r := &Reconciled{Base: base, Delta: d}
	merged := len(d.Names())
	for _, u := range d.Unmatched {
		b, inBase := base.Info(u.Name)
		t, inTuned := tuned.Info(u.Name)
		if inBase && inTuned && tensors.Resized(u.Name, b, t) {
			merged++
		}
	}
	if len(d.Unmatched) > 0 {
		if err := r.decide(tuned, policy); err != nil {
			return nil, err
		}
	}
	if r.Merged = merged; r.Merged == 0 {
		return nil, fmt.Errorf("the models have no tensor in common that could be merged")
	}
	return r, nil
}

// decide conforms one model to the layout of the other.
func (r *Reconciled) decide(tuned tensors.Source, policy Policy) error {
	unmatched, base := r.Delta.Unmatched, r.Base
	if policy == Refuse {
		return refusal(unmatched)
	}
	other := tensors.SideTuned // tensors that only this side has are left out
	if policy == TakeTuned {
		other = tensors.SideBase
		r.Base = tensors.Conform(base, tuned)
	} else {
		tuned = tensors.Conform(tuned, base)
	}
	for _, u := range unmatched {
		u.Reason += consequence(u, base, r.Delta.Tuned, policy)
		if u.Side == other {
			r.LeftOut = append(r.LeftOut, u)
		} else {
			r.Copied = append(r.Copied, u)
		}
	}
	var err error
	r.Delta, err = tensors.Diff(r.Base, tuned)
	return err
}

// consequence says in a few words what a policy makes of a tensor.
func consequence(u tensors.Unmatched, base, tuned tensors.Source, policy Policy) string {
	b, inBase := base.Info(u.Name)
	t, inTuned := tuned.Info(u.Name)
	switch {
	case u.Side == tensors.SideTuned && policy == TakeBase, u.Side == tensors.SideBase && policy == TakeTuned:
		return ": left out"
	case inBase && inTuned && tensors.Resized(u.Name, b, t):
		common, rows := min(b.Shape[0], t.Shape[0]), b.Shape[0]
		if policy == TakeTuned {
			rows = t.Shape[0]
		}
		return fmt.Sprintf(": %d rows merged, %d copied from the %s", common, rows-common, side(policy))
	}
	return ": copied from the " + side(policy)
}

func side(policy Policy) string {
	if policy == TakeTuned {
		return "tuned model"
	}
	return "base"
}

// refusal names the first tensor that has no policy.
func refusal(unmatched []tensors.Unmatched) error {
	more := ""
	switch n := len(unmatched) - 1; {
	case n == 1:
		more = " (and 1 more tensor)"
	case n > 1:
		more = fmt.Sprintf(" (and %d more tensors)", n)
	}
	u := unmatched[0]
	return fmt.Errorf("tensor %q cannot be merged: %s%s: --on-mismatch base keeps the base's tensors and shapes, --on-mismatch tuned the tuned model's", u.Name, u.Reason, more)
}

// unscaled refuses 8-bit weights that stand beside scales: what is stored are
// then not the weights, and half way between two of them is not half way
// between two models.
func unscaled(src tensors.Source) error {
	for _, name := range src.Names() {
		if info, _ := src.Info(name); info.DType.Bits() > 8 || !info.DType.Float() {
			continue
		}
		for _, scale := range []string{name + "_scale", name + "_scale_inv", strings.TrimSuffix(name, ".weight") + ".scale"} {
			if _, ok := src.Info(scale); ok {
				return fmt.Errorf("tensor %q is stored in units of %q, which surgeon does not apply: convert the model to BF16 first", name, scale)
			}
		}
	}
	return nil
}
