// Package audit decides, from the scores of items alone, whether a mitigation
// of a fine-tuned model closes the gap that fine-tuning opened.
//
// The story in order:
//
//  1. A basket is a list of [Task], each of the items of one benchmark with the
//     loss on it that does not matter. General and safety tasks are protected:
//     the tuned model must not lose them. Domain tasks are what it was tuned
//     for. A [Model] holds one score per item, the mean over the seeds.
//  2. [Split] parts the items by hash into some to choose on and some to report
//     on, and [Sub] takes either part of tasks and models.
//  3. [Regressions] says on the report part what the tuned model lost against
//     the base, and how far the largest loss can be trusted.
//  4. [Choose] picks one of several candidates on the select part, and
//     [Choice.Meet] says how much of its score was luck in being picked.
//  5. [Judge] gives the verdict on the chosen one, on the report part: closed,
//     partly closed, not closed, insufficient evidence, no gap to close. It is
//     that of the worst protected task, never of a mean.
//  6. [Front] sets all candidates side by side: domain gain kept against the
//     least room to the margin.
//  7. [Forgotten] keeps the ledger of the items that were lost and of who heals
//     them, [Twins] counts refusals beside their harmless twins, and [Against]
//     compares two candidates item by item.
//  8. [Decide] says from the verdicts which model to ship, if any, [Advise] ranks
//     what to change, [PlanReplay] plans what to replay, and [Gates] says how many
//     items the next test takes: the one number that every place gives.
//
// With base B, tuned F and candidate M on the same items:
//
//	gap            B - F
//	gap closed     (M - F) / (B - F)
//	retention      (M - B) / (F - B)  of the domain gain
//	non-inferior   lower one-sided bound of M - B above minus the margin
//	closed         every protected task non-inferior, lower bound of the
//	               retention at least 0.8
//
// Intervals and tests of one task are those of package stat; what joins several
// tasks is a bootstrap of the same kind, by cluster within each task, where all
// models share each sample. Items are drawn, seeds are not: scores that are
// means over few seeds carry more uncertainty than is shown here.
//
// Numbers depend on the scores, the names and the seed, not on the order of
// the items or the number of processors. All of them are finite: a ratio that
// means nothing says so, see [Interval].
package audit
