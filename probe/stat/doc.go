// Package stat says how far an evaluation score can be trusted, and whether
// one model really differs from another on the same items.
//
// The story in order:
//
//  1. Running a model over a task yields a [Sample]: one score per named item,
//     1 for a right answer and 0 for a wrong one, or any other real number.
//  2. [Mean] turns a Sample into a [Summary]: the mean, its standard error and
//     an interval at the confidence asked for.
//  3. [Paired] sets two Samples of the same items side by side and turns them
//     into a [Comparison]: the mean of the differences per item, its interval,
//     how many items got better and worse, and a p value. Pairing removes the
//     part of the noise that comes from items being easy or hard, which is the
//     larger part when one model descends from the other.
//
// A sample whose scores are all 0 or 1 is treated as answers counted right or
// wrong; every other sample as real numbers. The formulas:
//
//	                    0/1 scores                other scores
//	mean, interval      Wilson score interval     Student t
//	difference          Student t                 Student t
//	p value             exact McNemar test        paired t test
//
// The Wilson interval (Wilson, JASA 22, 1927, p. 209) is used since the usual
// mean ± 1.96 SE has no width at 0 and at 1 and is too narrow near them. The
// paired treatment of items follows Miller, "Adding Error Bars to Evals",
// arXiv 2411.00640. The exact McNemar test is the two-sided binomial test on
// the items that changed (McNemar, Psychometrika 12, 1947, p. 153).
//
// All items count as independent draws: questions that share a passage are not,
// and make every interval here too narrow.
//
// What limits a result without making it wrong is told in its Warnings, in
// words that can be printed as footnotes. Sums run over the items in the order
// of their names and without fused multiply-add, so that a result depends
// neither on the order of the items nor on the processor.
package stat
