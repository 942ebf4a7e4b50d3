package token

import "strings"

// A splitter hands the words of a text that is not empty, in order, to word.
// None of them is empty. It is told whether the text is the very first of what
// is encoded, nothing having been cut off before it.
type splitter func(text string, first bool, word func(string))

// whole cuts nothing.
func whole(text string, _ bool, word func(string)) { word(text) }

// then cuts each part that the first splitter makes with the second, which must
// not ask for the first text.
func (first splitter) then(second splitter) splitter {
	return func(text string, start bool, word func(string)) {
		first(text, start, func(part string) { second(part, false, word) })
	}
}

// byteLevel cuts by the pattern of GPT-2, or not at all. With prefixSpace every
// text that does not begin with a blank gets one, also behind an added token.
func byteLevel(prefixSpace, pattern bool) splitter {
	split := splitter(whole)
	if pattern {
		split = every(gpt2Word)
	}
	if !prefixSpace {
		return split
	}
	return func(text string, first bool, word func(string)) {
		if !strings.HasPrefix(text, " ") {
			text = " " + text
		}
		split(text, first, word)
	}
}

// scheme says before which texts Metaspace puts its mark.
type scheme string

const (
	beforeAll   scheme = "always"
	beforeFirst scheme = "first"
	beforeNone  scheme = "never"
)

// metaspace writes blanks as a mark, puts one before a text that does not begin
// with it, as the scheme says, and cuts, if it cuts, before each mark.
func metaspace(mark string, prepend scheme, cuts bool) splitter {
	split := splitter(whole)
	if cuts {
		split = behave(literal(mark), mergedWithNext, false)
	}
	return func(text string, start bool, word func(string)) {
		text = strings.ReplaceAll(text, " ", mark)
		if prepend == beforeAll || prepend == beforeFirst && start {
			if !strings.HasPrefix(text, mark) {
				text = mark + text
			}
		}
		split(text, start, word)
	}
}
