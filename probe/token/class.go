package token

import (
	"math"
	"unicode"
	"unicode/utf8"
)

// class is what the patterns tell apart.
type class uint8

const (
	other class = iota
	letter
	number
	space
)

// asciiClass answers for most of most texts without the Unicode tables.
var asciiClass = func() (classes [utf8.RuneSelf]class) {
	for r := range classes {
		classes[r] = unicodeClass(rune(r))
	}
	return classes
}()

func unicodeClass(r rune) class {
	switch {
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return number
	case unicode.IsSpace(r): // the property White_Space, with U+0085
		return space
	}
	return other
}

// classAt returns the class of the first character of text and its length.
func classAt(text string) (class, int) {
	if b := text[0]; b < utf8.RuneSelf {
		return asciiClass[b], 1
	}
	r, n := utf8.DecodeRuneInString(text)
	return unicodeClass(r), n
}

// run returns the length of the characters of one class that text begins with.
func run(text string, want class) int { return runOf(text, want, math.MaxInt) }

// runOf stops after so many characters.
func runOf(text string, want class, most int) int {
	i := 0
	for ; i < len(text) && most > 0; most-- {
		class, n := classAt(text[i:])
		if class != want {
			break
		}
		i += n
	}
	return i
}

// wordsAndRest finds \w+|[^\w\s]+.
func wordsAndRest(text string, found func(start, stop int)) {
	kind := func(r rune) class {
		switch {
		case isWord(r):
			return letter
		case unicode.IsSpace(r):
			return space
		}
		return other
	}
	start, before := 0, space
	for i, r := range text {
		now := kind(r)
		if now == before {
			continue
		}
		if before != space {
			found(start, i)
		}
		start, before = i, now
	}
	if before != space {
		found(start, len(text))
	}
}

// isWord is \w of Unicode's regular expressions (UTS 18): Alphabetic, marks,
// decimal digits, connectors and the two joiners.
func isWord(r rune) bool {
	const nonJoiner, joiner = '\u200C', '\u200D'
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic) ||
		r == nonJoiner || r == joiner
}

// isPunctuation is what Punctuation cuts at: the category P, and all that ASCII
// calls punctuation, such as $ and +.
func isPunctuation(r rune) bool {
	return unicode.IsPunct(r) || r < utf8.RuneSelf && unicode.IsSymbol(r)
}
