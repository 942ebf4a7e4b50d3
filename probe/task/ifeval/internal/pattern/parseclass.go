package pattern

import (
	"errors"
	"fmt"
	"strings"
)

// class reads what stands between square brackets, the opening one being read.
func (p *parser) class() (*node, error) {
	c := &class{folded: p.flags&IgnoreCase != 0, negated: p.take("^")}
	for first := true; first || p.peek() != ']'; first = false {
		low, category, err := p.member()
		if err != nil {
			return nil, err
		}
		if p.peek() != '-' || p.pos+1 < len(p.text) && p.text[p.pos+1] == ']' {
			if category != nil {
				c.kinds = append(c.kinds, *category)
			} else {
				c.ranges = append(c.ranges, span{low, low})
			}
			continue
		}
		p.pos++
		high, last, err := p.member()
		if err != nil {
			return nil, err
		}
		if category != nil || last != nil || low > high {
			return nil, errors.New("a range of characters is none")
		}
		c.ranges = append(c.ranges, span{low, high})
	}
	p.pos++
	return &node{kind: character, class: c.ready()}, nil
}

// member reads one character or category of a class.
func (p *parser) member() (rune, *kind, error) {
	if !p.more() {
		return 0, nil, errors.New("an opening square bracket is not closed")
	}
	r := p.peek()
	p.pos++
	if r != '\\' {
		return r, nil, nil
	}
	if !p.more() {
		return 0, nil, errors.New("an opening square bracket is not closed")
	}
	letter := p.peek()
	p.pos++
	if k, is := category(letter, p.flags); is {
		return 0, &k, nil
	}
	switch {
	case letter == 'b':
		return '\b', nil, nil
	case '0' <= letter && letter <= '7':
		r, err := p.octal(letter)
		return r, nil, err
	}
	r, err := p.code(letter)
	return r, nil, err
}

// escape reads what a backslash begins outside a class.
func (p *parser) escape() (*node, error) {
	if !p.more() {
		return nil, errors.New("there is nothing behind the backslash at its end")
	}
	letter := p.peek()
	p.pos++
	if k, is := category(letter, p.flags); is {
		return &node{kind: character, class: (&class{kinds: []kind{k}, folded: p.flags&IgnoreCase != 0}).ready()}, nil
	}
	switch letter {
	case 'A':
		return &node{kind: anchor, place: textBegin}, nil
	case 'Z':
		return &node{kind: anchor, place: textEnd}, nil
	case 'b', 'B':
		words, _ := category('w', p.flags)
		return &node{kind: anchor, place: boundary, negated: letter == 'B', is: words}, nil
	case '0':
		r, err := p.octal(letter)
		return p.literal(r), err
	}
	if '1' <= letter && letter <= '9' {
		return p.numbered(letter)
	}
	r, err := p.code(letter)
	return p.literal(r), err
}

// numbered reads a reference, or a character if three octal digits follow.
func (p *parser) numbered(digit rune) (*node, error) {
	number := int(digit - '0')
	if next := p.peek(); '0' <= next && next <= '9' {
		if p.pos+1 < len(p.text) && isOctal(digit) && isOctal(next) && isOctal(p.text[p.pos+1]) {
			r, err := p.octal(digit)
			return p.literal(r), err
		}
		p.pos++
		number = 10*number + int(next-'0')
	}
	return p.reference(number)
}

func isOctal(r rune) bool { return '0' <= r && r <= '7' }

// octal reads up to two more octal digits.
func (p *parser) octal(digit rune) (rune, error) {
	r := digit - '0'
	for n := 0; n < 2 && isOctal(p.peek()); n++ {
		r = 8*r + p.peek() - '0'
		p.pos++
	}
	if r > 0o377 {
		return 0, errors.New("an octal number is over 377")
	}
	return r, nil
}

// code is the character that a letter behind a backslash stands for.
func (p *parser) code(letter rune) (rune, error) {
	if i := strings.IndexRune("abfnrtv", letter); i >= 0 && letter != 'b' {
		return []rune("\a\b\f\n\r\t\v")[i], nil
	}
	if digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[letter]; digits > 0 {
		var r int64
		for range digits {
			i := strings.IndexRune("0123456789abcdefABCDEF", p.peek())
			if !p.more() || i < 0 {
				return 0, fmt.Errorf(`\%c wants %d hexadecimal digits`, letter, digits)
			}
			if i > 15 {
				i -= 6
			}
			r = 16*r + int64(i)
			p.pos++
		}
		if r > 0x10FFFF {
			return 0, errors.New("a character number is over 10FFFF")
		}
		return rune(r), nil
	}
	if '0' <= letter && letter <= '9' || 'a' <= letter && letter <= 'z' || 'A' <= letter && letter <= 'Z' {
		return 0, fmt.Errorf(`\%c means nothing`, letter)
	}
	return letter, nil
}
