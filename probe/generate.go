package probe

import (
	"strings"

	"surgeon/probe/decoder"
	"surgeon/probe/token"
)

// Text is a text that was generated.
type Text struct {
	IDs    []int32 // as generated, without the token that ended it
	Text   string  // without special tokens, up to the first stop string
	Finish decoder.Finish
}

// Until adds stop strings to a Generation: it ends at the token that completes
// one of them, wherever in its tokens it stands.
func Until(t *token.Tokenizer, g decoder.Generation, stop []string) decoder.Generation {
	longest := 0
	for _, s := range stop {
		longest = max(longest, len(s))
	}
	if longest == 0 {
		return g
	}
	g.Stop = func(ids []int32) bool {
		// Every token but a special one has at least one byte, and half
		// characters at the cut are no part of a stop string that ends here.
		tail := t.Text(ids[max(0, len(ids)-longest-utf8Max):])
		for _, s := range stop {
			if s != "" && strings.Contains(tail, s) {
				return true
			}
		}
		return false
	}
	return g
}

const utf8Max = 4 // bytes of a character

// Written is the text of what was generated, cut at the stop strings one after
// the other, as lm-evaluation-harness cuts it.
func Written(t *token.Tokenizer, g decoder.Generated, stop []string) Text {
	text := t.Text(g.IDs)
	for _, s := range stop {
		if s != "" {
			text, _, _ = strings.Cut(text, s)
		}
	}
	return Text{IDs: g.IDs, Text: text, Finish: g.Finish}
}
