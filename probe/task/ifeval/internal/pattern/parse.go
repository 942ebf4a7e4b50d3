package pattern

import (
	"errors"
	"fmt"
	"slices"
)

// node is a part of an expression.
type node struct {
	kind     nodeKind
	class    *class  // of a character
	nodes    []*node // of a sequence, an alternative, or the one of the others
	min, max int     // of a repeat; max is -1 for no limit
	lazy     bool    // of a repeat: as few as possible
	group    int     // of a group; 0: none. Of a reference, the group
	negated  bool    // of a look-around and of a word boundary
	behind   bool    // of a look-around
	folded   bool    // of a reference
	place    place   // of an anchor
	is       kind    // of a word boundary, what a word is made of
}

type nodeKind uint8

const (
	character nodeKind = iota
	sequence
	alternative
	repeat
	group
	look
	atomic // matched once, and not tried again
	reference
	anchor
)

// place is where an anchor holds.
type place uint8

const (
	textBegin place = iota
	textEnd
	lastLineEnd // at the end or before the line feed that ends the text
	lineBegin
	lineEnd
	boundary
)

// The limits keep a hostile expression from exhausting the memory.
const (
	depthLimit   = 200
	programLimit = 20_000
)

var errTooLarge = errors.New("it is too large")

// parser reads an expression by the grammar of re in Python 3.11.
type parser struct {
	text   []rune
	pos    int
	flags  Flags
	groups int // opened so far
	names  map[string]int
	open   []int // groups that are not closed yet
	refers bool  // there is a reference
	head   int   // where flags for the whole may stand: behind others and comments
	depth  int
}

func (p *parser) more() bool { return p.pos < len(p.text) }

func (p *parser) peek() rune {
	if p.more() {
		return p.text[p.pos]
	}
	return -1
}

// take skips what comes next if it is s.
func (p *parser) take(s string) bool {
	want := []rune(s)
	if len(p.text)-p.pos < len(want) || !slices.Equal(p.text[p.pos:p.pos+len(want)], want) {
		return false
	}
	p.pos += len(want)
	return true
}

// alternatives reads until a closing bracket or the end.
func (p *parser) alternatives() (*node, error) {
	if p.depth++; p.depth > depthLimit {
		return nil, errTooLarge
	}
	defer func() { p.depth-- }()
	either := &node{kind: alternative}
	for {
		n, err := p.sequence()
		if err != nil {
			return nil, err
		}
		either.nodes = append(either.nodes, n)
		if !p.take("|") {
			break
		}
	}
	if len(either.nodes) == 1 {
		return either.nodes[0], nil
	}
	return either, nil
}

func (p *parser) sequence() (*node, error) {
	all := &node{kind: sequence}
	for p.more() && p.peek() != '|' && p.peek() != ')' {
		if least, most, is := p.counts(); is {
			if len(all.nodes) == 0 {
				return nil, errors.New("nothing to repeat")
			}
			last := &all.nodes[len(all.nodes)-1]
			repeated, err := p.repeated(*last, least, most)
			if err != nil {
				return nil, err
			}
			*last = repeated
			continue
		}
		from := p.pos
		n, err := p.item()
		switch {
		case err != nil:
			return nil, err
		case n != nil:
			all.nodes = append(all.nodes, n)
		case from == p.head:
			p.head = p.pos
		}
	}
	return all, nil
}

// counts reads the numbers of a repeat, if one comes next.
func (p *parser) counts() (least, most int, is bool) {
	switch {
	case p.take("*"):
		return 0, -1, true
	case p.take("+"):
		return 1, -1, true
	case p.take("?"):
		return 0, 1, true
	case p.peek() != '{':
		return 0, 0, false
	}
	back := p.pos
	p.pos++
	if p.peek() == '}' { // a bracket without numbers is only a bracket
		p.pos = back
		return 0, 0, false
	}
	least, given := p.number()
	if most = least; p.take(",") {
		if most, given = p.number(); !given {
			most = -1
		}
	} else if !given {
		p.pos = back
		return 0, 0, false
	}
	if !p.take("}") {
		p.pos = back
		return 0, 0, false
	}
	return least, most, true
}

// number reads digits; more than fit a program are cut to what does not.
func (p *parser) number() (n int, given bool) {
	for ; p.more() && '0' <= p.peek() && p.peek() <= '9'; p.pos++ {
		n, given = min(10*n+int(p.peek()-'0'), programLimit+2), true
	}
	return n, given
}

// repeated is n so many times, behind whose numbers a ? or + may stand.
func (p *parser) repeated(n *node, least, most int) (*node, error) {
	switch {
	case n.kind == anchor:
		return nil, errors.New("nothing to repeat")
	case n.kind == repeat, n.kind == atomic && n.group < 0:
		return nil, errors.New("multiple repeat")
	case most >= 0 && least > most:
		return nil, errors.New("the least of a repeat is greater than the most")
	}
	r := &node{kind: repeat, nodes: []*node{n}, min: least, max: most}
	if p.take("?") {
		r.lazy = true
	} else if p.take("+") {
		return &node{kind: atomic, nodes: []*node{r}, group: -1}, nil // -1 marks it as a repeat
	}
	return r, nil
}

// item reads one character, class, group or anchor; a comment and global flags
// are nil.
func (p *parser) item() (*node, error) {
	r := p.peek()
	p.pos++
	switch r {
	case '.':
		if p.flags&DotAll != 0 {
			return &node{kind: character, class: (&class{negated: true}).ready()}, nil
		}
		return &node{kind: character, class: (&class{ranges: []span{{'\n', '\n'}}, negated: true}).ready()}, nil
	case '^':
		if p.flags&Multiline != 0 {
			return &node{kind: anchor, place: lineBegin}, nil
		}
		return &node{kind: anchor, place: textBegin}, nil
	case '$':
		if p.flags&Multiline != 0 {
			return &node{kind: anchor, place: lineEnd}, nil
		}
		return &node{kind: anchor, place: lastLineEnd}, nil
	case '[':
		return p.class()
	case '(':
		return p.bracket()
	case '\\':
		return p.escape()
	}
	return p.literal(r), nil
}

func (p *parser) literal(r rune) *node {
	return &node{kind: character, class: single(r, p.flags&IgnoreCase != 0)}
}

// parse reads a whole expression.
func (p *parser) parse() (*node, error) {
	n, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if p.more() {
		return nil, fmt.Errorf("the closing bracket at character %d has no opening one", p.pos)
	}
	return n, nil
}
