package token

import (
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// form makes a normalizer of one of Unicode's normal forms (UAX 15).
//
// The package norm is fast, but not the reference in two cases, which go the
// slow way. It writes a U+034F into each sequence of more than 30 marks, to bound
// its memory ("stream-safe text"). And it composes across a starter that itself
// may join what is before it, such as U+0B56.
func form(f norm.Form) normalizer {
	return func(text string) string {
		if needsCare(text) {
			return slowForm(f, text)
		}
		return f.String(text)
	}
}

// needsCare reports whether text is one of these cases: whether so many
// characters follow each other that may join the one before them that they
// could be more than 30 when decomposed (none becomes more than four), or two of
// which one is a starter.
func needsCare(text string) bool {
	const many, firstMark = 7, 0x300
	marks, starters := 0, 0
	for i, r := range text {
		if r < firstMark {
			marks, starters = 0, 0
			continue
		}
		properties := norm.NFKD.PropertiesString(text[i:])
		if properties.BoundaryBefore() {
			marks, starters = 0, 0
			continue
		}
		marks++
		if properties.CCC() == 0 {
			starters++
		}
		if marks >= many || marks > 1 && starters > 0 {
			return true
		}
	}
	return false
}

// slowForm is the definition: decompose each character, order the marks, and
// compose if the form asks for it.
func slowForm(f norm.Form, text string) string {
	decompose := norm.NFD
	if f == norm.NFKC || f == norm.NFKD {
		decompose = norm.NFKD
	}
	runes := make([]rune, 0, len(text))
	for i, r := range text {
		runes = append(runes, []rune(decompose.String(text[i:i+utf8.RuneLen(r)]))...)
	}
	order(runes)
	if f == norm.NFC || f == norm.NFKC {
		runes = compose(runes)
	}
	return string(runes)
}

// order sorts each sequence of marks by their classes, equal ones as they stand.
func order(runes []rune) {
	for start := 0; start < len(runes); start++ {
		stop := start
		for stop < len(runes) && markClass(runes[stop]) != 0 {
			stop++
		}
		slices.SortStableFunc(runes[start:stop], func(a, b rune) int { return int(markClass(a)) - int(markClass(b)) })
		start = stop
	}
}

func markClass(r rune) uint8 { return norm.NFD.PropertiesString(string(r)).CCC() }

// compose joins each character with the starter before it, if there is a
// composed character for the two and no mark between them hinders it: one of
// the same or a higher class.
func compose(runes []rune) []rune {
	kept := runes[:0]
	starter, last := -1, uint8(0) // last is the class of the character before
	for _, r := range runes {
		class := markClass(r)
		adjacent := starter == len(kept)-1
		if starter >= 0 && (adjacent || last != 0 && last < class) {
			if both := []rune(norm.NFC.String(string([]rune{kept[starter], r}))); len(both) == 1 {
				kept[starter] = both[0]
				continue
			}
		}
		if class == 0 {
			starter = len(kept)
		}
		last = class
		kept = append(kept, r)
	}
	return kept
}
