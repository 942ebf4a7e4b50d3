package drift

import (
	"cmp"

	"surgeon/tensors"
)

// place orders what stands outside the layers: the embedding before them,
// final norm, head and the rest after them.
func place(k tensors.Key) int {
	switch {
	case k.Layer != tensors.NoLayer:
		return 1
	case k.Part == tensors.PartEmbed:
		return 0
	case k.Part == tensors.PartNorm:
		return 2
	case k.Part == tensors.PartHead:
		return 3
	}
	return 4
}

func compareRows(a, b Row) int {
	return cmp.Or(cmp.Compare(place(a.Key), place(b.Key)), cmp.Compare(a.Key.Layer, b.Key.Layer), cmp.Compare(a.Name, b.Name))
}

// comparePartRows puts the parts of layers before those outside, each in
// alphabetical order. A part of the layers has a name of its own, such as
// "mlp.up_proj", so place sees it as the rest; it must come first here.
func comparePartRows(a, b Row) int {
	return cmp.Or(cmp.Compare(partPlace(a), partPlace(b)), cmp.Compare(a.Name, b.Name))
}

func partPlace(r Row) int {
	if p := place(r.Key); p != 4 {
		return p + 1
	}
	return 0
}
