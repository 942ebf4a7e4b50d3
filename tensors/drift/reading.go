package drift

import (
	"fmt"
	"math"
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
		if atFloor(t) {
			reading.AtFloor++
		}
	}
	s := shapeOf(spectra)
	reading.Shape = s.sentence()
	reading.Recipe = recipeOf(r, s)
	if r.Total.Changed > 0 && len(reading.Layers) > 0 {
		reading.Recipe += ", layers " + strings.Join(reading.Layers, ", ") + " frozen"
	}
	return reading
}

// atFloor reports whether rounding to the stored type decided what changed of a
// tensor: if its drift, and that of the weights that changed, is of the size of
// the type's resolution.
func atFloor(t Row) bool {
	floor := floors[t.Tuned]
	return t.Changed > 0 && t.NonfiniteBase+t.NonfiniteTuned == 0 &&
		t.Relative() < floor && t.Relative()/math.Sqrt(t.ChangedShare()) < 2*floor
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

// shape sums up spectra: of how many directions the change of the median matrix
// is.
type shape struct {
	matrices   int
	rank       int     // singular values that were computed of the largest matrix
	directions int     // of the median matrix, 0 if it is not of low rank as far as they tell
	energy     float64 // share of the squared change in the computed directions, median
}

func shapeOf(spectra []Spectrum) shape {
	s := shape{matrices: len(spectra)}
	if s.matrices == 0 {
		return s
	}
	const unknown = math.MaxInt
	var directions []int
	var energies []float64
	for _, m := range spectra {
		d := unknown
		if m.Directions > 0 && m.Directions < m.Rank && m.Directions <= min(m.Shape[0], m.Shape[1])/8 {
			d = m.Directions
		}
		directions, energies = append(directions, d), append(energies, m.Energies[len(m.Energies)-1].Share)
		s.rank = max(s.rank, m.Rank)
	}
	slices.Sort(directions)
	slices.Sort(energies)
	s.energy = energies[s.matrices/2]
	if d := directions[s.matrices/2]; d != unknown {
		s.directions = d
	}
	return s
}

// diffuse is the share of the squared change below which the leading directions
// say nothing of it.
const diffuse = 0.5

func (s shape) sentence() string {
	switch {
	case s.matrices == 0:
		return ""
	case s.directions > 0:
		return fmt.Sprintf("LoRA-like: the median matrix moved in %d directions, and what is beyond them is rounding", s.directions)
	case s.energy < diffuse:
		return fmt.Sprintf("diffuse: the %d leading directions hold %.0f %% of the squared change of the median matrix", s.rank, 100*s.energy)
	}
	return fmt.Sprintf("between low rank and diffuse: the %d leading directions hold %.0f %% of the squared change of the median matrix", s.rank, 100*s.energy)
}

// parts are the parts of a model that moved, by what they are, and matrices of
// layers that did not.
type parts struct {
	matrices, biases, gains, outside, frozen []string
	embed                                    bool
}

func partsOf(r *Report) (p parts) {
	for _, row := range r.Parts {
		inLayers := row.Key.Layer == anyLayer
		norm := (tensors.Key{Layer: 0, Part: row.Name}).Norm()
		switch {
		case row.Changed == 0 && inLayers && !norm && !strings.HasSuffix(row.Name, ".bias"):
			p.frozen = append(p.frozen, row.Name)
		case row.Changed == 0:
		case norm:
			p.gains = append(p.gains, row.Name)
		case !inLayers:
			p.outside = append(p.outside, row.Name)
			p.embed = p.embed || row.Name == tensors.PartEmbed
		case strings.HasSuffix(row.Name, ".bias"):
			p.biases = append(p.biases, row.Name)
		default:
			p.matrices = append(p.matrices, row.Name)
		}
	}
	return p
}

// recipeOf guesses how the fine-tune was made from what moved and how.
func recipeOf(r *Report, s shape) string {
	p := partsOf(r)
	matrices, others := strings.Join(p.matrices, ", "), slices.Concat(p.biases, p.gains, p.outside)
	switch all := strings.Join(slices.Concat(p.matrices, others), ", "); {
	case r.Total.Changed == 0:
		return "nothing changed in the tensors that were compared"
	case len(p.matrices) == 0 && len(others) == len(p.gains):
		return "only the gains of normalisations were trained"
	case len(p.matrices) == 0:
		return "only " + all + " moved: no matrix of a layer was trained"
	case len(others) == 0 && s.directions > 0:
		return fmt.Sprintf("a LoRA of rank %d or so on %s", s.directions, matrices)
	case len(others) == 0 && s.matrices == 0:
		return fmt.Sprintf("a LoRA, or training, of %s alone (--svd 32 tells which)", matrices)
	case len(others) == 0 && s.energy < diffuse:
		return fmt.Sprintf("full-rank training of %s alone", matrices)
	case len(others) == 0:
		return fmt.Sprintf("a LoRA of rank above %d, or training, of %s alone", s.rank, matrices)
	case s.directions > 0:
		return fmt.Sprintf("a LoRA of rank %d or so, with other modules trained whole", s.directions)
	case len(p.frozen) > 0:
		return "training of " + all
	case !p.embed:
		return "full fine-tuning with a frozen embedding"
	}
	return "full fine-tuning"
}
