package decoder

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"surgeon/tensors/kernel"
)

// scoring keeps what the requests of one call want to know of which token.
type scoring struct {
	requests  []Request
	responses []Response
	sequences [][]int32  // what is fed: prompt, or prompt + continuation without its last token
	owners    []owner    // per sequence
	best      [][][]bool // per request, continuation and token: it is the most likely one
	open      []int      // per request, how many of its sequences were not graded yet
	done      func(request int, r Response)
}

// owner says whose sequence it is; continuation is -1 for a bare prompt.
type owner struct{ request, continuation int }

// want is a row of a batch and the questions that its logits answer.
type want struct {
	row       int
	questions []question
}

// question asks, of the logits at a row, how likely a token is as number index
// of a continuation; index -1 asks for the logits themselves.
type question struct {
	owner
	index int
}

func newScoring(requests []Request, done func(request int, r Response)) *scoring {
	s := &scoring{requests: requests, responses: make([]Response, len(requests)), best: make([][][]bool, len(requests)),
		open: make([]int, len(requests)), done: done}
	for i, r := range requests {
		out := &s.responses[i]
		out.LogProbs, out.Greedy = make([]float64, len(r.Continuations)), make([]bool, len(r.Continuations))
		for j, continuation := range r.Continuations {
			out.Tokens = append(out.Tokens, make([]float64, len(continuation)))
			s.best[i] = append(s.best[i], make([]bool, len(continuation)))
			s.add(slices.Concat(r.Prompt, continuation[:len(continuation)-1]), owner{i, j})
		}
		if r.Logits || r.Hidden {
			s.add(r.Prompt, owner{i, -1})
		}
	}
	return s
}

func (s *scoring) add(sequence []int32, o owner) {
	s.sequences, s.owners = append(s.sequences, sequence), append(s.owners, o)
	s.open[o.request]++
}

// rows lists the rows of a batch that are asked about, in order.
func (s *scoring) rows(b *batch) []want {
	questions := map[int][]question{}
	for sequence := range b.leaves {
		o := s.owners[sequence]
		end := len(s.requests[o.request].Prompt) - 1
		if o.continuation < 0 && !s.requests[o.request].Logits {
			continue
		}
		if o.continuation < 0 {
			row := b.row(sequence, end)
			questions[row] = append(questions[row], question{o, -1})
			continue
		}
		for i := range s.requests[o.request].Continuations[o.continuation] {
			row := b.row(sequence, end+i)
			questions[row] = append(questions[row], question{o, i})
		}
	}
	wanted := make([]want, 0, len(questions))
	for row, list := range questions {
		wanted = append(wanted, want{row, list})
	}
	slices.SortFunc(wanted, func(a, b want) int { return cmp.Compare(a.row, b.row) })
	return wanted
}

// observe notes the residual stream [rows, hidden] of a batch behind a layer for the
// requests that ask for it: its mean over the tokens of their prompts, in float64.
func (s *scoring) observe(b *batch, stream []float32, hidden int) {
	for _, sequence := range slices.Sorted(maps.Keys(b.leaves)) {
		o := s.owners[sequence]
		r := s.requests[o.request]
		if o.continuation >= 0 || !r.Hidden {
			continue
		}
		mean := make([]float64, hidden)
		for position := range r.Prompt {
			row := b.row(sequence, position)
			for i, v := range stream[row*hidden : (row+1)*hidden] {
				mean[i] += float64(v)
			}
		}
		for i := range mean {
			mean[i] /= float64(len(r.Prompt))
		}
		s.responses[o.request].Hidden = append(s.responses[o.request].Hidden, mean)
	}
}

// grade answers the questions about one row. Every question has a place of its
// own, so rows may be graded at once.
func (s *scoring) grade(w want, logits []float32) {
	total, best := kernel.LogSumExp(logits), kernel.ArgMax(logits)
	for _, q := range w.questions {
		if q.index < 0 {
			s.responses[q.request].Logits = slices.Clone(logits)
			continue
		}
		token := s.requests[q.request].Continuations[q.continuation][q.index]
		s.responses[q.request].Tokens[q.continuation][q.index] = float64(logits[token]) - total
		s.best[q.request][q.continuation][q.index] = int(token) == best
	}
}

// graded notes that all rows of a batch were graded, and finishes the requests
// that wait for no other.
func (s *scoring) graded(b *batch) error {
	for _, sequence := range slices.Sorted(maps.Keys(b.leaves)) {
		i := s.owners[sequence].request
		if s.open[i]--; s.open[i] > 0 {
			continue
		}
		if err := s.finish(i); err != nil {
			return &RequestError{i, err}
		}
		if s.done != nil {
			s.done(i, s.responses[i])
		}
	}
	return nil
}

// finish adds up the tokens of each continuation, in their order.
func (s *scoring) finish(i int) error {
	r := &s.responses[i]
	if !kernel.Finite(r.Logits) {
		return errors.New("its logits are not finite")
	}
	for j, tokens := range r.Tokens {
		for _, v := range tokens {
			r.LogProbs[j] += v
		}
		r.Greedy[j] = !slices.Contains(s.best[i][j], false)
		if math.IsNaN(r.LogProbs[j]) {
			return fmt.Errorf("the log-likelihood of continuation %d is not a number", j+1)
		}
	}
	return nil
}
