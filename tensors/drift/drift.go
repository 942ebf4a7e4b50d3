// Package drift measures how far the weights of a fine-tune have moved from
// its base.
//
// Measure makes one streaming pass and gives a Report with a Row for every
// tensor. Rows are rolled up by sums, so that the row of a layer, of a part or
// of the whole model is exactly what one would get from its tensors laid end
// to end:
//
//	relative drift   ||d|| / ||b||           Frobenius norms, d = tuned - base
//	1 - cosine       1 - <b,t> / (||b|| ||t||)   over the flattened tensor, t = b + d
//	norm ratio       ||t|| / ||b||
//	largest change   max |d|
//	changed          share of elements whose value differs
//	sign flips       share of elements that changed from below to above zero or back
//	not finite       elements of either side that are NaN or infinite
//
// The embedding, the head and the final norm are rows of their own and never
// part of a layer; the gains of all normalisations are added up besides. All
// sums are in float64, over blocks of fixed size added in a fixed order: the
// result is the same for any number of threads.
//
// Read says in words what the numbers suggest: which modules were frozen,
// whether the change is at the resolution of the stored type, and how the
// fine-tune was probably made.
package drift

import (
	"math"

	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// Sums are the raw accumulations of a set of elements; they add.
type Sums struct {
	N int64 // elements
	kernel.Moments
	NonfiniteBase, NonfiniteTuned int64 // elements that are NaN or infinite
}

// Row is the drift of one tensor or of a set of tensors.
type Row struct {
	Name    string        // the tensor, the layer, the part, or "total"
	Key     tensors.Key   // of a tensor; of a layer its Layer, of a part its Part with a negative Layer
	Info    tensors.Info  // of a tensor, as the base stores it
	Tuned   tensors.DType // of a tensor, the type it is stored in now; "" of a delta that was never stored
	Tensors int           // in the row
	Sums
}

// BaseNorm is the Frobenius norm of the base weights.
func (s Sums) BaseNorm() float64 { return math.Sqrt(s.Base2) }

// DeltaNorm is the Frobenius norm of the difference.
func (s Sums) DeltaNorm() float64 { return math.Sqrt(s.Delta2) }

// Relative is ||d|| / ||b||: 0 where nothing moved, +Inf where weights that
// were all zero moved.
func (s Sums) Relative() float64 {
	if s.Delta2 == 0 {
		return 0
	}
	return s.DeltaNorm() / s.BaseNorm()
}

// Cosine is <b,t> / (||b|| ||t||) for the flattened weights: 1 where nothing
// moved, NaN where only one of them is all zero.
func (s Sums) Cosine() float64 { return 1 - s.OneMinusCosine() }

// OneMinusCosine is 1 - Cosine, and 0 wherever nothing moved, computed from the difference so that small
// angles keep their digits: with c the component of d across b,
// 1 - cos = sin^2/(1 + cos), sin = ||c||/||t||.
func (s Sums) OneMinusCosine() float64 {
	if s.Delta2 == 0 {
		return 0
	}
	tuned2 := s.Base2 + 2*s.Dot + s.Delta2
	across2 := max(0, s.Delta2-s.Dot/s.Base2*s.Dot)
	cosine := (s.Base2 + s.Dot) / (math.Sqrt(s.Base2) * math.Sqrt(tuned2))
	if cosine < 0 {
		return 1 - cosine
	}
	return across2 / tuned2 / (1 + cosine)
}

// NormRatio is ||t|| / ||b||: 1 where nothing moved.
func (s Sums) NormRatio() float64 {
	if s.Delta2 == 0 {
		return 1
	}
	return math.Sqrt(max(0, s.Base2+2*s.Dot+s.Delta2)) / s.BaseNorm()
}

// ChangedShare is the share of elements that changed, 0 to 1.
func (s Sums) ChangedShare() float64 { return share(s.Changed, s.N) }

// FlippedShare is the share of elements whose sign changed, 0 to 1.
func (s Sums) FlippedShare() float64 { return share(s.Flipped, s.N) }

func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func (s *Sums) add(o Sums) {
	s.N += o.N
	s.Base2 += o.Base2
	s.Delta2 += o.Delta2
	s.Dot += o.Dot
	s.MaxAbs = max(s.MaxAbs, o.MaxAbs)
	s.Changed += o.Changed
	s.Flipped += o.Flipped
	s.NonfiniteBase += o.NonfiniteBase
	s.NonfiniteTuned += o.NonfiniteTuned
}

// Report is the drift of a whole model.
type Report struct {
	Tensors []Row // sorted by layer, outside ones by their place in the model; then by name
	Layers  []Row // embedding, layers in order, final norm, head, anything else
	Parts   []Row // each part over all layers, in alphabetical order; then those outside the layers
	Gains   Row   // all gains of normalisations, in the layers and behind them
	Total   Row
}
