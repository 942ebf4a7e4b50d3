package instruct

import (
	"fmt"
	"slices"
	"strings"
)

// Check says of each rule whether the text keeps it as a reply to the prompt:
// strictly, as it is, trimmed; and loosely, as it is or in one of the variants
// that the package comment lists. What is kept strictly is kept loosely. An empty
// text keeps nothing. It panics if [Verify] refuses a rule.
func Check(rules []Rule, prompt, text string) (strict, loose []bool) {
	strict, loose = make([]bool, len(rules)), make([]bool, len(rules))
	tried := variants(text)
	for i, rule := range rules {
		if err := Verify(rule); err != nil {
			panic(fmt.Sprintf("instruct: %v", err))
		}
		keeps := func(text string) bool { return kinds[rule.ID].holds(rule.Args, prompt, text) }
		strict[i] = len(tried) > 0 && keeps(tried[0])
		loose[i] = strict[i] || slices.ContainsFunc(tried, keeps)
	}
	return strict, loose
}

// variants returns the text, trimmed, and then what a loose check also allows,
// each once; nothing if the text is empty.
func variants(text string) []string {
	text = strings.TrimSpace(text)
	body := withoutPreface(text)
	var all []string
	for _, cut := range []string{text, body, withoutCourtesy(text), withoutCourtesy(body)} {
		for _, clean := range []func(string) string{same, withoutFence, withoutEmphasis, withoutQuotes, withoutFullStop} {
			cut = clean(cut)
			if cut != "" && !slices.Contains(all, cut) {
				all = append(all, cut)
			}
		}
	}
	return all
}

func same(text string) string { return text }

// openers are words that begin a preface, courtesies those that begin a
// closing line; both in small letters.
var (
	openers    = []string{"sure", "certainly", "absolutely", "of course", "okay", "ok", "here", "here's", "here’s", "great", "happy to", "no problem"}
	courtesies = []string{"let me know", "please let me know", "i hope", "hope this", "hope that", "feel free", "is there anything",
		"would you like", "do you want", "if you", "note", "please note", "enjoy"}
)

// withoutPreface leaves out a first line that ends in a colon or begins with an
// opener, if something follows it.
func withoutPreface(text string) string {
	first, rest, more := strings.Cut(text, "\n")
	if more && (strings.HasSuffix(strings.TrimRight(first, "* \t\r"), ":") || beginsWith(first, openers)) {
		return strings.TrimSpace(rest)
	}
	return text
}

// withoutCourtesy leaves out a last line that begins with a courtesy, if
// something stands before it.
func withoutCourtesy(text string) string {
	if end := strings.LastIndexByte(text, '\n'); end >= 0 && beginsWith(text[end+1:], courtesies) {
		return strings.TrimSpace(text[:end])
	}
	return text
}

// beginsWith reports whether a line, behind any signs, begins with one of the
// phrases as whole words.
func beginsWith(line string, phrases []string) bool {
	line = strings.TrimLeft(line, "*_(\"'“ \t")
	return slices.ContainsFunc(phrases, func(phrase string) bool {
		return len(line) >= len(phrase) && strings.EqualFold(line[:len(phrase)], phrase) && standsAlone(line, 0, len(phrase))
	})
}

const fence = "```"

// withoutFence leaves out a code fence around the whole text, with the name of
// a language behind its first marks.
func withoutFence(text string) string {
	first, rest, more := strings.Cut(text, "\n")
	if !more || !strings.HasPrefix(first, fence) || !strings.HasSuffix(rest, fence) {
		return text
	}
	return strings.TrimSpace(strings.TrimSuffix(rest, fence))
}

func withoutEmphasis(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "*", ""))
}

// withoutQuotes leaves out one pair of quotation marks or backticks around the
// text.
func withoutQuotes(text string) string {
	for _, pair := range [][2]string{{`"`, `"`}, {"'", "'"}, {"`", "`"}, {"“", "”"}, {"‘", "’"}} {
		inner, opened := strings.CutPrefix(text, pair[0])
		if inner, closed := strings.CutSuffix(inner, pair[1]); opened && closed {
			return strings.TrimSpace(inner)
		}
	}
	return text
}

func withoutFullStop(text string) string {
	return strings.TrimSpace(strings.TrimSuffix(text, "."))
}
