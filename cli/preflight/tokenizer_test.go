package preflight_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const bpe = `{"version":"1.0","truncation":null,"padding":null,
"added_tokens":[{"id":0,"content":"<eos>","special":true,"lstrip":false},{"id":5,"content":"<pad>","special":true}],
"normalizer":null,"pre_tokenizer":{"type":"ByteLevel"},"post_processor":null,"decoder":{"type":"ByteLevel"},
"model":{"type":"BPE","unk_token":null,"continuing_subword_prefix":"","vocab":{"<eos>":0,"a":1,"b":2,"ab":3,"abb":4},"merges":["a b","ab b"]}}`

const unigram = `{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1.5],["b",-2]]}}`

// edit replaces text that must be there.
func edit(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%q is not in %s", pairs[i], text)
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

func TestTokenizerRules(t *testing.T) {
	check := checker(t, "tokenizer.json")
	from := func(base string) func(want string, pairs ...string) {
		return func(want string, pairs ...string) {
			t.Helper()
			var list []string
			if want != "" {
				list = strings.Split(want, ", ")
			}
			check(base, edit(t, base, pairs...), list...)
		}
	}
	b := from(bpe)
	b("error vocab.moved", `"a":1,"b":2`, `"a":2,"b":1`)
	b("error vocab.moved", `"id":5`, `"id":6`)
	b("error vocab.replaced", `"abb":4`, `"bab":4`)
	b("error vocab.replaced", `"abb":4`, `"bab":4`, `"version"`, `"Version"`, `"1.0"`, `null`)
	b("warning vocab.renamed", `"<pad>"`, `"<|im_end|>"`)
	b("error vocab.replaced", `{"id":5,"content":"<pad>","special":true}`, `{"id":4,"content":"abb"}`, `"abb":4`, `"abb":4,"x":5`)
	b("warning vocab.tuned_only", `"abb":4`, `"abb":4,"abbb":6`)
	b("warning vocab.base_only", `,"abb":4`, ``)
	b("warning vocab.tuned_only", `"special":true}]`, `"special":true},{"id":6,"content":"<|im_end|>"}]`)
	b("warning vocab.base_only, warning vocab.tuned_only", `"abb":4`, `"bab":6`)
	b("warning model.merges", `,"ab b"`, ``)
	b("warning model.merges", `"a b","ab b"`, `"ab b","a b"`)
	b("warning normalizer", `"normalizer":null`, `"normalizer":{"type":"NFC"}`)
	b("warning pre_tokenizer", `"pre_tokenizer":{"type":"ByteLevel"}`, `"pre_tokenizer":{"type":"ByteLevel","use_regex":false}`)
	b("warning post_processor", `"post_processor":null`, `"post_processor":{"type":"TemplateProcessing"}`)
	b("warning decoder", `"decoder":{"type":"ByteLevel"}`, `"decoder":null`)
	b("warning model.ignore_merges", `"unk_token":null`, `"ignore_merges":true`)
	b("warning added_tokens", `"lstrip":false`, `"lstrip":true`)
	b("note truncation", `"truncation":null`, `"truncation":{"max_length":512}`)
	b("note novelty", `"truncation":null`, `"novelty":1`)
	b("error model.type", `"type":"BPE"`, `"type":"WordPiece"`)
	b("note", `"type":"BPE",`, ``)
	b("note", `"a b","ab b"`, `["a","b"],["ab","b"]`)
	b("note", `"a":1,"b":2`, `"b":2,"a":1`)
	b("note", `"lstrip":false`, `"lstrip":false,"rstrip":false`)
	b("note", `"continuing_subword_prefix":""`, `"continuing_subword_prefix":null,"byte_fallback":false`)
	b("note", `"version":"1.0"`, `"version":"2.0"`)
	b("")

	u := from(unigram)
	u("warning model.vocab", `-1.5`, `-1.25`)
	u("error vocab.moved", `["a",-1.5],["b",-2]`, `["b",-2],["a",-1.5]`)
	u("error vocab.replaced", `["b",-2]`, `["c",-2]`)
	u("warning vocab.tuned_only", `["b",-2]`, `["b",-2],["c",-3]`)
	u("warning model.unk_id", `"unk_id":0`, `"unk_id":1`)
	u("note", `-1.5`, `-15e-1`)
	u("")
	check(unigram, bpe, "error model.type", "error vocab.replaced", "warning decoder", "warning model.merges",
		"warning model.unk_id", "warning pre_tokenizer", "warning vocab.tuned_only")
}

// TestTokenizerShows looks at the counts and the first few tokens.
func TestTokenizerShows(t *testing.T) {
	check := func(base, tuned, showBase, showTuned string) {
		t.Helper()
		f := compare(t, directory("tokenizer.json", base), directory("tokenizer.json", tuned))[0]
		if f.Base != showBase || f.Tuned != showTuned {
			t.Errorf("%q and %q, not %q and %q", f.Base, f.Tuned, showBase, showTuned)
		}
	}
	check(bpe, edit(t, bpe, `"a":1,"b":2`, `"a":2,"b":1`), `2 tokens: "a" = 1, "b" = 2`, `2 tokens: "a" = 2, "b" = 1`)
	check(bpe, edit(t, bpe, `"abb":4`, `"abb":4,"y":9,"z":8,"\u001b":7,"w":6`), "absent", `4 tokens: "w" = 6, "\x1b" = 7, "z" = 8, …`)
	check(edit(t, bpe, `"abb":4`, `"`+strings.Repeat("ab", 50)+`":4`), bpe, `1 token: "`+strings.Repeat("ab", 11)+`… = 4`, `1 token: "abb" = 4`)
	check(bpe, edit(t, bpe, `,"ab b"`, ``), `2 merges, number 2 is "ab b"`, "1 merge")
	check(bpe, edit(t, bpe, `"lstrip":false`, `"lstrip":true`), `1 token: "<eos>" is {"special": true}`, `1 token: "<eos>" is {"lstrip": true, "special": true}`)
	check(unigram, edit(t, unigram, `-1.5`, `-1`), "1 other score", "1 other score")
	check(bpe, bpe+"\n", fmt.Sprint(len(bpe), " bytes"), fmt.Sprint(len(bpe)+1, " bytes"))
}

// TestVocabularyFiles: without tokenizer.json on both sides, the files of older
// tokenizers are compared byte by byte.
func TestVocabularyFiles(t *testing.T) {
	check := func(base, tuned []string, want int) {
		t.Helper()
		if found := compare(t, directory(base...), directory(tuned...)); len(found) != want {
			t.Errorf("%q against %q: %v", base, tuned, found)
		}
	}
	check([]string{"tokenizer.model", "a"}, []string{"tokenizer.model", "b"}, 1)
	check([]string{"tokenizer.model", "a"}, []string{"tokenizer.model", "a"}, 0)
	check([]string{"vocab.json", "{}"}, nil, 1)
	check([]string{"vocab.json", "{}", "tokenizer.json", bpe}, []string{"vocab.json", "{} ", "tokenizer.json", bpe + " "}, 1)
	check([]string{"vocab.json", "{}", "tokenizer.json", bpe}, []string{"vocab.json", "{} "}, 2)
	check([]string{"README.md", "a"}, []string{"README.md", "b"}, 0)
}

// TestTokenizerLarge compares two tokenizers of 10 MB, the size of those of
// vocabularies of 150,000 tokens.
func TestTokenizerLarge(t *testing.T) {
	large := func(last string) string {
		var vocab, merges strings.Builder
		for i := range 200_000 {
			fmt.Fprintf(&vocab, `"token number %06d":%d,`, i, i)
			fmt.Fprintf(&merges, `"token num%06d",`, i)
		}
		return `{"model":{"type":"BPE","vocab":{` + vocab.String() + `"` + last + `":200000},"merges":[` + merges.String() + `"a b"]}}`
	}
	base, tuned := directory("tokenizer.json", large("x")), directory("tokenizer.json", large("y"))
	if size := len(base["tokenizer.json"].Data); size < 9e6 {
		t.Fatalf("only %d bytes", size)
	}
	limit := 3 * time.Second
	if testing.Short() { // under the race detector
		limit *= 10
	}
	start := time.Now()
	if found := compareOnce(t, base, tuned); len(found) != 1 {
		t.Errorf("got %v", found)
	}
	if took := time.Since(start); took > limit {
		t.Errorf("took %v", took)
	} else {
		t.Logf("took %v", took)
	}
}
