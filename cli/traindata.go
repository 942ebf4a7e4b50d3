package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"surgeon/probe/chat"
	"surgeon/probe/task"
	"surgeon/probe/train"
	"surgeon/tensors"
)

// data reads all examples.
func (t *training) data(ctx context.Context) (data train.Data, err error) {
	e, err := t.encoding(ctx)
	if err != nil {
		return data, err
	}
	rows := t.opt.options.BatchTokens
	if data.Domain, err = t.examples(ctx, t.opt.data, e, rows); err != nil {
		return data, err
	}
	t.result.Examples = len(data.Domain)
	if t.opt.options.ReplayShare > 0 {
		if data.Replay, err = t.examples(ctx, t.opt.replay, e, rows); err != nil {
			return data, err
		}
	}
	if t.opt.options.KL > 0 {
		e.All = true
		data.Unlabelled, err = t.examples(ctx, t.opt.klData, e, t.opt.options.Unlabelled())
	}
	return data, err
}

// encoding is how the base's tokenizer and template write lines.
func (t *training) encoding(ctx context.Context) (e train.Encoding, err error) {
	tokenizer, err := t.base.tokenizer()
	if err != nil {
		return e, err
	}
	e.Encode = tokenizer.Encode
	if begin := tokenizer.AddSpecial(nil); len(begin) > 0 {
		e.Begin = begin[:1]
	}
	eos, err := t.base.eos()
	if err != nil {
		return e, err
	}
	if len(eos) > 0 {
		e.End = eos[:1]
	}
	template, err := t.base.chat()
	if !t.opt.chat {
		t.unused = err == nil
		return e, nil
	}
	if err != nil {
		return e, err
	}
	e.Chat = func(messages []task.Message, open bool) (string, error) {
		list := make([]chat.Message, len(messages))
		for i, m := range messages {
			list[i] = chat.Message{Role: m.Role, Content: m.Content}
		}
		return template.Render(ctx, list, chat.Options{Generation: open})
	}
	return e, nil
}

// examples reads files. Lines that no batch holds are left out and counted.
func (t *training) examples(ctx context.Context, files []string, e train.Encoding, rows int) (all []train.Example, err error) {
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		t.digests = append(t.digests, tensors.DigestBytes(file, raw))
		if t.unused && !t.noted && hasPrompt(raw) {
			t.noted = true
			t.result.Notes = append(t.result.Notes, fmt.Sprintf("%s has a chat template, and without --chat it does not write the prompts of %s: what is learned so is hardly seen in chats", t.name, file))
		}
		examples, err := train.Lines(file, interruptible{ctx, bytes.NewReader(raw)}, e)
		if errors.Is(err, train.ErrNoChat) && t.unused {
			err = fmt.Errorf("%w, which %s has: give --chat", err, t.name)
		}
		if err != nil {
			return nil, err
		}
		most := min(rows, t.config.Context)
		kept, dropped := train.Fit(examples, most)
		switch {
		case len(kept) == 0:
			return nil, fmt.Errorf("%s: every line is longer than %d tokens, the most that a batch and the model's context hold: raise --batch-tokens or split the lines", file, most)
		case dropped > 0:
			t.result.Notes = append(t.result.Notes, fmt.Sprintf("%s of %s longer than %d tokens, the most that a batch and the model's context hold, left out", plural(dropped, "line"), file, most))
		}
		all = append(all, kept...)
	}
	return all, nil
}

// hasPrompt reports whether a line has a prompt, or is a question of a task with its
// answer: what a chat template could write.
func hasPrompt(raw []byte) bool {
	for line := range bytes.Lines(raw) {
		var l train.Line
		if bytes.Contains(line, []byte(`"prompt"`)) && json.Unmarshal(line, &l) == nil && l.Prompt != "" {
			return true
		}
	}
	return false
}
