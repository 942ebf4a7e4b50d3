package token_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

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
	texts, files := kinds(f)
	for i, k := range files {
		f.Add([]byte(k.File), texts[i])
	}
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
		if _, err := tokenizer.Decode(tokenizer.AddSpecial(tokenizer.Encode(text))); err != nil {
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

// FuzzKinds: no text makes any model, normalizer or decoder panic, and a piece
// of text behind another has the ids that it has alone, where an added token
// keeps them apart and nothing looks at whether a text is the first.
func FuzzKinds(f *testing.F) {
	texts, files := kinds(f)
	var tokenizers []*token.Tokenizer
	for _, k := range files {
		tokenizer, err := token.New(k.File)
		if err != nil {
			f.Fatal(err)
		}
		if !strings.Contains(string(k.File), `"first"`) {
			tokenizers = append(tokenizers, tokenizer)
		}
	}
	for _, text := range texts {
		f.Add(text, "a b")
	}
	const apart = "<s>"
	f.Fuzz(func(t *testing.T, first, second string) {
		for i, tokenizer := range tokenizers {
			id, ok := tokenizer.ID(apart)
			if !ok || strings.Contains(first+second, "<") {
				continue
			}
			ids := tokenizer.Encode(first + apart + second)
			want := slices.Concat(tokenizer.Encode(first), []int32{id}, tokenizer.Encode(second))
			if !slices.Equal(ids, want) {
				t.Errorf("tokenizer %d: Encode(%q) = %v, want %v", i, first+apart+second, ids, want)
			}
			if _, err := tokenizer.Decode(ids); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzCompile: every pattern is refused or cuts every text without loss.
func FuzzCompile(f *testing.F) {
	for _, pattern := range []string{`\p{N}{1,3}|a(?=b)`, `(?i:'s|k)`, `[^\s\p{L}]+[\r\n]*`, `a{2,}?|(b|c)+`, `[a-c\u3040-]`} {
		f.Add(pattern, "abc 12")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 30 || len(text) > 30 || !utf8.ValidString(pattern) {
			return // a pattern may still take time to some power of the length
		}
		file := tinyFile()
		file["pre_tokenizer"] = sequence(fields{"type": "Split", "pattern": fields{"Regex": pattern}, "behavior": "Isolated", "invert": false},
			with(byteLevel(), "use_regex", false))
		tokenizer, err := token.New(encodeJSON(file))
		if err != nil {
			return
		}
		checkDecode(t, tokenizer, tokenizer.Encode(text), mustDecode(t, tiny(), text))
	})
}

// mustDecode returns a text as the tiny tokenizer gives it back.
func mustDecode(t *testing.T, tokenizer *token.Tokenizer, text string) string {
	decoded, err := tokenizer.Decode(tokenizer.Encode(text))
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}
