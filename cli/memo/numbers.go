package memo

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Numbers lists the numbers in the texts of the memo, in reading order: title,
// subtitle, then the headings, texts, tables and boxes of each page, captions
// and descriptions of figures included, and last the footer. The date and blocks
// of [Code] are not looked at, nor can the pictures be.
//
// A number is written as "-1234.5" whatever it looks like: a minus sign is
// "-", a plus sign and separators of thousands are left out, and so are signs
// and units around it, such as "%", "pp" or "±". A date such as 2026-11-28 is one
// number. Digits that a letter precedes, or that a hyphen, dot, slash or
// underscore joins to one, are part of a name, as in GSM8K, Llama-3.2-1B or
// runs/7, and so are digits and letters mixed as in a hash, 3f9a.
func (m *Memo) Numbers() []string {
	var numbers []string
	for _, text := range m.texts() {
		numbers = append(numbers, numbersIn(clean(text))...)
	}
	return numbers
}

// Lint returns the numbers of the memo that are not known, each once, in reading
// order. They are written as [Memo.Numbers] writes them.
func Lint(m *Memo, known func(number string) bool) []string {
	var unknown []string
	for _, number := range m.Numbers() {
		if !slices.Contains(unknown, number) && !known(number) {
			unknown = append(unknown, number)
		}
	}
	return unknown
}

// texts returns the texts of the memo in reading order.
func (m *Memo) texts() []string {
	texts := []string{m.Title, m.Subtitle}
	for _, page := range m.Pages {
		texts = append(texts, page.Heading)
		for _, block := range page.Blocks {
			texts = append(texts, block.texts()...)
		}
	}
	return append(texts, m.Footer)
}

func (p Paragraph) texts() []string { return []string{p.Text} }
func (h Heading) texts() []string   { return []string{h.Text} }
func (v Verdict) texts() []string   { return []string{v.Word, v.Sentence} }
func (l List) texts() []string      { return l.Items }
func (Code) texts() []string        { return nil }

func (n Numbers) texts() []string {
	var texts []string
	for _, number := range n {
		texts = append(texts, number.Value, number.Label, number.Detail)
	}
	return texts
}

func (t Table) texts() []string {
	texts := []string{t.Caption}
	for _, column := range t.Columns {
		texts = append(texts, column.Name)
	}
	return append(texts, slices.Concat(t.Rows...)...)
}

func (f Figures) texts() []string {
	var texts []string
	for _, figure := range f {
		texts = append(texts, figure.Caption, figure.Alt)
	}
	return texts
}

var (
	// token is the next name, date, hash or number of a text, whichever matches
	// first. Digits of other scripts count, so that none passes unseen.
	token = regexp.MustCompile(`[\p{L}_][\p{L}\p{M}\p{N}_]*(?:[-./_\\]+[\p{L}\p{N}_]+)*` + // name
		`|\p{Nd}{4}-\p{Nd}{2}-\p{Nd}{2}\b` +
		`|\p{Nd}+\.?\p{Nd}*[eE][-+−]?\p{Nd}+\b` +
		`|\p{Nd}+\p{L}+\p{Nd}[\p{L}\p{Nd}]*` + // hash
		`|\p{Nd}{1,3}(?:[,\x{00a0}\x{2009}\x{202f}]\p{Nd}{3})+\b(?:\.\p{Nd}+)?` +
		`|\p{Nd}+(?:\.\p{Nd}+)?|\.\p{Nd}+|\p{No}|\p{Nl}`)
	name = regexp.MustCompile(`^[\p{L}_]`)
	hash = regexp.MustCompile(`^\p{Nd}+\p{L}+\p{Nd}`)
	exp  = regexp.MustCompile(`^[\p{Nd}.]+[eE][-+−]?\p{Nd}+$`)
	// within thousands, and a plus sign, are left out.
	plain = strings.NewReplacer(",", "", " ", "", "\u00a0", "", "\u2009", "", "\u202f", "", "−", "-", "+", "")
)

// numbersIn lists the numbers in a text.
func numbersIn(text string) []string {
	var numbers []string
	for _, at := range token.FindAllStringIndex(text, -1) {
		found := text[at[0]:at[1]]
		if name.MatchString(found) || hash.MatchString(found) && !exp.MatchString(found) {
			continue
		}
		if negative(text[:at[0]]) {
			found = "-" + found
		}
		numbers = append(numbers, plain.Replace(found))
	}
	return numbers
}

// negative says whether a text ends with a minus sign rather than with a hyphen
// or a dash between two numbers.
func negative(before string) bool {
	letters := []rune(before)
	n := len(letters)
	if n == 0 || letters[n-1] != '-' && letters[n-1] != '−' {
		return false
	}
	if n == 1 {
		return true
	}
	last := letters[n-2]
	return !unicode.IsLetter(last) && !unicode.IsNumber(last) && last != '%' && last != ')'
}

// NumbersIn lists the numbers in one text, as [Memo.Numbers] writes them.
func NumbersIn(text string) []string { return numbersIn(clean(text)) }
