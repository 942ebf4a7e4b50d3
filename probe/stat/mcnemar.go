package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// mcnemar returns the exact two-sided p value of McNemar's test for items that
// went from wrong to right and from right to wrong: with m their sum and k the
// smaller of them,
//
//	min(1, 2 sum_{j<=k} C(m,j) / 2^m)
//
// that is, a fair coin thrown once for each item that changed.
func mcnemar(better, worse int) float64 {
	changed := distuv.Binomial{N: float64(better + worse), P: 0.5}
	return min(1, 2*changed.CDF(float64(min(better, worse))))
}

// discordantNeeded returns the smallest number of changed items with which the
// exact McNemar test can come out below 1-confidence. If all m of them change
// in one direction, p is 2/2^m.
func discordantNeeded(confidence float64) int {
	needed := 1
	for math.Ldexp(1, 1-needed) >= 1-confidence {
		needed++
	}
	return needed
}

// warnDiscordant warns if so few items changed that no way of changing them
// would have been significant, and says what a sample in which none changed
// still leaves open: with probability 1-confidence, n independent items show
// no change though each changes with probability 1-(1-confidence)^(1/n).
func (c *Comparison) warnDiscordant(confidence float64) {
	changed, needed := c.Better+c.Worse, discordantNeeded(confidence)
	c.Needed = needed
	if changed < needed {
		c.warn("only %d of %d items changed, so p cannot fall below %.4g: at least %d must change",
			changed, c.N, 1-confidence, needed)
	}
	if changed == 0 {
		c.warn("no item changed, which is compatible with changes in up to %.2g %% of all items",
			100*-math.Expm1(math.Log1p(-confidence)/float64(c.N)))
	}
}

// McNemar returns the p values of McNemar's test for lost items that went from
// right to wrong and gained ones that went from wrong to right: the exact
// two-sided one, and the mid-p value, which counts the observed split only
// half. The exact test is conservative, the more so the fewer items changed;
// mid-p keeps its level closely in practice without a guarantee (Fagerland,
// Lydersen and Laake, BMC Medical Research Methodology 13:91, 2013). It panics
// on a negative number.
func McNemar(lost, gained int) (exact, mid float64) {
	if lost < 0 || gained < 0 {
		panic(fmt.Sprintf("stat: %d items lost and %d gained", lost, gained))
	}
	if lost+gained == 0 {
		return 1, 1
	}
	exact = mcnemar(gained, lost)
	changed := distuv.Binomial{N: float64(lost + gained), P: 0.5}
	if observed := changed.Prob(float64(min(lost, gained))); lost == gained {
		mid = 1 - observed/2 // both tails hold the observed split, which counts half
	} else {
		mid = exact - observed
	}
	return exact, mid
}
