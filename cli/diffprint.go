package cli

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/cli/table"
	"surgeon/tensors/drift"
)

func (d *difference) print(env environment, opt diffOptions) error {
	r, t := d.report, d.in.tuned[0]
	env.printf("base   %s, %s parameters\ntuned  %s, %s\n\n", d.in.base.name, table.Count(parameters(d.in.base)), t.name, t.describe())
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
	if len(d.spectra) > 0 {
		env.printf("\n")
		if err := d.printSpectra(env, opt); err != nil {
			return err
		}
	}
	if err := d.printReading(env); err != nil {
		return err
	}
	const most = 10
	for i, u := range d.unmatched {
		if i == most {
			env.printf("unmatched: and %d more, which --json lists\n", len(d.unmatched)-most)
			break
		}
		env.printf("unmatched: %s\n", table.Printable(u.Name+": "+u.Reason))
	}
	return env.footnotes(slices.Concat(d.in.notes(), broken(r)))
}

// printReading prints what the numbers suggest.
func (d *difference) printReading(env environment) error {
	r := d.reading
	env.printf("\nprobably  %s\n", table.Printable(r.Recipe))
	if gains := d.report.Gains; gains.Tensors > 0 {
		env.printf("norms     gains moved by %s, the most one by %s; norm ratio %s\n", relative(gains.Relative()), table.Sig(gains.MaxAbs, 3), table.Sig(gains.NormRatio(), 5))
	}
	if len(r.Frozen) > 0 {
		env.printf("frozen    %s\n", table.Printable(strings.Join(r.Frozen, ", ")))
	}
	if r.AtFloor > 0 {
		env.printf("floor     %s moved less than the resolution of the type: rounding decided what changed\n", plural(r.AtFloor, "tensor"))
	}
	if r.Shape != "" {
		env.printf("spectrum  %s\n", r.Shape)
	}
	return env.printf("\n")
}

// printSpectra prints one row for each part, of the medians over its matrices,
// or with --tensors one for each matrix.
func (d *difference) printSpectra(env environment, opt diffOptions) error {
	columns := []table.Column{{Name: "change of", Tail: true}, {Name: "s1/s1", Right: true}, {Name: "stable", Right: true}, {Name: "eff.", Right: true},
		{Name: "energy", Right: true}, {Name: "rest", Right: true}, {Name: "intruders", Right: true}, {Name: "overlap", Right: true}}
	var rows [][]string
	if opt.tensors {
		for _, s := range d.spectra {
			rows = append(rows, spectrumCells(s.Name, []drift.Spectrum{s}))
		}
	} else {
		for _, part := range d.report.Parts {
			if group := d.spectraOf(part.Name); len(group) > 0 {
				rows = append(rows, spectrumCells(part.Name, group))
			}
		}
	}
	if err := env.printTable(columns, rows); err != nil {
		return err
	}
	what := "medians over the layers, intruders in all"
	if opt.tensors {
		what = "for each matrix"
	}
	return env.printf("rank %d, %s\nenergy: share of the squared change in that rank; rest: share of its norm beyond\n", d.rank(), what)
}

// rank is the number of singular values that were computed of the largest
// matrix.
func (d *difference) rank() (k int) {
	for _, s := range d.spectra {
		k = max(k, s.Rank)
	}
	return k
}

// spectraOf are the spectra of the matrices of a part.
func (d *difference) spectraOf(part string) []drift.Spectrum {
	var list []drift.Spectrum
	for _, t := range d.report.Tensors {
		if s := d.spectrum(t.Name); s != nil && t.Key.Part == part {
			list = append(list, *s)
		}
	}
	return list
}

func spectrumCells(name string, group []drift.Spectrum) []string {
	median := func(of func(drift.Spectrum) float64) float64 {
		values := make([]float64, len(group))
		for i, s := range group {
			values[i] = of(s)
		}
		slices.SortFunc(values, cmp.Compare[float64])
		return values[len(values)/2]
	}
	intruders, bound := 0, ""
	for _, s := range group {
		if intruders += s.Intruders; !s.Exact {
			bound = ">"
		}
	}
	return []string{name, table.Sig(median(func(s drift.Spectrum) float64 { return s.SpectralRatio }), 3),
		table.Sig(median(func(s drift.Spectrum) float64 { return s.StableRank }), 3),
		bound + table.Sig(median(func(s drift.Spectrum) float64 { return s.EffectiveRank }), 3),
		table.Percent(median(func(s drift.Spectrum) float64 { return s.Energies[len(s.Energies)-1].Share })),
		table.Percent(median(func(s drift.Spectrum) float64 { return s.Residual })),
		fmt.Sprint(intruders), table.Percent(median(func(s drift.Spectrum) float64 { return s.Overlap }))}
}

// broken notes the first tensor whose weights or changes are not all finite
// numbers, and how many more there are.
func broken(r *drift.Report) []string {
	var names []string
	for _, t := range r.Tensors {
		if t.NonfiniteBase+t.NonfiniteTuned > 0 {
			names = append(names, t.Name)
		}
	}
	count := fmt.Sprintf("%d in the base, %d in the tuned model", r.Total.NonfiniteBase, r.Total.NonfiniteTuned)
	switch len(names) {
	case 0:
		return nil
	case 1:
		return []string{fmt.Sprintf("%s has values that are not finite numbers: %s", names[0], count)}
	}
	return []string{fmt.Sprintf("%s and %s have values that are not finite numbers: %s", names[0], plural(len(names)-1, "other tensor"), count)}
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
	return env.printTable([]table.Column{{Name: what, Tail: true}, {Name: "||d||/||b||", Right: true}, {Name: "1-cos", Right: true},
		{Name: "max|d|", Right: true}, {Name: "changed", Right: true}, {Name: "drift"}}, cells)
}

// relative is a relative drift in per cent, with the digits to tell layers
// apart.
func relative(v float64) string { return table.Sig(100*v, 3) + " %" }
