package language

import "unicode"

// lengthLimit is how many characters of a text are looked at.
const lengthLimit = 10_000

// clean is a text as features are read from it.
func clean(text string) []rune {
	characters := withoutMail(withoutWeb([]rune(text)))
	characters = composeVietnamese(characters)
	characters = characters[:min(len(characters), lengthLimit)]
	cleaned, previous := make([]rune, 0, len(characters)), rune(0)
	for _, r := range characters {
		if r != ' ' || previous != ' ' {
			cleaned = append(cleaned, r)
		}
		previous = r
	}
	return withoutLatin(cleaned)
}

// withoutLatin takes what stands between A and z out of a text that has more
// than twice as many characters of other writings. As in langdetect, the
// characters of Vietnamese count as others.
func withoutLatin(text []rune) []rune {
	latin, others := 0, 0
	for _, r := range text {
		switch {
		case 'A' <= r && r <= 'z':
			latin++
		case r >= 0x300:
			others++
		}
	}
	if latin*2 >= others {
		return text
	}
	kept := make([]rune, 0, len(text))
	for _, r := range text {
		if r < 'A' || r > 'z' {
			kept = append(kept, r)
		}
	}
	return kept
}

// features are the grams of a text that some language has, by their index, in
// the order of the text. A gram may begin with the blank before a word and end
// with that behind it; from the second capital in a row until the next small
// letter or blank, none is read.
func (s *profileSet) features(text []rune) []int32 {
	tables := characterTables()
	var found []int32
	current, length, capitals := gram(' '), 1, false
	last := ' '
	for _, r := range text {
		r = tables.normal(r)
		if last == ' ' {
			current, length, capitals = gram(' '), 1, false
			if r == ' ' {
				continue
			}
		}
		current, length = current.add(r), min(length+1, 3)
		if isUpper(r) {
			capitals = capitals || isUpper(last)
		} else {
			capitals = false
		}
		last = r
		if capitals {
			continue
		}
		for n := 1; n <= length; n++ {
			g := current.last(n)
			if i, known := s.index[g]; known && g != ' ' {
				found = append(found, i)
			}
		}
	}
	return found
}

// isUpper says what Python's str.isupper does of one character.
func isUpper(r rune) bool {
	return unicode.IsUpper(r) || unicode.Is(unicode.Other_Uppercase, r)
}
