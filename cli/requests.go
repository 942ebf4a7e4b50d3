package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"surgeon/probe"
	"surgeon/probe/decoder"
	"surgeon/probe/task"
	"surgeon/probe/token"
)

// probeRequest is a line of the requests.
type probeRequest struct {
	ID              json.RawMessage `json:"id"`
	Prompt          *string         `json:"prompt"`
	PromptIDs       []int32         `json:"prompt_ids"`
	Continuations   []string        `json:"continuations"`
	ContinuationIDs [][]int32       `json:"continuation_ids"`
	Logits          bool            `json:"logits"`

	// Fields of other programs' requests that surgeon does not answer: they
	// are refused, since an answer without them would be to another question.
	Generate json.RawMessage `json:"generate"`
	Messages json.RawMessage `json:"messages"`
}

// asked is a line as the model gets it, and what its answer repeats. A line
// that asks for nothing but the ids of its prompt has no request for the model,
// and its prompt may be of any length, none included.
type asked struct {
	line      int
	id        json.RawMessage
	promptIDs []int32
	requests  []decoder.Request
}

// readRequests reads and checks every line before anything is computed. Lines
// that cannot be answered do not stop the others.
func readRequests(ctx context.Context, env environment, m *model, config decoder.Config, file string) (list []asked, bad badLines, err error) {
	in := env.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		in = f
	}
	tokenizer := tokenizerOf{model: m}
	err = task.EachLine(file, interruptible{ctx, in}, func(number int, text []byte) error {
		a, err := parseRequest(text, &tokenizer)
		for _, r := range a.requests {
			if err == nil {
				err = r.Check(config)
			}
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("%s:%d: %w", file, number, task.Plain(err)))
			return nil
		}
		a.line = number
		list = append(list, a)
		return nil
	})
	if tokenizer.err != nil {
		err = tokenizer.err // it concerns every line, not the one that asked first
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return list, bad, err
}

// tokenizerOf reads a model's tokenizer when the first text asks for it.
type tokenizerOf struct {
	model *model
	read  *token.Tokenizer
	err   error
}

func (t *tokenizerOf) get() (*token.Tokenizer, error) {
	if t.read == nil && t.err == nil {
		t.read, t.err = t.model.tokenizer()
	}
	return t.read, t.err
}

// interruptible is a reader that gives up when its context ends, also while it
// waits for a pipe or a terminal.
type interruptible struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader. A read that is given up goes on in the background
// and its bytes are lost: nobody reads after an interruption.
func (r interruptible) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	buffer, done := make([]byte, len(p)), make(chan result, 1)
	go func() {
		n, err := r.Reader.Read(buffer)
		done <- result{n, err}
	}()
	select {
	case got := <-done:
		return copy(p, buffer[:got.n]), got.err
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
}

// parseRequest reads a line and turns its texts into token ids.
func parseRequest(text []byte, tokenizer *tokenizerOf) (asked, error) {
	var r probeRequest
	if err := json.Unmarshal(text, &r); err != nil {
		return asked{}, fmt.Errorf("not a request: %w", err)
	}
	if err := r.check(); err != nil {
		return asked{}, err
	}
	a := asked{id: r.ID, promptIDs: r.PromptIDs}
	scored := decoder.Request{Prompt: r.PromptIDs, Continuations: r.ContinuationIDs}
	if r.Prompt != nil || len(r.Continuations) > 0 {
		t, err := tokenizer.get()
		if err != nil {
			return asked{}, err
		}
		if scored, err = r.encode(t, &a); err != nil {
			return asked{}, err
		}
	}
	if len(scored.Continuations) > 0 {
		a.requests = append(a.requests, scored)
	}
	if r.Logits {
		a.requests = append(a.requests, decoder.Request{Prompt: a.promptIDs, Logits: true})
	}
	return a, nil
}

// check applies the rules of a line that need no tokenizer.
func (r probeRequest) check() error {
	switch {
	case len(r.ID) == 0 || string(r.ID) == "null":
		return errors.New(`"id" is missing`)
	case r.Generate != nil:
		return errors.New(`"generate" is not supported: surgeon answers log-likelihoods and logits`)
	case r.Messages != nil:
		return errors.New(`"messages" are not supported: write the prompt as the model's chat template renders it`)
	case (r.Prompt == nil) == (r.PromptIDs == nil):
		return errors.New(`needs one of "prompt" and "prompt_ids"`)
	case len(r.Continuations) > 0 && len(r.ContinuationIDs) > 0:
		return errors.New(`"continuations" and "continuation_ids" exclude each other`)
	}
	return nil
}

// encode turns the texts of a line into ids. Continuations of a prompt that is
// text are encoded together with it; after given ids they are encoded alone.
func (r probeRequest) encode(t *token.Tokenizer, a *asked) (decoder.Request, error) {
	if r.Prompt != nil {
		a.promptIDs = t.Encode(*r.Prompt)
	}
	scored := decoder.Request{Prompt: a.promptIDs, Continuations: r.ContinuationIDs}
	if r.Prompt != nil && len(r.Continuations) > 0 {
		return probe.Encode(t, *r.Prompt, r.Continuations)
	}
	for _, continuation := range r.Continuations {
		scored.Continuations = append(scored.Continuations, t.Encode(continuation))
	}
	return scored, nil
}
