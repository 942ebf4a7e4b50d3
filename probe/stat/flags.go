package stat

import (
	"fmt"
	"math"
)

// flag says whether the base leaves room for a loss to be seen. Chance and
// ceiling mean something only for scores between 0 and 1.
func (p contrast) flag(d *Difference) {
	if !p.bounded {
		return
	}
	d.Ceiling = d.Base > 0.95
	d.Insensitive = d.Base <= p.options.Margin
	if chance := p.options.Chance; !math.IsNaN(chance) {
		d.Floor = !(p.lowerBase(*d) > chance)
		d.Insensitive = d.Floor || d.Base-chance <= p.options.Margin
	}
}

// lowerBase returns the one-sided lower bound of the base's own score: Wilson's
// for single runs scored 0 or 1, otherwise Student's t. It is minus infinity
// if the score has no known error.
func (p contrast) lowerBase(d Difference) float64 {
	if p.proportions {
		low, _ := wilson(math.Round(d.Base*float64(d.N)), float64(d.N), max(2*p.options.OneSided-1, 1e-9))
		return low
	}
	z := p.units.deviations(p.data.means(0))
	variance := p.units.covariance(z, z)
	if !(variance >= 0) {
		return math.Inf(-1)
	}
	half := quantileT(p.options.OneSided, p.units.freedom()) * math.Sqrt(variance)
	return d.Base - max(half, RuleOfThree(d.N, p.options.OneSided))
}

// fewClusters is the number of clusters below which clustered standard errors
// are known to be too small (Cameron and Miller, Journal of Human Resources
// 50, 2015, p. 317), and fewSeeds that of seeds below which their variance is
// hardly known.
const (
	fewClusters = 20
	fewSeeds    = 5
)

// warn says what limits the result.
func (p contrast) warn(d *Difference) {
	say := func(when bool, format string, arguments ...any) {
		if when {
			d.Warnings = append(d.Warnings, fmt.Sprintf(format, arguments...))
		}
	}
	units, kind := len(p.units.names), "item"
	if d.Clusters > 0 {
		kind = "cluster"
	}
	changed, needed := d.Lost+d.Gained, discordantNeeded(p.options.Confidence)
	say(math.IsNaN(d.SE), "there is no more than one %s to a stratum, so there is no spread and the standard error is unknown", kind)
	say(d.SE == 0 && !p.bounded, "the differences of all %d items are equal, so the interval has no width and decides nothing", d.N)
	say(d.Clusters > 1 && units < fewClusters, "the standard error rests on %d clusters only", units)
	say(d.Clusters > 0 && changed > 0, "McNemar's test treats the items of a cluster as independent: rely on the sign flips, which do not")
	say(p.proportions && changed < needed, "only %d of %d items changed, so the exact p cannot fall below %.4g: at least %d must change",
		changed, d.N, 1-p.options.Confidence, needed)
	say(p.bounded && changed == 0, "no item changed, which is compatible with changes in up to %.2g %% of all items",
		100*RuleOfThree(d.N, p.options.Confidence))
	say(p.bounded && changed > 0 && d.Lost == 0, "no item was lost, which is compatible with losses in up to %.2g %% of all items",
		100*RuleOfThree(d.N, p.options.Confidence))
	p.warnSeeds(d, say)
	p.warnVerdict(d, say)
}

func (p contrast) warnSeeds(d *Difference, say func(bool, string, ...any)) {
	c := d.Components
	if c == nil {
		return
	}
	say(d.Seeds < fewSeeds, "the variance of the seeds is estimated from %d of them only", d.Seeds)
	say(c.SESeeds > c.SEItems/3, "seeds cause %.0f %% of the variance: sign flips and bootstrap, which take the seeds as they are, are too certain",
		100*square(c.SESeeds)/square(d.SE))
}

func (p contrast) warnVerdict(d *Difference, say func(bool, string, ...any)) {
	margin, chance := p.options.Margin, p.options.Chance
	say(d.Verdict == Retained && d.High < 0, "a loss is shown, but it is smaller than the margin of %.4g", margin)
	say(d.Floor, "the base is not shown to score above chance (%.4g), so there is nothing it could lose", chance)
	say(d.Insensitive && math.IsNaN(chance), "the base scores only %.4g, so it could not lose the margin of %.4g", d.Base, margin)
	say(d.Insensitive && !d.Floor && !math.IsNaN(chance), "the base scores only %.4g above chance, so it could not lose the margin of %.4g", d.Base-chance, margin)
	say(d.Ceiling, "the base scores above 95 %%, so the items are too easy to tell better models apart")
}
