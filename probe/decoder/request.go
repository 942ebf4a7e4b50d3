package decoder

import (
	"errors"
	"fmt"
)

// Request asks for the log-likelihoods of continuations after a prompt, for
// the logits after it, for what the layers make of it, or any of these.
type Request struct {
	Prompt        []int32   // at least one token
	Continuations [][]int32 // each of at least one token
	Logits        bool
	Hidden        bool
}

// Check checks a request against a Config without running anything: every list
// has at least one token, ids are in the vocabulary, and what is fed to the
// model fits its context. The last token of a continuation is not fed.
func (r Request) Check(c Config) error {
	if len(r.Prompt) == 0 {
		return errors.New("the prompt is empty: it needs at least one token")
	}
	if err := c.checkTokens(r.Prompt, len(r.Prompt)); err != nil {
		return fmt.Errorf("prompt: %w", err)
	}
	for i, continuation := range r.Continuations {
		if len(continuation) == 0 {
			return fmt.Errorf("continuation %d is empty: it needs at least one token", i+1)
		}
		if err := c.checkTokens(continuation, len(r.Prompt)+len(continuation)-1); err != nil {
			return fmt.Errorf("continuation %d: %w", i+1, err)
		}
	}
	return nil
}

// checkTokens checks ids and the number of tokens that are fed to the model.
func (c Config) checkTokens(ids []int32, fed int) error {
	for _, id := range ids {
		if id < 0 || int(id) >= c.Vocabulary {
			return fmt.Errorf("token id %d is outside the vocabulary of %d", id, c.Vocabulary)
		}
	}
	if fed > c.Context {
		return fmt.Errorf("%d tokens are longer than the context of %d", fed, c.Context)
	}
	return nil
}

// Response answers a Request.
type Response struct {
	LogProbs []float64   // per continuation: sum of its tokens' log-likelihoods, nats
	Tokens   [][]float64 // per continuation and token: log-likelihood, nats
	Greedy   []bool      // per continuation: each of its tokens is the most likely one
	Logits   []float32   // [vocabulary], after the prompt's last token; nil unless asked for
	// Hidden [layers+1][hidden] is the residual stream before the first layer and
	// behind each, as its mean over the prompt's tokens; nil unless asked for.
	Hidden [][]float64
}

// RequestError says which request could not be answered.
type RequestError struct {
	Request int // index of the request
	Err     error
}

// Error counts requests from 1.
func (e *RequestError) Error() string { return fmt.Sprintf("request %d: %v", e.Request+1, e.Err) }

// Unwrap returns the reason.
func (e *RequestError) Unwrap() error { return e.Err }

// Options of Score; the zero value is ready to use.
type Options struct {
	Streams  int64                   // bytes of the residual streams that are held while the layers pass by; 0 is 256 MiB
	Progress func(done, total int64) // token rows times layers; may be nil
	// Done is told every answer as soon as it is there; it may be nil.
	Done func(request int, r Response)
}
