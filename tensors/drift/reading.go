package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"surgeon/tensors"
)

// Reading is what the numbers of a Report suggest, in words. It is a guide for
// the eye, not a measurement: every sentence names the numbers it rests on.
type Reading struct {
	Recipe  string   `json:"recipe"`             // how the fine-tune was probably made
	Frozen  []string `json:"frozen"`             // parts of which no element changed, over all layers
	Layers  []string `json:"frozen_layers"`      // layers of which no element changed, as ranges
	AtFloor int      `json:"at_floor"`           // changed tensors that moved less than the resolution of their type
	Shape   string   `json:"spectrum,omitempty"` // whether the change is of low rank; with spectra only
}

// floors are the relative drifts below which rounding decides what changes:
// half a place of the stored type in a weight whose fraction is near 2,
// 2^-(bits of the fraction + 2).
var floors = map[tensors.DType]float64{
	tensors.BF16: 0x1p-9, tensors.F16: 0x1p-12, tensors.F8E4M3: 0x1p-5, tensors.F8E5M2: 0x1p-4,
}

// Read reads a report, and the spectra if there are any.
func Read(r *Report, spectra []Spectrum) Reading {
	reading := Reading{Frozen: []string{}, Layers: frozenLayers(r)}
	for _, part := range r.Parts {
		if part.Changed == 0 {
			reading.Frozen = append(reading.Frozen, part.Name)
		}
	}
	for _, t := range r.Tensors {
		if t.Changed > 0 && t.Relative() < floors[t.Info.DType] {
			reading.AtFloor++
		}
	}
	low := lowRank(spectra)
	reading.Shape = shapeOf(spectra, low)
	reading.Recipe = recipeOf(r, reading, spectra, low)
	return reading
}

// frozenLayers lists the layers that did not change, as "0-3" and "7".
func frozenLayers(r *Report) []string {
	list := []string{}
	first, last := -1, -2
	flush := func() {
		switch {
		case first < 0:
		case first == last:
			list = append(list, fmt.Sprint(first))
		default:
			list = append(list, fmt.Sprintf("%d-%d", first, last))
		}
		first = -1
	}
	for _, row := range r.Layers {
		if row.Key.Layer == tensors.NoLayer || row.Changed > 0 {
			continue
		}
		if first < 0 || row.Key.Layer != last+1 {
			flush()
			first = row.Key.Layer
		}
		last = row.Key.Layer
	}
	flush()
	return list
}

const (
	lowEnergy     = 0.9 // share of the squared change within few directions that counts as low rank
	diffuseEnergy = 0.5 // below this it is diffuse
)

// lowRank is the rank that holds lowEnergy of the squared change of the median
// matrix, 0 if the computed ones do not.
func lowRank(spectra []Spectrum) int {
	if len(spectra) == 0 {
		return 0
	}
	ranks := make([]int, 0, len(spectra))
	for _, s := range spectra {
		rank := 1 << 30
		for _, e := range slices.Backward(s.Energies) {
			if e.Share >= lowEnergy && e.Rank < min(s.Shape[0], s.Shape[1])/2 {
				rank = e.Rank
			}
		}
		ranks = append(ranks, rank)
	}
	slices.Sort(ranks)
	if median := ranks[len(ranks)/2]; median < 1<<30 {
		return median
	}
	return 0
}

func shapeOf(spectra []Spectrum, low int) string {
	if len(spectra) == 0 {
		return ""
	}
	shares := make([]float64, 0, len(spectra))
	rank := 0
	for _, s := range spectra {
		shares = append(shares, s.Energies[len(s.Energies)-1].Share)
		rank = max(rank, s.Rank)
	}
	slices.SortFunc(shares, cmp.Compare[float64])
	median := shares[len(shares)/2]
	switch {
	case low > 0:
		return fmt.Sprintf("LoRA-like: %.0f %% of the squared change of the median matrix lies in %d directions", 100*lowEnergy, low)
	case median < diffuseEnergy:
		return fmt.Sprintf("diffuse: the %d leading directions hold %.0f %% of the squared change of the median matrix", rank, 100*median)
	}
	return fmt.Sprintf("between low rank and diffuse: the %d leading directions hold %.0f %% of the squared change of the median matrix", rank, 100*median)
}

// recipeOf guesses how the fine-tune was made from what moved and how.
func recipeOf(r *Report, reading Reading, spectra []Spectrum, low int) string {
	if r.Total.Changed == 0 {
		return "nothing changed: the same weights"
	}
	var inside, outside, moved []string // parts: in layers, of matrices and norms, and outside
	for _, p := range r.Parts {
		if p.Changed == 0 {
			continue
		}
		if p.Key.Layer == anyLayer {
			inside = append(inside, p.Name)
			if !(tensors.Key{Layer: 0, Part: p.Name}).Norm() {
				moved = append(moved, p.Name)
			}
		} else {
			outside = append(outside, p.Name)
		}
	}
	where := ""
	if len(reading.Layers) > 0 {
		where = fmt.Sprintf(", layers %s frozen", strings.Join(reading.Layers, ", "))
	}
	switch gains := r.Gains.Changed > 0; {
	case len(moved) == 0 && gains && len(outside) <= 1:
		return "only the gains of normalisations were trained" + where
	case len(inside) == 0:
		return "only " + strings.Join(outside, ", ") + " moved: no layer was trained"
	case len(outside) == 0 && !gains && low > 0:
		return fmt.Sprintf("a LoRA of rank %d or so, merged, on %s%s", low, strings.Join(moved, ", "), where)
	case len(outside) == 0 && !gains && spectra != nil:
		return fmt.Sprintf("full-rank training of %s alone%s", strings.Join(moved, ", "), where)
	case len(outside) == 0 && !gains:
		return fmt.Sprintf("a merged LoRA, or training of %s alone (--svd tells which)%s", strings.Join(moved, ", "), where)
	case low > 0:
		return fmt.Sprintf("a LoRA of rank %d or so, merged, with other modules trained whole%s", low, where)
	case !slices.Contains(outside, tensors.PartEmbed):
		return "full fine-tuning with a frozen embedding" + where
	}
	return "full fine-tuning" + where
}
