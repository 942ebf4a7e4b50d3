package stat

// shrink returns each difference moved towards the mean of all: with SE_j its
// standard error and tau² the variance of the true differences, estimated by
// the method of moments (DerSimonian and Laird, Controlled Clinical Trials 7,
// 1986, p. 177),
//
//	mean + tau²/(tau² + SE_j²) (D_j - mean),
//
// the mean weighted by 1/(tau² + SE_j²) (empirical Bayes; Efron and Morris,
// JASA 70, 1975, p. 311). Differences without a known error stay as they are.
func shrink(all []contestant) []float64 {
	result := make([]float64, len(all))
	weight := func(c contestant, tau2 float64) float64 {
		if c.se > 0 {
			return 1 / (tau2 + square(c.se))
		}
		return 0
	}
	weighted := func(tau2 float64) (mean, sum, squares float64) {
		for _, c := range all {
			w := weight(c, tau2)
			mean += float64(w * c.difference)
			sum += w
			squares += float64(w * w)
		}
		return mean / sum, sum, squares
	}
	mean, sum, squares := weighted(0)
	spread, count := 0.0, 0
	for _, c := range all {
		if w := weight(c, 0); w > 0 {
			spread += float64(w * square(c.difference-mean))
			count++
		}
	}
	tau2 := 0.0
	if slack := sum - squares/sum; slack > 0 {
		tau2 = max(0, (spread-float64(count-1))/slack)
	}
	mean, _, _ = weighted(tau2)
	for j, c := range all {
		result[j] = c.difference
		if c.se > 0 && count > 1 {
			result[j] = mean + tau2/(tau2+square(c.se))*(c.difference-mean)
		}
	}
	return result
}
