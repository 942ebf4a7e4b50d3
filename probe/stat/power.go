package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// The plans of this file are for a power of 80 % and a test at 5 %, the usual
// choice. With them, z = 1.960 + 0.842 = 2.80 for a two-sided test, and 1.645 +
// 0.842 = 2.49, of which the square is 6.18, for a one-sided one.
const (
	power       = 0.80
	significant = 0.05
)

// twoSided and oneSided are the sums of the normal quantiles of a test with
// the given error and of the power.
func twoSided(alpha float64) float64 { return oneSided(alpha / 2) }

func oneSided(alpha float64) float64 {
	return distuv.UnitNormal.Quantile(power) - distuv.UnitNormal.Quantile(alpha)
}

// MinimumDetectable returns the smallest true difference that a paired
// comparison of n items finds with probability 80 % at 5 %, two-sided, if the
// given share of the items changes one way or the other:
//
//	2.80 sqrt(discordance / n)
//
// For seeds and clusters use 2.80 SE, which is [Difference].Detectable. It
// panics unless n is positive and discordance lies in [0,1].
func MinimumDetectable(n int, discordance float64) float64 {
	if n < 1 || !(discordance >= 0 && discordance <= 1) {
		panic(fmt.Sprintf("stat: no minimum detectable difference of %d items with discordance %v", n, discordance))
	}
	return twoSided(significant) * math.Sqrt(discordance/float64(n))
}

// MinimumDetectableUnpaired is the same for two models run on different items
// of which a share p is right: 2.80 sqrt(2 p (1-p) / n).
func MinimumDetectableUnpaired(n int, p float64) float64 {
	if n < 1 || !(p >= 0 && p <= 1) {
		panic(fmt.Sprintf("stat: no minimum detectable difference of %d items with a share %v right", n, p))
	}
	return twoSided(significant) * math.Sqrt(2*p*(1-p)/float64(n))
}

// ItemsNeeded returns the number of items that finds a true difference with
// probability 80 % at 5 %, two-sided (Miller, arXiv 2411.00640, section 5):
//
//	(1.96 + 0.84)² (between + (base + tuned) / seeds) / difference²
//
// where between is the variance over the items of the true difference, and
// base and tuned are the mean variances within an item over seeds. For single
// runs scored 0 or 1, between is the share of items that change and the other
// two are 0. It returns 0 if no number of items would do, since the difference
// is 0, and panics on a negative variance and on less than one seed.
func ItemsNeeded(difference, between, base, tuned float64, seeds int) int {
	if !(between >= 0 && base >= 0 && tuned >= 0) || seeds < 1 {
		panic(fmt.Sprintf("stat: no number of items for the variances %v, %v, %v and %d seeds", between, base, tuned, seeds))
	}
	return atLeast(square(twoSided(significant)) * (between + (base+tuned)/float64(seeds)) / square(difference))
}

// ItemsToRetain returns the number of items that shows with probability 80 %,
// at 5 % one-sided, that a model has not lost more than margin, if in truth it
// has lost nothing and the given share of items changes one way or the other:
// 6.18 discordance / margin². It returns 0 if no number would do.
func ItemsToRetain(margin, discordance float64) int {
	return atLeast(square(oneSided(significant)) * discordance / square(margin))
}

// RuleOfThree returns the largest probability of an event that is compatible,
// at the given confidence, with its not having happened in n independent
// trials: 1 - (1-confidence)^(1/n), about 3/n at 95 % (Hanley and
// Lippman-Hand, JAMA 249, 1983, p. 1743). It panics unless n is positive and
// confidence lies in (0,1).
func RuleOfThree(n int, confidence float64) float64 {
	if n < 1 || !(confidence > 0 && confidence < 1) {
		panic(fmt.Sprintf("stat: no rule of three for %d trials at confidence %v", n, confidence))
	}
	return -math.Expm1(math.Log1p(-confidence) / float64(n))
}

func square(x float64) float64 { return x * x }

// atLeast rounds a number of items or seeds up. What no one could run is 0.
func atLeast(number float64) int {
	if !(number >= 0 && number <= 1e9) {
		return 0
	}
	return max(1, int(math.Ceil(number)))
}
