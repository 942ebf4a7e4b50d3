package probe

import (
	"slices"
	"strings"

	"surgeon/probe/task"
)

// Manner is how a model answered a task, whatever its answers are worth: a
// change of it is a change of form, which must not be taken for one of
// knowledge.
type Manner struct {
	N       int     `json:"n"`
	Letters []int   `json:"letters,omitempty"` // how often each choice was taken, by its place in the prompt
	Gold    []int   `json:"gold,omitempty"`    // how often each was right
	Tokens  float64 `json:"tokens,omitempty"`  // mean length of a text

	Empty       float64 `json:"empty"`       // shares of the answers, from 0 to 1
	Unparseable float64 `json:"unparseable"` // no answer was found in the text
	Truncated   float64 `json:"truncated"`   // it had as many tokens as it might
	Repeated    float64 `json:"repeated"`    // it repeats itself
	Refused     float64 `json:"refused"`     // it refuses to answer

	// Collapsed is set where one letter is taken for at least three quarters of
	// at least 20 items and is right for less than half of them: the model does
	// not choose.
	Collapsed bool `json:"collapsed,omitempty"`
}

// The share of one letter and the number of items from which a Manner counts as
// Collapsed.
const (
	CollapsedShare = 0.75
	CollapsedItems = 20
)

// MannerOf counts the answers to questions.
func MannerOf(asked []Asked, answers []Answer) Manner {
	m := Manner{N: len(answers)}
	tokens := 0
	for _, a := range answers {
		q := asked[a.Question].Question
		if letters(q.Continuations) {
			last := len(q.Continuations) - 1
			m.Letters, m.Gold = grown(m.Letters, last), grown(m.Gold, last)
			m.Letters[place(q, a.Grade.Chosen)]++
			m.Gold[q.Gold]++
		}
		tokens += a.Reply.Tokens
		for _, flag := range a.Grade.Flags {
			if share := m.share(flag); share != nil {
				*share += 1 / float64(m.N)
			}
		}
	}
	if m.N > 0 {
		m.Tokens = float64(tokens) / float64(m.N)
	}
	m.Collapsed = m.collapsed()
	return m
}

func (m *Manner) share(flag string) *float64 {
	return map[string]*float64{task.Empty: &m.Empty, task.Unparseable: &m.Unparseable, task.Truncated: &m.Truncated,
		task.Repeated: &m.Repeated, task.Refused: &m.Refused}[flag]
}

// place is where a choice of the data set stands in a prompt.
func place(q task.Question, choice int) int {
	if q.Order == nil {
		return choice
	}
	return slices.Index(q.Order, choice)
}

// letters reports whether continuations are the letters A, B, ... of choices that
// stand in the prompt.
func letters(continuations []string) bool {
	for i, c := range continuations {
		if strings.TrimSpace(c) != string(rune('A'+i)) {
			return false
		}
	}
	return len(continuations) > 0
}

// grown are counts for all choices up to the last.
func grown(counts []int, last int) []int {
	for len(counts) <= last {
		counts = append(counts, 0)
	}
	return counts
}

func (m *Manner) collapsed() bool {
	if m.N < CollapsedItems || m.Letters == nil {
		return false
	}
	most := slices.Index(m.Letters, slices.Max(m.Letters))
	return float64(m.Letters[most]) >= CollapsedShare*float64(m.N) && 2*m.Gold[most] < m.N
}
