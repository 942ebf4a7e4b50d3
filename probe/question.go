package probe

import (
	"fmt"

	"surgeon/probe/decoder"
	"surgeon/probe/task"
)

// question is an item as the model gets it.
type question struct {
	task, item int
	request    *decoder.Request
	generation *decoder.Generation
	truncated  bool
}

const (
	benchTokens = 32
	benchMemory = 1 << 30
)

// questions lists the items of all tasks as questions to a model.
func (b *Bench) questions() (list []question, err error) {
	for t, of := range b.Tasks {
		for i, item := range of.Items {
			q := question{task: t, item: i}
			if of.Form == task.Exact {
				q.generation, err = b.generation(item)
			} else {
				q.request, err = b.request(item)
			}
			if err == nil {
				err = q.fit(b.Config)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b.where(t, i), err)
			}
			list = append(list, q)
		}
	}
	return list, nil
}

func (b *Bench) where(t, i int) string {
	return fmt.Sprintf("task %s, item %s", b.Tasks[t].Name, b.Tasks[t].Items[i].ID)
}

// prompt is the text of an item's prompt.
func (b *Bench) prompt(item task.Item) (string, error) {
	if b.Chat == nil {
		return item.Prompt, nil
	}
	return b.Chat(item.Prompt)
}

func (b *Bench) request(item task.Item) (*decoder.Request, error) {
	prompt, err := b.prompt(item)
	if err != nil {
		return nil, err
	}
	r, err := Encode(b.Tokenizer, prompt, item.Continuations(b.Chat != nil))
	r.Prompt = Begin(b.Tokenizer, r.Prompt)
	return &r, err
}

func (b *Bench) generation(item task.Item) (*decoder.Generation, error) {
	prompt, err := b.prompt(item)
	if err != nil {
		return nil, err
	}
	g := decoder.Generation{Prompt: Begin(b.Tokenizer, b.Tokenizer.Encode(prompt)), MaxTokens: b.maxTokens(), EOS: b.EOS}
	g = Until(b.Tokenizer, g, b.Stop)
	return &g, nil
}

func (b *Bench) maxTokens() int {
	if b.MaxTokens == 0 {
		return benchTokens
	}
	return b.MaxTokens
}

// fit cuts the beginning of a prompt that is too long for the context, as
// lm-evaluation-harness does, and notes it. What the continuations or the text
// need is left.
func (q *question) fit(c decoder.Config) error {
	prompt, more := &[]int32{}, 0
	if q.request != nil {
		prompt = &q.request.Prompt
		for _, continuation := range q.request.Continuations {
			more = max(more, len(continuation)-1)
		}
	} else {
		prompt, more = &q.generation.Prompt, q.generation.MaxTokens
	}
	if room := c.Context - more; room >= 1 && len(*prompt) > room {
		*prompt, q.truncated = (*prompt)[len(*prompt)-room:], true
	}
	if q.request != nil {
		return q.request.Check(c)
	}
	return q.generation.Check(c)
}
