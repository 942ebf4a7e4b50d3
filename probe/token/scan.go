package token

import (
	"strings"
	"unicode/utf8"
)

// The patterns that most models cut words by are scanned by hand, several times
// faster than by a machine for patterns. In them \s is Unicode White_Space.
const (
	gpt2Pattern      = `'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	gpt2PatternOlder = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	llama3Pattern    = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	qwen2Pattern     = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// scanned has the patterns that are known by their exact text.
var scanned = map[string]measure{
	gpt2Pattern:      gpt2Word,
	gpt2PatternOlder: gpt2Word,
	llama3Pattern:    func(text string) int { return llama3Word(text, 3) },
	qwen2Pattern:     func(text string) int { return llama3Word(text, 1) },
}

// gpt2Word measures by gpt2Pattern.
func gpt2Word(text string) int {
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

// llama3Word measures by llama3Pattern, which takes at most so many digits
// together. Its alternatives are tried in their order.
func llama3Word(text string, digits int) int {
	if n := anyCaseContraction(text); n > 0 {
		return n
	}
	class, n := classAt(text)
	if class == letter {
		return run(text, letter)
	}
	if class == number {
		return runOf(text, number, digits)
	}
	if class == space && (text[0] == '\r' || text[0] == '\n') {
		return lines(text)
	}
	if rest := text[n:]; rest != "" {
		if next, _ := classAt(rest); next == letter {
			return n + run(rest, letter)
		} else if text[0] == ' ' && next == other {
			return 1 + punctuation(rest)
		}
	}
	if class == other {
		return punctuation(text)
	}
	return lines(text)
}

// punctuation measures [^\s\p{L}\p{N}]+[\r\n]*.
func punctuation(text string) int {
	n := run(text, other)
	for n < len(text) && (text[n] == '\r' || text[n] == '\n') {
		n++
	}
	return n
}

// lines measures \s*[\r\n]+|\s+(?!\S)|\s+, white space up to its last line end.
func lines(text string) int {
	n := run(text, space)
	if end := strings.LastIndexAny(text[:n], "\r\n"); end >= 0 {
		return end + 1
	}
	return spacesBefore(text, n)
}

// contraction measures '(?:[sdmt]|ll|ve|re), or returns 0.
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

// anyCaseContraction measures (?i:'s|'t|'re|'ve|'m|'ll|'d), or returns 0. The
// long s, U+017F, is an s in another case.
func anyCaseContraction(text string) int {
	if text[0] != '\'' || len(text) < 2 {
		return 0
	}
	if n := contraction("'" + lowerASCII(text[1:min(3, len(text))])); n > 0 {
		return n
	}
	if strings.HasPrefix(text[1:], "ſ") {
		return 1 + len("ſ")
	}
	return 0
}

func lowerASCII(text string) string {
	lower := []byte(text)
	for i, b := range lower {
		if 'A' <= b && b <= 'Z' {
			lower[i] = b + 'a' - 'A'
		}
	}
	return string(lower)
}

// spaces measures \s+(?!\S)|\s+.
func spaces(text string) int { return spacesBefore(text, run(text, space)) }

// spacesBefore measures white space of n bytes at the start of text. Its last
// character is left to the word that follows, if one does, unless it is the
// only one.
func spacesBefore(text string, n int) int {
	if n == len(text) {
		return n
	}
	if _, last := utf8.DecodeLastRuneInString(text[:n]); last < n {
		return n - last
	}
	return n
}
