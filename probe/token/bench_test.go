package token_test

import (
	"bytes"
	"encoding/json"
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

// english is the questions of GSM8K, about 1.7 MB.
func english(b *testing.B) string {
	data, err := os.ReadFile(shared + "/data/gsm8k/train.jsonl")
	if err != nil {
		b.Skipf("%v: check out shared/ beside the repository", err)
	}
	var text strings.Builder
	for line := range bytes.Lines(data) {
		var item struct{ Question string }
		if err := json.Unmarshal(line, &item); err != nil {
			b.Fatal(err)
		}
		text.WriteString(item.Question + "\n")
	}
	return text.String()
}

// BenchmarkGoldens encodes English with every tokenizer of the goldens, in one
// piece and line by line, and one word that hardly can be cut.
func BenchmarkGoldens(b *testing.B) {
	text := english(b)
	lines, long := strings.Split(text, "\n"), strings.Repeat("aeiouaaab", 1<<20/9)
	for _, name := range goldenNames {
		tokenizer := loadGolden(b, name)
		bench := func(what string, texts ...string) {
			b.Run(name+"/"+what, func(b *testing.B) {
				b.SetBytes(int64(len(strings.Join(texts, ""))))
				for b.Loop() {
					for _, text := range texts {
						tokenizer.Encode(text)
					}
				}
			})
		}
		bench("whole", text)
		bench("lines", lines...)
		bench("long word", long)
	}
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
