package english

import (
	"strings"
	"unicode/utf8"

	"surgeon/probe/task/ifeval/internal/pattern"
	"surgeon/probe/task/ifeval/internal/python"
)

// token is a word or mark, and what is decided about it.
type token struct {
	text         string
	kind         string // in small letters, numbers all alike
	ends         bool   // a sentence ends behind it
	abbreviation bool
	ellipsis     bool
}

// number is the kind of all numbers.
const number = "##number##"

var (
	isNumber  = pattern.MustCompile(`^-?[.,]?\d[\d,.\-]*\.?$`, pattern.Regex)
	isInitial = pattern.MustCompile(`\A[^\W\d]\.$`, pattern.Regex)
)

// breaksIn says whether a sentence ends within a context: behind one of its
// tokens, but not the last.
func breaksIn(context []rune) (bool, error) {
	tokens, err := tokensOf(context)
	if err != nil {
		return false, err
	}
	for i := range tokens {
		first(&tokens[i])
	}
	for i := range len(tokens) - 1 {
		if second(&tokens[i], &tokens[i+1]); tokens[i].ends {
			return true, nil
		}
	}
	return false, nil
}

func tokensOf(context []rune) ([]token, error) {
	var tokens []token
	for len(context) > 0 {
		line := context
		for i, r := range context {
			if r == '\n' {
				line = context[:i]
				break
			}
		}
		context = context[min(len(line)+1, len(context)):]
		if python.Strip(string(line)) == "" {
			continue
		}
		words, err := tokenOf.FindAll(line)
		if err != nil {
			return nil, err
		}
		for _, word := range words {
			t := token{text: string(word), kind: python.Lower(string(word))}
			found, err := isNumber.Found([]rune(t.kind))
			if err != nil {
				return nil, err
			}
			if found {
				t.kind = number
			}
			tokens = append(tokens, t)
		}
	}
	return tokens, nil
}

// first decides by the token alone.
func first(t *token) {
	base, period := strings.CutSuffix(t.text, ".")
	switch {
	case t.text == "." || t.text == "?" || t.text == "!":
		t.ends = true
	case len(t.text) > 1 && strings.Trim(t.text, ".") == "":
		t.ellipsis = true
	case period && !strings.HasSuffix(base, "."):
		base = python.Lower(base)
		p := parameters()
		t.abbreviation = p.AbbrevTypes.Has(base) || p.AbbrevTypes.Has(base[strings.LastIndexByte(base, '-')+1:])
		t.ends = !t.abbreviation
	}
}

// second decides about a token that ends in a full stop by the one behind it;
// the numbers are the sections of Kiss and Strunk.
func second(t, next *token) {
	if !strings.HasSuffix(t.text, ".") {
		return
	}
	p := parameters()
	kind, nextKind := withoutPeriod(t.kind), next.withoutEnd()
	initial, _ := isInitial.Found([]rune(t.text))

	// 4.1.2, collocations: the two belong together.
	if p.Collocations.Has(kind + "," + nextKind) {
		t.ends, t.abbreviation = false, true
		return
	}
	begins := next.begins()
	// 4.2, abbreviations and ellipses: a sentence may end there as well, by the
	// capital (4.1.1) or since the next is a frequent beginning (4.1.3).
	if (t.abbreviation || t.ellipsis) && !initial {
		if begins == yes || next.capital() && p.SentStarters.Has(nextKind) {
			t.ends = true
			return
		}
	}
	// 4.3, initials and ordinal numbers.
	if initial || kind == number {
		never := next.capital() && p.OrthoContext[nextKind]&anySmall == 0
		if begins == no || begins == unsure && initial && never {
			t.ends, t.abbreviation = false, true
		}
	}
}

func withoutPeriod(kind string) string {
	if len(kind) > 1 {
		return strings.TrimSuffix(kind, ".")
	}
	return kind
}

// withoutEnd is the kind of a token, without the full stop that ends a sentence.
func (t *token) withoutEnd() string {
	if t.ends {
		return withoutPeriod(t.kind)
	}
	return t.kind
}

func (t *token) capital() bool {
	r, _ := utf8.DecodeRuneInString(t.text)
	return python.Upper(r)
}

func (t *token) small() bool {
	r, _ := utf8.DecodeRuneInString(t.text)
	return python.Small(r)
}

// answer to the question whether a token begins a sentence.
type answer uint8

const (
	unsure answer = iota
	yes
	no
)

// begins is the orthographic heuristic, 4.1.1. A capital begins a sentence if
// the word was seen small, and never with a capital within a sentence; a small
// letter does not if the word was seen with a capital, or never small where a
// sentence begins.
func (t *token) begins() answer {
	if len(t.text) == 1 && strings.Contains(";:,.!?", t.text) {
		return no
	}
	seen := parameters().OrthoContext[t.withoutEnd()]
	switch {
	case t.capital() && seen&anySmall != 0 && seen&middleCapital == 0:
		return yes
	case t.small() && (seen&anyCapital != 0 || seen&beginSmall == 0):
		return no
	}
	return unsure
}
