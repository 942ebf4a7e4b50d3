package corpus

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// rule is an instruction of IFEval and its arguments, as its data have them.
type rule struct {
	id   string
	args map[string]any
}

// instruction is a request whose reply can be checked by rules, and one reply
// that keeps them.
type instruction struct {
	template, prompt, reply string
	rules                   []rule
}

func (i *instruction) rule(id string, args map[string]any) {
	i.rules = append(i.rules, rule{id, args})
}

// drawInstruction draws an instruction: in six of ten words to repeat, in two
// each bullets and a title.
func drawInstruction(r *rand.Rand) instruction {
	switch r.IntN(10) {
	case 0, 1:
		return drawBullets(r)
	case 2, 3:
		return drawTitle(r)
	}
	return drawRepetition(r)
}

// drawRepetition asks for a word some times, perhaps in capitals, in quotes, and
// with another word at the end. The number of words bounds what "at least" does
// not.
func drawRepetition(r *rand.Rand) instruction {
	capitals, n := r.IntN(10) < 4, between(r, 2, 5)
	word := pick(r, words)
	if capitals {
		word = pick(r, loud)
	}
	last := pick(r, slices.DeleteFunc(slices.Clone(words), func(other string) bool { return other == word }))
	i := instruction{template: "say", prompt: fmt.Sprintf("say %s %d times", word, n)}
	i.rule("keywords:frequency", map[string]any{"keyword": word, "frequency": n, "relation": "at least"})
	i.reply = strings.TrimSpace(strings.Repeat(word+" ", n))
	if capitals {
		i.prompt += " in capitals"
		i.reply = strings.ToUpper(i.reply)
		i.rule("change_case:capital_word_frequency", map[string]any{"capital_frequency": n, "capital_relation": "at least"})
	}
	quoted := r.IntN(10) < 3
	if quoted {
		i.prompt += " in quotes"
		i.rule("startend:quotation", map[string]any{})
	}
	bound := n + 1
	if r.IntN(10) < 4 {
		i.prompt += " and end with " + last
		i.reply += " " + last
		i.rule("startend:end_checker", map[string]any{"end_phrase": last})
		bound++
	}
	i.rule("length_constraints:number_words", map[string]any{"num_words": bound, "relation": "less than"})
	if quoted {
		i.reply = `"` + i.reply + `"`
	}
	i.prompt += "."
	return i
}

// drawBullets asks for words, each on a line of its own.
func drawBullets(r *rand.Rand) instruction {
	chosen := several(r, words, between(r, 2, 4))
	i := instruction{template: "bullets", prompt: fmt.Sprintf("list %s with stars.", strings.Join(chosen, ", "))}
	i.reply = "* " + strings.Join(chosen, "\n* ")
	i.rule("detectable_format:number_bullet_lists", map[string]any{"num_bullets": len(chosen)})
	i.rule("keywords:existence", map[string]any{"keywords": chosen})
	return i
}

// drawTitle asks for a word some times under a title.
func drawTitle(r *rand.Rand) instruction {
	two := several(r, words, 2)
	word, title, n := two[0], two[1], between(r, 2, 5)
	i := instruction{template: "title", prompt: fmt.Sprintf("say %s %d times under the title %s.", word, n, title)}
	i.reply = "<<" + title + ">>\n" + strings.TrimSpace(strings.Repeat(word+" ", n))
	i.rule("detectable_format:title", map[string]any{})
	i.rule("keywords:existence", map[string]any{"keywords": []string{title}})
	i.rule("keywords:frequency", map[string]any{"keyword": word, "frequency": n, "relation": "at least"})
	i.rule("length_constraints:number_words", map[string]any{"num_words": n + 2, "relation": "less than"})
	return i
}

func (i instruction) sample() Sample { return Sample{i.prompt, i.reply, Instructions} }
