package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// contrast is a comparison under way.
type contrast struct {
	options     Options
	data        aligned
	units       units
	differences []float64 // one per item
	deviations  []float64 // one per unit
	variance    float64   // of Difference from the items
	proportions bool      // single runs of independent items scored 0 or 1
	bounded     bool      // all scores lie between 0 and 1
}

// Compare sets the scores of two models on the same items and seeds side by
// side. Items are matched by name and seeds by value, in any order; clusters
// and strata need be given in one table only.
//
// The interval is Tango's if all scores are 0 or 1, there is one run and items
// are independent; see [Tango]. Otherwise it is Student's t on the clustered
// paired standard error (Miller, arXiv 2411.00640), to which the variance of
// the seeds is added, see [Components], with Satterthwaite's degrees of
// freedom. As t says nothing when nearly all differences are equal, this
// interval is never narrower to either side than the rule of three for N items
// allows, if scores lie between 0 and 1, and is cut at -1 and 1.
//
// P goes with it: McNemar's exact test, or mid-p if fewer than 25 items
// changed; or else the t test, or if fewer than 25 items or clusters changed
// the larger of it and the sign-flip test.
//
// Seeds that all gave the same scores are counted as one. It is an error if a
// table fails its Check, if an item or seed is missing in one of them, if they
// disagree about a cluster or stratum, and if an option makes no sense.
func Compare(base, tuned Table, options Options) (Difference, error) {
	options, err := options.complete()
	if err != nil {
		return Difference{}, err
	}
	data, err := align([]string{"base", "tuned"}, base, tuned)
	if err != nil {
		return Difference{}, err
	}
	warnings := data.collapse("base", "tuned model")
	p := newContrast(data, options)
	d := p.describe()
	d.Warnings = warnings
	p.test(&d)
	p.bootstrap(&d)
	p.flag(&d)
	p.judge(&d)
	p.warn(&d)
	return d, nil
}

func newContrast(data aligned, options Options) contrast {
	p := contrast{options: options, data: data, units: newUnits(data), differences: data.differences(0, 1)}
	p.deviations = p.units.deviations(p.differences)
	p.variance = p.units.covariance(p.deviations, p.deviations)
	p.bounded = data.within()
	p.proportions = len(data.seeds) == 1 && p.units.single() && data.binary()
	return p
}

// describe returns the means, standard errors, counts and intervals.
func (p contrast) describe() Difference {
	d := Difference{N: len(p.data.items), Seeds: len(p.data.seeds), Difference: average(p.differences), DF: p.units.freedom()}
	if len(p.units.names) < d.N {
		d.Clusters = len(p.units.names)
	}
	for _, difference := range p.differences {
		switch {
		case difference < 0:
			d.Lost++
		case difference > 0:
			d.Gained++
		default:
			d.Same++
		}
	}
	base, tuned := p.data.means(0), p.data.means(1)
	d.Base, d.Tuned = average(base), average(tuned)
	d.SE = math.Sqrt(p.variance)
	p.unpaired(&d, p.units.deviations(base), p.units.deviations(tuned))
	if d.Seeds > 1 {
		d.Components = newComponents(p.data, p.units, p.variance)
		d.SE = math.Hypot(d.Components.SEItems, d.Components.SESeeds)
		d.DF = d.Components.freedom
	}
	d.Low, d.High, d.IntervalMethod = p.interval(d, p.options.Confidence)
	d.Lower, d.Upper, _ = p.interval(d, 2*p.options.OneSided-1)
	return d
}

// unpaired sets what pairing and clusters are compared with.
func (p contrast) unpaired(d *Difference, base, tuned []float64) {
	_, d.SESimple = meanAndError(p.differences, p.data.scale)
	d.DesignEffect = 1
	if !p.units.single() && d.SESimple > 0 && p.variance > 0 {
		d.DesignEffect = p.variance / square(d.SESimple)
	}
	a, b := p.units.covariance(base, base), p.units.covariance(tuned, tuned)
	d.SEUnpaired = math.Sqrt(a + b)
	if a > 0 && b > 0 {
		d.Correlation = max(-1, min(1, p.units.covariance(base, tuned)/math.Sqrt(a)/math.Sqrt(b)))
	}
}

