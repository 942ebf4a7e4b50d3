package task

import (
	"regexp"
	"strings"
	"unicode"
)

// The answers of a text under GSM8K's rules: the filters strict-match and
// flexible-extract of lm-evaluation-harness.
const (
	strictMatch     = "strict-match"
	flexibleExtract = "flexible-extract"
	invalid         = "[invalid]" // what a filter gives for a text without an answer
)

// flexible matches whatever might be an answer; the last counts.
var flexible = regexp.MustCompile(`(-?[$0-9.,]{2,})|(-?[0-9]+)`)

// ignored is removed from both sides before they are compared, in this order.
// Python's $ also stands before a line feed at the end.
var ignored = []struct {
	pattern *regexp.Regexp
	keep    string
}{
	{regexp.MustCompile(`,`), ""},
	{regexp.MustCompile(`\$`), ""},
	{regexp.MustCompile(`(?s).*#### `), ""},
	{regexp.MustCompile(`\.(\n?)\z`), "$1"},
}

// arithmetic grades a text: it extracts an answer by either rule, the first
// match of the strict one and the last of the flexible one, and compares it with
// the right answer.
func (t *Task) arithmetic(g *Grade, item Item, text string) {
	const strict, loose = "exact_match," + strictMatch, "exact_match," + flexibleExtract
	g.Extracted = map[string]string{strict: invalid, loose: invalid}
	if match := compiled(t.Strict).FindStringSubmatch(text); match != nil {
		g.Extracted[strict] = strip(match[len(match)-1])
	}
	if all := flexible.FindAllString(text, -1); all != nil {
		g.Extracted[loose] = strip(all[len(all)-1])
	}
	for metric, extracted := range g.Extracted {
		score := 0.0
		for _, answer := range item.Answers {
			if bareNumber(extracted) == bareNumber(answer) {
				score = 1
			}
		}
		g.Scores[metric] = score
	}
	if g.Extracted[loose] == invalid {
		g.flag(Unparseable)
	}
}

func bareNumber(text string) string {
	for _, i := range ignored {
		text = i.pattern.ReplaceAllString(text, i.keep)
	}
	return strings.ToLower(text)
}

// strip is Python's str.strip, which also removes the four separators of ASCII.
func strip(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
}

// Cut ends a text where lm-evaluation-harness ends it: at the first of each stop
// text, one after the other; until is the task's list and the text of the token
// that ends texts.
func Cut(text string, until []string) string {
	for _, stop := range until {
		if stop != "" {
			text, _, _ = strings.Cut(text, stop)
		}
	}
	return text
}
