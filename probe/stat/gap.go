package stat

import "math"

// smallestGap is the gap between accuracies below which there is nothing worth
// closing.
const smallestGap = 0.02

// GapClosed returns the share of what tuning lost that a mitigation brought
// back,
//
//	(mitigated - tuned) / (base - tuned)
//
// above 1 if the mitigated model scores above the base. The interval is the
// percentile interval over bootstrap samples of the items, or clusters, that
// serve numerator and denominator alike; it takes the seeds as they are. There
// is no gap to close, and the ratio is undefined, if the base does not score
// above the tuned model, for scores between 0 and 1 by two points at least, with
// the two-sided interval of [Compare] wholly on that side.
//
// With the roles of base and tuned exchanged it is the share of what tuning
// gained that the mitigation kept, (mitigated - base) / (tuned - base):
//
//	GapClosed(tuned, base, mitigated, options)
//
// It is an error if [Compare] would fail for any two of the tables.
func GapClosed(base, tuned, mitigated Table, options Options) (Ratio, error) {
	options, err := options.complete()
	if err != nil {
		return Ratio{}, err
	}
	data, err := align([]string{"base", "tuned", "mitigated"}, base, tuned, mitigated)
	if err != nil {
		return Ratio{}, err
	}
	warnings := data.collapse("base", "tuned model", "mitigated model")
	p := newContrast(data, options)
	d := p.describe()
	gap := -d.Difference
	if !(gap > 0) || p.bounded && gap < smallestGap-1e-12 {
		return undefined("no gap to close: %.4g against %.4g, and less than %.2g is none", d.Base, d.Tuned, smallestGap), nil
	}
	if !(d.High < 0) {
		return undefined("no gap to close: the interval of the gap, %.4g to %.4g, holds 0", -d.High, -d.Low), nil
	}
	closed, open := p.units.sums(data.differences(1, 2)), p.units.sums(data.differences(1, 0))
	totals := newResampler(p.units, closed, open).run(options.Draws, options.Seed, forGap)
	gone := 0
	for i, lost := range totals[1] {
		if lost > 0 {
			totals[0][i] /= lost
		} else {
			totals[0][i] = math.Copysign(math.Inf(1), totals[0][i])
			gone++
		}
	}
	if float64(gone) >= (1-options.Confidence)/2*float64(options.Draws)-1 {
		return undefined("no gap to close: it is gone in %d of %d bootstrap samples", gone, options.Draws), nil
	}
	result := Ratio{Ratio: average(data.differences(1, 2)) / gap, Warnings: warnings}
	result.Low, result.High = percentile(totals[0], options.Confidence)
	widen(&result, p, gap)
	return result, nil
}
