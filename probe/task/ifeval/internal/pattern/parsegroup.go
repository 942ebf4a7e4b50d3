package pattern

import (
	"errors"
	"fmt"
	"slices"
	"unicode"
)

// bracket reads what stands between round brackets, the opening one being read.
func (p *parser) bracket() (*node, error) {
	switch {
	case !p.take("?"):
		return p.capture("")
	case p.take("P<"):
		name, err := p.name('>')
		if err != nil {
			return nil, err
		}
		if _, twice := p.names[name]; twice {
			return nil, fmt.Errorf("the group name %q is defined twice", name)
		}
		return p.capture(name)
	case p.take("P="):
		name, err := p.name(')')
		if err != nil {
			return nil, err
		}
		number, known := p.names[name]
		if !known {
			return nil, fmt.Errorf("the group name %q is not known", name)
		}
		return p.reference(number)
	case p.take(":"):
		n, err := p.closed()
		return &node{kind: group, nodes: []*node{n}}, err
	case p.take(">"):
		n, err := p.closed()
		return &node{kind: atomic, nodes: []*node{n}}, err
	case p.take("#"):
		for p.more() {
			if p.pos++; p.text[p.pos-1] == ')' {
				return nil, nil
			}
		}
		return nil, errors.New("a comment is not closed")
	}
	n := &node{kind: look}
	n.behind = p.take("<")
	if n.negated = p.take("!"); !n.negated && !p.take("=") {
		if n.behind {
			return nil, errors.New("what follows (?< is not known")
		}
		return p.flagged()
	}
	inner, err := p.closed()
	n.nodes = []*node{inner}
	return n, err
}

// closed reads alternatives and the bracket that ends them.
func (p *parser) closed() (*node, error) {
	n, err := p.alternatives()
	if err == nil && !p.take(")") {
		err = errors.New("an opening bracket is not closed")
	}
	return n, err
}

// capture reads a group that is remembered.
func (p *parser) capture(name string) (*node, error) {
	p.groups++
	number := p.groups
	if name != "" {
		p.names[name] = number
	}
	p.open = append(p.open, number)
	n, err := p.closed()
	p.open = p.open[:len(p.open)-1]
	return &node{kind: group, group: number, nodes: []*node{n}}, err
}

// name reads a name and the character that ends it.
func (p *parser) name(end rune) (string, error) {
	from := p.pos
	for p.more() && p.peek() != end {
		p.pos++
	}
	name := p.text[from:p.pos]
	good := len(name) > 0 && p.more() && !unicode.IsDigit(name[0])
	for _, r := range name {
		good = good && word(r)
	}
	if !good {
		return "", errors.New("a group name is missing, not closed or not a word")
	}
	p.pos++
	return string(name), nil
}

// reference is what a group matched before.
func (p *parser) reference(number int) (*node, error) {
	if number > p.groups {
		return nil, fmt.Errorf("there is no group %d", number)
	}
	if slices.Contains(p.open, number) {
		return nil, fmt.Errorf("group %d is not closed where it is referred to", number)
	}
	p.refers = true
	return &node{kind: reference, group: number, folded: p.flags&IgnoreCase != 0}, nil
}

// flagged reads (?i) and (?i:...), the question mark being read.
func (p *parser) flagged() (*node, error) {
	start := p.pos - 2
	var on, off Flags
	negative := false
	for ; p.more() && p.peek() != ':' && p.peek() != ')'; p.pos++ {
		flag, known := map[rune]Flags{'i': IgnoreCase, 'm': Multiline, 's': DotAll, 'u': 0}[p.peek()]
		switch {
		case p.peek() == '-' && !negative:
			negative = true
		case !known:
			return nil, fmt.Errorf("what follows (? at character %d is not known here", start)
		case negative:
			off |= flag
		default:
			on |= flag
		}
	}
	switch {
	case p.pos == start+2 || on&off != 0:
		return nil, errors.New("flags are missing or both on and off")
	case p.take(":"):
		before := p.flags
		p.flags = p.flags&^off | on
		n, err := p.closed()
		p.flags = before
		return &node{kind: group, nodes: []*node{n}}, err
	case !p.take(")") || negative:
		return nil, errors.New("flags are not closed")
	case start != p.head:
		return nil, errors.New("flags for the whole stand elsewhere than at its beginning")
	}
	p.flags |= on
	return nil, nil
}
