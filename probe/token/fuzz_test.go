package token_test

import (
	"strings"
	"testing"

	"surgeon/probe/token"
)

// FuzzNew: no file and no text makes the package panic, and what a tokenizer
// that loads encodes, it can decode.
func FuzzNew(f *testing.F) {
	options := tinyFile()
	options["pre_tokenizer"] = sequence(fields{"type": "Digits", "individual_digits": false}, with(byteLevel(), "add_prefix_space", true))
	options["added_tokens"] = []any{
		with(with(addedToken(266, "<x>"), "lstrip", true), "rstrip", true), with(addedToken(267, " "), "lstrip", true),
		with(addedToken(268, "ab"), "single_word", true), with(addedToken(269, "<"), "normalized", true)}
	f.Add(encodeJSON(tinyFile()), "hello "+endOfText)
	f.Add(encodeJSON(options), "<x>  12ab <x> \xFF")
	f.Add([]byte(`{"model":{"vocab":{"a":0},"merges":["a a"]}}`), "a")
	f.Add([]byte(`{"pre_tokenizer":{"type":"Sequence","pretokenizers":[]}}`), "")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		tokenizer, err := token.New(data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "token: tokenizer.json: ") {
				t.Errorf("New: %v", err)
			}
			return
		}
		for _, id := range tokenizer.Encode(text) {
			if id < 0 || int(id) >= tokenizer.Len() {
				t.Errorf("Encode(%q) has the id %d, Len is %d", text, id, tokenizer.Len())
			}
		}
		if _, err := tokenizer.Decode(tokenizer.Encode(text)); err != nil {
			t.Errorf("Decode(Encode(%q)): %v", text, err)
		}
	})
}

// FuzzRoundTrip: every text comes back, once it is UTF-8.
func FuzzRoundTrip(f *testing.F) {
	tokenizer := tiny()
	f.Add("hello hello abc    x")
	f.Add("it's 12² " + endOfText + "\u0085\r\n")
	f.Add("\xE2\x82\xF0\x9F\xED\xA0\x80")
	f.Add(alphabetOfTests)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := tokenizer.Decode(tokenizer.Encode(text))
		if err != nil {
			t.Fatal(err)
		}
		checkRoundTrip(t, tokenizer, got)
		if want := strings.ToValidUTF8(text, ""); strings.ReplaceAll(got, "\uFFFD", "") != strings.ReplaceAll(want, "\uFFFD", "") {
			t.Errorf("Decode(Encode(%q)) = %q", text, got)
		}
	})
}
