package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"surgeon/probe"
	"surgeon/probe/chat"
	"surgeon/probe/decoder"
	"surgeon/probe/task"
	"surgeon/probe/token"
	"surgeon/tensors/kernel"
)

// probeRequest is a line of the requests.
type probeRequest struct {
	ID        json.RawMessage `json:"id"`
	Prompt    *string         `json:"prompt"`
	PromptIDs []int32         `json:"prompt_ids"`
	Messages  []struct {
		Role    *string `json:"role"`
		Content *string `json:"content"`
	} `json:"messages"`
	Continuations   []string        `json:"continuations"`
	ContinuationIDs [][]int32       `json:"continuation_ids"`
	Generate        json.RawMessage `json:"generate"`
	Logits          bool            `json:"logits"`
}

// generateRequest is what a line asks to be generated.
type generateRequest struct {
	MaxTokens   *int            `json:"max_tokens"`
	Stop        json.RawMessage `json:"stop"`
	Temperature float64         `json:"temperature"`
	TopP        float64         `json:"top_p"`
	TopK        int             `json:"top_k"`
	Seed        int64           `json:"seed"`
	IgnoreEOS   bool            `json:"ignore_eos"`
}

// defaultMaxTokens of a generation, as in lm-evaluation-harness.
const defaultMaxTokens = 256

// asked is a line as the model gets it, and what its answer repeats. A line
// that asks for nothing but the ids of its prompt has no request for the model,
// and its prompt may be of any length, none included.
type asked struct {
	line       int
	text       []byte // of the line
	id         json.RawMessage
	promptIDs  []int32
	requests   []decoder.Request
	generation *decoder.Generation
	stop       []string
}

// check checks what the model is asked, and the ids of the prompt, against its
// Config.
func (a *asked) check(c decoder.Config) error {
	for _, id := range a.promptIDs {
		if int(id) >= c.Vocabulary {
			return fmt.Errorf("prompt: token id %d is outside the vocabulary of %d", id, c.Vocabulary)
		}
	}
	for _, r := range a.requests {
		if err := r.Check(c); err != nil {
			return err
		}
	}
	if a.generation != nil {
		return a.generation.Check(c)
	}
	return nil
}

// reader reads requests with what belongs to a model beside its weights, each
// part when a line first asks for it.
type reader struct {
	folder     folder
	config     *decoder.Config // to check requests against; nil for none
	special    bool            // prompts get the special tokens that the tokenizer puts around a text
	tokensOnly bool

	read      *token.Tokenizer
	bare      bool // a text does not begin as the tokenizer begins one
	endings   []int32
	ended     bool // endings are read
	template  *chat.Template
	unwritten error           // why there is no template
	unknown   map[string]bool // fields of lines that mean nothing
	concerns  error           // every line, not the one that asked first
}

// tokenizer is that of the model. Without one, lines of token ids can be
// answered all the same.
func (r *reader) tokenizer() (*token.Tokenizer, error) {
	if r.read == nil && r.concerns == nil {
		var err error
		if r.read, err = r.folder.tokenizer(); errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		r.concerns = err
	}
	return r.read, r.concerns
}

func (r *reader) eos() ([]int32, error) {
	if !r.ended && r.concerns == nil {
		r.endings, r.concerns = r.folder.eos()
		r.ended = true
	}
	return r.endings, r.concerns
}

// lines reads and checks every line before anything is computed. Lines that
// cannot be answered do not stop the others.
func (r *reader) lines(ctx context.Context, env environment, file string) (list []asked, bad badLines, err error) {
	in := env.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		in = f
	}
	err = task.EachLine(file, interruptible{ctx, in}, func(number int, text []byte) error {
		a, err := r.parse(ctx, text)
		if err == nil && r.config != nil {
			err = a.check(*r.config)
		}
		if err != nil {
			bad = append(bad, badLine{number, fmt.Errorf("%s:%d: %w", file, number, task.Plain(err))})
			return r.concerns
		}
		a.line, a.text = number, bytes.Clone(text)
		list = append(list, a)
		return nil
	})
	if r.concerns != nil {
		err = r.concerns
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return list, bad, err
}

// parse reads a line and turns its texts into token ids.
func (r *reader) parse(ctx context.Context, text []byte) (asked, error) {
	var q probeRequest
	if err := json.Unmarshal(text, &q); err != nil {
		return asked{}, fmt.Errorf("not a request: %w", err)
	}
	if err := q.check(); err != nil {
		return asked{}, err
	}
	r.notice(text)
	a := asked{id: q.ID, promptIDs: q.PromptIDs}
	prompt, err := r.prompt(ctx, q)
	if err != nil {
		return asked{}, err
	}
	if prompt != nil {
		t, err := r.tokenizer()
		if err != nil {
			return asked{}, err
		}
		a.promptIDs = r.begin(t, t.Encode(*prompt))
	}
	if r.tokensOnly {
		return a, nil
	}
	if err := r.score(q, prompt, &a); err != nil {
		return asked{}, err
	}
	return a, r.generate(q, &a)
}

// requestFields are the fields that a line may have.
var requestFields = []string{"id", "prompt", "prompt_ids", "messages", "continuations", "continuation_ids", "generate", "logits"}

// notice remembers what a line has besides.
func (r *reader) notice(text []byte) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil {
		return // the line is an object
	}
	for name := range fields {
		if !slices.ContainsFunc(requestFields, func(field string) bool { return strings.EqualFold(field, name) }) {
			if r.unknown == nil {
				r.unknown = map[string]bool{}
			}
			r.unknown[name] = true
		}
	}
}

