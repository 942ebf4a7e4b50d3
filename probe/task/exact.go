package task

import (
	"strings"
	"unicode"
)

// Normalise makes texts comparable: lower case, without white space around them
// and without full stops behind them.
func Normalise(text string) string {
	return strings.TrimRightFunc(strings.ToLower(strings.TrimSpace(text)), func(r rune) bool { return r == '.' || unicode.IsSpace(r) })
}

// GradeText returns 1 if a text that was generated is one of the right answers,
// both normalised, and 0 otherwise: the metric "exact_match" of
// lm-evaluation-harness under this normalisation.
func (i Item) GradeText(text string) float64 {
	text = Normalise(text)
	for _, answer := range i.Answers {
		if Normalise(answer) == text {
			return 1
		}
	}
	return 0
}
