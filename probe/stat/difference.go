package stat

// Difference is what two tables of the same items say about two models. All
// differences are tuned minus base, so a loss is negative.
type Difference struct {
	// N is the number of items, Seeds that of the seeds that count, and
	// Clusters that of the clusters, or 0 if items are independent.
	N, Seeds, Clusters int
	// Base and Tuned are the mean scores and Difference is their difference,
	// the mean over the items of the mean over the seeds.
	Base, Tuned, Difference float64
	// SE is the standard error of Difference: paired, clustered, and with the
	// variance of the seeds if there are several. DF are its degrees of
	// freedom: items, or clusters, less the number of strata, fewer if much of
	// the variance is due to the seeds. SE is NaN if there is but one item or
	// cluster.
	SE, DF float64
	// SESimple is the paired standard error if items were independent and
	// seeds fixed, sd/sqrt(N). DesignEffect is the square of the clustered one
	// over its square: how many times more items the clusters cost; 1 without.
	SESimple, DesignEffect float64
	// SEUnpaired is what the standard error would be without pairing, clusters
	// considered, and Correlation is that of the two mean scores, 0 if one of
	// them has no spread. With items alone, SE² = A² + B² - 2 Correlation A B,
	// where A² + B² = SEUnpaired².
	SEUnpaired, Correlation float64
	// Low and High bound Difference with the two-sided confidence, by the
	// method that IntervalMethod names.
	Low, High      float64
	IntervalMethod string
	// Lower and Upper are one-sided bounds: each alone holds with the one-sided
	// confidence.
	Lower, Upper float64
	// BootstrapLow and BootstrapHigh are the BCa bootstrap interval with the
	// two-sided confidence. It resamples items, or clusters, with the seeds as
	// they are.
	BootstrapLow, BootstrapHigh float64
	// Lost, Gained and Same count the items whose score, the mean over the
	// seeds, fell, rose and stayed. For single runs scored 0 or 1, Lost is b
	// and Gained is c of the usual notation.
	Lost, Gained, Same int
	// McNemar and McNemarMid are the exact and the mid-p value of McNemar's
	// test on Lost and Gained, which treats items as independent. With several
	// seeds it is the sign test on the items. McNemarLoss is the exact one-sided
	// p value of a loss: of at most Gained heads in Lost+Gained throws.
	McNemar, McNemarMid, McNemarLoss float64
	// Permutation is the p value of flipping the signs of the items, or of
	// whole clusters; PermutationExact says that all ways were tried.
	Permutation      float64
	PermutationExact bool
	// P is the two-sided p value that goes with the interval, and PMethod says
	// which it is. No p value is ever NaN.
	P       float64
	PMethod string
	// Detectable is the smallest true difference that a comparison like this
	// one finds with probability 80 % at 5 %: 2.80 SE.
	Detectable float64
	// Components splits the variance by items and seeds. It is nil if only one
	// seed counts: there is then nothing to split.
	Components *Components
	// Verdict puts the bounds against the margin.
	Verdict Verdict
	// Equivalent says that the one-sided bounds lie within ± the margin on both
	// sides (TOST; Schuirmann, Journal of Pharmacokinetics and
	// Biopharmaceutics 15, 1987, p. 657).
	Equivalent bool
	// NeededItems and NeededSeeds are the numbers, the other staying as it is,
	// with which an inconclusive comparison would be decided with probability
	// 80 % if the true difference were the one observed. They are 0 if the
	// verdict is not inconclusive or no number would do.
	NeededItems, NeededSeeds int
	// Floor says that the base is not shown to score better than chance,
	// Ceiling that it scores above 95 %, and Insensitive that it is too close
	// to chance to lose as much as the margin, so that nothing lost proves
	// nothing.
	Floor, Ceiling, Insensitive bool
	// Warnings says in words what limits the numbers above.
	Warnings []string
}
