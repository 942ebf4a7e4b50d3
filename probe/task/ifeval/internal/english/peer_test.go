package english

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/neurosnap/sentences/english"
)

// Sentences and words are those that NLTK 3.10.4 finds; testdata/peers.py
// writes the cases.
func TestNLTK(t *testing.T) {
	file, err := os.Open("testdata/nltk.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	library, err := english.NewSentenceTokenizer(nil)
	if err != nil {
		t.Fatal(err)
	}
	cases, others := 0, 0
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var text string
		var wantSentences, wantWords []string
		if err := json.Unmarshal(lines.Bytes(), &[]any{&text, &wantSentences, &wantWords}); err != nil {
			t.Fatal(err)
		}
		cases++
		found, err := Sentences([]rune(text))
		var got []string
		for _, sentence := range found {
			got = append(got, string(sentence))
		}
		if err != nil || !slices.Equal(got, wantSentences) {
			t.Errorf("%q: sentences\n%q (%v), want\n%q", text, got, err, wantSentences)
		}
		words, err := Words([]rune(text))
		if err != nil || !slices.Equal(words, wantWords) {
			t.Errorf("%q: words\n%q (%v), want\n%q", text, words, err, wantWords)
		}
		if len(library.Tokenize(text)) != len(wantSentences) {
			others++
		}
	}
	if cases < 700 {
		t.Errorf("only %d cases", cases)
	}
	t.Logf("%d cases; the module sentences by itself would count otherwise in %d", cases, others)
}

func TestParameters(t *testing.T) {
	p := parameters()
	if len(p.AbbrevTypes) != 156 || len(p.Collocations) != 37 || len(p.SentStarters) != 40 || len(p.OrthoContext) < 20_000 {
		t.Errorf("%d abbreviations, %d collocations, %d starters, %d words", len(p.AbbrevTypes), len(p.Collocations), len(p.SentStarters), len(p.OrthoContext))
	}
}

// The time is proportional to the length, whatever the text: 0.4 s for these
// 50,000 characters at most, where squares would be minutes.
func TestLongTexts(t *testing.T) {
	for _, part := range []string{"a", ".", ". ", "! a", "a.)", "(", "\"'", "\n", "a.b ", "- ", "Mr. A. ", "...", ".\u200d"} {
		text := []rune(strings.Repeat(part, 50_000/len(part)))
		start := time.Now()
		if _, err := Words(text); err != nil {
			t.Errorf("%q: %v", part, err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%q takes %v", part, took)
		}
	}
}

// Sentences are in order, none is empty, and all but closing marks and blanks
// of the text is in one.
func FuzzSentences(f *testing.F) {
	for _, seed := range []string{"One. Two! \"Three?\" (Four.)", "Mr. A. B. Carter, e.g. ... 5. Then", "a.)\n\n.\"'] --", "\x1c. \u2028x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		sentences, err := Sentences([]rune(text))
		if err != nil {
			t.Fatal(err)
		}
		rest, count := []rune(text), func(runes []rune) (n int) {
			for _, r := range runes {
				if !unicode.IsSpace(r) {
					n++
				}
			}
			return n
		}
		visible := 0
		for _, sentence := range sentences {
			at := strings.Index(string(rest), string(sentence))
			if len(sentence) == 0 || at < 0 {
				t.Fatalf("%q: the sentence %q is empty or out of order", text, string(sentence))
			}
			rest = []rune(string(rest)[at+len(string(sentence)):])
			visible += count(sentence)
		}
		if !strings.ContainsAny(text, "\x1c\x1d\x1e\x1f") && visible != count([]rune(text)) {
			t.Fatalf("%q: the sentences %q have %d characters of %d", text, sentences, visible, count([]rune(text)))
		}
		if _, err := Words([]rune(text)); err != nil {
			t.Fatal(err)
		}
	})
}
