package token_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/token"
)

// tinyMerges are the merges of the tiny tokenizer, in order. Its vocabulary is
// the 256 bytes (ids 0 to 255, each at its own value), then what they make.
var tinyMerges = []string{"h e", "l l", "he ll", "hell o", "Ġ hello", "a b", "b c", "ab c", "Ġ Ġ", "ĠĠ ĠĠ"}

// The added token of the tiny tokenizer and its id.
const (
	endOfText   = "<|end|>"
	endOfTextID = 266
)

// fields is a JSON object that a test may change.
type fields = map[string]any

// tinyFile is a complete tokenizer.json, built anew at each call.
func tinyFile() fields {
	vocabulary := fields{}
	other := 256
	for b := range 256 {
		symbol := b
		if b <= ' ' || 0x7F <= b && b <= 0xA0 || b == 0xAD {
			symbol = other
			other++
		}
		vocabulary[string(rune(symbol))] = b
	}
	for i, merge := range tinyMerges {
		vocabulary[strings.Replace(merge, " ", "", 1)] = 256 + i
	}
	return fields{
		"version": "1.0", "truncation": nil, "padding": nil, "normalizer": nil, "post_processor": nil,
		"added_tokens":  []any{addedToken(endOfTextID, endOfText)},
		"pre_tokenizer": byteLevel(),
		"decoder":       byteLevel(),
		"model": fields{"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil,
			"end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
			"vocab": vocabulary, "merges": slices.Clone(tinyMerges)},
	}
}

func byteLevel() fields {
	return fields{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
}

func addedToken(id int, content string) fields {
	return fields{"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
		"normalized": false, "special": true}
}

func encodeJSON(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return data
}

func tiny() *token.Tokenizer {
	tokenizer, err := token.New(encodeJSON(tinyFile()))
	if err != nil {
		panic(err)
	}
	return tokenizer
}

// bytesAsIDs is what a text encodes to in the tiny tokenizer without merges.
func bytesAsIDs(text string) (ids []int32) {
	for _, b := range []byte(text) {
		ids = append(ids, int32(b))
	}
	return ids
}

func checkEncode(t *testing.T, tokenizer *token.Tokenizer, text string, want []int32) {
	t.Helper()
	if got := tokenizer.Encode(text); !slices.Equal(got, want) {
		t.Errorf("Encode(%.80q) = %v, want %v", text, got, want)
	}
}

func checkDecode(t *testing.T, tokenizer *token.Tokenizer, ids []int32, want string) {
	t.Helper()
	got, err := tokenizer.Decode(ids)
	if err != nil || got != want {
		t.Errorf("Decode(%v) = %q, %v, want %q", ids, got, err, want)
	}
}
