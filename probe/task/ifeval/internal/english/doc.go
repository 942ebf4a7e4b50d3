// Package english cuts English text into sentences and words as NLTK 3.10 does
// (nltk.sent_tokenize, nltk.word_tokenize).
//
// [Sentences] is the Punkt algorithm (Kiss and Strunk, "Unsupervised
// Multilingual Sentence Boundary Detection", Computational Linguistics 32, 2006,
// p. 485) with NLTK's parameters for English: 156 abbreviations, 37 pairs of
// words that no sentence end parts, 40 words that often begin a sentence, and
// for 20,000 words where they were seen with a capital. The parameters come with
// the module github.com/neurosnap/sentences; its own decisions are not used,
// since they differ from NLTK's: it knows more abbreviations and treats
// brackets and quotation marks in another way.
//
// [Words] are the tokens of the Penn Treebank, as NLTKWordTokenizer cuts them
// from each sentence.
package english
