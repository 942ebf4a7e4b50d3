package record

import (
	"bufio"
	"bytes"
	"io"
)

// constants reads JSON and writes null where Python wrote NaN, Infinity or
// -Infinity, which encoding/json refuses, and one blank for any white space
// between values, of which encoding/json reads long stretches again and again.
// Strings are left alone. A byte order mark is left out.
type constants struct {
	source *bufio.Reader
	ready  []byte // to be handed out before what source has; a part of buffer
	buffer []byte
	begun  bool
	quoted bool // within a string
	blank  bool // the last byte was a blank between values
}

func newConstants(r io.Reader) *constants {
	return &constants{source: bufio.NewReaderSize(r, 64<<10)}
}

// longestConstant is the number of bytes that must be seen at once.
const longestConstant = len("-Infinity")

// Read implements io.Reader.
func (c *constants) Read(dst []byte) (int, error) {
	if !c.begun {
		c.begun = true
		if head, _ := c.source.Peek(len(byteOrderMark)); bytes.Equal(head, byteOrderMark) {
			c.source.Discard(len(head))
		}
	}
	for len(c.ready) == 0 && len(dst) > 0 {
		if err := c.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(dst, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

// advance makes ready what is buffered, up to where something may begin that is
// not all seen yet.
func (c *constants) advance() error {
	if _, err := c.source.Peek(longestConstant); err != nil && c.source.Buffered() == 0 {
		return err
	}
	text, _ := c.source.Peek(c.source.Buffered())
	c.ready = c.buffer[:0]
	used := 0
	for used < len(text) {
		n := c.step(text[used:], used == 0)
		if n == 0 {
			break
		}
		used += n
	}
	c.buffer = c.ready
	_, err := c.source.Discard(used)
	return err
}

// step takes the next token's worth of bytes, and returns how many: 0 if more
// must be seen, which is never so at the front, where all is seen that there is.
func (c *constants) step(text []byte, front bool) int {
	b, n := text[0], 1
	switch {
	case c.quoted:
		n = plainText(text)
		if n == 0 {
			n = 1
			c.quoted = b != '"'
			if b == '\\' && len(text) > 1 {
				n = 2
			} else if b == '\\' && !front {
				return 0 // what it escapes is not seen yet
			}
		}
	case b == ' ' || b == '\n' || b == '\t' || b == '\r':
		if !c.blank {
			c.ready = append(c.ready, ' ')
		}
		c.blank = true
		return 1
	case b == '"':
		c.quoted = true
	case b == 'N' || b == 'I' || b == '-':
		if length := constantLength(text); length > 0 {
			c.ready = append(c.ready, "null"...)
			c.blank = false
			return length
		}
		if len(text) < longestConstant && !front {
			return 0
		}
	}
	c.blank = false
	c.ready = append(c.ready, text[:n]...)
	return n
}

// plainText is how many bytes of a string's text stand before a quote or a
// backslash.
func plainText(text []byte) int {
	for i, b := range text {
		if b == '"' || b == '\\' {
			return i
		}
	}
	return len(text)
}

// constantLength is the length of the constant that a text begins with, or 0.
func constantLength(text []byte) int {
	for _, name := range []string{"NaN", "Infinity", "-Infinity"} {
		if len(text) >= len(name) && string(text[:len(name)]) == name {
			return len(name)
		}
	}
	return 0
}
