package stat

import (
	"fmt"
	"math"
)

// AdjustForChance returns a score on a scale where guessing scores 0 and
// knowing everything 1: (score-chance) / (1-chance). It panics unless chance
// is in [0,1).
func AdjustForChance(score, chance float64) float64 {
	if !(chance >= 0 && chance < 1) {
		panic(fmt.Sprintf("stat: the score of guessing is %v, but must be at least 0 and below 1", chance))
	}
	return (score - chance) / (1 - chance)
}

// Ratio is a ratio of two estimated quantities.
type Ratio struct {
	// Ratio is the estimate, and Low and High bound it with the two-sided
	// confidence. All are NaN if the ratio is undefined.
	Ratio, Low, High float64
	// Undefined says in words why the ratio says nothing, and is empty if it
	// says something.
	Undefined string
	// Warnings says in words what limits the numbers above.
	Warnings []string
}

// undefined returns a ratio that has no value.
func undefined(format string, arguments ...any) Ratio {
	return Ratio{Ratio: math.NaN(), Low: math.NaN(), High: math.NaN(), Undefined: fmt.Sprintf(format, arguments...)}
}

// Retention returns the share of what the base knows above chance that the
// tuned model still knows,
//
//	R = (tuned - chance) / (base - chance)
//
// with Fieller's interval (JRSS B 16, 1954, p. 175): all R for which tuned -
// chance - R (base - chance) is not significantly different from 0, given the
// variances A of base and B of tuned and their covariance C over the items, or
// clusters. With x = base-chance, y = tuned-chance and t the quantile of
// Student's distribution these are
//
//	(xy - t²C ± sqrt((xy - t²C)² - (x² - t²A)(y² - t²B))) / (x² - t²A)
//
// If x² <= t²A the base is not shown to be above chance, and R is undefined.
// The chance is that of the options, NaN counting as 0. The interval takes the
// seeds as they are and is never narrower to either side than the rule of
// three allows, if scores lie between 0 and 1.
//
// It is an error if [Compare] would fail.
func Retention(base, tuned Table, options Options) (Ratio, error) {
	options, err := options.complete()
	if err != nil {
		return Ratio{}, err
	}
	data, err := align([]string{"base", "tuned"}, base, tuned)
	if err != nil {
		return Ratio{}, err
	}
	warnings := data.collapse("base", "tuned model")
	chance := options.Chance
	if math.IsNaN(chance) {
		chance = 0
	}
	p := newContrast(data, options)
	below, above := data.means(0), data.means(1)
	x, y := average(below)-chance, average(above)-chance
	zx, zy := p.units.deviations(below), p.units.deviations(above)
	a, b, c := p.units.covariance(zx, zx), p.units.covariance(zy, zy), p.units.covariance(zx, zy)
	if math.IsNaN(a) {
		return undefined("there is no more than one item or cluster, so the error of the base is unknown"), nil
	}
	t2 := square(quantileT(1-(1-options.Confidence)/2, p.units.freedom()))
	lead := float64(x*x) - float64(t2*a)
	if !(x > 0 && lead > 0) {
		return undefined("base not above chance: it scores %.4g, guessing %.4g", x+chance, chance), nil
	}
	center := float64(x*y) - float64(t2*c)
	spread := math.Sqrt(max(0, float64(center*center)-float64(lead*(float64(y*y)-float64(t2*b)))))
	result := Ratio{Ratio: y / x, Low: (center - spread) / lead, High: (center + spread) / lead, Warnings: warnings}
	widen(&result, p, x)
	return result, nil
}

// widen makes the interval of a ratio hold the ratio and what the rule of
// three allows, for scores between 0 and 1, over the given denominator.
func widen(r *Ratio, p contrast, denominator float64) {
	least := 0.0
	if p.bounded {
		least = RuleOfThree(len(p.data.items), 1-(1-p.options.Confidence)/2) / denominator
	}
	if r.High-r.Low < 2*least {
		r.Warnings = append(r.Warnings, "hardly any item changed, so the interval is that of the rule of three")
	}
	r.Low, r.High = min(r.Low, r.Ratio-least), max(r.High, r.Ratio+least)
}
