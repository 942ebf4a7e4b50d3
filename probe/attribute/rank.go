package attribute

import (
	"fmt"
	"math"
	"slices"
)

// RankCorrelation is Spearman's rank correlation of a and b with the bounds of
// its 95 % interval: the correlation of their ranks, equal values sharing the
// mean of theirs. It says how well one column, such as the drift of each
// group, foretells the order of another, such as its harm.
//
// The interval is Fisher's, artanh(rho) +- 1.96 s, with the standard error of
// Bonett and Wright ("Sample size requirements for estimating Pearson, Kendall
// and Spearman correlations", Psychometrika 65, 2000), s^2 = (1+rho^2/2)/(n-3).
// It is rough below some ten pairs. A rho of 1 or -1, where it would have no
// width, is taken to be half a step away: a step is what exchanging two
// neighbours changes, 12/(n(n^2-1)). Below four pairs the bounds are -1 and 1.
//
// All three are NaN where there are less than two pairs, where a column is all
// equal, and where a value is NaN. Columns of different lengths panic.
func RankCorrelation(a, b []float64) (rho, low, high float64) {
	if len(a) != len(b) {
		panic(fmt.Sprintf("attribute: a rank correlation of %d values with %d", len(a), len(b)))
	}
	n := float64(len(a))
	rho = correlation(ranks(a), ranks(b))
	if math.IsNaN(rho) {
		return rho, rho, rho
	}
	if n < 4 {
		return rho, -1, 1
	}
	const quantile = 1.959963984540054 // of the standard normal at 0.975
	most := 1 - 6/(n*(n*n-1))
	inner := max(-most, min(most, rho))
	z, s := math.Atanh(inner), math.Sqrt((1+float64(inner*inner)/2)/(n-3))
	low, high = math.Tanh(z-float64(quantile*s)), math.Tanh(z+float64(quantile*s))
	return rho, min(low, rho), max(high, rho)
}

// ranks are 1 for the least value to n for the greatest, equal values sharing
// the mean of theirs; nil where a value is NaN.
func ranks(values []float64) []float64 {
	if slices.ContainsFunc(values, math.IsNaN) {
		return nil
	}
	sorted := slices.Sorted(slices.Values(values))
	result := make([]float64, len(values))
	for i, value := range values {
		from, _ := slices.BinarySearch(sorted, value)
		to := from
		for to < len(sorted) && sorted[to] == value {
			to++
		}
		result[i] = float64(from+to+1) / 2
	}
	return result
}

// correlation is Pearson's, of ranks. Their mean is (n+1)/2, and all terms are
// multiples of 1/4, so that sums are exact.
func correlation(a, b []float64) float64 {
	var ab, aa, bb float64
	mean := float64(len(a)+1) / 2
	for i := range min(len(a), len(b)) {
		x, y := a[i]-mean, b[i]-mean
		ab += float64(x * y)
		aa += float64(x * x)
		bb += float64(y * y)
	}
	if aa == 0 || bb == 0 || len(a) != len(b) {
		return math.NaN()
	}
	return max(-1, min(1, ab/math.Sqrt(aa*bb)))
}
