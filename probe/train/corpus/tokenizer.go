package corpus

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// special are the special tokens; their ids are their places.
var special = []string{"<|bos|>", "<|eos|>", "<|user|>", "<|assistant|>", "<|pad|>"}

// The places of those that config.json names.
const (
	bos = 0
	eos = 1
	pad = 4
)

// vocabulary is how many tokens there are: the special ones, a byte each, and
// what merges make.
const vocabulary = 768

// The samples from which the tokenizer learns its merges.
const (
	generalRead   = 20000
	chemistryRead = 4000
)

// certain is how often a part of a molecule's name counts: more than everything
// else, so that its merges come first and a name is always root and suffix,
// whatever other words it looks like.
const certain = 1 << 32

// merges learns those of the tokenizer.
func (c *Corpus) merges() []merge {
	counts := map[string]int{}
	for i := range generalRead {
		count(counts, c.General(i))
	}
	for i := range chemistryRead {
		count(counts, c.Chemistry(i))
	}
	for _, s := range syllables {
		counts[s], counts[" "+s] = certain, certain
	}
	for _, root := range roots {
		counts[" "+root] = certain
	}
	for _, f := range families {
		suffix, _, _ := strings.Cut(f.suffix, " ")
		counts[suffix] = certain
	}
	return learn(counts, vocabulary-len(special)-256, joinable)
}

// count counts the words of a sample, but for names of molecules, which are
// counted by their parts.
func count(counts map[string]int, s Sample) {
	for _, text := range []string{s.Prompt, s.Completion} {
		for _, word := range split(text) {
			if !slices.Contains(nameWords, strings.TrimPrefix(word, " ")) {
				counts[word]++
			}
		}
	}
}

// nameWords are the first words of the names of all molecules.
var nameWords = firstWords()

func firstWords() (list []string) {
	for n := range roots {
		for _, f := range families {
			word, _, _ := strings.Cut(molecule{f, n + 1}.name(), " ")
			list = append(list, word)
		}
	}
	return list
}

// joinable reports whether a token may be: digits stand alone, and no two
// characters of formulas or SMILES stand side by side in a token, so that the
// model reads atom by atom. Four number signs before an answer are one token all
// the same: nothing in SMILES looks like them.
func joinable(token string) bool {
	for i := range len(token) {
		if digit(token[i]) || i > 0 && chemical(token[i-1]) && chemical(token[i]) && token[i-1:i+1] != "##" {
			return false
		}
	}
	return true
}

func chemical(c byte) bool { return strings.IndexByte("CHNOS=#()", c) >= 0 }

// symbol writes bytes as ByteLevel does: those that print as they are, the others
// as the characters from U+0100 on (openai/gpt-2, encoder.py, bytes_to_unicode).
func symbol(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.WriteRune(symbols[c])
	}
	return b.String()
}

var symbols = byteSymbols()

func byteSymbols() (symbols [256]rune) {
	other := rune(0x100)
	for b := range symbols {
		symbols[b] = rune(b)
		if b <= ' ' || 0x7F <= b && b <= 0xA0 || b == 0xAD {
			symbols[b] = other
			other++
		}
	}
	return symbols
}

// tokenizerJSON is tokenizer.json, as the library huggingface/tokenizers reads
// it: the special tokens, the bytes, and what merges make, in order.
func tokenizerJSON(merges []merge) []byte {
	var vocab, added, lines []string
	token := func(text string) {
		vocab = append(vocab, fmt.Sprintf("%s: %d", quote(text), len(vocab)))
	}
	for id, text := range special {
		token(text)
		added = append(added, fmt.Sprintf(`{"id": %d, "content": %s, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}`, id, quote(text)))
	}
	for _, s := range symbols {
		token(string(s))
	}
	for _, m := range merges {
		token(symbol(m.left + m.right))
		lines = append(lines, quote(symbol(m.left)+" "+symbol(m.right)))
	}
	const separator = ",\n      "
	return fmt.Appendf(nil, `{
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": [
    %s
  ],
  "normalizer": null,
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
    {"type": "Digits", "individual_digits": true},
    {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
  ]},
  "post_processor": {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<|bos|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"SpecialToken": {"id": "<|bos|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"<|bos|>": {"id": "<|bos|>", "ids": [%d], "tokens": ["<|bos|>"]}}},
  "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
  "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": null,
    "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
    "vocab": {
      %s
    },
    "merges": [
      %s
    ]}
}
`, strings.Join(added, ",\n    "), bos, strings.Join(vocab, separator), strings.Join(lines, separator))
}

// quote is a text in JSON.
func quote(text string) string {
	var out bytes.Buffer
	writeLine(&out, text)
	return strings.TrimSpace(out.String())
}
