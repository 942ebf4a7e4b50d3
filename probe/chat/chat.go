// Package chat writes a conversation the way a model was trained to read it:
// by the chat template that comes with the model, a Jinja template.
//
// Templates are run by the library gonja, with the settings, filters and
// functions that transformers gives Jinja2 (trim_blocks, lstrip_blocks, loop
// controls, tojson, raise_exception, strftime_now, the block generation). The
// tests compare with transformers' own renderings of the templates of Llama 2, 3
// and 3.1, Mistral, Gemma 2 and 3, Qwen 2.5 and 3, SmolLM2, Phi 3 and 4 and
// others. What gonja reads differently is rewritten before (rewrite.go) or
// refused; what remains: none is written as nothing instead of None, and a power
// of whole numbers is not whole.
//
// A template comes from whoever made the model. It may read no file, and gets an
// error after five seconds or 16 MiB of text; one that loops without writing
// goes on in the background until its own loops end, each of at most a million
// turns.
package chat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/exec"
)

// Message is a turn of a conversation.
type Message struct {
	Role    string `json:"role"` // system, user or assistant, or what else the template knows
	Content string `json:"content"`
}

// Template is a chat template.
type Template struct {
	source  string
	special map[string]string // the variables bos_token, eos_token and so on
	parsed  sync.Pool         // of *exec.Template: to parse takes longer than to render
}

// Options of Render; the zero value is ready to use.
type Options struct {
	Generation bool           // the text ends where the assistant's reply begins
	Now        time.Time      // what strftime_now shows; zero is 26 July 2024, as Llama 3's templates have it without a clock
	Variables  map[string]any // for the template, such as enable_thinking
}

// New reads a template. special are the special tokens by the names that
// templates have for them, such as bos_token.
func New(source string, special map[string]string) (*Template, error) {
	source, err := rewrite(source)
	t := &Template{source: source, special: maps.Clone(special)}
	if err == nil {
		_, err = t.parse()
	}
	if err != nil {
		return nil, fmt.Errorf("the chat template cannot be read: %s", short(err))
	}
	return t, nil
}

// deadline is the time that a template has, at most.
const deadline = 5 * time.Second

// longest is the text that a template may write, bytes.
const longest = 16 << 20

// budget ends a rendering that takes too long or too much.
type budget struct {
	ctx     context.Context
	written int
}

var errTooLong = errors.New("writes more than 16 MiB")

// Write implements io.Writer for what is written before it is counted.
func (b *budget) count(n int) error {
	if b.written += n; b.written > longest {
		return errTooLong
	}
	return b.ctx.Err()
}

// counted is an io.Writer under a budget.
type counted struct {
	io.Writer
	*budget
}

func (c counted) Write(p []byte) (int, error) {
	if err := c.count(len(p)); err != nil {
		return 0, err
	}
	return c.Writer.Write(p)
}

func (c counted) WriteString(s string) (int, error) { return c.Write([]byte(s)) }

func (t *Template) parse() (parsed *exec.Template, err error) {
	defer recovered(&err)
	settings := config.New()
	settings.TrimBlocks, settings.LeftStripBlocks = true, true
	return exec.NewTemplate(rootName, settings, root(t.source), environment())
}

// recovered makes a panic of the template library an error.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("it confuses the template library: %v", r)
	}
}

// Render writes a conversation.
func (t *Template) Render(ctx context.Context, messages []Message, opt Options) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	b := &budget{ctx: ctx}
	parsed, ok := t.parsed.Get().(*exec.Template)
	if !ok {
		var err error
		if parsed, err = t.parse(); err != nil {
			return "", err
		}
	}
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var out bytes.Buffer
		err := execute(parsed, counted{&out, b}, t.variables(messages, opt))
		done <- result{out.String(), err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return "", plain(r.err)
		}
		t.parsed.Put(parsed) // nothing of a rendering stays in it
		return r.text, nil
	case <-ctx.Done():
		return "", fmt.Errorf("the chat template does not come to an end: %w", ctx.Err())
	}
}

func execute(t *exec.Template, out io.Writer, variables map[string]any) (err error) {
	defer recovered(&err)
	return t.Execute(out, exec.NewContext(variables))
}

// variables are what a template finds under a name, as transformers gives it.
func (t *Template) variables(messages []Message, opt Options) map[string]any {
	list := make([]any, len(messages))
	for i, m := range messages {
		list[i] = map[string]any{"role": m.Role, "content": m.Content}
	}
	now := opt.Now
	if now.IsZero() {
		now = time.Date(2024, 7, 26, 0, 0, 0, 0, time.UTC)
	}
	v := map[string]any{"messages": list, "tools": nil, "documents": nil, "add_generation_prompt": opt.Generation,
		"strftime_now": func(format string) string { return strftime(now, format) }}
	for name, token := range t.special {
		v[name] = token
	}
	maps.Copy(v, opt.Variables)
	return v
}

// plain says an error of the template library in few words.
func plain(err error) error {
	if _, after, ok := strings.Cut(err.Error(), raiseMark); ok {
		message, _, _ := strings.Cut(after, raiseMark)
		return fmt.Errorf("the chat template refuses the conversation: %s", message)
	}
	return fmt.Errorf("the chat template fails: %s", short(err))
}

// short is the innermost part of an error of the template library, which repeats
// the template, or every block on the way.
func short(err error) string {
	text := err.Error()
	if strings.HasPrefix(text, "failed to parse template") {
		return text[strings.LastIndex(text, "': ")+len("': "):]
	}
	if at := strings.LastIndex(text, "Unable to "); at >= 0 {
		text = text[at:]
	}
	return text
}
