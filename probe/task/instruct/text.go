package instruct

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// linesOf returns the lines that are not blank, trimmed.
func linesOf(text string) []string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// unmarked returns a line without its list mark.
func unmarked(line string) string {
	for _, mark := range []string{"- ", "* ", "+ ", "• "} {
		if rest, marked := strings.CutPrefix(line, mark); marked {
			return strings.TrimSpace(rest)
		}
	}
	rest := strings.TrimLeft(line, "0123456789")
	if len(rest) < len(line) && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") ")) {
		return strings.TrimSpace(rest[2:])
	}
	return line
}

// entriesOf returns the lines without their list marks if by is "line";
// otherwise the pieces of a single line between separators, nil if there are
// more lines.
func entriesOf(text, by string) []string {
	lines := linesOf(text)
	if by == "line" {
		for i := range lines {
			lines[i] = unmarked(lines[i])
		}
		return lines
	}
	if len(lines) != 1 {
		return nil
	}
	entries := strings.Split(lines[0], strings.TrimSpace(by))
	for i := range entries {
		entries[i] = strings.TrimSpace(entries[i])
	}
	return entries
}

// wordsOf counts the runs of characters other than white space in which there
// is a letter or a digit.
func wordsOf(line string) int {
	words := 0
	for word := range strings.FieldsSeq(line) {
		if strings.IndexFunc(word, alphanumeric) >= 0 {
			words++
		}
	}
	return words
}

func alphanumeric(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// plain returns a text in small letters, with one blank for all white space.
func plain(text string) string { return strings.Join(strings.Fields(strings.ToLower(text)), " ") }

// occurrences counts how often a word or a phrase stands alone in a text, both
// plain, without overlap.
func occurrences(text, word string) int {
	found := 0
	for at := 0; ; {
		next := strings.Index(text[at:], word)
		if next < 0 {
			return found
		}
		start := at + next
		if standsAlone(text, start, start+len(word)) {
			found++
			at = start + len(word)
			continue
		}
		_, size := utf8.DecodeRuneInString(text[start:])
		at = start + size
	}
}

// standsAlone reports whether text[start:end] is neither part of a longer word
// nor of a longer number.
func standsAlone(text string, start, end int) bool {
	first, _ := utf8.DecodeRuneInString(text[start:end])
	last, _ := utf8.DecodeLastRuneInString(text[start:end])
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	next, _ := utf8.DecodeRuneInString(text[end:])
	switch {
	case alphanumeric(first) && alphanumeric(before), alphanumeric(last) && alphanumeric(next):
		return false
	case start >= 2 && numberGoesOn(text[start-2:]):
		return false
	}
	return !numberGoesOn(text[end-1:])
}

// numberGoesOn reports whether a text begins with a digit, a sign that joins
// the digits of a number, and a digit: any after a decimal point, just three
// after a comma.
func numberGoesOn(text string) bool {
	if len(text) < 3 || !isDigit(text[0]) || !isDigit(text[2]) {
		return false
	}
	group := text[2:min(len(text), 6)]
	return text[1] == '.' || text[1] == ',' && len(group)-len(strings.TrimLeft(group, "0123456789")) == 3
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// numbersOf returns the numbers of a text as they are written, but without the
// commas between thousands: digits, with a decimal point if digits follow it.
func numbersOf(text string) []string {
	var numbers []string
	for at := 0; at < len(text); at++ {
		if !isDigit(text[at]) {
			continue
		}
		var number []byte
		for ; at < len(text); at++ {
			joined := at > 0 && isDigit(text[at-1]) && numberGoesOn(text[at-1:])
			switch {
			case isDigit(text[at]), text[at] == '.' && joined:
				number = append(number, text[at])
				continue
			case text[at] == ',' && joined:
				continue
			}
			break
		}
		numbers = append(numbers, string(number))
	}
	return numbers
}

// after returns the part of a prompt behind the first of a mark.
func after(prompt, mark string) string {
	_, rest, _ := strings.Cut(prompt, mark)
	return rest
}
