package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Tango returns the score interval for the difference of two paired
// proportions, tuned minus base, when of n items lost ones went from right to
// wrong and gained ones from wrong to right (Tango, Statistics in Medicine 17,
// 1998, p. 891). Its ends are the differences D at which the score statistic
//
//	(gained - lost - n D) / sqrt(n (2 q + D (1-D)))
//
// is ± the normal quantile of the two-sided confidence, where q is the most
// likely probability of a loss if the difference is D:
//
//	q = (sqrt(B² - 8 n C) - B) / 4n,
//	B = (2n - gained + lost) D - gained - lost,  C = -lost D (1-D)
//
// Unlike D ± 1.96 SE it keeps its coverage when few items changed, has a width
// when none did, and never leaves [-1,1]. It panics unless 0 <= lost, 0 <=
// gained, lost+gained <= n, 0 < n and 0 < confidence < 1.
func Tango(lost, gained, n int, confidence float64) (low, high float64) {
	if lost < 0 || gained < 0 || n < 1 || lost+gained > n || !(confidence > 0 && confidence < 1) {
		panic(fmt.Sprintf("stat: no Tango interval for %d lost and %d gained of %d at confidence %v", lost, gained, n, confidence))
	}
	b, c, items := float64(lost), float64(gained), float64(n)
	z := -distuv.UnitNormal.Quantile((1 - confidence) / 2)
	score := func(d float64) float64 {
		linear := (2*items-c+b)*d - c - b
		q := (math.Sqrt(max(0, linear*linear+8*items*b*d*(1-d))) - linear) / (4 * items)
		numerator := c - b - items*d
		if numerator == 0 {
			return 0
		}
		return numerator / math.Sqrt(max(0, items*(2*q+d*(1-d)))) // ± infinity at the ends
	}
	difference := (c - b) / items
	low = root(-1, difference, func(d float64) bool { return score(d) > z })
	high = root(difference, 1, func(d float64) bool { return score(d) > -z })
	return low, high
}

// root returns the place between from and to up to which above holds, by
// halving until the floating-point numbers are used up.
func root(from, to float64, above func(float64) bool) float64 {
	for {
		middle := from + (to-from)/2
		if middle <= from || middle >= to {
			return middle
		}
		if above(middle) {
			from = middle
		} else {
			to = middle
		}
	}
}

// Newcombe returns an interval for the same difference as [Tango] by method 10
// of Newcombe (Statistics in Medicine 17, 1998, p. 2635): the Wilson intervals
// of the two proportions, combined by squaring and adding with the correlation
// of the two models, for which a continuity correction is made. It needs all
// four cells: items right in both, lost, gained, and wrong in both. It panics
// on a negative cell, on no items and unless 0 < confidence < 1.
func Newcombe(both, lost, gained, neither int, confidence float64) (low, high float64) {
	if min(both, lost, gained, neither) < 0 || both+lost+gained+neither < 1 || !(confidence > 0 && confidence < 1) {
		panic(fmt.Sprintf("stat: no Newcombe interval for the cells %d, %d, %d, %d at confidence %v", both, lost, gained, neither, confidence))
	}
	a, b, c, d := float64(both), float64(lost), float64(gained), float64(neither)
	n := a + b + c + d
	base, tuned := (a+b)/n, (a+c)/n
	baseLow, baseHigh := wilson(a+b, n, confidence)
	tunedLow, tunedHigh := wilson(a+c, n, confidence)
	correlation := 0.0
	if product := (a + b) * (c + d) * (a + c) * (b + d); product > 0 {
		correlation = a*d - b*c
		if correlation > 0 {
			correlation = max(correlation-n/2, 0)
		}
		correlation /= math.Sqrt(product)
	}
	down, up := tuned-tunedLow, baseHigh-base
	low = tuned - base - math.Sqrt(max(0, down*down-2*correlation*down*up+up*up))
	down, up = base-baseLow, tunedHigh-tuned
	high = tuned - base + math.Sqrt(max(0, down*down-2*correlation*down*up+up*up))
	return max(low, -1), min(high, 1)
}
