package ifeval

import (
	"strings"

	"surgeon/probe/task/ifeval/internal/pattern"
	"surgeon/probe/task/ifeval/internal/python"
)

// divider parts paragraphs for numberParagraphs.
var divider = pattern.MustCompile(`\s?\*\*\*\s?`, 0)

// numberParagraphs: exactly so many parts between lines of three asterisks, of
// which only the first and the last may be blank, and do not count then.
func numberParagraphs(a *arguments) check {
	number := a.count("num_paragraphs")
	return func(j *judge, r *reply) bool {
		pieces, err := divider.Split(r.runes())
		count := len(pieces)
		for i, piece := range pieces {
			if !blank(string(piece)) {
				continue
			}
			if 0 < i && i < len(pieces)-1 {
				return false
			}
			count--
		}
		return j.sure(err) && count == number
	}
}

// firstWord: exactly so many paragraphs between blank lines that are not blank,
// and the nth, blank ones counted, begins with the word.
func firstWord(a *arguments) check {
	number, nth := a.count("num_paragraphs"), a.count("nth_paragraph")
	word := python.Lower(a.text("first_word"))
	if a.err == nil && nth > number {
		a.fail("the argument \"nth_paragraph\" is %d, beyond the %d of \"num_paragraphs\"", nth, number)
	}
	return func(_ *judge, r *reply) bool {
		paragraphs := strings.Split(r.text, "\n\n")
		count := len(paragraphs)
		for _, paragraph := range paragraphs {
			if blank(paragraph) {
				count--
			}
		}
		if count != number || nth > count || blank(paragraphs[nth-1]) {
			return false
		}
		return bareWord(python.Fields(paragraphs[nth-1])[0]) == word
	}
}

// bareWord is a word in small letters, without quotation marks before it and
// cut at the first mark.
func bareWord(word string) string {
	word = strings.TrimLeft(strings.TrimLeft(word, "'"), `"`)
	if end := strings.IndexAny(word, `.,?!'"`); end >= 0 {
		word = word[:end]
	}
	var small strings.Builder
	for _, letter := range word { // each by itself: a sigma at the end is none here
		small.WriteString(python.Lower(string(letter)))
	}
	return small.String()
}

// twoResponses: two different parts between rows of six asterisks; others may
// be blank if they are the first or the last.
func twoResponses(*arguments) check {
	return func(_ *judge, r *reply) bool {
		pieces := strings.Split(r.text, "******")
		var responses []string
		for i, piece := range pieces {
			switch stripped := python.Strip(piece); {
			case stripped != "":
				responses = append(responses, stripped)
			case 0 < i && i < len(pieces)-1:
				return false
			}
		}
		return len(responses) == 2 && responses[0] != responses[1]
	}
}

// repeatPrompt: the text begins with the prompt, case aside.
func repeatPrompt(a *arguments) check {
	prompt := python.Lower(python.Strip(a.text("prompt_to_repeat")))
	return func(_ *judge, r *reply) bool {
		return strings.HasPrefix(python.Lower(python.Strip(r.text)), prompt)
	}
}

// endPhrase: the text ends with the phrase, case and quotation marks aside.
func endPhrase(a *arguments) check {
	phrase := python.Lower(python.Strip(a.text("end_phrase")))
	return func(_ *judge, r *reply) bool {
		return strings.HasSuffix(python.Lower(strings.Trim(python.Strip(r.text), `"`)), phrase)
	}
}

// quotation: the text is in quotation marks.
func quotation(*arguments) check {
	return func(_ *judge, r *reply) bool {
		text := python.Strip(r.text)
		return len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"'
	}
}
