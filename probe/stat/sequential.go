package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// Spending says how much of the error alpha of one side may have been spent
// when a fraction of the information, from 0 to 1, has been seen: 0 at 0,
// alpha at 1, and never falling in between (Lan and DeMets, Biometrika 70,
// 1983, p. 659). For items of equal weight the fraction is that of the items.
type Spending func(alpha, fraction float64) float64

// OBrienFleming spends little early on, so that the last look costs hardly
// anything: 2 - 2 Phi(z / sqrt(fraction)) with z the quantile at 1 - alpha/2.
func OBrienFleming(alpha, fraction float64) float64 {
	z := distuv.UnitNormal.Quantile(alpha / 2)
	return 2 * distuv.UnitNormal.CDF(z/math.Sqrt(fraction))
}

// Pocock spends about evenly, so that early looks have a chance:
// alpha log(1 + (e-1) fraction).
func Pocock(alpha, fraction float64) float64 {
	return alpha * math.Log1p((math.E-1)*fraction)
}

// The looks that [Boundaries] will plan for.
const (
	mostLooks     = 200
	closestLooks  = 0.0005
	largestBorder = 8.2 // beyond it a normal distribution has less than 1e-15
)

// Boundaries returns for each look the number of standard errors that the
// difference must lie from 0 for the run to stop there, such that without a
// difference the run stops at any of the looks with probability alpha at most.
// The fractions of the information at the looks ascend up to 1 at most; a look
// depends on earlier ones only, so later ones can be left open. With two sides,
// alpha is that of both together, half of it spent on each.
//
// With B = Z sqrt(fraction), B is a Brownian motion at the looks. The density
// of not having stopped before is carried from look to look by numeric
// integration, and the boundary is where what is spent since the last look
// lies beyond (Armitage, McPherson and Rowe, JRSS A 132, 1969, p. 235; Jennison
// and Turnbull, Group Sequential Methods, 2000, chapter 19).
//
// It is an error if alpha is not in (0,0.5), if there are not one or two
// sides, and if the fractions do not ascend within (0,1], by 0.0005 at least,
// in at most 200 looks.
func Boundaries(spend Spending, alpha float64, sides int, fractions []float64) ([]float64, error) {
	if err := checkLooks(alpha, sides, fractions); err != nil {
		return nil, err
	}
	alpha /= float64(sides)
	var result []float64
	var paths density
	spent, before := 0.0, 0.0
	for look, fraction := range fractions {
		chance := spend(alpha, fraction)
		border := paths.border(chance-spent, fraction, fraction-before)
		result = append(result, border)
		next := math.Inf(1)
		if look+1 < len(fractions) {
			next = fractions[look+1] - fraction
		}
		paths = paths.onward(border, sides, fraction, fraction-before, next)
		spent, before = max(spent, chance), fraction
	}
	return result, nil
}

func checkLooks(alpha float64, sides int, fractions []float64) error {
	switch {
	case !(alpha > 0 && alpha < 0.5):
		return fmt.Errorf("stat: the error to spend is %v, but must lie between 0 and 0.5", alpha)
	case sides != 1 && sides != 2:
		return fmt.Errorf("stat: a test has one side or two, not %d", sides)
	case len(fractions) > mostLooks:
		return fmt.Errorf("stat: %d looks are planned, but at most %d are possible", len(fractions), mostLooks)
	}
	before := 0.0
	for look, fraction := range fractions {
		if !(fraction >= before+closestLooks && fraction <= 1) {
			return fmt.Errorf("stat: look %d comes at a fraction of %v after %v, but fractions must ascend by at least %v up to 1",
				look+1, fraction, before, closestLooks)
		}
		before = fraction
	}
	return nil
}

// density is that of B over the paths that have not stopped, at the nodes of a
// quadrature with their weights. Without nodes all paths are at 0.
type density struct{ at, weight, value []float64 }

// border returns the boundary beyond which a path lies, on one side, with the
// given probability at a step after the density's look.
func (d density) border(chance, fraction, step float64) float64 {
	if !(chance > 1e-15) {
		return largestBorder
	}
	beyond := func(z float64) float64 {
		edge := z * math.Sqrt(fraction)
		if d.at == nil {
			return distuv.UnitNormal.CDF(-z)
		}
		sum := 0.0
		for i, from := range d.at {
			sum += d.weight[i] * d.value[i] * distuv.UnitNormal.CDF((from-edge)/math.Sqrt(step))
		}
		return sum
	}
	low, high := -largestBorder, largestBorder
	for range 50 {
		if middle := (low + high) / 2; beyond(middle) > chance {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// onward returns the density one step later of the paths within the border,
// at nodes close enough for the step after it.
func (d density) onward(border float64, sides int, fraction, step, next float64) density {
	high := border * math.Sqrt(fraction)
	low := -high
	if sides == 1 {
		low = -largestBorder * math.Sqrt(fraction)
	}
	if math.IsInf(next, 1) || !(high > low) {
		return density{at: []float64{}}
	}
	// The integrand at the next look is as narrow as the square root of the
	// step; eight nodes to that width leave an error far below 1e-8.
	nodes := max(64, int(math.Ceil(8*(high-low)/math.Sqrt(min(next, step)))))
	result := density{at: make([]float64, nodes), weight: make([]float64, nodes), value: make([]float64, nodes)}
	quad.Legendre{}.FixedLocations(result.at, result.weight, low, high)
	kernel := distuv.Normal{Mu: 0, Sigma: math.Sqrt(step)}
	for i, to := range result.at {
		if d.at == nil {
			result.value[i] = kernel.Prob(to)
		}
		for j, from := range d.at {
			result.value[i] += d.weight[j] * d.value[j] * kernel.Prob(to-from)
		}
	}
	return result
}

// Sequential returns the options with which [Compare] gives a verdict that may
// be acted on at the latest of several looks at a growing set of items: its
// confidences are those that spend the errors of the options over all looks so
// far. The fractions are those of the items at these looks, the latest last,
// out of the most that would be run. If the run is to stop for lack of time
// rather than for a result, its last look is at fraction 1, whatever was run,
// provided that the stop did not depend on the scores; that is a little
// cautious, since the looks are then closer together than it assumes.
//
// It is an error if there are no fractions and if [Boundaries] fails.
func Sequential(options Options, spend Spending, fractions []float64) (Options, error) {
	options, err := options.complete()
	if err != nil {
		return options, err
	}
	if len(fractions) == 0 {
		return options, fmt.Errorf("stat: there are no looks, so there is nothing to spend the error on")
	}
	two, err := Boundaries(spend, 1-options.Confidence, 2, fractions)
	if err != nil {
		return options, err
	}
	one, err := Boundaries(spend, 1-options.OneSided, 1, fractions)
	if err != nil {
		return options, err
	}
	last, below1 := len(fractions)-1, math.Nextafter(1, 0)
	options.Confidence = min(1-2*distuv.UnitNormal.CDF(-two[last]), below1)
	options.OneSided = min(1-distuv.UnitNormal.CDF(-one[last]), below1)
	return options, nil
}
