package stat

import (
	"fmt"
	"math"
)

// Options says how two models are compared. The zero value means what stands
// below as the default.
type Options struct {
	// Confidence is that of the two-sided intervals, at least 0.5 and below 1.
	// Default 0.95.
	Confidence float64
	// OneSided is the confidence of the one-sided bounds that show that nothing
	// is lost, at least 0.5 and below 1. Default Confidence.
	OneSided float64
	// Margin is the largest loss that does not matter, as a difference of
	// scores: 0.02 is two points of accuracy. It must be set before the run.
	// 0 means that none was set.
	Margin float64
	// Draws is the number of bootstrap samples and sign flips, at least 100.
	// Default 10,000.
	Draws int
	// Seed makes these draws. Equal seeds give equal results.
	Seed uint64
	// Chance is the score that guessing gives, such as 0.25 for four options,
	// and below 1. NaN means that none is known.
	Chance float64
}

// complete fills in the defaults and refuses what makes no sense.
func (o Options) complete() (Options, error) {
	if o.Confidence == 0 {
		o.Confidence = 0.95
	}
	if o.OneSided == 0 {
		o.OneSided = o.Confidence
	}
	if o.Draws == 0 {
		o.Draws = 10_000
	}
	switch {
	case !(o.Confidence >= 0.5 && o.Confidence < 1):
		return o, fmt.Errorf("stat: the confidence is %v, but must be at least 0.5 and below 1", o.Confidence)
	case !(o.OneSided >= 0.5 && o.OneSided < 1):
		return o, fmt.Errorf("stat: the one-sided confidence is %v, but must be at least 0.5 and below 1", o.OneSided)
	case !(o.Margin >= 0 && o.Margin <= largestScore):
		return o, fmt.Errorf("stat: the margin is %v, but must be 0 or more: it is the size of a loss, not its sign", o.Margin)
	case o.Draws < 100:
		return o, fmt.Errorf("stat: %d draws are too few to tell anything: 100 are the least, 10,000 the default", o.Draws)
	case !math.IsNaN(o.Chance) && !(o.Chance >= 0 && o.Chance < 1):
		return o, fmt.Errorf("stat: the score of guessing is %v, but must be at least 0 and below 1, or NaN if unknown", o.Chance)
	}
	return o, nil
}
