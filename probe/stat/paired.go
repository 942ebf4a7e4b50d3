package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Comparison is what two Samples of the same items say about two models.
type Comparison struct {
	// N is the number of items, at least 1.
	N int
	// Difference is the mean over the items of candidate minus base, in the
	// unit of the scores; it is positive if the candidate is better.
	Difference float64
	// SE is the standard error of Difference, sd/sqrt(N) of the differences
	// with N-1 in the variance. It is NaN for a single item, and 0 if all
	// differences are equal.
	SE float64
	// Low and High bound Difference at the confidence asked for, with
	// Student's t on N-1 degrees of freedom. They are NaN for a single item.
	Low, High float64
	// Better, Worse and Same count the items whose score rose, fell and stayed.
	// They add up to N.
	Better, Worse, Same int
	// Needed is the number of items that must change before the exact McNemar
	// test can come out below 1-confidence; 0 if scores are not all 0 or 1.
	Needed int
	// P is the two-sided p value of the hypothesis that the models do not
	// differ: the probability, if they did not, of a difference at least as
	// large as this one. It lies in [0,1] and is never NaN.
	P float64
	// Warnings says in words what limits the numbers above.
	Warnings []string
}

// Paired compares two models, candidate minus base, over the same items, which
// are matched by name and may come in any order. The interval, of the given
// confidence such as 0.95, is Student's t on the differences per item (Miller,
// arXiv 2411.00640). P is the exact McNemar test if all scores of both samples
// are 0 or 1, and the paired t test otherwise.
//
// Differences that are all equal leave the t test nothing to divide by. SE is
// then 0, the interval has no width, a warning says so, and P comes from the
// sign-flip test (Fisher, The Design of Experiments, 1935, section 21), which
// is exact: 2/2^N, and 1 if the differences are 0. A single item is such a case
// with P of 1, but its SE and interval are NaN, which encoding/json refuses to
// write.
//
// It is an error if a sample is empty, names an item twice or has a score that
// is not finite, if the samples have not the same items, and if confidence does
// not lie between 0 and 1. Paired panics if a sample has not as many scores as
// items.
func Paired(base, candidate Sample, confidence float64) (Comparison, error) {
	base, candidate, err := match(base, candidate)
	if err != nil {
		return Comparison{}, err
	}
	if err := checkConfidence(confidence); err != nil {
		return Comparison{}, err
	}
	scale := max(magnitude(base.Scores), magnitude(candidate.Scores))
	differences := subtract(base.Scores, candidate.Scores, scale)
	result := count(differences)
	result.Difference, result.SE = meanAndError(differences, scale)
	if err := checkFinite(result.Difference, result.SE); err != nil {
		return Comparison{}, err
	}
	result.Low, result.High = student(result.Difference, result.SE, result.N, confidence)
	result.test(binary(base.Scores) && binary(candidate.Scores), confidence)
	return result, nil
}

// match returns two samples sorted by item, after checking that they have the
// same items.
func match(base, candidate Sample) (Sample, Sample, error) {
	base, err := base.sorted()
	if err != nil {
		return Sample{}, Sample{}, fmt.Errorf("%w (in the base)", err)
	}
	candidate, err = candidate.sorted()
	if err != nil {
		return Sample{}, Sample{}, fmt.Errorf("%w (in the candidate)", err)
	}
	return base, candidate, sameItems(base, candidate)
}

// subtract returns candidate minus base per item. A difference of no more than
// the rounding of scores of this scale is 0, lest items that agree count as
// better or worse.
func subtract(base, candidate []float64, scale float64) []float64 {
	differences := make([]float64, len(base))
	for i := range differences {
		if d := candidate[i] - base[i]; math.Abs(d) > 4*epsilon*scale {
			differences[i] = d
		}
	}
	return differences
}

// count returns a comparison with the items counted by the sign of their
// difference.
func count(differences []float64) Comparison {
	result := Comparison{N: len(differences)}
	for _, difference := range differences {
		switch {
		case difference > 0:
			result.Better++
		case difference < 0:
			result.Worse++
		default:
			result.Same++
		}
	}
	return result
}

// test sets P of a comparison that is otherwise complete, and the warnings.
func (c *Comparison) test(binary bool, confidence float64) {
	if c.N < 2 {
		c.warn("a single item has no spread, so the standard error and the interval are unknown")
	} else if c.SE == 0 {
		c.warn("the differences of all %d items are equal, so the interval has no width", c.N)
	}
	switch {
	case binary:
		c.P = mcnemar(c.Better, c.Worse)
		c.warnDiscordant(confidence)
	case !(c.SE > 0): // 0, or NaN for a single item
		c.P = signFlip(c.N, c.Difference)
	default:
		t := -math.Abs(c.Difference / c.SE)
		c.P = 2 * distuv.StudentsT{Sigma: 1, Nu: float64(c.N - 1)}.CDF(t)
	}
}

// signFlip returns the share of the 2^n ways of swapping base and candidate per
// item that give a mean at least as far from 0 as n equal differences do: only
// all of them one way, or all the other.
func signFlip(n int, difference float64) float64 {
	if difference == 0 {
		return 1
	}
	return math.Ldexp(1, 1-n)
}

// warn appends a warning.
func (c *Comparison) warn(format string, arguments ...any) {
	c.Warnings = append(c.Warnings, fmt.Sprintf(format, arguments...))
}
