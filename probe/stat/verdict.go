package stat

import "math"

// Verdict is the word for a comparison with a margin. The words are tried in
// the order of their list, and the first that applies is it.
type Verdict string

const (
	// Material: the two-sided interval lies wholly below minus the margin. The
	// tuned model has lost more than the largest loss that does not matter.
	Material Verdict = "MATERIAL"
	// Retained: the one-sided lower bound lies above minus the margin, so a
	// loss that matters is excluded. A loss smaller than the margin may still
	// be shown; a warning says so. Without a margin it means that a gain is
	// shown. Not given if the base is too close to chance to lose the margin.
	Retained Verdict = "RETAINED"
	// Regressed: the two-sided interval lies wholly below 0. A loss is shown,
	// and whether it matters is open, or no margin was set.
	Regressed Verdict = "REGRESSED"
	// Inconclusive: none of these. It never means that nothing was lost.
	Inconclusive Verdict = "INCONCLUSIVE"
)

// judge sets the verdict, whose error rates follow from the bounds it uses:
// with confidences of 95 %, MATERIAL and REGRESSED are said in at most 2.5 % of
// runs of a model that lost the margin or nothing, respectively, and RETAINED
// in at most 5 % of runs of a model that lost the margin. Testing RETAINED
// against a margin and the others against 0 needs no correction, since they
// are nested (Morikawa and Yoshida, Journal of Biopharmaceutical Statistics 5,
// 1995, p. 297).
func (p contrast) judge(d *Difference) {
	margin := p.options.Margin
	d.Detectable = twoSided(significant) * d.SE
	if p.bounded {
		d.Detectable = max(d.Detectable, RuleOfThree(d.N, 1-significant/2))
	}
	known := d.SE > 0 || p.bounded // otherwise the interval has no width
	switch {
	case known && margin > 0 && d.High < -margin:
		d.Verdict = Material
	case known && d.Lower > -margin && !d.Insensitive:
		d.Verdict = Retained
	case known && d.High < 0:
		d.Verdict = Regressed
	default:
		d.Verdict = Inconclusive
		if known && !d.Insensitive {
			d.NeededItems, d.NeededSeeds = p.needed(*d)
		}
	}
	d.Equivalent = known && margin > 0 && d.Lower > -margin && d.Upper < margin && !d.Insensitive
}

// needed returns how many items, or how many seeds, would decide. With the
// true difference at the observed one, D, the variance of the estimate must be
// at most (D/z)² to show a loss, or ((D+margin)/z)² to exclude one that
// matters, whichever is easier, with z for the error of that test and a power
// of 80 %. More items shrink all of the variance but that of the seeds, more
// seeds all but that of the items.
func (p contrast) needed(d Difference) (items, seeds int) {
	allowed := 0.0
	if loss := -d.Difference; loss > 0 {
		allowed = square(loss / twoSided(1-p.options.Confidence))
	}
	if room := d.Difference + p.options.Margin; room > 0 {
		allowed = max(allowed, square(room/oneSided(1-p.options.OneSided)))
		if p.variance == 0 && room < 1 { // nothing changed: by the rule of three
			return more(d.N, math.Log1p(-p.options.OneSided)/math.Log1p(-room)), 0
		}
	}
	if !(allowed > 0) {
		return 0, 0
	}
	if d.Components == nil {
		return more(d.N, p.variance*float64(d.N)/allowed), 0
	}
	ofSeeds, noise := square(d.Components.SESeeds), d.Components.noise
	if allowed > ofSeeds {
		items = more(d.N, p.variance*float64(d.N)/(allowed-ofSeeds))
	}
	if ofItems := max(0, p.variance-noise); allowed > ofItems {
		seeds = more(d.Seeds, (ofSeeds+noise)*float64(d.Seeds)/(allowed-ofItems))
	}
	return items, seeds
}

// more rounds a number up, and to more than there are.
func more(have int, number float64) int {
	if needed := atLeast(number); needed > 0 {
		return max(needed, have+1)
	}
	return 0
}
