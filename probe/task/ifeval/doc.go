// Package ifeval checks texts against the 25 verifiable instructions of IFEval
// (Zhou et al., "Instruction-Following Evaluation for Large Language Models",
// arXiv 2311.07911), with the verdicts of lm-evaluation-harness 0.4.13: its task
// ifeval, version 4, on NLTK 3.10 and langdetect 1.0.9.
//
// The story in order:
//
//  1. A [Rule] is an instruction's id and its arguments, as the data set has
//     them. [Checker.Verify] says whether it is one that can be checked.
//  2. [Checker.Check] gives two verdicts on every rule. Strict: the text is not
//     blank and keeps the rule. Loose: so does the text, or what is left of it
//     without its first line, its last, or both, and each of these without its
//     asterisks, where what is left is not blank.
//  3. [Checker.Warnings] says what in a verdict is chance.
//
// Of the published checkers two things are chance. A letter to count that is not
// one from a to z is replaced by a random one, at every check anew (two of the
// 541 prompts, keys 1122 and 1129). And three instructions ask langdetect for
// the language, which samples: on long texts its answer is stable, on a line or
// two it is not. Under [Compat] a Checker does the same, from fixed seeds, so
// that verdicts are those the harness might have given and are the same every
// time. Under [Deterministic] letters are counted as they are, and the language
// is the one that langdetect answers most often.
//
// Keywords are regular expressions, as they are in the harness, which does not
// escape them. They are matched as Python 3.11 would, but a search that takes
// more than some 33 million steps is given up: the rule is not kept then, and
// Warnings says so. So any text of a megabyte is checked against any rule within
// seconds.
package ifeval
