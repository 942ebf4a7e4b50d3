package lora

import (
	"surgeon/tensors"
)

// Notes are what a reader must know of an adapter over a base: where PEFT would make
// something else of it.
func (a *Adapter) Notes(base tensors.Source) (list []string) {
	tied, embedding := true, false
	for _, name := range base.Names() {
		tied = tied && tensors.KeyOf(name).Part != tensors.PartHead
	}
	for _, name := range a.Tensors() {
		embedding = embedding || tensors.KeyOf(name).Part == tensors.PartEmbed
	}
	if tied && embedding && !a.Config.Tied {
		list = append(list, a.Path+" changes the input embedding of a base whose head is tied to it: here both change, in PEFT the embedding alone without ensure_weight_tying")
	}
	if a.Zero() {
		list = append(list, a.Path+": all that it adds is zero: with it the base is the base")
	}
	return list
}
