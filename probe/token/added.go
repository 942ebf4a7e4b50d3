package token

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// added is one added token.
type added struct {
	id         int32
	content    string
	singleWord bool // only where no letter, number or the like is beside it
	left       bool // takes the white space before it along
	right      bool // and behind it
	normalized bool // belongs to the second pass
	special    bool // is no text
}

// cutter cuts added tokens out of text.
type cutter struct {
	byFirst [256][]added // by the first byte, the longest first
}

func newCutter(tokens []added) (c cutter) {
	for _, token := range tokens {
		first := token.content[0]
		c.byFirst[first] = append(c.byFirst[first], token)
	}
	for _, tokens := range c.byFirst {
		slices.SortStableFunc(tokens, func(a, b added) int { return len(b.content) - len(a.content) })
	}
	return c
}

// at returns the longest token that text begins with, or nil.
func (c *cutter) at(text string) *added {
	tokens := c.byFirst[text[0]]
	for i := range tokens {
		if strings.HasPrefix(text, tokens[i].content) {
			return &tokens[i]
		}
	}
	return nil
}

// cut hands, in order, each added token of text to token and what stands
// between them, where it is not empty, to rest.
func (c *cutter) cut(text string, token func(id int32), rest func(string)) {
	given := 0 // how much of text has been handed on
	for place := 0; place < len(text); {
		found := c.at(text[place:])
		if found == nil {
			place++
			continue
		}
		start, stop := place, place+len(found.content)
		// The search goes on behind the bare token, whatever becomes of it: one
		// that is part of a word hides the shorter ones inside it, and one that
		// begins with white space is found also where its neighbour took that.
		place = stop
		if found.singleWord && (endsWithWord(text[:start]) || startsWithWord(text[stop:])) {
			continue
		}
		if found.left && given < start {
			start = given + len(strings.TrimRightFunc(text[given:start], unicode.IsSpace))
		}
		if found.right {
			stop = len(text) - len(strings.TrimLeftFunc(text[stop:], unicode.IsSpace))
		}
		if given < start {
			rest(text[given:start])
		}
		token(found.id)
		given = stop
	}
	if given < len(text) {
		rest(text[given:])
	}
}

func endsWithWord(text string) bool {
	r, _ := utf8.DecodeLastRuneInString(text)
	return isWord(r)
}

func startsWithWord(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return isWord(r)
}

// isWord is \w of Unicode's regular expressions (UTS 18): Alphabetic, marks,
// decimal digits, connectors and the two joiners.
func isWord(r rune) bool {
	const nonJoiner, joiner = '\u200C', '\u200D'
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic) ||
		r == nonJoiner || r == joiner
}
