// Package python is what Python's text methods do where Go's differ: which
// characters are blanks and capitals, and how text becomes small. A checker
// written in Python can be followed to the letter only with them.
//
// The tables of characters are Go's, of Unicode 15.0, those of Python 3.12;
// other versions differ in characters that Unicode added later.
package python

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsSpace is str.isspace of one character: white space and the separators
// U+001C to U+001F, which Unicode does not count.
func IsSpace(r rune) bool { return unicode.IsSpace(r) || 0x1C <= r && r <= 0x1F }

// Strip is str.strip: without the blanks at both ends.
func Strip(s string) string { return strings.TrimFunc(s, IsSpace) }

// Fields is str.split: the pieces between blanks, none of them empty.
func Fields(s string) []string { return strings.FieldsFunc(s, IsSpace) }

// Upper says whether a character is a capital: Lu and Other_Uppercase.
func Upper(r rune) bool { return unicode.IsUpper(r) || unicode.Is(unicode.Other_Uppercase, r) }

// Small says whether a character is a small letter: Ll and Other_Lowercase.
func Small(r rune) bool { return unicode.IsLower(r) || unicode.Is(unicode.Other_Lowercase, r) }

// IsUpper is str.isupper: there are capitals, and neither small letters nor
// letters of title case.
func IsUpper(s string) bool { return onlyCase(s, Upper, Small) }

// IsLower is str.islower: there are small letters, and neither capitals nor
// letters of title case.
func IsLower(s string) bool { return onlyCase(s, Small, Upper) }

func onlyCase(s string, is, other func(rune) bool) bool {
	found := false
	for _, r := range s {
		if other(r) || unicode.IsTitle(r) {
			return false
		}
		found = found || is(r)
	}
	return found
}

// Lower is str.lower. It differs from strings.ToLower in two letters: a dotted
// capital I becomes two characters, and a capital sigma at the end of a word
// the final one.
func Lower(s string) string {
	if !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	var small strings.Builder
	for i, r := range s {
		switch {
		case r == 'İ':
			small.WriteString("i̇")
		case r == 'Σ' && endsWord(s[:i], s[i+len("Σ"):]):
			small.WriteRune('ς')
		default:
			small.WriteRune(unicode.ToLower(r))
		}
	}
	return small.String()
}

// endsWord is the rule Final_Sigma of the Unicode Standard, section 3.13: a
// cased letter stands before, none behind, ignoring what is neither.
func endsWord(before, after string) bool {
	for before != "" {
		r, size := utf8.DecodeLastRuneInString(before)
		before = before[:len(before)-size]
		if ignorable(r) {
			continue
		}
		if !cased(r) {
			return false
		}
		for _, r := range after {
			if !ignorable(r) {
				return !cased(r)
			}
		}
		return true
	}
	return false
}

func cased(r rune) bool { return Upper(r) || Small(r) || unicode.IsTitle(r) }

// ignorable is the property Case_Ignorable of the Unicode Standard: marks,
// format characters, modifiers, and what UAX 29 lets stand within a word.
func ignorable(r rune) bool {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) {
		return true
	}
	switch r {
	case '\'', '.', ':', 0xB7, 0x387, 0x55F, 0x5F4, 0x2018, 0x2019, 0x2024, 0x2027,
		0xFE13, 0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A:
		return true
	}
	return false
}
