package token

import (
	"fmt"
	"slices"
)

// Tokenizer encodes and decodes text as one tokenizer.json says. It is made by
// New, does not change, and may be used by many goroutines at once.
type Tokenizer struct {
	literal     cutter // the added tokens of the first pass, "normalized": false
	normalizers []normalizer
	normalized  cutter // the added tokens of the second pass
	split       splitter
	appendWord  func(ids []int32, word string) []int32
	cache       cache

	before, after []int32 // what the post-processor puts around a text
	decoder       decoder

	ids    map[string]int32 // of every token, as the file writes it
	pieces map[int32]string // what each id stands for, as the decoder takes it
	length int

	special map[int32]bool
}

// New reads the bytes of a tokenizer.json. What it supports stands in the
// package comment; the error is one sentence that names what is not supported,
// or is wrong, and where in the file it stands.
func New(tokenizerJSON []byte) (*Tokenizer, error) {
	f := &file{}
	t := f.tokenizer(tokenizerJSON)
	if f.err != nil {
		return nil, f.err
	}
	return t, nil
}

// Encode returns the ids of text, without adding any special token. Special and
// other added tokens that are written in the text count as what they stand for.
// Bytes of text that are not UTF-8 are replaced by U+FFFD before anything else,
// one for each sequence that a decoder would give up on, as in Decode. What the
// vocabulary has no token for, not even an unknown one, is left out, as the
// reference does.
func (t *Tokenizer) Encode(text string) []int32 {
	var ids []int32
	emit := func(id int32) { ids = append(ids, id) }
	word := func(word string) { ids = t.appendCached(ids, word) }
	t.literal.cut(validText(text), emit, func(rest string, outer bool) {
		t.normalized.cut(normalize(rest, t.normalizers), emit, func(rest string, inner bool) {
			t.split(rest, outer && inner, word)
		})
	})
	return ids
}

// appendCached appends the ids of one word, remembered or computed.
func (t *Tokenizer) appendCached(ids []int32, word string) []int32 {
	if known, ok := t.cache.get(word); ok {
		return append(ids, known...)
	}
	start := len(ids)
	ids = t.appendWord(ids, word)
	t.cache.put(word, ids[start:])
	return ids
}

// AddSpecial returns ids, those of one whole text, with the tokens that the
// file's post_processor puts around a single text: at the start that of <s>, for
// one. Where there are none it returns a copy.
func (t *Tokenizer) AddSpecial(ids []int32) []int32 {
	return slices.Concat(t.before, ids, t.after)
}

// Decode returns the text of ids, special tokens included. What is not UTF-8 in
// it becomes U+FFFD, one for each longest start of a character (the practice
// that Unicode recommends, and Rust's from_utf8_lossy). An id that no token has
// is an error.
func (t *Tokenizer) Decode(ids []int32) (string, error) {
	tokens := make([]string, len(ids))
	for place, id := range ids {
		piece, known := t.pieces[id]
		if !known {
			return "", fmt.Errorf("token: ids[%d] is %d, which is the id of no token", place, id)
		}
		tokens[place] = piece
	}
	return t.decoder.text(tokens), nil
}

// Len returns the largest id plus one: the rows that an embedding needs.
func (t *Tokenizer) Len() int { return t.length }

// ID returns the id of a token as the file writes it: an added token as it
// stands in text, a token of the vocabulary in printable bytes, so that " the"
// is "Ġthe". It reports whether there is such a token.
func (t *Tokenizer) ID(token string) (int32, bool) {
	id, ok := t.ids[token]
	return id, ok
}
