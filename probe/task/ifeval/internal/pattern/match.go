package pattern

// machine runs a program over a text. It lives as long as one search.
type machine struct {
	pattern *Pattern
	text    []rune
	slots   []int
	stack   []state
	failed  [][]uint64 // for each choice, the positions where it was made: a second time it fails
	reach   int        // no choice was made beyond it since failures were forgotten
	steps   int
	forbid  int // the position where an empty match may not end, or -1
}

// state is where to go on after a failure; or, with an instruction below 0, the
// value a slot had.
type state struct{ instruction, position, slot int32 }

// memoryLimit is the greatest number of bits to remember failures in.
const memoryLimit = 1 << 28

// from matches at a position; the match must not be empty where that is said.
// The slots then hold the groups.
func (m *machine) from(start int, notEmpty bool) (end int, found bool) {
	for i := range m.slots {
		m.slots[i] = -1
	}
	m.stack, m.forbid = m.stack[:0], -1
	if notEmpty {
		m.forbid = start
	}
	if end, found = m.run(0, start, true); found {
		m.slots[0], m.slots[1] = start, end
		m.forget(0, m.pattern.choices, start)
		m.reach = 0
	}
	return end, found
}

// run executes instructions from at on until the end of the program at hand,
// going back to the last choice left whenever one fails.
func (m *machine) run(at, position int, outermost bool) (end int, found bool) {
	bottom := len(m.stack)
	program, text := m.pattern.program, m.text
	for {
		if m.steps++; m.steps > stepLimit {
			return 0, false
		}
		ok := true
		switch i := &program[at]; i.op {
		case opMatch:
			if !outermost || position != m.forbid {
				return position, true
			}
			ok = false
		case opClass:
			if ok = position < len(text) && i.class.has(text[position]); ok {
				position++
			}
			at++
		case opChoose:
			if ok = m.fresh(i.choice, position); ok {
				m.stack = append(m.stack, state{int32(i.b), int32(position), 0})
				at = i.a
			}
		case opJump:
			at = i.a
		case opSave:
			m.stack = append(m.stack, state{-1, int32(m.slots[i.a]), int32(i.a)})
			m.slots[i.a] = position
			at++
		case opMoved:
			if at++; m.slots[i.a] == position {
				at = i.b
			}
		case opLook:
			ok = m.look(i, at+1, position)
			at = i.a
		case opAtomic:
			position, ok = m.apart(i, at+1, position)
			at = i.a
		case opRefer:
			position, ok = m.refer(i, position)
			at++
		case opAnchor:
			ok = m.holds(i, position)
			at++
		}
		if ok {
			continue
		}
		back, left := m.back(bottom)
		if !left {
			return 0, false
		}
		at, position = int(back.instruction), int(back.position)
	}
}

// back takes the last choice off the stack and puts the slots as they were.
func (m *machine) back(bottom int) (last state, left bool) {
	for len(m.stack) > bottom {
		last = m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		if last.instruction >= 0 {
			return last, true
		}
		m.slots[last.slot] = int(last.position)
	}
	return last, false
}

// apart runs a program within the program; of what it leaves on the stack only
// the values of slots are kept, so that it is not tried again.
func (m *machine) apart(i *instruction, at, position int) (end int, found bool) {
	bottom, reach := len(m.stack), m.reach
	m.reach = position
	defer func() { m.reach = max(m.reach, reach) }()
	if end, found = m.run(at, position, false); !found {
		return 0, false
	}
	kept := m.stack[:bottom]
	for _, s := range m.stack[bottom:] {
		if s.instruction < 0 {
			kept = append(kept, s)
		}
	}
	m.stack = kept
	m.forget(i.choice, i.end, position)
	return end, true
}

func (m *machine) look(i *instruction, at, position int) bool {
	position -= i.width
	if position < 0 {
		return i.negated
	}
	bottom := len(m.stack)
	_, found := m.apart(i, at, position)
	if m.steps > stepLimit {
		return false
	}
	if found && i.negated {
		m.back(bottom)
	}
	return found != i.negated
}

func (m *machine) refer(i *instruction, position int) (int, bool) {
	from, to := m.slots[2*i.a], m.slots[2*i.a+1]
	if from < 0 || to < 0 || len(m.text)-position < to-from {
		return position, false
	}
	for k, r := range m.text[from:to] {
		other := m.text[position+k]
		if r != other && !(i.folded && equal(r, other)) {
			return position, false
		}
	}
	m.steps += to - from
	return position + to - from, true
}

func (m *machine) holds(i *instruction, position int) bool {
	switch length := len(m.text); i.place {
	case textBegin:
		return position == 0
	case textEnd:
		return position == length
	case lastLineEnd:
		return position == length || position == length-1 && m.text[position] == '\n'
	case lineBegin:
		return position == 0 || m.text[position-1] == '\n'
	case lineEnd:
		return position == length || m.text[position] == '\n'
	}
	before := position > 0 && i.is.is(m.text[position-1])
	behind := position < len(m.text) && i.is.is(m.text[position])
	return len(m.text) > 0 && (before != behind) != i.negated
}

// fresh says whether a choice is made at a position for the first time, and
// remembers it. Where that is not possible every time is the first.
func (m *machine) fresh(choice, position int) bool {
	if !m.pattern.remember {
		return true
	}
	words := len(m.text)/64 + 1
	if m.failed == nil {
		if m.pattern.choices*words > memoryLimit/64 {
			return true
		}
		m.failed = make([][]uint64, m.pattern.choices)
	}
	if m.failed[choice] == nil {
		m.failed[choice] = make([]uint64, words)
	}
	word, bit := &m.failed[choice][position/64], uint64(1)<<(position%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	m.reach = max(m.reach, position)
	return true
}

// forget drops what is remembered of some choices from a position on: after a
// match not all of them failed.
func (m *machine) forget(from, to, position int) {
	if m.failed == nil || position > m.reach {
		return
	}
	for choice := from; choice < to; choice++ {
		if m.failed[choice] != nil {
			clear(m.failed[choice][position/64 : m.reach/64+1])
			m.steps += (m.reach - position) / 512
		}
	}
}
