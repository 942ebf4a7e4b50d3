package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"surgeon/tensors"
	"surgeon/tensors/drift"
)

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
	NormRatio number        `json:"norm_ratio"`
	MaxAbs    number        `json:"max_abs"`
	Changed   number        `json:"changed"`    // share, 0 to 1
	Flips     number        `json:"sign_flips"` // share, 0 to 1
	Broken    [2]int64      `json:"nonfinite"`  // NaN and infinite elements of base and tuned model
	Spectrum  *spectrumJSON `json:"svd,omitempty"`
}

// spectrumJSON is the spectrum of a tensor in diff --json.
type spectrumJSON struct {
	Rank          int               `json:"rank"`
	SpectralRatio number            `json:"spectral_ratio"`
	StableRank    number            `json:"stable_rank"`
	EffectiveRank number            `json:"effective_rank"`
	Exact         bool              `json:"exact"` // all singular values; else the effective rank is a lower bound
	Energy        map[string]number `json:"energy"`
	Directions    int               `json:"directions"` // above the noise of rounding; rank if there may be more
	Residual      number            `json:"residual"`
	Intruders     int               `json:"intruders"`
	Overlap       number            `json:"overlap"`
}

func rowJSON(r drift.Row) driftRow {
	row := driftRow{
		Name: r.Name, Part: r.Key.Part, DType: r.Info.DType, Tensors: r.Tensors, N: r.N,
		BaseNorm: number(r.BaseNorm()), DeltaNorm: number(r.DeltaNorm()), Relative: number(r.Relative()),
		Cosine: number(r.Cosine()), Angle: number(r.OneMinusCosine()), NormRatio: number(r.NormRatio()), MaxAbs: number(r.MaxAbs),
		Changed: number(r.ChangedShare()), Flips: number(r.FlippedShare()), Broken: [2]int64{r.NonfiniteBase, r.NonfiniteTuned},
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

// tensorRows are the rows of all tensors, with their spectra.
func (d *difference) tensorRows() []driftRow {
	rows := rowsJSON(d.report.Tensors)
	for i := range rows {
		if s := d.spectrum(rows[i].Name); s != nil {
			j := &spectrumJSON{Rank: s.Rank, SpectralRatio: number(s.SpectralRatio), StableRank: number(s.StableRank), EffectiveRank: number(s.EffectiveRank),
				Exact: s.Exact, Energy: map[string]number{}, Directions: s.Directions, Residual: number(s.Residual), Intruders: s.Intruders, Overlap: number(s.Overlap)}
			for _, e := range s.Energies {
				j.Energy[strconv.Itoa(e.Rank)] = number(e.Share)
			}
			rows[i].Spectrum = j
		}
	}
	return rows
}

func (d *difference) spectrum(name string) *drift.Spectrum {
	if i := slices.IndexFunc(d.spectra, func(s drift.Spectrum) bool { return s.Name == name }); i >= 0 {
		return &d.spectra[i]
	}
	return nil
}

func (d *difference) json() any {
	r := d.report
	return struct {
		Base      string              `json:"base"`
		Tuned     string              `json:"tuned"`
		Tensors   []driftRow          `json:"tensors"`
		Layers    []driftRow          `json:"layers"`
		Parts     []driftRow          `json:"parts"`
		Gains     driftRow            `json:"norm_gains"`
		Total     driftRow            `json:"total"`
		Reading   drift.Reading       `json:"reading"`
		Unmatched []tensors.Unmatched `json:"unmatched"`
		Notes     []string            `json:"notes,omitempty"`
	}{d.in.base.name, d.in.tuned[0].name, d.tensorRows(), rowsJSON(r.Layers), rowsJSON(r.Parts), rowJSON(r.Gains), rowJSON(r.Total),
		d.reading, append([]tensors.Unmatched{}, d.unmatched...), slices.Concat(d.in.notes(), broken(r))}
}

// csvColumns are the columns of diff --csv.
var csvColumns = []string{"level", "name", "layer", "part", "dtype", "shape", "tensors", "n", "base_norm", "delta_norm", "rel", "cosine", "one_minus_cosine",
	"norm_ratio", "max_abs", "changed", "sign_flips", "nonfinite_base", "nonfinite_tuned",
	"svd_rank", "spectral_ratio", "stable_rank", "effective_rank", "energy", "directions", "residual", "intruders", "overlap"}

// writeCSV writes every row of the report, its level first. What a row has not
// is empty; energy is that at svd_rank.
func (d *difference) writeCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	write := func(level string, rows []driftRow) error {
		for _, r := range rows {
			if err := w.Write(r.csv(level)); err != nil {
				return err
			}
		}
		return nil
	}
	r := d.report
	for _, err := range []error{w.Write(csvColumns), write("tensor", d.tensorRows()), write("layer", rowsJSON(r.Layers)), write("part", rowsJSON(r.Parts)),
		write("norm_gains", rowsJSON([]drift.Row{r.Gains})), write("total", rowsJSON([]drift.Row{r.Total}))} {
		if err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func (r driftRow) csv(level string) []string {
	float := func(v number) string { return strconv.FormatFloat(float64(v), 'g', -1, 64) }
	layer, shape := "", ""
	if r.Layer != nil {
		layer = strconv.Itoa(*r.Layer)
	}
	if r.Shape != nil {
		shape = strings.Trim(strings.ReplaceAll(fmt.Sprint(*r.Shape), " ", "x"), "[]")
	}
	fields := []string{level, r.Name, layer, r.Part, string(r.DType), shape, strconv.Itoa(r.Tensors), strconv.FormatInt(r.N, 10)}
	for _, v := range []number{r.BaseNorm, r.DeltaNorm, r.Relative, r.Cosine, r.Angle, r.NormRatio, r.MaxAbs, r.Changed, r.Flips} {
		fields = append(fields, float(v))
	}
	fields = append(fields, strconv.FormatInt(r.Broken[0], 10), strconv.FormatInt(r.Broken[1], 10))
	if s := r.Spectrum; s != nil {
		return append(fields, strconv.Itoa(s.Rank), float(s.SpectralRatio), float(s.StableRank), float(s.EffectiveRank),
			float(s.Energy[strconv.Itoa(s.Rank)]), strconv.Itoa(s.Directions), float(s.Residual), strconv.Itoa(s.Intruders), float(s.Overlap))
	}
	return append(fields, make([]string, len(csvColumns)-len(fields))...)
}

func (d *difference) saveCSV(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := d.writeCSV(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Close()
}
