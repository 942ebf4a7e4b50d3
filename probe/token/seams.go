package token

import "unicode/utf8"

// seams cuts words, or whole texts, where no merge can ever cross: behind a and
// before b if no line of the list of merges joins a token that ends with a to
// one that begins with b. What the merges make of the two sides does then not
// depend on the other side, so the ids stay the same; and the pieces, which in
// most languages are words, are short and repeat.
//
// Two things may still reach across such a place: unknown tokens that wait for
// the next character, so it is not cut beside a character without a symbol, and
// merges of tokens for bytes or for the unknown, so that no file with such
// merges has seams.
type seams struct {
	characters *characters
	ascii      [utf8.RuneSelf][utf8.RuneSelf]bool
	joined     map[[2]rune]struct{} // those not both of ASCII
}

// newSeams takes the merges as their two tokens.
func newSeams(c *characters, lines []mergeLine) *seams {
	s := &seams{characters: c, joined: map[[2]rune]struct{}{}}
	for _, line := range lines {
		left, _ := utf8.DecodeLastRuneInString(line.left)
		right, _ := utf8.DecodeRuneInString(line.right)
		if left < utf8.RuneSelf && right < utf8.RuneSelf {
			s.ascii[left][right] = true
		} else {
			s.joined[[2]rune{left, right}] = struct{}{}
		}
	}
	return s
}

// joins reports whether a merge may reach from a character to the next.
func (s *seams) joins(a, b rune) bool {
	if a < utf8.RuneSelf && b < utf8.RuneSelf {
		return s.ascii[a][b]
	}
	_, joins := s.joined[[2]rune{a, b}]
	return joins
}

// sure reports whether a character leaves no unknown token waiting.
func (s *seams) sure(r rune) bool { return s.characters.allBytes || s.characters.symbol(r) != noSymbol }

// split hands on the pieces of a text.
func (s *seams) split(text string, _ bool, word func(string)) {
	start, before, sureBefore := 0, rune(0), false
	for i, r := range text {
		sure := s.sure(r)
		if i > 0 && sure && sureBefore && !s.joins(before, r) {
			word(text[start:i])
			start = i
		}
		before, sureBefore = r, sure
	}
	word(text[start:])
}
