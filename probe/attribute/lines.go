package attribute

import (
	"fmt"
	"math"
	"strings"

	"surgeon/merge"
	"surgeon/tensors"
)

// LiNeS is the layer-wise scaling of a task vector (Wang, Dimitriadis,
// Favero, Ortiz-Jimenez, Fleuret, Frossard, "LiNeS: Post-training layer scaling
// prevents forgetting and enhances model merging", arXiv 2410.17146): alphas
// that change linearly with depth,
//
//	alpha_l = first + (last - first) l/(L-1)    for l = 0..L-1.
//
// The paper keeps less of shallow layers, which are more general: first < last.
// The embedding and a norm of it have the alpha first, the final norm and the head have last, and
// a tensor outside the layers whose place is unknown, as the only layer of a
// model of one, has the mean of both.
func LiNeS(first, last float64, layers int) merge.Alpha {
	if layers < 1 || math.IsNaN(first) || math.IsNaN(last) {
		panic(fmt.Sprintf("attribute: LiNeS from %v to %v over %d layers", first, last, layers))
	}
	return func(name string) float64 {
		key := tensors.KeyOf(name)
		if key.Layer == tensors.NoLayer {
			switch kind := kindOf(key); {
			case kind == embedding, kind == norm && strings.Contains(strings.ToLower(key.Part), "embed"):
				return first
			case kind == norm, kind == head:
				return last
			}
		}
		if key.Layer == tensors.NoLayer || layers == 1 {
			return first + (last-first)/2
		}
		depth := float64(min(key.Layer, layers-1)) / float64(layers-1)
		return float64(first*(1-depth)) + float64(last*depth)
	}
}
