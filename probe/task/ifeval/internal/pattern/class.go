package pattern

import (
	"unicode"

	"surgeon/probe/task/ifeval/internal/python"
)

// class is a set of characters. The zero value holds none.
type class struct {
	small   [2]uint64 // of the characters below 128, the answer
	ranges  []span
	kinds   []kind
	negated bool
	folded  bool // a character is in a range if any that equals it but for case is
}

// span is the characters from low to high, both within.
type span struct{ low, high rune }

// kind is a category such as \w, or, negated, \W.
type kind struct {
	is      func(rune) bool
	negated bool
}

// ready computes the answers below 128; the class must not change afterwards.
func (c *class) ready() *class {
	for r := range rune(128) {
		if c.holds(r) != c.negated {
			c.small[r/64] |= 1 << (r % 64)
		}
	}
	return c
}

// has says whether a character is in the class.
func (c *class) has(r rune) bool {
	if uint32(r) < 128 {
		return c.small[r/64]>>(r%64)&1 != 0
	}
	return c.holds(r) != c.negated
}

// holds looks through ranges and kinds. As in re, it is the small letter that
// kinds are asked about where case is ignored.
func (c *class) holds(r rune) bool {
	if c.inRanges(r) {
		return true
	}
	if c.folded {
		for other := next(r); other != r; other = next(other) {
			if c.inRanges(other) {
				return true
			}
		}
		r = unicode.ToLower(r)
	}
	for _, k := range c.kinds {
		if k.is(r) != k.negated {
			return true
		}
	}
	return false
}

func (c *class) inRanges(r rune) bool {
	for _, s := range c.ranges {
		if s.low <= r && r <= s.high {
			return true
		}
	}
	return false
}

// single returns the class of one character.
func single(r rune, folded bool) *class {
	return (&class{ranges: []span{{r, r}}, folded: folded}).ready()
}

// equal says whether two characters are the same but for case.
func equal(a, b rune) bool {
	if a == b {
		return true
	}
	for other := next(a); other != a; other = next(other) {
		if other == b {
			return true
		}
	}
	return false
}

// next leads through the characters that re.IGNORECASE holds to be the same:
// those with one and the same capital. They are the orbits of
// unicode.SimpleFold, with all the four i joined, and three pairs that Unicode
// calls different since they are written as several capitals.
func next(r rune) rune {
	switch r {
	case 'I':
		return 'i'
	case 'i':
		return 'İ'
	case 'İ':
		return 'ı'
	case 'ı':
		return 'I'
	case 0x390:
		return 0x1FD3
	case 0x1FD3:
		return 0x390
	case 0x3B0:
		return 0x1FE3
	case 0x1FE3:
		return 0x3B0
	case 0xFB05:
		return 0xFB06
	case 0xFB06:
		return 0xFB05
	}
	return unicode.SimpleFold(r)
}

// word is \w of re: str.isalnum and the underscore.
func word(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }

// regexWord is \w of regex: Alphabetic, marks, digits, joiners and connectors,
// as Unicode Technical Standard 18 defines a word.
func regexWord(r rune) bool {
	return unicode.IsLetter(r) ||
		unicode.In(r, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control)
}

// category is the kind that \d, \w, \s and their capitals stand for.
func category(letter rune, flags Flags) (kind, bool) {
	k := kind{negated: letter < 'a'}
	switch unicode.ToLower(letter) {
	case 'd':
		k.is = unicode.IsDigit
	case 'w':
		k.is = word
		if flags&Regex != 0 {
			k.is = regexWord
		}
	case 's':
		k.is = python.IsSpace
		if flags&Regex != 0 {
			k.is = unicode.IsSpace
		}
	default:
		return k, false
	}
	return k, true
}
