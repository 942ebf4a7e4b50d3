package token

import (
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
	special    bool // is no text; of equal ones, comes first
}

// cutter cuts added tokens out of text.
type cutter struct {
	tokens []added
	places trie // of the tokens, by their contents
}

// newCutter takes the first of tokens with equal contents, as the reference.
func newCutter(tokens []added) cutter {
	places := map[string]int32{}
	for i, token := range tokens {
		if _, taken := places[token.content]; !taken {
			places[token.content] = int32(i)
		}
	}
	return cutter{tokens, newTrie(places)}
}

// at returns the longest token that text begins with, or nil.
func (c *cutter) at(text string) *added {
	if c.places.roots[text[0]] == 0 {
		return nil
	}
	place, length := c.places.longest(text)
	if length == 0 {
		return nil
	}
	return &c.tokens[place]
}

// cut hands, in order, each added token of text to token and what stands
// between them, where it is not empty, to rest, saying whether it is the
// beginning of text.
func (c *cutter) cut(text string, token func(id int32), rest func(text string, first bool)) {
	if len(c.tokens) == 0 && text != "" {
		rest(text, true)
		return
	}
	given := 0   // how much of text has been handed on
	blankTo := 0 // the end of the last white space that was taken along to the right
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
			if stop >= blankTo { // or it lies in white space that has been measured
				blankTo = len(text) - len(strings.TrimLeftFunc(text[stop:], unicode.IsSpace))
			}
			stop = blankTo
		}
		if given < start {
			rest(text[given:start], given == 0)
		}
		token(found.id)
		given = stop
	}
	if given < len(text) {
		rest(text[given:], given == 0)
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
