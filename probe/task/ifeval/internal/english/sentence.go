package english

import (
	"strings"

	"surgeon/probe/task/ifeval/internal/pattern"
	"surgeon/probe/task/ifeval/internal/python"
)

// The parts of NLTK's expressions: what cannot stand within a word, and the
// marks of more than one character.
const (
	nonWord   = `[)";}\]*:@'({\[\u2018\u2019\u201c\u201d\u00ab\u00bb?!]`
	multiMark = `-{2,}|\.{2,}|(?:\.\s){2,}\.`
)

var (
	// sentenceEnd finds where a sentence may end: what follows the mark is group
	// 1, and group 2 the next word, if there is a blank between.
	sentenceEnd = pattern.MustCompile(`[.?!](?=(`+nonWord+`|\s+(\S+)))`, pattern.Regex)
	// closers are the marks that follow the end of a sentence and belong to it.
	closers = pattern.MustCompile(`\A["')\]}\u2018\u2019\u201c\u201d\u00ab\u00bb]+?(?:\s+|(?=--)|$)`, pattern.Regex|pattern.Multiline)
	// tokenOf finds the words and marks of a line.
	tokenOf = pattern.MustCompile(
		multiMark+"|(?=[^(\"`{\\[:;&#*@)}\\]\\-,])\\S+?(?=\\s|$|"+nonWord+"|"+multiMark+"|,(?=$|\\s|"+nonWord+"|"+multiMark+"))|\\S",
		pattern.Regex)
)

// Sentences cuts text into sentences, without the blanks between them. It fails
// with pattern.ErrSteps alone, on texts made for that.
func Sentences(text []rune) ([][]rune, error) {
	ends, err := candidates(text)
	if err != nil {
		return nil, err
	}
	var cuts []cut
	from := 0
	for _, e := range ends {
		breaks, err := breaksIn(text[e.context[0]:e.context[1]])
		if err != nil {
			return nil, err
		}
		if breaks {
			cuts = append(cuts, cut{from, e.end})
			from = e.next
		}
	}
	cuts = append(cuts, cut{from, len([]rune(strings.TrimRightFunc(string(text), python.IsSpace)))})
	return realign(text, cuts)
}

// cut is a sentence: from the first character up to, not including, the second.
type cut struct{ from, to int }

// candidate is a place where a sentence may end.
type candidate struct {
	end     int    // behind its mark
	next    int    // where the next sentence would begin
	context [2]int // from the word before to the word behind
}

// candidates are the marks that may end a sentence. Of several in a row, with
// no blank between, the last counts, and its context begins with their word.
func candidates(text []rune) ([]candidate, error) {
	var all []candidate
	var last candidate
	word := cut{} // before the last mark
	err := sentenceEnd.Each(text, func(span []int) bool {
		at := span[0]
		from := word.from
		if blank := lastBlank(text[word.to:at]); blank > 0 {
			from = word.to + blank + 1
		}
		if last.end > 0 && word.to <= from {
			all = append(all, last)
		}
		word = cut{from, at}
		last = candidate{end: span[1], next: span[1], context: [2]int{from, span[3]}}
		if span[4] >= 0 {
			last.next = span[4]
		}
		return true
	})
	if last.end > 0 {
		all = append(all, last)
	}
	return all, err
}

// lastBlank is the index of the last ASCII blank; 0 where there is none, or, as
// in NLTK, where it is the first character.
func lastBlank(text []rune) int {
	for i := len(text) - 1; i >= 0; i-- {
		switch text[i] {
		case ' ', '\t', '\n', '\r', '\v', '\f':
			return i
		}
	}
	return 0
}

// realign moves closing quotation marks and brackets from the beginning of a
// sentence to the end of the one before, and drops empty sentences.
func realign(text []rune, cuts []cut) ([][]rune, error) {
	var sentences [][]rune
	add := func(c cut) {
		if c.from < c.to {
			sentences = append(sentences, text[c.from:c.to:c.to])
		}
	}
	moved := 0
	for i, c := range cuts {
		c.from += moved
		moved = 0
		if i+1 == len(cuts) {
			add(c)
			break
		}
		next := cuts[i+1]
		kept, err := 0, error(nil)
		if next.from < next.to {
			err = closers.Each(text[next.from:next.to], func(span []int) bool {
				moved = span[1]
				return false
			})
		}
		if err != nil {
			return nil, err
		}
		for kept = moved; kept > 0 && python.IsSpace(text[next.from+kept-1]); kept-- {
		}
		if moved > 0 {
			sentences = append(sentences, text[c.from:next.from+kept:next.from+kept])
		} else {
			add(c)
		}
	}
	return sentences, nil
}
