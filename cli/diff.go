package cli

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/urfave/cli/v2"

	"surgeon/cli/plot"
	"surgeon/cli/table"
	"surgeon/tensors"
	"surgeon/tensors/drift"
)

func diffCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "where the weights moved between a base and a fine-tune of it",
		ArgsUsage: "BASE CHEM",
		Description: `Per layer and per part: relative drift ||d||/||b||, 1-cosine, largest change, share of changed weights.

Examples:
   surgeon diff base chem
   surgeon diff --tensors base chem
   surgeon diff base chem --plot drift.png
   surgeon diff --json base chem`,
		Flags: common(
			&cli.StringFlag{Name: "plot", Usage: "draw the drift map, layer by part, into `FILE`.png or .svg"},
			&cli.BoolFlag{Name: "tensors", Usage: "list every tensor"}),
		Action: func(c *cli.Context) error {
			args, err := models(c, 2, 2, "a base and a tuned model")
			if err != nil {
				return err
			}
			if err := checkPlot(c); err != nil {
				return err
			}
			step, finish := env.progress(c, "diff", "bytes")
			defer finish()
			opt := diffOptions{c.Bool("json"), c.Bool("tensors"), c.String("plot"), step, finish}
			return runDiff(c.Context, env, opt, args[0], args[1])
		},
	}
}

type diffOptions struct {
	json, tensors bool
	plot          string
	step          func(done, total int64)
	finish        func()
}

func runDiff(ctx context.Context, env environment, opt diffOptions, baseName, tunedName string) error {
	p, err := openPair(baseName, tunedName)
	if err != nil {
		return err
	}
	defer p.close()
	if len(p.delta.Names()) == 0 {
		return fmt.Errorf("%s and %s have no tensor in common that could be compared%s", baseName, tunedName, firstOf(p.unmatched))
	}
	report, err := drift.Measure(ctx, p.base, p.delta, drift.Options{Progress: opt.step, Whole: p.adapter != nil})
	opt.finish()
	if err != nil {
		return err
	}
	if opt.json {
		err = env.printJSON(diffJSON(report, p))
	} else {
		err = printDiff(env, opt, report, p)
	}
	if err != nil || opt.plot == "" {
		return err
	}
	return plot.Save(opt.plot, driftMap(report, baseName, tunedName))
}

// firstOf names the first tensor that has no partner.
func firstOf(unmatched []tensors.Unmatched) string {
	if len(unmatched) == 0 {
		return ""
	}
	return fmt.Sprintf(": tensor %q: %s", unmatched[0].Name, unmatched[0].Reason)
}

// driftRow is a row of diff --json.
type driftRow struct {
	Name      string        `json:"name"`
	Layer     *int          `json:"layer"` // null outside the layers
	Part      string        `json:"part,omitempty"`
	DType     tensors.DType `json:"dtype,omitempty"`
	Shape     *[]int        `json:"shape,omitempty"` // of a tensor; empty for a scalar
	Tensors   int           `json:"tensors"`
	N         int64         `json:"n"`
	BaseNorm  number        `json:"base_norm"`
	DeltaNorm number        `json:"delta_norm"`
	Relative  number        `json:"rel"`
	Cosine    number        `json:"cosine"`
	Angle     number        `json:"one_minus_cosine"`
	MaxAbs    number        `json:"max_abs"`
	Changed   number        `json:"changed"`    // share, 0 to 1
	Flips     number        `json:"sign_flips"` // share, 0 to 1
}

func rowJSON(r drift.Row) driftRow {
	row := driftRow{
		Name: r.Name, Part: r.Key.Part, DType: r.Info.DType, Tensors: r.Tensors, N: r.N,
		BaseNorm: number(r.BaseNorm()), DeltaNorm: number(r.DeltaNorm()), Relative: number(r.Relative()),
		Cosine: number(r.Cosine()), Angle: number(r.OneMinusCosine()), MaxAbs: number(r.MaxAbs),
		Changed: number(r.ChangedShare()), Flips: number(r.FlippedShare()),
	}
	if r.Info.DType != "" {
		shape := append([]int{}, r.Info.Shape...)
		row.Shape = &shape
	}
	if r.Key.Layer >= 0 {
		row.Layer = &r.Key.Layer
	}
	return row
}

