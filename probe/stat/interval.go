package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// meanAndError returns the mean of values and its standard error sd/sqrt(n),
// where sd² is the sum of the squared deviations over n-1. The standard error
// of a single value is NaN. Values that differ by no more than rounding count
// as equal and have a standard error of 0; rounding is judged against scale,
// the largest magnitude that went into the values.
func meanAndError(values []float64, scale float64) (mean, standardError float64) {
	n := float64(len(values))
	sum, low, high := 0.0, math.Inf(1), math.Inf(-1)
	for _, value := range values {
		sum += value
		low, high = min(low, value), max(high, value)
	}
	if len(values) < 2 {
		return sum / n, math.NaN()
	}
	if high-low <= 4*epsilon*scale {
		return values[0], 0
	}
	mean = sum / n
	squares := 0.0
	for _, value := range values {
		squares += float64((value - mean) * (value - mean)) // the conversion forbids a fused multiply-add
	}
	return mean, math.Sqrt(squares / (n - 1) / n)
}

// epsilon is the distance from 1 to the next float64.
const epsilon = 0x1p-52

// magnitude returns the largest absolute value of the scores.
func magnitude(scores []float64) float64 {
	largest := 0.0
	for _, score := range scores {
		largest = max(largest, math.Abs(score))
	}
	return largest
}

// wilson returns the score interval of Wilson (JASA 22, 1927) for x successes
// in n trials: with p = x/n and z the two-sided normal quantile,
//
//	(p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)
//
// At x = 0 the lower end is exactly 0, at x = n the upper end exactly 1.
func wilson(x, n, confidence float64) (low, high float64) {
	z := -distuv.UnitNormal.Quantile((1 - confidence) / 2)
	share, z2 := x/n, z*z
	center := share + z2/(2*n)
	half := z * math.Sqrt(share*(1-share)/n+z2/(4*n*n))
	low, high = (center-half)/(1+z2/n), (center+half)/(1+z2/n)
	if x == 0 {
		low = 0
	}
	if x == n {
		high = 1
	}
	return low, high
}

// student returns mean ± t SE with the two-sided quantile t of Student's
// distribution with n-1 degrees of freedom. An SE of NaN, that of a single
// value, gives an interval of NaN.
func student(mean, standardError float64, n int, confidence float64) (low, high float64) {
	if math.IsNaN(standardError) {
		return standardError, standardError
	}
	t := distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile((1 - confidence) / 2)
	half := float64(t * standardError) // rounded by itself, so that no processor fuses it with the sum
	return mean + half, mean - half
}

// checkConfidence refuses a confidence that no interval can have.
func checkConfidence(confidence float64) error {
	if confidence > 0 && confidence < 1 {
		return nil
	}
	return fmt.Errorf("stat: the confidence is %v, but must lie between 0 and 1", confidence)
}

// checkFinite refuses a mean that has overflown.
func checkFinite(mean, standardError float64) error {
	if math.IsInf(mean, 0) || math.IsNaN(mean) || math.IsInf(standardError, 0) {
		return fmt.Errorf("stat: the scores are too large to be averaged")
	}
	return nil
}
