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
	r.Gains = Row{Name: "norm gains", Key: r.Total.Key}
	layers, parts := map[tensors.Key]int{}, map[tensors.Key]int{}
	for _, row := range rows {
		layer, part := tensors.Key{Layer: row.Key.Layer}, tensors.Key{Layer: anyLayer, Part: row.Key.Part}
		if row.Key.Layer == tensors.NoLayer {
			layer, part = row.Key, row.Key
		}
		addTo(&r.Layers, layers, row, row.Key.Row(), layer)
		addTo(&r.Parts, parts, row, row.Key.Part, part)
		r.Total.merge(row)
		if row.Key.Norm() {
			r.Gains.merge(row)
		}
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
	(*rows)[i].merge(row)
}

// merge adds the sums of a row to one that holds others.
func (r *Row) merge(other Row) {
	r.Sums.add(other.Sums)
	r.Tensors++
}

func compareRows(a, b Row) int { return cmp.Or(a.Key.Compare(b.Key), cmp.Compare(a.Name, b.Name)) }

// anyLayer is the Layer of the row of a part over all layers.
const anyLayer = -2

// comparePartRows puts the parts of layers before those outside, each in
// alphabetical order.
func comparePartRows(a, b Row) int {
	outside := func(r Row) int {
		if r.Key.Layer == anyLayer {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(outside(a), outside(b)), a.Key.Compare(b.Key), cmp.Compare(a.Name, b.Name))
}
