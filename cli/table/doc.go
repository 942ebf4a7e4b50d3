// Package table lays out results for a terminal: tables, bars and numbers. It
// formats and knows nothing of what the numbers mean.
//
// The story in order:
//
//  1. The caller turns each value into a string with the function that fits
//     its unit: [Percent] for a share, [Points] for a difference of shares,
//     [Bytes] and [Count] for whole amounts, [Sig] for any other number, and
//     [Bar] where a length is quicker to read than a number.
//  2. [Render] aligns the strings in columns and writes them. A table that is
//     too wide for the terminal loses letters of its longest names, never
//     digits.
//
// A value that does not exist is NaN and prints as "-", and a value that
// exists never prints like one that does not: a small share is "<0.1 %", not
// "0.0 %". Nothing here reads the environment: whether to use colour, and how
// wide the terminal is, are [Options].
package table
