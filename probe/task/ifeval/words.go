package ifeval

import (
	"strings"

	"surgeon/probe/task/ifeval/internal/english"
	"surgeon/probe/task/ifeval/internal/pattern"
	"surgeon/probe/task/ifeval/internal/python"
)

// keywordExistence: every keyword is found, case aside.
func keywordExistence(a *arguments) check {
	var keywords []*pattern.Pattern
	for _, keyword := range a.texts("keywords") {
		keywords = append(keywords, a.expression("keywords", keyword, pattern.IgnoreCase))
	}
	return func(j *judge, r *reply) bool {
		for _, keyword := range keywords {
			if found, sure := j.found(keyword, r); !found || !sure {
				return false
			}
		}
		return true
	}
}

// forbiddenWords: no word is found as a whole one, case aside.
func forbiddenWords(a *arguments) check {
	var words []*pattern.Pattern
	for _, word := range a.texts("forbidden_words") {
		words = append(words, a.expression("forbidden_words", `\b`+word+`\b`, pattern.IgnoreCase))
	}
	return func(j *judge, r *reply) bool {
		for _, word := range words {
			if found, sure := j.found(word, r); found || !sure {
				return false
			}
		}
		return true
	}
}

// keywordFrequency: how often the keyword is found, case aside, within other
// words too.
func keywordFrequency(a *arguments) check {
	keyword := a.expression("keyword", python.Strip(a.text("keyword")), pattern.IgnoreCase)
	enough := a.enough("frequency", "relation")
	return func(j *judge, r *reply) bool {
		count, sure := j.count(keyword, r)
		return sure && enough(count)
	}
}

// letterFrequency: how often the letter stands in the text in small letters.
func letterFrequency(a *arguments) check {
	given := a.text("letter")
	enough := a.enough("let_frequency", "let_relation")
	letter := python.Lower(given)
	plain := len(letter) == 1 && 'a' <= letter[0] && letter[0] <= 'z'
	return func(j *judge, r *reply) bool {
		counted := letter
		switch {
		case plain:
		case j.checker.mode == Compat:
			counted = string(rune('a' + j.draw(26)))
			j.warn("the verdict is chance: %q is not a letter from a to z, and a random one is counted instead", given)
		default:
			j.warn("%q is not a letter from a to z: it is counted as it is, where lm-evaluation-harness counts a random one", given)
		}
		return enough(strings.Count(python.Lower(r.text), counted))
	}
}

// wordExpression is what a word is to NLTK's RegexpTokenizer.
var wordExpression = pattern.MustCompile(`\w+`, pattern.Regex)

// numberWords: how many runs of letters, digits and underscores there are.
func numberWords(a *arguments) check {
	enough := a.enough("num_words", "relation")
	return func(j *judge, r *reply) bool {
		count, sure := j.count(wordExpression, r)
		return sure && enough(count)
	}
}

// numberSentences: how many sentences Punkt finds.
func numberSentences(a *arguments) check {
	enough := a.enough("num_sentences", "relation")
	return func(j *judge, r *reply) bool {
		sentences, err := english.Sentences(r.runes())
		return j.sure(err) && enough(len(sentences))
	}
}

// capitalWords: how many tokens are in capitals.
func capitalWords(a *arguments) check {
	enough := a.enough("capital_frequency", "capital_relation")
	return func(j *judge, r *reply) bool {
		words, err := english.Words(r.runes())
		count := 0
		for _, word := range words {
			if python.IsUpper(word) {
				count++
			}
		}
		return j.sure(err) && enough(count)
	}
}

// found says whether an expression matches anywhere; it is not sure where the
// search was given up.
func (j *judge) found(p *pattern.Pattern, r *reply) (found, sure bool) {
	found, err := p.Found(r.runes())
	return found, j.sure(err)
}

// count counts the matches of an expression.
func (j *judge) count(p *pattern.Pattern, r *reply) (count int, sure bool) {
	count, err := p.Count(r.runes())
	return count, j.sure(err)
}

// sure notes that a search was given up.
func (j *judge) sure(err error) bool {
	if err != nil {
		j.warn("the rule counts as not kept: %v", err)
	}
	return err == nil
}
