// Package pattern matches regular expressions as Python's module re does, in
// bounded time.
//
// Go's regexp knows neither look-around nor the \b of other alphabets than the
// Latin, and folds case by other rules: under re.IGNORECASE an i is also both
// Turkish ones. An expression is parsed ([Compile]) by the grammar of re in
// Python 3.11, compiled to a small program, and run by backtracking, first
// alternative first. The package remembers which choices failed at which
// character, so that the time is proportional to the length of the program
// times that of the text, except for expressions with references to groups
// (\1); and it counts steps and gives up with [ErrSteps], so that no expression
// takes longer than about a second, and any machine gives the same answer.
//
// Not part of the grammar here, and errors: conditional groups, named
// characters (\N{...}), and the flags a, L and x. Where a group repeats, and its
// last round matched nothing, re may tell that round and this package the one
// before.
package pattern

import (
	"errors"
	"strconv"
)

// Flags change what an expression matches, as those of re do.
type Flags uint8

// The flags. Regex is no flag of re: it takes the classes \w and \s, and so
// \b, from Python's module regex, which NLTK uses: a word there has marks and
// joiners in it, but no number sign like ½, and U+001C to U+001F are no blanks.
const (
	IgnoreCase Flags = 1 << iota
	Multiline
	DotAll
	Regex
)

// stepLimit is how many instructions a search may run, of the order of a
// second's worth.
const stepLimit = 1 << 25

// ErrSteps says that a search was given up: the expression backtracks too much
// in that text.
var ErrSteps = errors.New("pattern: the search takes more than " + strconv.Itoa(stepLimit) + " steps")

// Pattern is a compiled expression. Its methods may be called at once.
type Pattern struct {
	program  []instruction
	choices  int  // how many instructions are a choice
	slots    int  // two for each group, group 0 being the match, and one for each loop of what may be empty
	remember bool // no instruction depends on how the match came to it
	first    *class
}

// MustCompile is Compile for an expression in the program's own text.
func MustCompile(expression string, flags Flags) *Pattern {
	p, err := Compile(expression, flags)
	if err != nil {
		panic("pattern: " + err.Error())
	}
	return p
}

// Each calls f with the ends of each match in text, which do not overlap, from
// left to right as re.finditer finds them, until f returns false. Group g of the
// match is text[span[2*g]:span[2*g+1]], or -1 where it took no part; the span
// may not be kept. The only error is ErrSteps.
func (p *Pattern) Each(text []rune, f func(span []int) bool) error {
	m := machine{pattern: p, text: text, slots: make([]int, p.slots)}
	moved := true // the last match, if there was one, was not empty or ended before
	for start := 0; ; {
		if p.first != nil {
			for start < len(text) && !p.first.has(text[start]) {
				start, moved = start+1, true
			}
			if start == len(text) {
				return nil
			}
		}
		end, found := m.from(start, !moved)
		switch {
		case m.steps > stepLimit:
			return ErrSteps
		case found:
			if !f(m.slots) {
				return nil
			}
			moved = end > start
			start = end
		case start == len(text):
			return nil
		default:
			start, moved = start+1, true
		}
	}
}

// Found says whether the expression matches anywhere in text.
func (p *Pattern) Found(text []rune) (bool, error) {
	found := false
	err := p.Each(text, func([]int) bool { found = true; return false })
	return found, err
}

// Count counts the matches in text, which do not overlap.
func (p *Pattern) Count(text []rune) (int, error) {
	n := 0
	err := p.Each(text, func([]int) bool { n++; return true })
	return n, err
}

// FindAll returns the matches in text, as parts of it.
func (p *Pattern) FindAll(text []rune) ([][]rune, error) {
	var all [][]rune
	err := p.Each(text, func(span []int) bool {
		all = append(all, text[span[0]:span[1]:span[1]])
		return true
	})
	return all, err
}

// Split returns the pieces of text between the matches, as re.split does where
// there are no groups: one more than there are matches, some perhaps empty.
func (p *Pattern) Split(text []rune) ([][]rune, error) {
	var pieces [][]rune
	from := 0
	err := p.Each(text, func(span []int) bool {
		pieces = append(pieces, text[from:span[0]:span[0]])
		from = span[1]
		return true
	})
	return append(pieces, text[from:]), err
}

// Replace returns text with each match replaced by replacement, in which \0 to
// \9 are the match and its groups; where nothing matches, text itself.
func (p *Pattern) Replace(text []rune, replacement string) ([]rune, error) {
	var replaced []rune
	from, template := 0, []rune(replacement)
	err := p.Each(text, func(span []int) bool {
		replaced = append(replaced, text[from:span[0]]...)
		for i := 0; i < len(template); i++ {
			if template[i] != '\\' {
				replaced = append(replaced, template[i])
				continue
			}
			i++
			if group := 2 * int(template[i]-'0'); span[group] >= 0 {
				replaced = append(replaced, text[span[group]:span[group+1]]...)
			}
		}
		from = span[1]
		return true
	})
	if replaced == nil {
		return text, err
	}
	return append(replaced, text[from:]...), err
}
