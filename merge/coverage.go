package merge

import (
	"fmt"

	"surgeon/tensors"
)

// Coverage says what becomes of every tensor of two models when one is merged
// into the other.
type Coverage struct {
	Merged int                 // tensors with a difference
	Copied []tensors.Unmatched // copied from the base though the tuned model differs or has none, and why
}

// Cover decides every tensor of the union of both models before anything is
// computed. Tensors with a difference are merged. Every other tensor of the
// base is copied from it: what only the base has, and what is not stored as
// numbers; Copied lists those of them that are not the same in both. What only the tuned
// model has, and tensors of different shapes, would silently make another
// model: they are refused, naming the first of them.
func Cover(d *tensors.Difference) (Coverage, error) {
	c := Coverage{Merged: len(d.Names())}
	for _, u := range d.Unmatched {
		switch {
		case u.Side == tensors.SideTuned:
			return Coverage{}, fmt.Errorf("tensor %q cannot be merged: %s", u.Name, u.Reason)
		case u.Side == tensors.SideBoth && d.Reshaped(u.Name):
			return Coverage{}, fmt.Errorf("tensor %q cannot be merged: %s", u.Name, u.Reason)
		}
		c.Copied = append(c.Copied, u)
	}
	if c.Merged == 0 {
		return Coverage{}, fmt.Errorf("the models have no tensor in common that could be merged")
	}
	return c, nil
}
