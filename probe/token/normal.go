package token

import (
	"strings"
	"unicode"
)

// A normalizer rewrites the text between added tokens before it is cut.
type normalizer func(text string) string

// normalize applies several, one after the other.
func normalize(text string, steps []normalizer) string {
	for _, step := range steps {
		text = step(text)
	}
	return text
}

// prepend puts a prefix before every text but the empty one.
func prepend(prefix string) normalizer {
	return func(text string) string {
		if text == "" {
			return text
		}
		return prefix + text
	}
}

// replace writes content, as it stands, for whatever is found.
func replace(find finder, content string) normalizer {
	return func(text string) string {
		var changed strings.Builder
		given := 0
		find(text, func(start, stop int) {
			changed.WriteString(text[given:start])
			changed.WriteString(content)
			given = stop
		})
		if given == 0 {
			return text
		}
		changed.WriteString(text[given:])
		return changed.String()
	}
}

// lowercase maps each character by itself, so that a capital sigma becomes σ
// also at the end of a word.
func lowercase(text string) string {
	var lower strings.Builder
	lower.Grow(len(text))
	for _, r := range text {
		if r == 'İ' { // the only character whose small form is two
			lower.WriteString("i\u0307")
			continue
		}
		lower.WriteRune(unicode.ToLower(r))
	}
	return lower.String()
}

// strip removes white space at the ends.
func strip(left, right bool) normalizer {
	return func(text string) string {
		if left {
			text = strings.TrimLeftFunc(text, unicode.IsSpace)
		}
		if right {
			text = strings.TrimRightFunc(text, unicode.IsSpace)
		}
		return text
	}
}
