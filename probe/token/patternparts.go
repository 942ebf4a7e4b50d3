package token

import (
	"strconv"
	"strings"
	"unicode"
)

// repeated translates the repetition behind an atom, if there is one.
func (t *translation) repeated(atom shape) shape {
	least, most, written := t.repetition()
	if written == "" {
		return atom
	}
	if t.take("?") {
		if written[0] == '{' {
			t.refuse("%q behind %q is not supported", "?", written)
		}
		written += "?"
	}
	if t.rest != "" && strings.IndexByte("?*+{", t.rest[0]) >= 0 {
		t.refuse("%q behind %q is not supported", t.rest[:1], written)
	}
	if atom.loops && most != 1 {
		t.refuse("%q behind a group that repeats without limit is not supported", written)
	}
	t.out.WriteString(written)
	return shape{empty: atom.empty || least == 0, loops: atom.loops || most == unlimited}
}

const unlimited = -1

// repetition reads ?, *, + or a count in braces; written is empty if there is
// none.
func (t *translation) repetition() (least, most int, written string) {
	switch {
	case t.take("?"):
		return 0, 1, "?"
	case t.take("*"):
		return 0, unlimited, "*"
	case t.take("+"):
		return 1, unlimited, "+"
	case !strings.HasPrefix(t.rest, "{"):
		return 0, 0, ""
	}
	count, rest, closed := strings.Cut(t.rest[1:], "}")
	low, high, isRange := strings.Cut(count, ",")
	least, errLow := strconv.Atoi(low)
	most, errHigh := least, error(nil)
	if isRange && high == "" {
		most = unlimited
	} else if isRange {
		most, errHigh = strconv.Atoi(high)
	}
	const largest = 1000
	sound := 0 <= least && least <= largest && (most == unlimited || least <= most && 0 < most && most <= largest)
	if errLow != nil || errHigh != nil || !sound || !closed {
		t.refuse("%q in this place is not supported", "{"+count[:min(len(count), 20)]+"}")
	}
	t.rest = rest
	return least, most, "{" + count + "}"
}

// escape translates what stands behind a backslash, outside a class.
func (t *translation) escape() {
	if r, isLiteral := t.escaped(); isLiteral {
		t.literal(r)
	}
}

// escaped reads what stands behind a backslash: one character, which it
// returns, or a kind of characters, which it translates.
func (t *translation) escaped() (r rune, isLiteral bool) {
	r = t.next()
	switch {
	case r == 'n':
		return '\n', true
	case r == 'r':
		return '\r', true
	case r == 't':
		return '\t', true
	case strings.ContainsRune("sSdD", r):
		t.out.WriteString(`\` + string(r))
		return 0, false
	case r == 'p' || r == 'P':
		t.property(r)
		return 0, false
	case r == 'u':
		return t.unicode(), true
	case '!' <= r && r <= '~' && !unicode.IsLetter(r) && !unicode.IsDigit(r) || r == ' ':
		return r, true
	}
	t.refuse("the escape %q is not supported", `\`+string(r))
	return 0, false
}

// unicode reads the four digits of \u.
func (t *translation) unicode() rune {
	digits := t.rest[:min(4, len(t.rest))]
	value, err := strconv.ParseUint(digits, 16, 16)
	if err != nil || len(digits) < 4 {
		t.refuse("the escape %q is not supported", `\u`+digits)
		return 0
	}
	t.rest = t.rest[4:]
	return rune(value)
}

// property translates \p{L} and the like: the categories that do not hold
// unassigned characters, and the names of scripts.
func (t *translation) property(letter rune) {
	name, rest, closed := strings.Cut(t.rest, "}")
	name, opened := strings.CutPrefix(name, "{")
	_, isScript := unicode.Scripts[name]
	_, isCategory := unicode.Categories[name]
	isCategory = isCategory && strings.Contains("LMNPSZ", name[:1]) && name != "LC"
	if !opened || !closed || !isScript && !isCategory {
		t.refuse("the property %q is not supported", `\`+string(letter)+"{"+name+"}")
		return
	}
	t.rest = rest
	t.out.WriteString(`\` + string(letter) + "{" + name + "}")
}

// class translates [...], behind its opening bracket.
func (t *translation) class() {
	t.out.WriteByte('[')
	if t.take("^") {
		t.out.WriteByte('^')
	}
	if strings.HasPrefix(t.rest, "]") {
		t.refuse("an empty class is not supported")
	}
	for !t.take("]") {
		if t.rest == "" {
			t.refuse("a class is not closed")
			return
		}
		t.element()
	}
	t.out.WriteByte(']')
}

// element translates one element of a class: a character, a range or a kind.
func (t *translation) element() {
	low, isLiteral := t.member()
	isRange := len(t.rest) > 1 && t.rest[0] == '-' && t.rest[1] != ']'
	if !isLiteral {
		if isRange {
			t.refuse("a range that begins with a kind of characters is not supported")
		}
		return
	}
	t.literal(low)
	if !isRange {
		return
	}
	t.rest = t.rest[1:]
	mark := t.out.Len()
	high, isLiteral := t.member()
	if !isLiteral || high < low || t.out.Len() != mark {
		t.refuse("a range that does not end with a later character is not supported")
		return
	}
	t.out.WriteByte('-')
	t.literal(high)
}

// member reads a character of a class, or translates a kind of characters. What
// Oniguruma understands as a class in a class, or as an intersection, is refused.
func (t *translation) member() (r rune, isLiteral bool) {
	if t.take(`\`) {
		return t.escaped()
	}
	for _, refused := range []string{"[", "&&"} {
		if strings.HasPrefix(t.rest, refused) {
			t.refuse("%q in a class is not supported", refused)
			return 0, false
		}
	}
	return t.next(), true
}
