package lora

import (
	"fmt"
	"slices"

	"surgeon/tensors"
)

// Notes are what a reader must know of an adapter over a base: where PEFT would make
// something else of it.
func (a *Adapter) Notes(base tensors.Source) (list []string) {
	tied := !slices.ContainsFunc(base.Names(), head)
	alone := func(tensor string) bool { return tied && embedding(tensor) && !a.Config.Tied && !a.Config.tying }
	factors := slices.ContainsFunc(a.LowRank, func(l LowRank) bool { return alone(l.Tensor) })
	switch {
	case factors:
		list = append(list, a.Path+" changes the input embedding of a base whose head is tied to it: here, and where PEFT merges it, both change; "+
			"in PEFT the unmerged adapter changes the embedding alone, as nothing ties them (ensure_weight_tying)")
	case slices.ContainsFunc(a.Replaced, func(r Replaced) bool { return alone(r.Tensor) }):
		list = append(list, a.Path+" replaces the input embedding of a base whose head is tied to it: here both change; "+
			"in PEFT the embedding alone, as nothing ties them (ensure_weight_tying)")
	}
	if a.Config.Tied && !tied && slices.ContainsFunc(a.Tensors(), embedding) {
		list = append(list, fmt.Sprintf("%s is of a base whose head is tied to its embedding, and this base has a head of its own: here it keeps it", a.Path))
	}
	if a.Zero() {
		list = append(list, a.Path+": all that it adds is zero: with it the base is the base")
	}
	return list
}
