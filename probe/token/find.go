package token

import (
	"strings"
	"unicode/utf8"
)

// A finder hands the places of what it looks for in a text, in order, to found.
// They are not empty and do not overlap.
type finder func(text string, found func(start, stop int))

// literal finds a string that is not empty.
func literal(wanted string) finder {
	return func(text string, found func(start, stop int)) {
		for place := 0; ; {
			next := strings.Index(text[place:], wanted)
			if next < 0 {
				return
			}
			start := place + next
			place = start + len(wanted)
			found(start, place)
		}
	}
}

// each finds every character that is as asked, each by itself.
func each(is func(rune) bool) finder {
	return func(text string, found func(start, stop int)) {
		for i, r := range text {
			if is(r) {
				found(i, i+utf8.RuneLen(r))
			}
		}
	}
}

// A measure returns the length of the word that a text, which is not empty,
// begins with. It is never zero: such a pattern leaves nothing between words.
type measure func(text string) int

// places makes a finder of a measure.
func (length measure) places(text string, found func(start, stop int)) {
	for start := 0; start < len(text); {
		stop := start + length(text[start:])
		found(start, stop)
		start = stop
	}
}

// every makes each word that is measured a word.
func every(length measure) splitter {
	return func(text string, _ bool, word func(string)) {
		for text != "" {
			n := length(text)
			word(text[:n])
			text = text[n:]
		}
	}
}

// behavior says what becomes of the places that a finder finds. The names are
// those of the file.
type behavior string

const (
	isolated           behavior = "Isolated"           // each is a word
	removed            behavior = "Removed"            // each is dropped
	contiguous         behavior = "Contiguous"         // neighbours are one word
	mergedWithPrevious behavior = "MergedWithPrevious" // each joins what is before it, unless that was found too
	mergedWithNext     behavior = "MergedWithNext"     // each joins what is behind it, unless that was found too
)

// behave makes a splitter of a finder. Inverted, what was found and what lies
// between change their roles.
func behave(find finder, b behavior, invert bool) splitter {
	return func(text string, _ bool, word func(string)) {
		start, stop, held, matched := 0, 0, false, false // the word not yet handed on
		piece := func(from, to int, match bool) {
			if held && b.joins(matched, match) {
				stop, matched = to, match
				return
			}
			if held && (b != removed || !matched) {
				word(text[start:stop])
			}
			start, stop, held, matched = from, to, true, match
		}
		pieces(text, find, invert, piece)
		if held && (b != removed || !matched) {
			word(text[start:stop])
		}
	}
}

// joins reports whether a piece joins the one before it.
func (b behavior) joins(before, match bool) bool {
	switch b {
	case contiguous:
		return before == match
	case mergedWithPrevious:
		return match && !before
	case mergedWithNext:
		return before && !match
	}
	return false
}

// pieces hands all of text on, as what was found and what lies between.
func pieces(text string, find finder, invert bool, piece func(start, stop int, match bool)) {
	given := 0
	find(text, func(start, stop int) {
		if given < start {
			piece(given, start, invert)
		}
		piece(start, stop, !invert)
		given = stop
	})
	if given < len(text) {
		piece(given, len(text), invert)
	}
}
