package instruct

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The rules about lines, length and letters.

func lineCount(args arguments, _, text string) bool {
	return len(linesOf(text)) == args.count("count")
}

func lineWords(args arguments, _, text string) bool {
	for _, line := range linesOf(text) {
		if wordsOf(unmarked(line)) > args.count("most") {
			return false
		}
	}
	return true
}

func lineLengths(args arguments, _, text string) bool {
	lines, lengths := linesOf(text), args.counts("counts")
	if len(lines) != len(lengths) {
		return false
	}
	for i, line := range lines {
		if wordsOf(unmarked(line)) != lengths[i] {
			return false
		}
	}
	return true
}

func lineStart(args arguments, _, text string) bool {
	// The lines are trimmed, so that one that ends in a blank is looked for in
	// front of something.
	for _, line := range linesOf(text) {
		rest, begins := strings.CutPrefix(line, args.text("text"))
		if !begins || strings.TrimSpace(rest) == "" || !standsAlone(line, 0, len(args.text("text"))) {
			return false
		}
	}
	return true
}

func numbered(args arguments, _, text string) bool {
	lines := linesOf(text)
	if len(lines) != args.count("count") {
		return false
	}
	for i, line := range lines {
		item, begins := strings.CutPrefix(line, strconv.Itoa(i+1)+". ")
		if !begins || strings.TrimSpace(item) == "" {
			return false
		}
	}
	return true
}

func acrostic(args arguments, _, text string) bool {
	lines, word := linesOf(text), []rune(args.text("word"))
	if len(lines) != len(word) {
		return false
	}
	for i, line := range lines {
		at := strings.IndexFunc(line, unicode.IsLetter)
		if at < 0 {
			return false
		}
		if first, _ := utf8.DecodeRuneInString(line[at:]); unicode.ToLower(first) != unicode.ToLower(word[i]) {
			return false
		}
	}
	return true
}

func maxCharacters(args arguments, _, text string) bool {
	return utf8.RuneCountInString(text) <= args.count("count")
}

func capitalised(_ arguments, _, text string) bool {
	found := false
	for word := range strings.FieldsSeq(text) {
		at := strings.IndexFunc(word, alphanumeric)
		if at < 0 {
			continue
		}
		switch first, _ := utf8.DecodeRuneInString(word[at:]); {
		case unicode.IsUpper(first), unicode.IsTitle(first):
			found = true
		case !unicode.IsDigit(first):
			return false
		}
	}
	return found
}

func endsWith(args arguments, _, text string) bool {
	return strings.HasSuffix(text, strings.TrimSpace(args.text("text")))
}

func between(args arguments, _, text string) bool {
	opening, closing := args.text("open"), args.text("close")
	inner, opened := strings.CutPrefix(text, opening)
	inner, closed := strings.CutSuffix(inner, closing)
	return opened && closed && strings.TrimSpace(inner) != "" &&
		!strings.Contains(inner, opening) && !strings.Contains(inner, closing)
}

func digits(args arguments, _, text string) bool {
	if strings.Trim(text, "0123456789") != "" {
		return false
	}
	return args["count"] == nil || len(text) == args.count("count")
}

func isoDate(args arguments, _, text string) bool {
	return isDate(text) && (args["date"] == nil || text == args.text("date"))
}
