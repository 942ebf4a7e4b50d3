package pattern

import (
	"errors"
	"fmt"
)

// instruction is a step of a program. Where nothing else is said, the next one
// follows.
type instruction struct {
	op      operation
	class   *class
	a, b    int // two instructions, or a slot, or a group
	choice  int // of a choice: which one it is
	end     int // of a look-around or atomic group: the last choice within, and one more
	width   int // of a look-around: how far to go back
	negated bool
	folded  bool
	place   place
	is      kind
}

type operation uint8

const (
	opMatch  operation = iota // the end
	opClass                   // a character of the class
	opChoose                  // go to a and, where that fails, to b
	opJump                    // go to a
	opSave                    // the position to slot a
	opMoved                   // go to b where the position is that in slot a
	opLook                    // the program from the next instruction on matches here, or not; go to a
	opAtomic                  // the program from the next instruction on matches here; go to a, from its end
	opRefer                   // what group a matched
	opAnchor
)

// Compile reads an expression. An error says what is wrong with it.
func Compile(expression string, flags Flags) (*Pattern, error) {
	reader := parser{text: []rune(expression), flags: flags, names: map[string]int{}}
	n, err := reader.parse()
	if err != nil {
		return nil, fmt.Errorf("%q is not a regular expression: %w", expression, err)
	}
	c := compiler{slots: 2 * (reader.groups + 1)}
	if err = c.node(n); err != nil {
		return nil, fmt.Errorf("%q is not a regular expression: %w", expression, err)
	}
	c.emit(instruction{op: opMatch})
	p := &Pattern{program: c.program, choices: c.choices, slots: c.slots, remember: !reader.refers}
	p.first = firstClass(p.program)
	return p, nil
}

type compiler struct {
	program []instruction
	choices int
	slots   int
	visits  int // of nodes, for the time it takes
}

func (c *compiler) emit(i instruction) int {
	c.program = append(c.program, i)
	return len(c.program) - 1
}

// choose emits a choice whose targets are set later.
func (c *compiler) choose() int {
	c.choices++
	return c.emit(instruction{op: opChoose, choice: c.choices - 1})
}

// aim sets where a choice goes: greedy, inside first.
func (c *compiler) aim(choice, inside, outside int, lazy bool) {
	i := &c.program[choice]
	if i.a, i.b = inside, outside; lazy {
		i.a, i.b = outside, inside
	}
}

func (c *compiler) node(n *node) error {
	if c.visits++; c.visits > 10*programLimit || len(c.program) > programLimit {
		return errTooLarge
	}
	switch n.kind {
	case character:
		c.emit(instruction{op: opClass, class: n.class})
	case anchor:
		c.emit(instruction{op: opAnchor, place: n.place, negated: n.negated, is: n.is})
	case reference:
		c.emit(instruction{op: opRefer, a: n.group, folded: n.folded})
	case sequence:
		for _, part := range n.nodes {
			if err := c.node(part); err != nil {
				return err
			}
		}
	case alternative:
		return c.alternative(n)
	case repeat:
		return c.repeat(n)
	case group:
		if n.group == 0 {
			return c.node(n.nodes[0])
		}
		c.emit(instruction{op: opSave, a: 2 * n.group})
		err := c.node(n.nodes[0])
		c.emit(instruction{op: opSave, a: 2*n.group + 1})
		return err
	case look, atomic:
		return c.apart(n)
	}
	return nil
}

func (c *compiler) alternative(n *node) error {
	var ends []int
	for i, part := range n.nodes {
		choice := -1
		if i < len(n.nodes)-1 {
			choice = c.choose()
		}
		if err := c.node(part); err != nil {
			return err
		}
		if choice >= 0 {
			ends = append(ends, c.emit(instruction{op: opJump}))
			c.aim(choice, choice+1, len(c.program), false)
		}
	}
	for _, end := range ends {
		c.program[end].a = len(c.program)
	}
	return nil
}

// repeat writes out the parts that must be there, and then a loop, or the parts
// that may be there, each inside the one before.
func (c *compiler) repeat(n *node) error {
	for range n.min {
		if err := c.node(n.nodes[0]); err != nil {
			return err
		}
	}
	if n.max < 0 {
		return c.loop(n)
	}
	var choices []int
	for range n.max - n.min {
		choices = append(choices, c.choose())
		if err := c.node(n.nodes[0]); err != nil {
			return err
		}
	}
	for _, choice := range choices {
		c.aim(choice, choice+1, len(c.program), n.lazy)
	}
	return nil
}

// loop repeats without a limit. Where a round can match nothing, a slot holds
// the place where it began, and a round that does match nothing is the last.
func (c *compiler) loop(n *node) error {
	choice, slot := c.choose(), c.slots
	least, _ := width(n.nodes[0])
	if least == 0 {
		c.slots++
		c.emit(instruction{op: opSave, a: slot})
	}
	if err := c.node(n.nodes[0]); err != nil {
		return err
	}
	if least == 0 {
		c.emit(instruction{op: opMoved, a: slot, b: len(c.program) + 2})
	}
	c.emit(instruction{op: opJump, a: choice})
	c.aim(choice, choice+1, len(c.program), n.lazy)
	return nil
}

// apart writes a program within the program, for a look-around or an atomic
// group.
func (c *compiler) apart(n *node) error {
	i := instruction{op: opAtomic, negated: n.negated, choice: c.choices}
	if n.kind == look {
		i.op = opLook
	}
	if n.behind {
		least, most := width(n.nodes[0])
		if least != most {
			return errors.New("what it looks behind for has no fixed length")
		}
		i.width = least
	}
	at := c.emit(i)
	if err := c.node(n.nodes[0]); err != nil {
		return err
	}
	c.emit(instruction{op: opMatch})
	c.program[at].a, c.program[at].end = len(c.program), c.choices
	return nil
}

// unbounded is the width of what has no greatest one.
const unbounded = 1 << 30

// width is the least and the greatest number of characters a node matches.
func width(n *node) (least, most int) {
	switch n.kind {
	case character:
		return 1, 1
	case anchor, look:
		return 0, 0
	case reference:
		return 0, unbounded
	case alternative:
		least = unbounded
	}
	for _, part := range n.nodes {
		low, high := width(part)
		if n.kind == alternative {
			least, most = min(least, low), max(most, high)
		} else {
			least, most = min(least+low, unbounded), min(most+high, unbounded)
		}
	}
	if n.kind == repeat {
		least = min(least*n.min, unbounded)
		if n.max < 0 && most > 0 {
			most = unbounded
		} else if n.max >= 0 {
			most = min(most*n.max, unbounded)
		}
	}
	return least, most
}

// firstClass is the set of characters a match can begin with, or nil if it may
// be empty. What it looks at, but does not take, is not considered.
func firstClass(program []instruction) *class {
	c := &class{}
	seen := make([]bool, len(program))
	var visit func(at int) bool // false: nothing need be taken
	visit = func(at int) bool {
		if seen[at] {
			return true
		}
		seen[at] = true
		switch i := program[at]; i.op {
		case opMatch, opRefer:
			return false
		case opClass:
			c.kinds = append(c.kinds, kind{is: i.class.has})
			return true
		case opChoose:
			return visit(i.a) && visit(i.b)
		case opJump, opLook:
			return visit(i.a)
		case opAtomic:
			return visit(at+1) || visit(i.a)
		default:
			return visit(at + 1)
		}
	}
	if !visit(0) {
		return nil
	}
	return c.ready()
}
