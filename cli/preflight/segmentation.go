package preflight

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// tokenizers compares the two tokenizer.json, or, where a side has none, the
// files that older tokenizers read. Of equal files only the syntax is looked at:
// they mean the same, whatever it is.
func (c *comparison) tokenizers() error {
	base, tuned, err := c.read(tokenizerFile, tokenizerLimits)
	if err != nil {
		return err
	}
	if base.there && tuned.there && bytes.Equal(base.data, tuned.data) && base.fault == tuned.fault {
		base.object(tokenizerLimits)
		tuned.fault = base.fault
		c.faulty(tokenizerFile, base, tuned)
		return nil
	}
	b, t := base.tokenizer(), tuned.tokenizer()
	if c.faulty(tokenizerFile, base, tuned) {
		return nil
	}
	c.lacking(tokenizerFile, Warning, base.there, tuned.there, "one side has no tokenizer.json, so the vocabularies were not compared: save its tokenizer with transformers first")
	if !base.there || !tuned.there {
		return c.vocabularyFiles()
	}
	found := append(align(b, t).findings(), segmentation(b, t)...)
	if len(found) == 0 {
		found = []Finding{{Note, tokenizerFile, "", counted(len(base.data), "byte"), counted(len(tuned.data), "byte"),
			"the files differ but mean the same tokenizer: nothing to do, the merge keeps the base's"}}
	}
	c.add(found...)
	return nil
}

// tokenizer parses a tokenizer.json, or notes its fault.
func (c *content) tokenizer() tokenizer {
	c.object(tokenizerLimits)
	if !c.there || c.fault != "" {
		return tokenizer{}
	}
	t, err := parseTokenizer(c.data)
	if err != nil {
		c.fault = err.Error()
	}
	return t
}

const (
	segments = "text is cut into tokens otherwise, and the merge keeps the base's way, for which the tuned rows were not trained: score both, or take over the tuned model's tokenizer.json"
	decodes  = "tokens are turned back into text otherwise, and the merge keeps the base's way: compare a text that was encoded and decoded by both"
	frames   = "other special tokens are put around a text, and the merge keeps the base's: compare how both encode one text"
	pads     = "batches are cut or padded otherwise, which the calling program usually decides: nothing to do, the merge keeps the base's"
)

// partRules are the rules of what a tokenizer.json has besides tokens.
var partRules = index([]rule{
	{Warning, Warning, segments, []string{"normalizer", "pre_tokenizer", "model"}},
	{Warning, Warning, decodes, []string{"decoder"}},
	{Warning, Warning, frames, []string{"post_processor"}},
	{Note, Note, pads, []string{"truncation", "padding"}},
}, "a field that tokenizers may not know: nothing to do, the merge keeps the base's")

// segmentation compares how two tokenizers cut text and put it together.
func segmentation(base, tuned tokenizer) []Finding {
	var found []Finding
	add := func(severity Severity, field, base, tuned, says string) {
		found = append(found, Finding{severity, tokenizerFile, field, clip(base), clip(tuned), says})
	}
	if base.kind != tuned.kind && base.kind != "" && tuned.kind != "" {
		add(Error, "model.type", strconv.Quote(base.kind), strconv.Quote(tuned.kind),
			"the tokenizers work by different algorithms, so the models read text in different tokens: merge with the base that the fine-tune started from")
	}
	if !slices.Equal(base.merges, tuned.merges) {
		at := divergence(base.merges, tuned.merges)
		add(Warning, "model.merges", base.merge(at), tuned.merge(at), segments)
	}
	if n := rescored(base, tuned); n > 0 {
		add(Warning, "model.vocab", counted(n, "other score"), counted(n, "other score"), segments)
	}
	if b, t := reflagged(base, tuned); b != "" {
		add(Warning, "added_tokens", b, t, segments)
	}
	return append(found, parts(base, tuned)...)
}

// merge renders the number of merges, and the one at an index.
func (t tokenizer) merge(at int) string {
	count := counted(len(t.merges), "merge")
	if at >= len(t.merges) {
		return count
	}
	return fmt.Sprintf("%s, number %d is %s", count, at+1, brief(strconv.Quote(strings.Join(t.merges[at][:], " "))))
}

// rescored counts the tokens of both sides that have another score.
func rescored(base, tuned tokenizer) int {
	n := 0
	for token, score := range base.scores {
		if other, ok := tuned.scores[token]; ok && other != score {
			n++
		}
	}
	return n
}

// reflagged renders the number of added tokens of both sides that have other
// flags, and the first of them.
func reflagged(base, tuned tokenizer) (b, t string) {
	var tokens []string
	for token, flags := range base.added {
		if other, ok := tuned.added[token]; ok && other != flags {
			tokens = append(tokens, token)
		}
	}
	if len(tokens) == 0 {
		return "", ""
	}
	token := slices.Min(tokens)
	show := func(flags string) string {
		return fmt.Sprintf("%s: %s is %s", counted(len(tokens), "token"), brief(strconv.Quote(token)), flags)
	}
	return show(base.added[token]), show(tuned.added[token])
}

// parts compares everything else.
func parts(base, tuned tokenizer) []Finding {
	var found []Finding
	names := maps.Clone(base.parts)
	maps.Copy(names, tuned.parts)
	for name := range names {
		b, inBase := base.parts[name]
		t, inTuned := tuned.parts[name]
		if b != t {
			owner, _, _ := strings.Cut(name, ".")
			r := partRules.of([]string{owner})
			b, t = contrast(b, t)
			found = append(found, Finding{r.severity, tokenizerFile, clip(name), shown(b, inBase), shown(t, inTuned), r.says})
		}
	}
	return found
}