// interval bounds the difference with a two-sided confidence from 0 up.
func (p contrast) interval(d Difference, confidence float64) (low, high float64, method string) {
	if confidence == 0 {
		return d.Difference, d.Difference, "none"
	}
	if p.proportions {
		low, high = Tango(d.Lost, d.Gained, d.N, confidence)
		return low, high, "Tango's score interval"
	}
	method = "Student's t"
	if !p.units.single() {
		method += ", " + p.kind()
	}
	if d.Components != nil {
		method += ", items and seeds"
	}
	half := math.Inf(1)
	if d.SE >= 0 {
		half = quantileT(1-(1-confidence)/2, d.DF) * d.SE
	}
	if !p.bounded {
		return d.Difference - half, d.Difference + half, method
	}
	half = max(half, RuleOfThree(d.N, 1-(1-confidence)/2))
	return max(-1, d.Difference-half), min(1, d.Difference+half), method
}

// kind names the sampling of the items.
func (p contrast) kind() string {
	switch {
	case len(p.units.names) == len(p.units.of):
		return "stratified"
	case len(p.units.start) > 2:
		return "clustered within strata"
	}
	return "clustered"
}

// quantileT returns a quantile above the middle of Student's distribution.
func quantileT(probability, freedom float64) float64 {
	return -distuv.StudentsT{Sigma: 1, Nu: freedom}.Quantile(1 - probability)
}

// fewChanges is the number of changed items below which p values do not rest
// on a limit theorem.
const fewChanges = 25

// test sets the p values.
func (p contrast) test(d *Difference) {
	d.McNemar, d.McNemarMid = McNemar(d.Lost, d.Gained)
	d.McNemarLoss = 1
	if d.Lost > 0 {
		d.McNemarLoss = distuv.Binomial{N: float64(d.Lost + d.Gained), P: 0.5}.CDF(float64(d.Gained))
	}
	sums := p.units.changed(p.differences)
	d.Permutation, d.PermutationExact = signFlips(sums, p.options.Draws, p.options.Seed)
	changed := 0
	for _, sum := range sums {
		if sum != 0 {
			changed++
		}
	}
	switch few := changed < fewChanges; {
	case p.proportions && few:
		d.P, d.PMethod = d.McNemarMid, "McNemar's test, mid-p"
	case p.proportions:
		d.P, d.PMethod = d.McNemar, "McNemar's exact test"
	case !(d.SE > 0):
		d.P, d.PMethod = d.Permutation, "sign flips"
	default:
		d.P, d.PMethod = 2*distuv.StudentsT{Sigma: 1, Nu: d.DF}.CDF(-math.Abs(d.Difference/d.SE)), "t test"
		if few && d.Permutation > d.P {
			d.P, d.PMethod = d.Permutation, "sign flips"
		}
	}
}

// changed returns the sums of the units, with 0 for what is only rounding.
func (u units) changed(differences []float64) []float64 {
	sums, scale := u.sums(differences), magnitude(differences)
	for at := range sums {
		if math.Abs(sums[at]) <= 1e-12*scale*u.size[at] {
			sums[at] = 0
		}
	}
	return sums
}

// bootstrap sets the BCa interval. Where all samples are alike the bootstrap
// knows nothing, and the other interval stands in.
func (p contrast) bootstrap(d *Difference) {
	if !(p.variance > 0) {
		d.BootstrapLow, d.BootstrapHigh = d.Low, d.High
		return
	}
	means := p.units.bootstrapped(p.differences, p.options.Draws, p.options.Seed, forBootstrap)
	d.BootstrapLow, d.BootstrapHigh = bca(d.Difference, means, acceleration(p.deviations), p.options.Confidence)
}
