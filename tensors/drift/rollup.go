package drift

import (
	"cmp"
	"slices"

	"surgeon/tensors"
)

// rollUp sorts the rows and adds them up by layer, by part and in all.
func rollUp(rows []Row) *Report {
	slices.SortFunc(rows, compareRows)
	r := &Report{Tensors: rows, Total: Row{Name: "total", Key: tensors.Key{Layer: tensors.NoLayer}}}
	layers, parts := map[tensors.Key]int{}, map[tensors.Key]int{}
	for _, row := range rows {
		layer, part := tensors.Key{Layer: row.Key.Layer}, tensors.Key{Layer: anyLayer, Part: row.Key.Part}
		if row.Key.Layer == tensors.NoLayer {
			layer, part = row.Key, row.Key
		}
		addTo(&r.Layers, layers, row, row.Key.Row(), layer)
		addTo(&r.Parts, parts, row, row.Key.Part, part)
		r.Total.Sums.add(row.Sums)
		r.Total.Tensors++
	}
	slices.SortStableFunc(r.Parts, comparePartRows)
	return r
}

func addTo(rows *[]Row, at map[tensors.Key]int, row Row, name string, key tensors.Key) {
	i, ok := at[key]
	if !ok {
		i = len(*rows)
		at[key] = i
		*rows = append(*rows, Row{Name: name, Key: key})
	}
	(*rows)[i].Sums.add(row.Sums)
	(*rows)[i].Tensors++
}

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

// anyLayer is the Layer of the row of a part over all layers.
const anyLayer = -2

// comparePartRows puts the parts of layers before those outside, each in
// alphabetical order.
func comparePartRows(a, b Row) int {
	outside := func(r Row) int {
		if r.Key.Layer == anyLayer {
			return 0
		}
		return 1 + place(r.Key)
	}
	return cmp.Or(cmp.Compare(outside(a), outside(b)), cmp.Compare(a.Name, b.Name))
}
