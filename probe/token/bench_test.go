package token_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/probe/token"
)

// goSource is text that every machine with Go has: this package, repeated.
func goSource(b *testing.B) string {
	names, err := filepath.Glob("*.go")
	if err != nil {
		b.Fatal(err)
	}
	var text strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		text.Write(data)
	}
	return strings.Repeat(text.String(), 1+1<<20/text.Len())
}

func BenchmarkEncode(b *testing.B) {
	bench := func(name string, tokenizer *token.Tokenizer, text string) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				tokenizer.Encode(text)
			}
		})
	}
	bench("tiny", tiny(), goSource(b))
	bench("tiny/long word", tiny(), strings.Repeat("hellohellabc", 1<<20/12))
	bench("SmolLM2", loadSmolLM2(b), goSource(b))
	var corpus []string
	golden(b, "corpus.json", &corpus)
	bench("SmolLM2/corpus", loadSmolLM2(b), strings.Join(corpus, "\n"))
}

// BenchmarkEncodeParallel shows what the lock of the word cache costs.
func BenchmarkEncodeParallel(b *testing.B) {
	tokenizer, text := loadSmolLM2(b), goSource(b)
	b.SetBytes(int64(len(text)))
	b.RunParallel(func(each *testing.PB) {
		for each.Next() {
			tokenizer.Encode(text)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	tokenizer, text := loadSmolLM2(b), goSource(b)
	ids := tokenizer.Encode(text)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := tokenizer.Decode(ids); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	data, err := os.ReadFile(smolLM2)
	if err != nil {
		b.Skipf("%v: check out shared/ beside the repository", err)
	}
	for b.Loop() {
		if _, err := token.New(data); err != nil {
			b.Fatal(err)
		}
	}
}
