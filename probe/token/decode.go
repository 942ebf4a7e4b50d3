package token

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// decoder turns the tokens of ids into text: steps one after the other, and what
// is left is strung together.
type decoder struct {
	each  func(token string) string // what happens to every token by itself, at first
	steps []func(tokens []string) []string
	join  string
}

// text decodes tokens that have been through each.
func (d *decoder) text(tokens []string) string {
	for _, step := range d.steps {
		tokens = step(tokens)
	}
	return strings.Join(tokens, d.join)
}

// then adds a step that looks at each token by itself. The first such steps are
// taken once for the whole vocabulary instead of with every text.
func (d *decoder) then(step func(token string) string) {
	if len(d.steps) == 0 {
		before := d.each
		d.each = func(token string) string { return step(before(token)) }
		return
	}
	d.steps = append(d.steps, func(tokens []string) []string {
		for i := range tokens {
			tokens[i] = step(tokens[i])
		}
		return tokens
	})
}

func fuse(tokens []string) []string { return []string{strings.Join(tokens, "")} }

// fuseBytes strings bytes together that are only then UTF-8, or are not.
func fuseBytes(tokens []string) []string { return []string{validText(strings.Join(tokens, ""))} }

// byteFallback makes characters of runs of tokens <0x00> to <0xFF>; a run that is
// not UTF-8 becomes one U+FFFD for each of its bytes.
func byteFallback(tokens []string) []string {
	texts := make([]string, 0, len(tokens))
	var run []byte
	flush := func() {
		if utf8.Valid(run) {
			texts = append(texts, string(run))
		} else {
			texts = append(texts, strings.Repeat("\uFFFD", len(run)))
		}
		run = run[:0]
	}
	for _, token := range tokens {
		if b, ok := byteOf(token); ok {
			run = append(run, b)
			continue
		}
		if len(run) > 0 {
			flush()
		}
		texts = append(texts, token)
	}
	if len(run) > 0 {
		flush()
	}
	return texts
}

func byteOf(token string) (byte, bool) {
	if len(token) != len("<0x00>") || token[:3] != "<0x" || token[5] != '>' {
		return 0, false
	}
	b, err := strconv.ParseUint(token[3:5], 16, 8)
	return byte(b), err == nil
}

// stripStart removes up to most times a character from the start of a token.
func stripStart(character string, most int) func(token string) string {
	return func(token string) string {
		for i := 0; i < most && strings.HasPrefix(token, character); i++ {
			token = token[len(character):]
		}
		return token
	}
}

// unmark writes marks of Metaspace as blanks; those of the first token are all
// dropped, however many, where the scheme put one before the text.
func unmark(mark string, prepend scheme) func(tokens []string) []string {
	return func(tokens []string) []string {
		for i, token := range tokens {
			blank := " "
			if i == 0 && prepend != beforeNone {
				blank = ""
			}
			tokens[i] = strings.ReplaceAll(token, mark, blank)
		}
		return tokens
	}
}
