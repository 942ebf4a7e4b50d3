package tensors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// reader reads the JSON of a header without building anything of it. Its first
// error is kept, and nothing is read after it. The text is valid UTF-8.
type reader struct {
	text []byte
	at   int
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
		r.at = len(r.text)
	}
}

// peek returns the next byte that is no blank, or 0 at the end.
func (r *reader) peek() byte {
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// take reads one byte of punctuation, if it is the next.
func (r *reader) take(c byte) bool {
	if r.peek() != c || r.err != nil {
		return false
	}
	r.at++
	return true
}

// expect reads one byte of punctuation.
func (r *reader) expect(c byte) {
	if !r.take(c) {
		r.unexpected(strconv.QuoteRune(rune(c)))
	}
}

func (r *reader) unexpected(want string) {
	if r.at >= len(r.text) {
		r.fail("the header is not valid JSON: it ends where %s is expected", want)
		return
	}
	c, _ := utf8.DecodeRune(r.text[r.at:])
	r.fail("the header is not valid JSON: %q at byte %d where %s is expected", c, r.at, want)
}

// object reads an object; value is called at the value of each key.
func (r *reader) object(value func(key text)) {
	r.expect('{')
	for first := true; r.err == nil && !r.take('}'); first = false {
		if !first {
			r.expect(',')
		}
		key := r.string()
		r.expect(':')
		if r.err == nil {
			value(key)
		}
	}
}

// text is a string of the header: where it stands, without its quotes.
type text struct{ from, to uint32 }

// string reads a string and checks it. Its escapes stay as they are.
func (r *reader) string() text {
	if !r.take('"') {
		r.unexpected("a string")
		return text{}
	}
	from := r.at
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c == '"':
			r.at++
			return text{uint32(from), uint32(r.at - 1)}
		case c == '\\':
			r.escape()
		case c < ' ':
			r.fail("the header is not valid JSON: a string holds the control character %q", rune(c))
		default:
			r.at++
		}
	}
	r.fail("the header is not valid JSON: it ends inside a string")
	return text{}
}

// escape reads one escape of a string. Half of a surrogate pair is no
// character: encoding/json would read it as U+FFFD, which two names could share.
func (r *reader) escape() {
	rest := r.text[r.at:]
	first, ok := unicodeEscape(rest)
	switch {
	case ok && !utf16.IsSurrogate(first):
		r.at += 6
	case ok:
		second, _ := unicodeEscape(rest[6:])
		if utf16.DecodeRune(first, second) == utf8.RuneError {
			r.fail("the header has half of a surrogate pair, which is no character")
		}
		r.at += 12
	case len(rest) > 1 && simpleEscape[rest[1]]:
		r.at += 2
	default:
		r.fail("the header is not valid JSON: it has a string with a broken escape")
	}
}

var simpleEscape = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// unicodeEscape reads \u and its four hexadecimal digits.
func unicodeEscape(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(v), err == nil
}

// decode returns the characters of a string.
func (r *reader) decode(t text) string { return string(r.decodeBytes(t)) }

// decodeBytes does the same without a copy where nothing is escaped.
func (r *reader) decodeBytes(t text) []byte {
	raw := r.text[t.from:t.to]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	var s string
	if err := json.Unmarshal(r.text[t.from-1:t.to+1], &s); err != nil {
		panic(err) // string has checked it
	}
	return []byte(s)
}

// whole reads a whole number from 0, or reports that there is none that 64
// bits hold.
func (r *reader) whole() (n uint64, ok bool) {
	r.peek()
	from := r.at
	for ; r.at < len(r.text) && '0' <= r.text[r.at] && r.text[r.at] <= '9'; r.at++ {
		high, low := bits.Mul64(n, 10)
		sum, carry := bits.Add64(low, uint64(r.text[r.at]-'0'), 0)
		if high != 0 || carry != 0 {
			return 0, false
		}
		n = sum
	}
	leadingZero := r.at-from > 1 && r.text[from] == '0'
	switch r.peek() {
	case ',', ']':
		return n, r.at > from && !leadingZero
	}
	return 0, false
}

// product multiplies dimensions, or reports an overflow.
func product(n, d uint64) (uint64, bool) {
	high, low := bits.Mul64(n, d)
	return low, high == 0
}
