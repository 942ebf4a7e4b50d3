package cli

import (
	"fmt"
	"math"

	"surgeon/cli/plot"
	"surgeon/tensors/drift"
)

// driftMap is the relative drift of every layer and part. What stands outside
// the layers has one cell of its own, in a column of its own.
func driftMap(r *drift.Report, base, tuned string) plot.HeatMap {
	h := plot.HeatMap{Title: fmt.Sprintf("Weight drift from %s to %s", base, tuned), XLabel: "part", YLabel: "layer", Scale: "relative drift ||d||/||b||"}
	column, row := map[string]int{}, map[string]int{}
	for _, part := range r.Parts {
		if _, twice := column[part.Name]; twice {
			continue // a part of that name stands outside the layers too
		}
		column[part.Name] = len(h.Columns)
		h.Columns = append(h.Columns, part.Name)
	}
	for _, layer := range r.Layers {
		row[layer.Name] = len(h.Rows)
		h.Rows = append(h.Rows, layer.Name)
		values := make([]float64, len(h.Columns))
		for i := range values {
			values[i] = math.NaN()
		}
		h.Values = append(h.Values, values)
	}
	for _, t := range r.Tensors {
		if v := t.Relative(); !math.IsInf(v, 1) { // weights that were all zero have no relative drift
			h.Values[row[t.Key.Row()]][column[t.Key.Part]] = v
		}
	}
	return h
}
