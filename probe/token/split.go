package token

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A splitter hands the words of a text that is not empty, in order, to word.
type splitter func(text string, word func(string))

// then cuts each part that the first splitter makes with the second.
func (first splitter) then(second splitter) splitter {
	return func(text string, word func(string)) {
		first(text, func(part string) { second(part, word) })
	}
}

// byteLevel cuts by the pattern of GPT-2, or not at all. With prefixSpace every
// text that does not begin with a blank gets one, also behind an added token.
func byteLevel(prefixSpace, pattern bool) splitter {
	return func(text string, word func(string)) {
		if prefixSpace && !strings.HasPrefix(text, " ") {
			text = " " + text
		}
		if !pattern {
			word(text)
			return
		}
		for text != "" {
			n := wordLength(text)
			word(text[:n])
			text = text[n:]
		}
	}
}

// digits sets numbers (Unicode N) apart from the rest, run by run, or each
// number by itself if individual.
func digits(individual bool) splitter {
	return func(text string, word func(string)) {
		start, inside := 0, false
		for i, r := range text {
			is := unicode.IsNumber(r)
			if i > start && (is != inside || is && individual) {
				word(text[start:i])
				start = i
			}
			inside = is
		}
		word(text[start:])
	}
}

// wordLength returns the length of the match of GPT-2's pattern at the start of
// text, which is not empty. In the pattern \s is Unicode White_Space:
//
//	'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func wordLength(text string) int {
	if n := contraction(text); n > 0 {
		return n
	}
	start := 0
	if text[0] == ' ' {
		start = 1
	}
	if start < len(text) {
		if class, _ := classAt(text[start:]); class != space {
			return start + run(text[start:], class)
		}
	}
	return spaces(text)
}

func contraction(text string) int {
	if text[0] != '\'' || len(text) < 2 {
		return 0
	}
	switch text[1] {
	case 's', 'd', 'm', 't':
		return 2
	}
	for _, ending := range [...]string{"ll", "ve", "re"} {
		if strings.HasPrefix(text[1:], ending) {
			return 3
		}
	}
	return 0
}

// spaces measures the white space at the start of text. Its last character is
// left to the word that follows, if one does, unless it is the only one.
func spaces(text string) int {
	n := run(text, space)
	if n == len(text) {
		return n
	}
	if _, last := utf8.DecodeLastRuneInString(text[:n]); last < n {
		return n - last
	}
	return n
}

// class is what the pattern tells apart.
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
func run(text string, want class) int {
	i := 0
	for i < len(text) {
		class, n := classAt(text[i:])
		if class != want {
			break
		}
		i += n
	}
	return i
}
