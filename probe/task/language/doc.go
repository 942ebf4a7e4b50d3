// Package language tells which of 55 languages a text is written in, as the
// Python package langdetect does, which IFEval asks: from the frequencies of
// one, two and three letters in a row in the Wikipedia of each language
// (Shuyo, "Language Detection Library for Java", 2010; ported to Python by
// Danilak, github.com/Mimino666/langdetect 1.0.9).
//
// The story in order:
//
//  1. A text is cleaned: web and mail addresses are taken out, blanks joined,
//     Vietnamese letters composed, all beyond 10,000 characters dropped, and so
//     are Latin letters where others are more than twice as many.
//  2. Its characters are folded (all Hiragana is one letter, and so is Hangul,
//     and all that is neither a letter nor a blank is a blank) and read off in
//     grams of one to three that do not cross a blank. A gram that some language
//     has is a feature. Words in capitals have next to none.
//  3. A trial draws features, with replacement, and multiplies the probability
//     of each language by how often it has the feature, plus a little, until one
//     language has all of it or 1,000 features are drawn.
//  4. The shares of the languages are the means over the trials; the language
//     with the largest share is told, or Unknown where none has a tenth.
//
// langdetect makes seven trials, with other features in every call, so that
// its answers about short texts change from call to call. [Detector.Compat] is
// that, under a seed; [Detector.Deterministic] makes so many trials that the
// shares are those to expect of a call, within a hundredth or two, and says when
// calls may differ.
//
// The profiles and tables of characters in data are langdetect's, under the
// Apache License 2.0; the licence and notice lie beside them.
package language
