package decoder

import (
	"context"
	"fmt"
	"slices"
	"time"

	"surgeon/tensors/kernel"
)

// Generation asks for the continuation of a prompt, token by token.
type Generation struct {
	Prompt    []int32 // at least one token
	MaxTokens int     // at least 1
	EOS       []int32 // tokens that end it
	// Stop is told the tokens so far, after each, and reports whether to end. It
	// may be nil.
	Stop     func(ids []int32) bool
	Sampling Sampling
}

// Check checks a request against a Config without running anything.
func (g Generation) Check(c Config) error {
	if err := (Request{Prompt: g.Prompt}).Check(c); err != nil {
		return err
	}
	if g.MaxTokens < 1 {
		return fmt.Errorf("max_tokens is %d: it must be at least 1", g.MaxTokens)
	}
	return g.Sampling.check()
}

// Finish says why a generation ended.
type Finish string

// The reasons why a generation ends.
const (
	FinishEOS     Finish = "eos"     // a token of EOS, which is not among the ids
	FinishStop    Finish = "stop"    // Stop said so
	FinishLength  Finish = "length"  // MaxTokens were generated
	FinishContext Finish = "context" // the context is full
)

// Generated answers a Generation.
type Generated struct {
	IDs    []int32
	Finish Finish
}

// Continued is what a Generate did.
type Continued struct {
	Answers []Generated   // one for each request
	Rows    int64         // tokens that went through the model, those that prompts share once
	Time    time.Duration // that it took
}

// GenerateOptions of Generate; the zero value is ready to use.
type GenerateOptions struct {
	Sequences int   // that are continued at once; 0 is 64
	Cache     int64 // bytes of keys and values; 0 is 512 MiB. One sequence always fits.
	// Progress is told how many tokens were generated so far; it may be nil.
	Progress func(tokens int64)
	// Done is told every answer as soon as it is there; it may be nil.
	Done func(request int, g Generated)
}

// Generate continues prompts. Sequences join and leave between two tokens
// (continuous batching: Yu et al., Orca, OSDI 2022), equal beginnings of prompts
// are computed once, and the keys and values of earlier tokens are kept in pages
// (Kwon et al., arXiv 2309.06180). An answer has the same tokens whatever other
// requests there are. An error is a *RequestError, or names the tensor that
// cannot be read or the layer whose output is not finite.
func (m *Model) Generate(ctx context.Context, requests []Generation, opt GenerateOptions) (Continued, error) {
	for i, r := range requests {
		if err := r.Check(m.config); err != nil {
			return Continued{}, &RequestError{i, err}
		}
	}
	g, start := newGenerator(m, requests, opt), time.Now()
	var err error
	for err == nil && len(g.waiting)+len(g.active) > 0 {
		err = g.step(ctx)
	}
	return Continued{g.answers, g.rows, time.Since(start)}, err
}

// sequence is a prompt and what was generated after it.
type sequence struct {
	request int
	prompt  int // how many of ids are the prompt
	ids     []int32
	caches  []*kernel.Cache // per layer, of all ids but the last; nil before the prompt was fed
}

// accept appends a token to a sequence and reports the answer if that ends it.
func (s *sequence) accept(r Generation, token int32, context int) (Generated, bool) {
	if slices.Contains(r.EOS, token) {
		return Generated{s.ids[s.prompt:], FinishEOS}, true
	}
	s.ids = append(s.ids, token)
	out := Generated{IDs: s.ids[s.prompt:]}
	switch {
	case r.Stop != nil && r.Stop(out.IDs):
		out.Finish = FinishStop
	case len(out.IDs) == r.MaxTokens:
		out.Finish = FinishLength
	case len(s.ids) > context:
		out.Finish = FinishContext
	}
	return out, out.Finish != ""
}
