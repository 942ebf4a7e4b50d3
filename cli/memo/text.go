package memo

import (
	"strings"
	"unicode"
)

// clean makes a text of an untrusted file fit to be laid out: one line without
// blanks at its ends, whose invisible characters, of control or of direction,
// are U+FFFD. Blanks that do not break lines stay. Of accents upon accents two
// are kept, so that no letter grows into the lines around it.
func clean(text string) string {
	text = strings.Join(strings.FieldsFunc(visible(text), func(r rune) bool { return r == ' ' }), " ")
	return strings.TrimFunc(text, func(r rune) bool { return r == ' ' || unbroken(r) })
}

// cleanLines does the same for each line of a text, and keeps its blanks.
func cleanLines(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(visible(strings.ReplaceAll(line, "\t", "    ")), " ")
	}
	return lines
}

// visible replaces what does not show.
func visible(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return text
	}
	var out strings.Builder
	accents := 0
	for _, r := range text {
		if unicode.Is(unicode.M, r) {
			accents++
		} else {
			accents = 0
		}
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			out.WriteByte(' ')
		case unicode.IsPrint(r) && accents <= 2 || unbroken(r):
			out.WriteRune(r)
		default:
			out.WriteRune(unicode.ReplacementChar)
		}
	}
	return out.String()
}

// unbroken says whether r is a blank at which no line is broken.
func unbroken(r rune) bool { return r == '\u00a0' || r == '\u202f' || r == '\u2009' }

// middle keeps n letters of a text at its two ends, with an ellipsis between:
// names differ at either end more often than within.
func middle(text string, n int) string {
	letters := []rune(text)
	if len(letters) <= n {
		return text
	}
	head := (n + 1) / 2
	return string(letters[:head]) + "…" + string(letters[len(letters)-(n-head):])
}
