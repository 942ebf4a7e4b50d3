package stat

import "math"

// Components splits the variance of the differences between two models, each
// item run with each seed, into what comes from items, from seeds and from
// neither (a two-way layout without replication; Searle, Casella and
// McCulloch, Variance Components, 1992, chapter 4). With d_ik the difference
// on item i with seed k, n items and K seeds,
//
//	Item     = (MS_I - MS_E) / K
//	Seed     = (MS_S - MS_E) / n
//	Residual = MS_E
//	Var(D)   = Item/n + Seed/K + Residual/nK
//
// An estimate below 0 is given as 0. With clusters or strata, MS_E/n in Seed is
// replaced by its clustered or stratified counterpart, lest what a seed does
// to a whole cluster be taken for what it does to the task.
type Components struct {
	// Item, Seed and Residual are the variances, in squared units of a score.
	Item, Seed, Residual float64
	// SDBase, SDTuned and SDDifference are the standard deviations over the
	// seeds of the models' mean scores and of their difference. The latter is
	// the smaller the more of a seed's effect the two models share.
	SDBase, SDTuned, SDDifference float64
	// SEItems is the part of Difference.SE that comes from the items, seeds as
	// they are: the standard error for a claim about these very seeds. SESeeds
	// is the other part, sqrt(Seed/K); the squares of the two add up.
	SEItems, SESeeds float64
	// Buy is "items" or "seeds", whichever lowers the standard error more if
	// their number is doubled, and "either" if only the residual is left, of
	// which both buy the same.
	Buy string

	noise   float64 // variance of the mean from the residual, n and K as they are
	freedom float64 // Satterthwaite's degrees of freedom
}

// newComponents analyses the differences of two models, index 0 and 1, with at
// least two seeds. The variance of the mean over the items is given.
func newComponents(a aligned, u units, variance float64) *Components {
	seeds, items := float64(len(a.seeds)), u.items
	var over [3][]float64 // per seed: mean of base, of tuned, of the difference
	for k := range a.seeds {
		base, tuned := average(column(a.scores[0], len(a.seeds), k)), average(column(a.scores[1], len(a.seeds), k))
		over[0], over[1], over[2] = append(over[0], base), append(over[1], tuned), append(over[2], tuned-base)
	}
	result := &Components{SDBase: deviation(over[0], a.scale), SDTuned: deviation(over[1], a.scale), SDDifference: deviation(over[2], a.scale)}
	differences := a.differences(0, 1)
	residual, square := residuals(a, u, differences, over[2])
	result.Residual = square
	result.noise = residual / seeds

	spread, mean := 0.0, average(differences)
	for _, d := range differences {
		spread += float64((d - mean) * (d - mean))
	}
	if items > 1 {
		result.Item = max(0, spread/(items-1)-square/seeds)
	}
	if between := result.SDDifference * result.SDDifference; between > residual {
		result.Seed = between - residual
	}
	result.SEItems, result.SESeeds = math.Sqrt(variance), math.Sqrt(result.Seed/seeds)
	result.freedom = result.freedomOf(u.freedom(), seeds)
	switch ofItems := variance - result.noise; {
	case math.IsNaN(variance) || ofItems > result.Seed/seeds:
		result.Buy = "items"
	case result.Seed > 0:
		result.Buy = "seeds"
	default:
		result.Buy = "either"
	}
	return result
}

// residuals returns the variance that the residuals d_ik - d_i - d_k + D alone
// give the mean difference of one seed, and their mean square MS_E.
func residuals(a aligned, u units, items, seeds []float64) (ofMean, square float64) {
	mean, k := average(items), len(a.seeds)
	for seed := range a.seeds {
		residual := make([]float64, len(items))
		for i := range residual {
			d := a.scores[1][i*k+seed] - a.scores[0][i*k+seed]
			residual[i] = d - items[i] - seeds[seed] + mean
			if math.Abs(residual[i]) <= 1e-12*a.scale {
				residual[i] = 0
			}
			square += float64(residual[i] * residual[i])
		}
		z := u.deviations(residual)
		ofMean += u.covariance(z, z)
	}
	if len(items) > 1 {
		square /= float64(len(items)-1) * float64(k-1)
	}
	return ofMean / float64(k-1), square
}

// freedomOf returns the degrees of freedom of the variance of the mean by
// Satterthwaite's formula for a sum of mean squares with positive and negative
// signs (Biometrics Bulletin 2, 1946, p. 110),
//
//	(a + b - c)² / (a²/A + b²/B + c²/AB)
//
// where a is the variance from the items with A degrees of freedom, b that
// between the seeds with B = K-1, and c that from the residual, which both of
// them contain. Without variance from the seeds it is A. In simulations with
// K = 5 the interval holds 94 to 98 % whatever the share of the seeds; with the
// items alone it would fall to 20 %.
func (c Components) freedomOf(items, seeds float64) float64 {
	total := c.SEItems*c.SEItems + c.SESeeds*c.SESeeds
	if !(c.Seed > 0 && total > 0) {
		return items
	}
	a, b, residual := c.SEItems*c.SEItems/total, c.SDDifference*c.SDDifference/seeds/total, c.noise/total
	return max(1, 1/(float64(a*a)/items+float64(b*b)/(seeds-1)+float64(residual*residual)/(items*(seeds-1))))
}

// deviation returns the standard deviation of means over the items, n-1 in the
// variance, or 0 if they differ by no more than rounding. The scale is that of
// the scores.
func deviation(means []float64, scale float64) float64 {
	center, sum := average(means), 0.0
	for _, mean := range means {
		if math.Abs(mean-center) > 1e-12*scale {
			sum += float64((mean - center) * (mean - center))
		}
	}
	return math.Sqrt(sum / float64(len(means)-1))
}
