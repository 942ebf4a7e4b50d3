package token_test

import (
	"encoding/json"
	"os"
	"testing"

	"surgeon/probe/token"
)

// reference is a small tokenizer, texts, and what the Rust library tokenizers
// 0.22.2 makes of them. testdata/make_reference.js wrote it.
type reference struct {
	Name          string
	File          json.RawMessage
	Texts         []string
	IDs           [][]int32
	Decoded       []string
	Broken        [][]int32 // the bytes of no text
	BrokenDecoded []string  `json:"broken_decoded"`
}

// TestReference compares every option of added tokens and pre-tokenizers with
// the reference library.
func TestReference(t *testing.T) {
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var references []reference
	if err := json.Unmarshal(data, &references); err != nil {
		t.Fatal(err)
	}
	if len(references) != 16 { // as many as make_reference.js has cases
		t.Errorf("%d references, want 16", len(references))
	}
	for _, r := range references {
		t.Run(r.Name, func(t *testing.T) { r.check(t) })
	}
}

func (r *reference) check(t *testing.T) {
	tokenizer, err := token.New(r.File)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range r.Texts {
		checkEncode(t, tokenizer, text, r.IDs[i])
		checkDecode(t, tokenizer, r.IDs[i], r.Decoded[i])
	}
	for i, ids := range r.Broken {
		checkDecode(t, tokenizer, ids, r.BrokenDecoded[i])
	}
}