func rowsJSON(rows []drift.Row) []driftRow {
	list := make([]driftRow, 0, len(rows))
	for _, r := range rows {
		list = append(list, rowJSON(r))
	}
	return list
}

func diffJSON(r *drift.Report, p *pair) any {
	return struct {
		Base      string              `json:"base"`
		Tuned     string              `json:"tuned"`
		Tensors   []driftRow          `json:"tensors"`
		Layers    []driftRow          `json:"layers"`
		Parts     []driftRow          `json:"parts"`
		Total     driftRow            `json:"total"`
		Unmatched []tensors.Unmatched `json:"unmatched"`
		Notes     []string            `json:"notes,omitempty"`
	}{p.base.name, p.tunedName, rowsJSON(r.Tensors), rowsJSON(r.Layers), rowsJSON(r.Parts), rowJSON(r.Total),
		append([]tensors.Unmatched{}, p.unmatched...), slices.Concat(p.notes(), broken(r))}
}

func printDiff(env environment, opt diffOptions, r *drift.Report, p *pair) error {
	env.printf("base   %s, %s parameters\ntuned  %s, %s\n\n", p.base.name, table.Count(parameters(p.base)), p.tunedName, p.describe())
	if err := printRows(env, "layer", slices.Concat(r.Layers, []drift.Row{r.Total})); err != nil {
		return err
	}
	env.printf("\n")
	if err := printRows(env, "part", r.Parts); err != nil {
		return err
	}
	if opt.tensors {
		env.printf("\n")
		if err := printRows(env, "tensor", r.Tensors); err != nil {
			return err
		}
	}
	const most = 10
	for i, u := range p.unmatched {
		if i == most {
			env.printf("unmatched: and %d more, which --json lists\n", len(p.unmatched)-most)
			break
		}
		env.printf("unmatched: %s\n", table.Printable(u.Name+": "+u.Reason))
	}
	return env.footnotes(slices.Concat(p.notes(), broken(r)))
}

// broken notes the first tensor whose weights or changes are not all finite
// numbers, and how many more there are.
func broken(r *drift.Report) []string {
	var names []string
	for _, t := range r.Tensors {
		if v := t.BaseNorm() + t.DeltaNorm(); v-v != 0 {
			names = append(names, t.Name)
		}
	}
	switch len(names) {
	case 0:
		return nil
	case 1:
		return []string{names[0] + " has values that are not finite numbers"}
	}
	return []string{fmt.Sprintf("%s and %d more tensors have values that are not finite numbers", names[0], len(names)-1)}
}

// printRows prints drift rows with a heat bar against the largest of them.
func printRows(env environment, what string, rows []drift.Row) error {
	largest := 0.0
	for _, r := range rows {
		if v := r.Relative(); v > largest && !math.IsInf(v, 1) {
			largest = v
		}
	}
	const bar = 8
	cells := make([][]string, 0, len(rows))
	for _, r := range rows {
		cells = append(cells, []string{r.Name, relative(r.Relative()), table.Sig(r.OneMinusCosine(), 3), table.Sig(r.MaxAbs, 3),
			table.Percent(r.ChangedShare()), table.Bar(r.Relative(), largest, bar)})
	}
	return env.printTable([]table.Column{{Name: what}, {Name: "||d||/||b||", Right: true}, {Name: "1-cos", Right: true},
		{Name: "max|d|", Right: true}, {Name: "changed", Right: true}, {Name: "drift"}}, cells)
}

// relative is a relative drift in per cent, with the digits to tell layers
// apart.
func relative(v float64) string { return table.Sig(100*v, 3) + " %" }

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
