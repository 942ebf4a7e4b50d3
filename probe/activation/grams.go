package activation

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"surgeon/tensors/kernel"
)

// Grams are the Gram matrices of the inputs of a model's matrices. They may be
// used by several goroutines at once.
type Grams struct {
	tokens int
	of     map[string]*gram
}

// gram is the lower triangle of a Gram matrix, row by row: with activations of few
// significant digits behind it, float32 is enough, and half the memory.
type gram struct {
	width int
	lower []float32 // [width*(width+1)/2]
}

// Tokens is the number of tokens that the Gram matrices are means over.
func (g *Grams) Tokens() int { return g.tokens }

// Tensors lists the matrices that were measured, sorted.
func (g *Grams) Tensors() []string { return slices.Sorted(maps.Keys(g.of)) }

// Of is the Gram matrix [width, width] of the inputs of a tensor, row by row and
// symmetric: element [i][j] is the mean over tokens of x[i]*x[j]. It is a copy.
// ok is false for a tensor that was not measured. It is what merge.RegMean asks
// for.
func (g *Grams) Of(tensor string) (matrix []float64, width int, ok bool) {
	found := g.of[tensor]
	if found == nil {
		return nil, 0, false
	}
	return full[float64](found), found.width, true
}

// full is the whole matrix, by tiles: a column's elements lie far apart.
func full[T float32 | float64](g *gram) []T {
	const tile = 32
	n := g.width
	matrix := make([]T, n*n)
	for rows := 0; rows < n; rows += tile {
		for columns := 0; columns <= rows; columns += tile {
			for i := rows; i < min(rows+tile, n); i++ {
				for j, v := range g.lower[i*(i+1)/2+columns : i*(i+1)/2+min(columns+tile, i+1)] {
					matrix[i*n+columns+j], matrix[(columns+j)*n+i] = T(v), T(v)
				}
			}
		}
	}
	return matrix
}

// panels packs the matrix to be multiplied by.
func (g *gram) panels() *kernel.Panels {
	p := new(kernel.Panels)
	p.Pack(full[float32](g), g.width, g.width)
	return p
}

// WeightedNorm is the root mean square of what a weight [rows, width] makes of the
// inputs of a tensor, summed over its rows: sqrt(tr(W G W')). Products are computed
// in float32 and added up in float64. It panics for a tensor that was not measured
// and for a weight that is not whole rows of its width.
func (g *Grams) WeightedNorm(tensor string, weight []float32) float64 {
	found := g.of[tensor]
	switch {
	case found == nil:
		panic(fmt.Sprintf("activation: the inputs of %q were not measured", tensor))
	case len(weight)%found.width != 0:
		panic(fmt.Sprintf("activation: %d values are not rows of %d, as %q has", len(weight), found.width, tensor))
	}
	return math.Sqrt(energy(found.panels(), weight))
}

// energy is tr(W G W') of a weight [rows, width]. A Gram matrix has no negative
// energies: what rounding leaves of none is none.
func energy(g *kernel.Panels, weight []float32) float64 {
	width, _ := g.Shape()
	rows := len(weight) / width
	product, each := make([]float32, len(weight)), make([]float64, rows)
	g.Multiply(product, weight, rows)
	kernel.Parallel(rows, func(low, high int) {
		for r := low; r < high; r++ {
			row := product[r*width : (r+1)*width]
			for i, v := range weight[r*width : (r+1)*width] {
				each[r] += float64(v) * float64(row[i])
			}
		}
	})
	total := 0.0
	for _, v := range each {
		total += v
	}
	if total < 0 {
		return 0
	}
	return total
}