// note prints what a user should know of the lines that were read.
func (r *reader) note(env environment) {
	var list []string
	if r.bare {
		list = append(list, "the tokenizer begins a text with special tokens, and prompts are taken as they are written: --special adds them")
	}
	if len(r.unknown) > 0 {
		list = append(list, fmt.Sprintf("requests have fields that mean nothing: %s", strings.Join(slices.Sorted(maps.Keys(r.unknown)), ", ")))
	}
	if !kernel.Portable() && !r.tokensOnly {
		list = append(list, unportable())
	}
	for _, note := range list {
		env.complain("note: " + note)
	}
}

// prompt is the text of a line's prompt, or nil if it is given as ids.
func (r *reader) prompt(ctx context.Context, q probeRequest) (*string, error) {
	if q.Messages == nil {
		return q.Prompt, nil
	}
	if r.template == nil && r.unwritten == nil {
		r.template, r.unwritten = r.folder.chat()
	}
	if r.unwritten != nil {
		return nil, r.unwritten
	}
	var messages []chat.Message
	for i, m := range q.Messages {
		if m.Role == nil || m.Content == nil {
			return nil, fmt.Errorf(`"messages": number %d needs a "role" and a "content", both texts`, i+1)
		}
		messages = append(messages, chat.Message{Role: *m.Role, Content: *m.Content})
	}
	text, err := r.template.Render(ctx, messages, chat.Options{Generation: true})
	return &text, err
}

// begin adds the special tokens of a text's beginning, if they are asked for.
func (r *reader) begin(t *token.Tokenizer, ids []int32) []int32 {
	begun := probe.Begin(t, ids)
	if r.special {
		return begun
	}
	r.bare = r.bare || len(begun) > len(ids)
	return ids
}

// check applies the rules of a line that need no tokenizer.
func (q probeRequest) check() error {
	prompts := 0
	for _, given := range []bool{q.Prompt != nil, q.PromptIDs != nil, q.Messages != nil} {
		if given {
			prompts++
		}
	}
	switch {
	case len(q.ID) == 0 || string(q.ID) == "null":
		return errors.New(`"id" is missing`)
	case q.Messages != nil && len(q.Messages) == 0:
		return errors.New(`"messages" has no entries`)
	case prompts != 1:
		return errors.New(`needs one of "prompt", "prompt_ids" and "messages", and only one`)
	case slices.ContainsFunc(q.PromptIDs, func(id int32) bool { return id < 0 }):
		return errors.New(`"prompt_ids" holds a negative number`)
	case len(q.Continuations) > 0 && len(q.ContinuationIDs) > 0:
		return errors.New(`"continuations" and "continuation_ids" exclude each other`)
	}
	return nil
}

// score adds what a line asks to be scored. Continuations of a prompt that is
// text are encoded together with it; after given ids they are encoded alone.
func (r *reader) score(q probeRequest, prompt *string, a *asked) error {
	scored := decoder.Request{Prompt: a.promptIDs, Continuations: q.ContinuationIDs}
	if len(q.Continuations) > 0 {
		t, err := r.tokenizer()
		if err != nil {
			return err
		}
		if prompt != nil {
			if scored, err = probe.Encode(t, *prompt, q.Continuations); err != nil {
				return err
			}
			scored.Prompt = r.begin(t, scored.Prompt)
		} else {
			for _, continuation := range q.Continuations {
				scored.Continuations = append(scored.Continuations, t.Encode(continuation))
			}
		}
	}
	if len(scored.Continuations) > 0 {
		a.requests = append(a.requests, scored)
	}
	if q.Logits {
		a.requests = append(a.requests, decoder.Request{Prompt: a.promptIDs, Logits: true})
	}
	return nil
}

// generate adds what a line asks to be generated.
func (r *reader) generate(q probeRequest, a *asked) error {
	if len(q.Generate) == 0 || string(q.Generate) == "null" {
		return nil
	}
	var g generateRequest
	strict := json.NewDecoder(bytes.NewReader(q.Generate))
	strict.DisallowUnknownFields() // an option without effect would be an answer to another question
	if err := strict.Decode(&g); err != nil {
		return fmt.Errorf("\"generate\": %w", task.Plain(err))
	}
	if len(g.Stop) > 0 && string(g.Stop) != "null" {
		var err error
		if a.stop, err = oneOrMore[string](g.Stop); err != nil || slices.Contains(a.stop, "") {
			return errors.New(`"stop" must be a text or a list of texts, none of them empty`)
		}
	}
	t, err := r.tokenizer() // the answer is a text, too
	if err != nil && !(errors.Is(err, fs.ErrNotExist) && len(a.stop) == 0) {
		return err
	}
	out := decoder.Generation{Prompt: a.promptIDs, MaxTokens: defaultMaxTokens,
		Sampling: decoder.Sampling{Temperature: g.Temperature, TopK: g.TopK, TopP: g.TopP, Seed: uint64(g.Seed)}}
	if g.MaxTokens != nil {
		out.MaxTokens = *g.MaxTokens
	}
	if !g.IgnoreEOS {
		if out.EOS, err = r.eos(); err != nil {
			return err
		}
	}
	out = probe.Until(t, out, a.stop)
	a.generation = &out
	return nil
}
