package stat

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// bootstrapped returns the mean over the items of a sample of units, one per
// sample. Units are drawn whole, so samples of units of different size differ
// in their number of items too, and the mean is the total of the values over
// the number of items drawn.
func (u units) bootstrapped(values []float64, samples int, seed uint64, use purpose) []float64 {
	sums := u.sums(values)
	if u.even() {
		means := newResampler(u, sums).run(samples, seed, use)[0]
		for i := range means {
			means[i] /= u.items
		}
		return means
	}
	totals := newResampler(u, sums, u.size).run(samples, seed, use)
	for i := range totals[0] {
		totals[0][i] /= totals[1][i]
	}
	return totals[0]
}

// acceleration returns the skewness of the units' influence on the mean,
// sum z³ / (6 (sum z²)^1.5), which for a mean is what the jackknife gives too
// (Efron, JASA 82, 1987, p. 171, equation 7.3). z are the deviations.
func acceleration(z []float64) float64 {
	scale, squares, cubes := magnitude(z), 0.0, 0.0
	if scale == 0 {
		return 0
	}
	for _, deviation := range z {
		deviation /= scale
		squares += float64(deviation * deviation)
		cubes += float64(deviation * deviation * deviation)
	}
	return cubes / (6 * math.Pow(squares, 1.5))
}

// bca returns the bias-corrected and accelerated bootstrap interval of Efron
// (JASA 82, 1987, p. 171): the quantiles of the bootstrapped means at
//
//	Phi(z0 + (z0 + z) / (1 - a (z0 + z))),  z = ± the normal quantile
//
// where z0 is the normal quantile of the share of bootstrapped means below the
// observed one, ties counting half, and a the acceleration. The interval is
// extended to the observed mean should it miss it.
func bca(observed float64, means []float64, acceleration, confidence float64) (low, high float64) {
	sort.Float64s(means)
	rounding := 1e-12 * max(math.Abs(means[0]), math.Abs(means[len(means)-1]))
	less := sort.SearchFloat64s(means, observed-rounding)
	through := sort.SearchFloat64s(means, observed+rounding)
	share := (float64(less+through)/2 + 0.5) / float64(len(means)+1)
	bias := distuv.UnitNormal.Quantile(share)
	end := func(z float64) float64 {
		slope := 1 - acceleration*(bias+z)
		if slope <= 0 { // beyond the range of the correction: the outermost draw
			return quantile(means, distuv.UnitNormal.CDF(math.Copysign(math.Inf(1), z)))
		}
		return quantile(means, distuv.UnitNormal.CDF(bias+(bias+z)/slope))
	}
	z := distuv.UnitNormal.Quantile((1 - confidence) / 2)
	return min(end(z), observed), max(end(-z), observed)
}

// percentile returns the middle part of the values that has the given share of
// them.
func percentile(values []float64, confidence float64) (low, high float64) {
	sort.Float64s(values)
	return quantile(values, (1-confidence)/2), quantile(values, (1+confidence)/2)
}

// quantile returns the value at rank p(n+1) of sorted values, between two
// neighbours in proportion, and the first or last value beyond them.
func quantile(sorted []float64, p float64) float64 {
	rank := p*float64(len(sorted)+1) - 1
	at := int(math.Floor(rank))
	switch {
	case !(rank > 0):
		return sorted[0]
	case at >= len(sorted)-1:
		return sorted[len(sorted)-1]
	}
	fraction := rank - float64(at)
	return sorted[at] + float64(fraction*(sorted[at+1]-sorted[at]))
}
