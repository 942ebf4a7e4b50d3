package chat

import (
	"errors"
	"regexp"
	"strings"
)

// The functions that rewrite uses.
const (
	chooseName = "__choose"
	fromEnd    = "__from_end"
)

// rewrite puts what the template library misreads in words that it reads. An if
// inside parentheses, (a if c else b), becomes __choose(c, a, b); unlike in
// Jinja both a and b are evaluated then. An index from the end, list[-1],
// becomes __from_end(list, 1), since the library's own has no first element that
// way.
func rewrite(source string) (string, error) {
	var out strings.Builder
	for source != "" {
		start := strings.IndexAny(source, "{")
		if start < 0 || start+1 == len(source) {
			break
		}
		closing, tag := closings[source[start+1]]
		if !tag {
			out.WriteString(source[:start+1])
			source = source[start+1:]
			continue
		}
		end := tagEnd(source[start+2:], closing)
		if end < 0 {
			break // the library says what is wrong
		}
		end += start + 2
		out.WriteString(source[:start+2])
		inside := source[start+2 : end]
		if closing != "#}" {
			counted, err := countBack(inside)
			if err != nil {
				return "", err
			}
			inside = choose(counted)
		}
		out.WriteString(inside)
		source = source[end:]
	}
	return out.String() + source, nil
}

// closings end what begins with a brace and this character.
var closings = map[byte]string{'{': "}}", '%': "%}", '#': "#}"}

// tagEnd finds where a tag ends: at its closing, outside strings.
func tagEnd(text, closing string) int {
	if closing == "#}" {
		return strings.Index(text, closing)
	}
	for i := 0; i < len(text); i += stringLength(text[i:]) {
		if strings.HasPrefix(text[i:], closing) {
			return i
		}
	}
	return -1
}

// stringLength is the length of the string literal that text begins with, or 1.
func stringLength(text string) int {
	if text[0] != '\'' && text[0] != '"' {
		return 1
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[0]:
			return i + 1
		}
	}
	return len(text)
}

// choose rewrites the parentheses of an expression.
func choose(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		if text[i] != '(' {
			n := stringLength(text[i:])
			out.WriteString(text[i : i+n])
			i += n
			continue
		}
		end := i + 1 + tagEndDepth(text[i+1:])
		inside := choose(text[i+1 : end])
		if value, condition, otherwise, ok := conditional(inside); ok {
			out.WriteString(chooseName + "(" + condition + ", " + value + ", " + otherwise)
		} else {
			out.WriteString("(" + inside)
		}
		i = end
	}
	return out.String()
}

// tagEndDepth finds the parenthesis that closes text, or the end of text.
func tagEndDepth(text string) int {
	depth := 0
	for i := 0; i < len(text); i += stringLength(text[i:]) {
		switch text[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth < 0 {
				return i
			}
		}
	}
	return len(text)
}

// conditional cuts "a if c else b" at its words, of which there is one each
// outside brackets and strings. Without an else the otherwise is "".
func conditional(text string) (value, condition, otherwise string, ok bool) {
	at := map[string]int{"if": -1, "else": -1}
	depth := 0
	for i := 0; i < len(text); i += stringLength(text[i:]) {
		switch text[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',', '=':
			if depth == 0 && (text[i] == ',' || i+1 < len(text) && text[i+1] != '=' && i > 0 && !strings.ContainsRune("=!<>", rune(text[i-1]))) {
				return "", "", "", false // arguments of a call
			}
		}
		for word := range at {
			if depth == 0 && wordAt(text, i, word) {
				if at[word] >= 0 {
					return "", "", "", false // a chain
				}
				at[word] = i
			}
		}
	}
	if at["if"] < 0 || at["else"] >= 0 && at["else"] < at["if"] {
		return "", "", "", false
	}
	value, condition, otherwise = text[:at["if"]], text[at["if"]+2:], `""`
	if at["else"] >= 0 {
		condition, otherwise = text[at["if"]+2:at["else"]], text[at["else"]+4:]
	}
	return value, condition, otherwise, true
}

// wordAt reports whether a word stands at a place.
func wordAt(text string, i int, word string) bool {
	end := i + len(word)
	return strings.HasPrefix(text[i:], word) && (i == 0 || !letter(text[i-1])) && (end == len(text) || !letter(text[end]))
}

func letter(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

var (
	nameFromEnd = regexp.MustCompile(`(^|[^A-Za-z0-9_.\])])([A-Za-z_][A-Za-z0-9_.]*)\[\s*-\s*([0-9]+)\s*\]`)
	fromTheEnd  = regexp.MustCompile(`\[\s*-\s*[0-9]+\s*\]`)
	splitEnd    = regexp.MustCompile(`^\s*\)\[\s*-\s*1\s*\]`)
)

// errFromEnd refuses an index from the end that countBack does not reach. That
// of what split makes of a text is right where the text has what it is split
// at, and templates ask that first.
var errFromEnd = errors.New("it counts from the end of a list that has no name, which is not supported")

// countBack rewrites indices from the end, outside strings.
func countBack(text string) (string, error) {
	var out strings.Builder
	var err error
	plain, split := 0, false
	flush := func(end int) {
		piece := nameFromEnd.ReplaceAllString(text[plain:end], "${1}"+fromEnd+"($2, $3)")
		rest := piece
		if split {
			rest = splitEnd.ReplaceAllString(rest, "")
		}
		if fromTheEnd.MatchString(rest) {
			err = errFromEnd
		}
		split = strings.HasSuffix(strings.TrimSpace(piece), ".split(")
		out.WriteString(piece)
	}
	for i := 0; i < len(text); {
		n := stringLength(text[i:])
		if n > 1 {
			flush(i)
			out.WriteString(text[i : i+n])
			plain = i + n
		}
		i += n
	}
	flush(len(text))
	return out.String(), err
}
