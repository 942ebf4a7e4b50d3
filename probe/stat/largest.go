package stat

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// Pair is one of several comparisons: a benchmark, a subject or a candidate.
type Pair struct {
	// Name names the comparison, and must differ from those of the others.
	Name        string
	Base, Tuned Table
	// Chance is the score that guessing gives. Differences are divided by
	// 1-Chance, so that points lost on tasks with few and with many options
	// can be compared; 0 leaves them as they are.
	Chance float64
}

// Ranking orders several comparisons from the largest loss to the largest gain.
type Ranking struct {
	// Entries holds the comparisons, the largest loss first and the runner-up
	// second.
	Entries []Entry
	// Critical is the number of standard errors, on the scale of the normal
	// distribution, that the simultaneous intervals reach to either side.
	Critical float64
	// HeldOut estimates the largest loss without the bias of having picked it.
	HeldOut HeldOut
	// Warnings says in words what limits the numbers above.
	Warnings []string
}

// Entry is one comparison of a Ranking, in points adjusted for chance.
type Entry struct {
	Name           string
	Difference, SE float64
	// Low and High bound Difference such that all intervals of the ranking hold
	// at once with the two-sided confidence. So they hold for the largest too,
	// although it was picked for being the largest.
	Low, High float64
	// P is the two-sided p value adjusted for the number of comparisons.
	P float64
	// Probability is the share of bootstrap samples in which this loss is the
	// largest of all; ties are shared.
	Probability float64
	// Shrunken is the difference moved towards the mean of all, as far as its
	// error suggests that its distance from it is luck (empirical Bayes with
	// the variance between comparisons by DerSimonian and Laird).
	Shrunken float64
}

// Largest ranks comparisons and asks how far the largest loss can be trusted.
// The largest of several estimates is too large on average, and an interval
// made for one of them misses too often.
//
// The simultaneous intervals are those of the max-T method (Westfall and
// Young, Resampling-Based Multiple Testing, 1993, section 2.5): in each of
// Draws bootstrap samples the largest |D*_j - D_j| / SE_j over all comparisons
// j is noted, and Critical is the quantile of these at the confidence. For a
// comparison with few degrees of freedom it is carried over to the t quantile
// at the same probability. P is the share of samples in which that largest is
// at least |D_j| / SE_j. A comparison without spread has no such ratio: if it
// has a difference, all of its items were lost, say, P is that of the exact sign
// test over its units, adjusted by [Holm] among the unadjusted p values of all.
//
// The bootstrap is the Gaussian multiplier bootstrap, which weighs the
// deviation of each unit by a normal random number and is made for the largest
// of many means (Chernozhukov, Chetverikov and Kato, Annals of Statistics 41,
// 2013, p. 2786). Given the data its D* are normal around D with the estimated
// covariance, and are drawn as such, at a cost that does not depend on the
// number of items. Comparisons with the same items in the same clusters share
// their luck, so candidates tried on one task do; all others are independent.
// The variance that seeds add is counted as independent too.
//
// It is an error if there is no pair, if two have the same name, if a chance
// is not in [0,1), or if [Compare] would fail.
func Largest(pairs []Pair, options Options) (Ranking, error) {
	options, err := options.complete()
	if err != nil {
		return Ranking{}, err
	}
	all, err := contestants(pairs, options)
	if err != nil {
		return Ranking{}, err
	}
	draws := multiply(all, options)
	ranking := Ranking{Entries: make([]Entry, len(all)), HeldOut: holdOut(all, options)}
	greatest := maxima(all, draws)
	sort.Float64s(greatest)
	ranking.Critical = quantile(greatest, options.Confidence)
	probabilities, shrunken, holm := shareOfWins(draws), shrink(all), Holm(unadjusted(all))
	for j, c := range all {
		entry := Entry{Name: c.name, Difference: c.difference, SE: c.se, Probability: probabilities[j], Shrunken: shrunken[j]}
		entry.Low, entry.High = c.simultaneous(ranking.Critical, len(all), options.Confidence)
		if entry.P = holm[j]; c.se > 0 {
			entry.P = c.adjusted(greatest)
		} else {
			ranking.Warnings = append(ranking.Warnings, fmt.Sprintf("%s has no spread, so it takes no part in the simultaneous intervals of the others", c.name))
		}
		ranking.Entries[j] = entry
	}
	slices.SortStableFunc(ranking.Entries, func(a, b Entry) int { return cmp.Compare(a.Difference, b.Difference) })
	if worst := ranking.Entries[0]; worst.Difference >= 0 {
		ranking.Warnings = append(ranking.Warnings, "nothing was lost anywhere: the first entry is the smallest gain")
	} else if worst.Probability < 0.9 && len(all) > 1 {
		ranking.Warnings = append(ranking.Warnings, fmt.Sprintf("%s is the largest loss in only %.0f %% of the bootstrap samples", worst.Name, 100*worst.Probability))
	}
	return ranking, nil
}

