package token

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// The reference runs the patterns of a file on Oniguruma. The machine here,
// regexp2, reads another dialect (that of .NET). So a pattern is first read
// completely and written anew in what both mean alike; what is not known to
// mean the same is refused. Refused are also repetitions of a group that itself
// repeats without limit, which take exponential time, and patterns that may
// match nothing, which the reference treats in its own ways.

// compile makes a finder of a pattern.
func compile(pattern string) (finder, error) {
	t := &translation{rest: pattern}
	what := t.alternatives(false)
	switch {
	case t.err != nil:
		return nil, t.err
	case t.rest != "":
		return nil, fmt.Errorf("%q closes no group", ")")
	case what.empty:
		return nil, fmt.Errorf("it may match the empty text")
	}
	machine, err := regexp2.Compile(t.out.String(), regexp2.None)
	if err != nil {
		return nil, err
	}
	return func(text string, found func(start, stop int)) { findAll(machine, text, found) }, nil
}

// findAll counts bytes where the machine counts characters. The only error of
// the machine is a timeout, and none is set.
func findAll(machine *regexp2.Regexp, text string, found func(start, stop int)) {
	runes := []rune(text)
	seen, place := 0, 0
	advance := func(to int) int {
		for ; seen < to; seen++ {
			place += utf8.RuneLen(runes[seen])
		}
		return place
	}
	match, _ := machine.FindRunesMatch(runes)
	for match != nil {
		start := advance(match.Index)
		found(start, advance(match.Index+match.Length))
		match, _ = machine.FindNextMatch(match)
	}
}

// translation is a pattern being written anew.
type translation struct {
	rest  string
	out   strings.Builder
	depth int
	err   error
}

// shape is what is known of a part of a pattern.
type shape struct {
	empty bool // it may match the empty text
	loops bool // it repeats something without limit
}

func (t *translation) refuse(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf(format, args...)
	}
	t.rest = ""
}

// take removes prefix from the rest if it begins with it.
func (t *translation) take(prefix string) bool {
	rest, ok := strings.CutPrefix(t.rest, prefix)
	t.rest = rest
	return ok
}

func (t *translation) next() rune {
	r, n := utf8.DecodeRuneInString(t.rest)
	t.rest = t.rest[n:]
	return r
}

// alternatives translates up to the end of a group.
func (t *translation) alternatives(anyCase bool) (all shape) {
	for {
		one := t.sequence(anyCase)
		all.empty, all.loops = all.empty || one.empty, all.loops || one.loops
		if !t.take("|") {
			return all
		}
		t.out.WriteByte('|')
	}
}

func (t *translation) sequence(anyCase bool) shape {
	all, before := shape{empty: true}, rune(0)
	for t.rest != "" && t.rest[0] != '|' && t.rest[0] != ')' {
		first, _ := utf8.DecodeRuneInString(t.rest)
		if anyCase {
			t.checkCase(before, first)
		}
		one := t.repeated(t.atom(anyCase))
		all.empty, all.loops = all.empty && one.empty, all.loops || one.loops
		before = first
	}
	return all
}

// checkCase refuses neighbours that a single character is in another case, as
// ß is of ss.
func (t *translation) checkCase(before, r rune) {
	pair := strings.ToLower(string(before) + string(r))
	for _, double := range []string{"ss", "st", "ff", "fi", "fl"} {
		if pair == double {
			t.refuse("%q in any case is not supported", double)
		}
	}
}

// atom translates what a repetition may stand behind.
func (t *translation) atom(anyCase bool) shape {
	r := t.next()
	switch {
	case r == '(':
		return t.group(anyCase)
	case anyCase:
		t.anyCase(r)
	case r == '[':
		t.class()
	case r == '\\':
		t.escape()
	case r == '.':
		t.out.WriteString(`[^\n]`)
	case r == '$': // the end of a line, also of one that ends with a line feed
		t.out.WriteString(`(?=\n|\z)`)
		return shape{empty: true}
	case strings.ContainsRune(`^*+?{`, r):
		t.refuse("%q in this place is not supported", string(r))
	default:
		t.literal(r)
	}
	return shape{}
}

func (t *translation) literal(r rune) {
	if r < utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
		fmt.Fprintf(&t.out, `\x%02X`, r)
		return
	}
	t.out.WriteRune(r)
}

// anyCase translates a character of (?i:...): two letters of ASCII have a third
// case, the long s and the sign of Kelvin.
func (t *translation) anyCase(r rune) {
	lower := unicode.ToLower(r)
	switch {
	case r >= utf8.RuneSelf || strings.ContainsRune(`[\.^$*+?{`, r):
		t.refuse("%q in any case is not supported", string(r))
	case lower == 's':
		t.out.WriteString("[sSſ]")
	case lower == 'k':
		t.out.WriteString("[kK\u212A]")
	case unicode.IsLetter(r):
		t.out.WriteString("[" + string(lower) + string(unicode.ToUpper(r)) + "]")
	default:
		t.literal(r)
	}
}

// group translates a group, behind its opening parenthesis.
func (t *translation) group(anyCase bool) shape {
	const deepest = 50
	if t.depth++; t.depth > deepest {
		t.refuse("groups inside more than %d others are not supported", deepest)
	}
	opening, looks := "(?:", false
	switch {
	case t.take("?:"):
	case t.take("?i:"):
		anyCase = true
	case t.take("?="):
		opening, looks = "(?=", true
	case t.take("?!"):
		opening, looks = "(?!", true
	case strings.HasPrefix(t.rest, "?"):
		t.refuse("a group that begins with %q is not supported", "("+t.rest[:min(3, len(t.rest))])
	}
	t.out.WriteString(opening)
	inside := t.alternatives(anyCase)
	if !t.take(")") {
		t.refuse("a group is not closed")
	}
	t.out.WriteByte(')')
	t.depth--
	return shape{empty: inside.empty || looks, loops: inside.loops}
}
