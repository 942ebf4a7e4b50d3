package english

import (
	"surgeon/probe/task/ifeval/internal/pattern"
	"surgeon/probe/task/ifeval/internal/python"
)

// rule is a replacement of the Treebank tokenizer.
type rule struct {
	expression  *pattern.Pattern
	replacement string
}

func replace(expression, replacement string) rule {
	return rule{pattern.MustCompile(expression, pattern.Regex), replacement}
}

// contraction is a rule that splits a word in two; NLTK reads these, and these
// alone, by the rules of re.
func contraction(expression string) rule {
	return rule{pattern.MustCompile(`(?i)`+expression, 0), ` \1 \2 `}
}

// The rules put blanks where words part, in this order: quotation marks that
// open, marks, brackets, dashes; and, between two blanks, quotation marks that
// close, clitics and contractions.
var (
	rules = []rule{
		replace("([«“‘„]|[`]+)", ` \1 `),
		replace(`^"`, "``"),
		replace("(``)", ` \1 `),
		replace(`([ ([{<])("|'{2})`, "\\1 `` "),
		replace(`(?i)(?<!\w)(')(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)`, `\1 `),

		replace(`([^.])(\.)([\])}>"'»”’ ]*+)\s*$`, `\1 \2 \3 `),
		replace(`([:,])([^\d])`, ` \1 \2`),
		replace(`([:,])$`, ` \1 `),
		replace(`\.{2,}`, ` \0 `),
		replace(`[;@#$%&]`, ` \0 `),
		replace(`[\u2012-\u2015]`, ` \0 `),
		replace(`([^.])(\.)([\])}>"']*)\s*$`, `\1 \2\3 `),
		replace(`[?!]`, ` \0 `),
		replace(`([^'])' `, `\1 ' `),
		replace(`[*]`, ` \0 `),

		replace(`[\]\[(){}<>]`, ` \0 `),
		replace(`--`, ` -- `),
	}
	lateRules = []rule{
		replace(`([»”’])`, ` \1 `),
		replace(`''`, ` '' `),
		replace(`"`, ` '' `),
		replace(`\s+`, ` `),
		replace(`([^' ])('[sS]|'[mM]|'[dD]|') `, `\1 \2 `),
		replace(`([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) `, `\1 \2 `),

		contraction(`\b(can)(not)\b`),
		contraction(`\b(d)('ye)\b`),
		contraction(`\b(gim)(me)\b`),
		contraction(`\b(gon)(na)\b`),
		contraction(`\b(got)(ta)\b`),
		contraction(`\b(lem)(me)\b`),
		contraction(`\b(more)('n)\b`),
		contraction(`\b(wan)(na)(?=\s)`),
		contraction(` ('t)(is)\b`),
		contraction(` ('t)(was)\b`),
	}
)

// Words cuts text into words and marks. Quotation marks come out as “ and ”,
// and clitics apart: "don't" is "do" and "n't". It fails with pattern.ErrSteps
// alone, on texts made for that.
func Words(text []rune) ([]string, error) {
	sentences, err := Sentences(text)
	if err != nil {
		return nil, err
	}
	var words []string
	for _, sentence := range sentences {
		if sentence, err = apply(rules, sentence); err != nil {
			return nil, err
		}
		padded := append(append([]rune{' '}, sentence...), ' ')
		if padded, err = apply(lateRules, padded); err != nil {
			return nil, err
		}
		words = append(words, python.Fields(string(padded))...)
	}
	return words, nil
}

func apply(rules []rule, text []rune) ([]rune, error) {
	for _, r := range rules {
		var err error
		if text, err = r.expression.Replace(text, r.replacement); err != nil {
			return nil, err
		}
	}
	return text, nil
}
