// Package token turns text into token ids and back, exactly as the model's own
// tokenizer.json says. A score of a model is worth nothing if the text reached
// the model cut in other pieces, so the package reads one kind of file
// completely, and refuses every file that holds something it does not know.
//
// The kind is byte-level byte pair encoding, as GPT-2 brought it and SmolLM2,
// among others, uses it. The story of one text, in order:
//
//  1. Bytes that are not UTF-8 become U+FFFD, because the reference takes only
//     Unicode text.
//  2. The added tokens of the file (such as <|endoftext|>) are cut out wherever
//     the text writes them, the leftmost and there the longest first: once
//     those marked "normalized": false, then in what is left the others. Each
//     is one id. An added token may ask to stand as a word of its own
//     (single_word) or take the white space beside it along (lstrip, rstrip).
//  3. What is left is cut into words: Digits sets numbers apart, ByteLevel cuts
//     by the pattern of GPT-2, which keeps the blank before a word with it.
//  4. A word begins as one token for each of its bytes. (A byte that the
//     vocabulary has no token for is lost, as in the reference: SmolLM2 lacks
//     some control characters.) Of all neighbours that the file's list of
//     merges names, the pair earliest in the list is joined, at equal rank the
//     leftmost, until no neighbours can be joined.
//
// Decoding is simpler: every id stands for some bytes, which are strung
// together; what is not UTF-8 then (half a letter, say) becomes U+FFFD.
//
// In the file itself each of the 256 bytes is written as a printable character,
// a blank as "Ġ" and a line feed as "Ċ". ID takes tokens in that writing.
//
// # Use
//
//	tokenizer, err := token.New(data) // the bytes of tokenizer.json
//	ids := tokenizer.Encode("Hello world")
//	text, err := tokenizer.Decode(ids)
//
// Encode adds no special token at the start or end: what a model wants there is
// the caller's knowledge. A Tokenizer may be used by many goroutines at once.
//
// # What is read and what is refused
//
// Read are: model BPE, its merges written as "a b" or as ["a", "b"], with or
// without ignore_merges; pre_tokenizer ByteLevel and Digits, and Sequence of
// them that ends with ByteLevel; post_processor null or ByteLevel, which moves
// no ids; decoder ByteLevel; added_tokens with all their options.
//
// Refused by New, in one sentence that names it, is everything else: any other
// normalizer, pre_tokenizer, post_processor or decoder, dropout, byte_fallback,
// prefixes and suffixes of subwords, truncation, padding, an unknown key, a
// key that stands twice. So is a file that contradicts itself: a merge of
// tokens that the vocabulary lacks, two tokens with one id, a byte without a
// token where there is an unk_token, an added token with another id than the reference would give it.
//
// # Sources
//
// Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with
// Subword Units" (2016) for the merging; Radford et al., "Language Models are
// Unsupervised Multitask Learners" (2019, GPT-2) for the bytes and the pattern;
// the Rust library huggingface/tokenizers as the reference, whose ids the tests
// compare. One difference is known: which characters are letters, numbers or
// white space is looked up in the Unicode tables of Go (unicode.Version), and
// a character that Unicode added later may be cut differently.
package token
