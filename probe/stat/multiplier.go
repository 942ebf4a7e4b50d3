package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// multiply returns the bootstrapped difference of each comparison in each
// sample: result[j][sample].
func multiply(all []contestant, options Options) [][]float64 {
	factor := rootOf(covariances(all))
	result := make([][]float64, len(all))
	for j := range result {
		result[j] = make([]float64, options.Draws)
	}
	parallel(options.Draws, func(from, to int) {
		normal := make([]float64, len(all))
		for sample := from; sample < to; sample++ {
			start := stream(options.Seed, forLargest, sample)
			for j := range normal {
				// half a step off 0, so that the quantile is finite
				normal[j] = distuv.UnitNormal.Quantile(unit(mix(start+uint64(j+1)*golden)) + 0x1p-54)
			}
			for j, c := range all {
				value := c.difference
				for k, weight := range factor[j] {
					value += float64(weight * normal[k])
				}
				result[j][sample] = value
			}
		}
	})
	return result
}

// covariances returns the covariance matrix of the differences. Comparisons
// without a known error have none.
func covariances(all []contestant) [][]float64 {
	result := make([][]float64, len(all))
	for j, c := range all {
		result[j] = make([]float64, len(all))
		if !(c.se > 0) {
			continue
		}
		result[j][j] = square(c.se)
		for k, other := range all[:j] {
			if other.se > 0 && c.sameUnits(other) {
				result[j][k] = c.scale * other.scale * c.units.covariance(c.deviations, other.deviations)
			}
		}
	}
	return result
}

// rootOf returns the lower triangular matrix L with L L' the given symmetric
// matrix, of which only the lower triangle is read (Cholesky). Where a
// comparison is but a combination of those before it, what is left on the
// diagonal is rounding and counts as 0.
func rootOf(matrix [][]float64) [][]float64 {
	factor := make([][]float64, len(matrix))
	for j := range matrix {
		factor[j] = make([]float64, j+1)
		for k := range j + 1 {
			left := matrix[j][k]
			for i := range k {
				left -= float64(factor[j][i] * factor[k][i])
			}
			switch {
			case k == j && left > 1e-12*matrix[j][j]:
				factor[j][j] = math.Sqrt(left)
			case k < j && factor[k][k] > 0:
				factor[j][k] = left / factor[k][k]
			}
		}
	}
	return factor
}

// shareOfWins returns how often each comparison is the lowest. Those that
// differ from the lowest by rounding only share the win.
func shareOfWins(draws [][]float64) []float64 {
	wins := make([]float64, len(draws))
	for sample := range draws[0] {
		lowest, scale := math.Inf(1), 0.0
		for j := range draws {
			lowest, scale = min(lowest, draws[j][sample]), max(scale, math.Abs(draws[j][sample]))
		}
		ties := 0.0
		for j := range draws {
			if draws[j][sample] <= lowest+1e-10*scale {
				ties++
			}
		}
		for j := range draws {
			if draws[j][sample] <= lowest+1e-10*scale {
				wins[j] += 1 / ties
			}
		}
	}
	for j := range wins {
		wins[j] /= float64(len(draws[0]))
	}
	return wins
}
