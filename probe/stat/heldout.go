package stat

import "math"

// HeldOut is the result of picking the largest loss on one half of the items
// and measuring it on the other.
type HeldOut struct {
	// Name is the comparison that had the largest loss on the first half, and
	// Items the number of its items in the second half.
	Name  string
	Items int
	// Difference, SE, Low and High are measured on the second half, in points
	// adjusted for chance: unbiased, at the price of half the items. SE, Low
	// and High take the seeds as they are.
	Difference, SE, Low, High float64
	// Agree says that the second half picks the same comparison.
	Agree bool
	// Unknown says in words why there is no estimate, and is empty if there is.
	Unknown string
}

// holdOut splits every comparison in two by the hash of the names of its items,
// or of its clusters, so that an item is on the same side whatever was run.
func holdOut(all []contestant, options Options) HeldOut {
	picks := [2]int{-1, -1}
	for side := range picks {
		lowest := math.Inf(1)
		for j, c := range all {
			if difference, _, _, _ := c.halved(uint64(side)); difference < lowest {
				lowest, picks[side] = difference, j
			}
		}
	}
	if picks[0] < 0 {
		return HeldOut{Unknown: "there are too few items to split"}
	}
	c := all[picks[0]]
	difference, se, freedom, items := c.halved(1)
	if items == 0 {
		return HeldOut{Name: c.name, Unknown: "all items of the largest loss fell into one half"}
	}
	result := HeldOut{Name: c.name, Items: items, Difference: difference, SE: se, Agree: picks[0] == picks[1]}
	half := math.Inf(1)
	if se >= 0 {
		half = quantileT(1-(1-options.Confidence)/2, freedom) * se
	}
	result.Low, result.High = difference-half, difference+half
	if c.bounded {
		half = max(half, c.scale*RuleOfThree(items, 1-(1-options.Confidence)/2))
		result.Low, result.High = max(-c.scale, difference-half), min(c.scale, difference+half)
	}
	return result
}

// halved measures a comparison on one half of its items. With no items there
// the difference is NaN.
func (c contestant) halved(side uint64) (difference, se, freedom float64, items int) {
	half, positions := c.units.half(side)
	if len(positions) == 0 {
		return math.NaN(), math.NaN(), 0, 0
	}
	values := make([]float64, len(positions))
	for at, i := range positions {
		values[at] = c.differences[i]
	}
	z := half.deviations(values)
	return average(values), math.Sqrt(half.covariance(z, z)), half.freedom(), len(positions)
}
