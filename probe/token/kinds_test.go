package token_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"surgeon/probe/token"
)

// kind is a small tokenizer of another kind than reference has, and what the
// Rust library tokenizers 0.22.2 makes of the texts. testdata/make_kinds.py
// wrote it.
type kind struct {
	Name    string
	File    json.RawMessage
	IDs     [][]int32
	Special [][]int32 // with special tokens, of the first texts
	Decoded []string
}

func kinds(t testing.TB) (texts []string, files []kind) {
	t.Helper()
	data, err := os.ReadFile("testdata/kinds.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Texts []string
		Files []kind
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all.Texts, all.Files
}

// TestKinds compares every model, normalizer, decoder and post-processor with
// the reference library.
func TestKinds(t *testing.T) {
	texts, files := kinds(t)
	if len(files) != 30 { // as many as make_kinds.py has
		t.Errorf("%d files, want 30", len(files))
	}
	for _, k := range files {
		t.Run(k.Name, func(t *testing.T) { k.check(t, texts) })
	}
}

func (k *kind) check(t *testing.T, texts []string) {
	tokenizer, err := token.New(k.File)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		checkEncode(t, tokenizer, text, k.IDs[i])
		checkDecode(t, tokenizer, k.IDs[i], k.Decoded[i])
	}
	for i, want := range k.Special {
		if got := tokenizer.AddSpecial(tokenizer.Encode(texts[i])); !slices.Equal(got, want) {
			t.Errorf("AddSpecial(Encode(%q)) = %v, want %v", texts[i], got, want)
		}
	}
}

// TestKindsTakeNoSquares: a long text of one character, for all of them, takes
// seconds at n log n and a good part of an hour at n squared.
func TestKindsTakeNoSquares(t *testing.T) {
	_, files := kinds(t)
	began := time.Now()
	for _, k := range files {
		tokenizer, err := token.New(k.File)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range []string{"a", " ", "日", "🙂", "x", "▁", "1", "\u0301", "ab", "\n"} {
			if _, err := tokenizer.Decode(tokenizer.Encode(strings.Repeat(run, 20_000))); err != nil {
				t.Errorf("%s: %v", k.Name, err)
			}
		}
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("long texts took %v", took)
	}
}

// Added tokens that take white space along do not measure it again each time.
func TestBlanksAreMeasuredOnce(t *testing.T) {
	file, began := tinyFile(), time.Now()
	file["added_tokens"] = []any{with(addedToken(266, "\t"), "rstrip", true), addedToken(267, "\n"), with(addedToken(268, " "), "lstrip", true)}
	tokenizer, err := token.New(encodeJSON(file))
	if err != nil {
		t.Fatal(err)
	}
	tokenizer.Encode(strings.Repeat("\t\n ", 200_000))
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}
