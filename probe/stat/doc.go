// Package stat says how far an evaluation score can be trusted, and whether
// one model really differs from another on the same items.
//
// The story in order:
//
//  1. Running a model once over a task yields a [Sample]: one score per named
//     item, 1 for a right answer and 0 for a wrong one, or any other real
//     number. [Mean] turns it into a [Summary], and [Paired] sets two of them
//     side by side. That is all for a quick look.
//  2. Running it with several seeds, or over items that come in clusters, yields
//     a [Table]: one score per item and seed.
//  3. [Compare] sets the tables of a base and of a tuned model side by side and
//     yields a [Difference]: how much was lost or gained, how sure that is, how
//     small a difference could have been seen, which part of the uncertainty
//     comes from items and which from seeds ([Components]), and a [Verdict]
//     against a margin that was set before the run. RETAINED needs proof that
//     no loss of that size occurred; not finding a loss is INCONCLUSIVE, and
//     then the items or seeds that would decide are counted.
//  4. Several comparisons need care. [Holm] adjusts the p values of the few
//     that were planned, [BenjaminiHochberg] those of an exploration.
//     [Largest] ranks them, and asks how large the largest loss would be if it
//     had not been picked for being the largest.
//  5. A loss is put in words: [Retention] is the share of what the base knows
//     above chance that is left, [GapClosed] the share of the loss that a
//     mitigation brought back, and [SplitFormat] parts what is no longer known
//     from what is no longer readable. All of them say when they are undefined.
//  6. Before a run, [MinimumDetectable], [ItemsNeeded], [ItemsToRetain] and
//     [RuleOfThree] say what it can show. During it, [Sequential] gives the
//     options with which Compare may be asked after each part of the items
//     without raising the error rates, by [Boundaries] that spend the error.
//
// A sample or table whose scores are all 0 or 1 is treated as answers counted
// right or wrong; every other one as real numbers. The formulas:
//
//	                       single run, 0/1, no clusters    otherwise
//	Mean                   Wilson score interval           Student t
//	Paired                 t; exact McNemar test           t; paired t test
//	Compare                Tango score interval;           t, clustered, items and
//	                       McNemar, mid-p below 25         seeds; t test, or sign
//	                       changed items                   flips below 25
//	always beside them     sign flips by cluster, BCa bootstrap by cluster
//
// The paired treatment of items, clusters and seeds follows Miller, "Adding
// Error Bars to Evals", arXiv 2411.00640. Each function names the source of its
// formula. Mean and Paired count all items as independent draws: questions that
// share a passage are not, and make their intervals too narrow.
//
// What limits a result without making it wrong is told in its Warnings, in
// words that can be printed as footnotes. Sums run over the items in the order
// of their names and without fused multiply-add, and every random number is a
// function of the seed and of its place, so that a result depends neither on
// the order of the items nor on the processor nor on how many there are.
// Numbers that are unknown are NaN, or infinite for the bounds of scores
// without a range; encoding/json refuses to write both. No p value ever is.
package stat
