// Package preflight compares what stands beside the weights of two model
// directories before they are merged: configuration, tokenizer, special
// tokens, chat template, generation settings and remote code. Weights of equal
// shapes can be added whatever these files say; whether the sum is a model is
// decided here.
//
// The story in order:
//
//  1. [Compare] reads the files of both directories. None of them is trusted:
//     sizes are bounded, only regular files are read, and a file that cannot
//     be parsed is a [Finding], not an error.
//  2. Spellings of one meaning are made one: 10000 and 10000.0, an absent key
//     and null, the names that transformers 4 and 5 give to the same setting,
//     a default that follows from another key.
//  3. What still differs is looked up in a table of rules, which says how bad
//     it is and what to do. The tables know names of settings and no model
//     family.
//  4. Findings come sorted, the worst first. A caller prints them and refuses
//     to merge if the first is an [Error].
//
// Two equal directories give no findings, unless a file is broken or the
// weights are quantised: then a merge of them is no better for being equal.
package preflight