// contestant is one comparison of several, in points adjusted for chance.
type contestant struct {
	contrast
	name                    string
	differences             []float64 // one per item
	difference, se, freedom float64
	scale                   float64 // 1/(1-chance)
}

func contestants(pairs []Pair, options Options) ([]contestant, error) {
	if len(pairs) == 0 {
		return nil, fmt.Errorf("stat: there are no pairs, so none is the largest")
	}
	seen := map[string]bool{}
	var result []contestant
	for _, pair := range pairs {
		if seen[pair.Name] {
			return nil, fmt.Errorf("stat: two pairs are named %q, but each needs a name of its own", pair.Name)
		}
		if !(pair.Chance >= 0 && pair.Chance < 1) {
			return nil, fmt.Errorf("stat: the score of guessing is %v in pair %q, but must be at least 0 and below 1", pair.Chance, pair.Name)
		}
		seen[pair.Name] = true
		data, err := align([]string{"base", "tuned"}, pair.Base, pair.Tuned)
		if err != nil {
			return nil, fmt.Errorf("%w (in pair %q)", err, pair.Name)
		}
		data.collapse("base", "tuned model")
		result = append(result, newContestant(pair, newContrast(data, options)))
	}
	return result, nil
}

func newContestant(pair Pair, p contrast) contestant {
	scale := 1 / (1 - pair.Chance)
	c := contestant{contrast: p, name: pair.Name, freedom: p.units.freedom(), se: scale * math.Sqrt(p.variance), scale: scale}
	if len(p.data.seeds) > 1 {
		components := newComponents(p.data, p.units, p.variance)
		c.se, c.freedom = scale*math.Hypot(components.SEItems, components.SESeeds), components.freedom
	}
	for _, d := range p.differences {
		c.differences = append(c.differences, scale*d)
	}
	c.difference = average(c.differences)
	return c
}

// sameUnits reports whether two comparisons can be resampled together.
func (c contestant) sameUnits(other contestant) bool {
	return slices.Equal(c.data.items, other.data.items) && slices.Equal(c.units.of, other.units.of) && slices.Equal(c.units.start, other.units.start)
}

// maxima returns for each sample the largest deviation of any comparison from
// its own difference, in its standard errors.
func maxima(all []contestant, draws [][]float64) []float64 {
	result := make([]float64, len(draws[0]))
	for j, c := range all {
		if !(c.se > 0) {
			continue
		}
		for sample, value := range draws[j] {
			result[sample] = max(result[sample], math.Abs(value-c.difference)/c.se)
		}
	}
	return result
}

// simultaneous returns the interval that goes with a critical value.
func (c contestant) simultaneous(critical float64, count int, confidence float64) (low, high float64) {
	half := math.Inf(1)
	if tail := distuv.UnitNormal.CDF(-critical); c.se >= 0 && critical > 0 && tail > 0 {
		half = quantileT(1-tail, c.freedom) * c.se
	} else if c.se == 0 {
		half = 0
	}
	if !c.bounded {
		return c.difference - half, c.difference + half
	}
	half = max(half, c.scale*RuleOfThree(len(c.data.items), 1-(1-confidence)/2/float64(count)))
	return max(-c.scale, c.difference-half), min(c.scale, c.difference+half)
}

// unadjusted returns the two-sided p value of each comparison alone: of the t
// test, or of the sign test where there is no spread.
func unadjusted(all []contestant) []float64 {
	result := make([]float64, len(all))
	for j, c := range all {
		if result[j] = c.signTest(); c.se > 0 {
			t := distuv.StudentsT{Sigma: 1, Nu: c.freedom}
			result[j] = 2 * t.CDF(-math.Abs(c.difference/c.se))
		}
	}
	return result
}

// signTest returns the exact two-sided p value of a fair coin thrown once for
// each unit that changed.
func (c contestant) signTest() float64 {
	better, worse := 0, 0
	for _, sum := range c.units.changed(c.contrast.differences) {
		switch {
		case sum > 0:
			better++
		case sum < 0:
			worse++
		}
	}
	return mcnemar(better, worse)
}

// adjusted returns the share of samples whose largest deviation is at least
// that of the comparison from 0, on the scale of the normal distribution. The
// maxima are sorted, and there is a spread.
func (c contestant) adjusted(greatest []float64) float64 {
	distance := math.Abs(c.difference / c.se)
	if tail := (distuv.StudentsT{Sigma: 1, Nu: c.freedom}).CDF(-distance); tail > 1e-300 {
		distance = -distuv.UnitNormal.Quantile(tail)
	}
	atLeast := len(greatest) - sort.SearchFloat64s(greatest, distance)
	return float64(1+atLeast) / float64(1+len(greatest))
}
