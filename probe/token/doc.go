// Package token turns text into token ids and back, exactly as the model's own
// tokenizer.json says. A score of a model is worth nothing if the text reached
// the model cut in other pieces, so the package reads completely what it reads,
// and refuses every file that holds something it does not know.
//
// The story of one text, in order:
//
//  1. Bytes that are not UTF-8 become U+FFFD, because the reference takes only
//     Unicode text.
//  2. The added tokens of the file (such as <|endoftext|>) that are marked
//     "normalized": false are cut out wherever the text writes them, the
//     leftmost and there the longest first. Each is one id. An added token may
//     ask to stand as a word of its own (single_word) or take the white space
//     beside it along (lstrip, rstrip).
//  3. What is left is rewritten by the normalizer, piece by piece: to a normal
//     form of Unicode, say, or with ▁ for each blank. Then the other added
//     tokens, rewritten likewise, are cut out.
//  4. The pre-tokenizer cuts the rest into words: at white space, by a pattern, by
//     the digits. ByteLevel, at its end, has words taken as bytes.
//  5. The model makes ids of each word. Three kinds are known:
//
// BPE, byte pair encoding: a word begins as one token for each of its bytes or
// characters. Of all neighbours that the file's list of merges names, the pair
// earliest in the list is joined, at equal rank the leftmost, until no neighbours
// can be joined. A character without a token is written as tokens <0x00> to
// <0xFF> (byte_fallback), or is the unknown token, or, if the file has none, is
// lost, as in the reference: so are some control characters in SmolLM2.
//
// Unigram: of all ways to cut the word into tokens the one with the greatest sum
// of scores; an unknown character counts ten less than the least score.
//
// WordLevel: the word is a token, or unknown.
//
// Decoding is simpler: every id stands for a token, and the decoder's steps make
// text of these; what is not UTF-8 then (half a letter, say) becomes U+FFFD.
//
// With ByteLevel the file writes each of the 256 bytes as a printable character,
// a blank as "Ġ" and a line feed as "Ċ". ID takes tokens in that writing.
//
// # Use
//
//	tokenizer, err := token.New(data) // the bytes of tokenizer.json
//	ids := tokenizer.Encode("Hello world")
//	ids = tokenizer.AddSpecial(ids) // <s> and the like, where the file wants them
//	text, err := tokenizer.Decode(ids)
//
// Encode adds no special token at the start or end; AddSpecial does. A Tokenizer
// may be used by many goroutines at once.
//
// # What is read
//
//   - normalizer: null, NFC, NFD, NFKC, NFKD, Lowercase, Prepend, Replace, Strip.
//   - pre_tokenizer: null, ByteLevel (only at the end), Digits, Metaspace,
//     Punctuation, Split, Whitespace, WhitespaceSplit.
//   - model: BPE, its merges written as "a b" or as ["a", "b"], with or without
//     ignore_merges, byte_fallback, unk_token and fuse_unk; Unigram; WordLevel.
//   - decoder: null, ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Strip.
//   - post_processor: null, ByteLevel, BertProcessing, RobertaProcessing,
//     TemplateProcessing; one of them may add tokens.
//   - in each of these but the model, Sequence; added_tokens with all their
//     options; padding to the longest of a batch, which adds nothing to one text.
//
// The patterns of GPT-2, Llama 3 and Qwen 2 are scanned by hand. Any other is
// rewritten for a machine that reads another dialect than the reference's; only
// what surely means the same in both is read: characters and classes of them,
// \s \d \p{L} and their opposites, the end of a line, groups, (?i:...) around letters of ASCII,
// look-ahead, and simple repetitions. Encode takes time n log n at most, but for
// such patterns: how long they take is the file's affair, as in the reference.
//
// # What is refused
//
// Everything else is refused by New, in one sentence that names it: any other
// component, option or key, a key that stands twice; dropout, prefixes and
// suffixes of subwords; truncation, which loses text, and padding to a length;
// Metaspace with prepend_scheme "first" behind steps that move the start of the
// text; Strip in a decoder at the end of tokens; the Precompiled normalizer of
// SentencePiece. So is a file that contradicts itself: a merge of tokens that the
// vocabulary lacks, two tokens with one id, an unknown token that is none, a byte
// without a token where something else would take its place, an added token with
// another id than the reference would give it, a template with the id of another
// token.
//
// # Sources
//
// Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with
// Subword Units" (2016) for the merging; Kudo, "Subword Regularization" (2018)
// for Unigram; Radford et al., "Language Models are Unsupervised Multitask
// Learners" (2019, GPT-2) for the bytes and the pattern; the Rust library
// huggingface/tokenizers 0.22.2 as the reference, whose ids the tests compare.
// (From 0.23 on it decodes an added token of the second pass as normalized, no
// longer as the file writes it; the ids are the same.)
//
// One difference is known: which characters are letters, marks, numbers or white
// space, and how they are composed, is looked up in the Unicode tables of Go
// (unicode.Version). The reference has several, newer ones in its patterns, older
// ones in Punctuation (Unicode 8) and in the normal forms (Unicode 9 or so). A
// character that only one side knows may be cut differently.
package token
