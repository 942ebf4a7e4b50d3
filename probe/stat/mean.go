package stat

import "fmt"

// Summary is what one Sample says about the score of a model.
type Summary struct {
	// N is the number of items, at least 1.
	N int
	// Mean is the mean score, in the unit of the scores.
	Mean float64
	// SE is the standard error of the mean, sd/sqrt(N) with N-1 in the
	// variance. It is NaN for a single item, and 0 if all scores are equal.
	SE float64
	// Low and High bound the mean at the confidence asked for. They are NaN
	// for a single item that is not scored 0 or 1.
	Low, High float64
	// Warnings says in words what limits the numbers above.
	Warnings []string
}

// Mean summarises the scores of s with an interval of the given confidence,
// such as 0.95. Scores that are all 0 or 1 get the Wilson interval, which lies
// within [0,1] and has a width even if all scores agree; other scores get
// Student's t interval, which is not cut to any range. SE is the same formula
// for both, so Low and High need not be Mean ± a multiple of SE.
//
// Two cases have no spread to work with, and are said in a warning: a single
// item has an SE of NaN, which encoding/json refuses to write; and scores other
// than 0 and 1 that are all equal have an SE of 0 and an interval of no width.
//
// It is an error if s is empty, names an item twice or has a score that is not
// finite, and if confidence does not lie between 0 and 1. Mean panics if s has
// not as many scores as items.
func Mean(s Sample, confidence float64) (Summary, error) {
	s, err := s.sorted()
	if err != nil {
		return Summary{}, err
	}
	if err := checkConfidence(confidence); err != nil {
		return Summary{}, err
	}
	result := Summary{N: len(s.Scores)}
	result.Mean, result.SE = meanAndError(s.Scores, magnitude(s.Scores))
	if err := checkFinite(result.Mean, result.SE); err != nil {
		return Summary{}, err
	}
	result.bound(s.Scores, confidence)
	return result, nil
}

// bound sets the interval of a summary whose mean and error are set, and warns
// if the scores have no spread.
func (s *Summary) bound(scores []float64, confidence float64) {
	if binary(scores) {
		right := 0.0
		for _, score := range scores {
			right += score
		}
		s.Low, s.High = wilson(right, float64(s.N), confidence)
	} else {
		s.Low, s.High = student(s.Mean, s.SE, s.N, confidence)
	}
	switch {
	case s.N < 2:
		s.Warnings = append(s.Warnings, "a single item has no spread, so the standard error is unknown")
	case s.SE == 0 && s.Low == s.High:
		s.Warnings = append(s.Warnings, fmt.Sprintf("all %d scores are equal, so the interval has no width", s.N))
	}
}
