package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"surgeon/probe/task"
	"surgeon/tensors/kernel"
)

// Example is a sequence that is learned from.
type Example struct {
	Tokens  []int32
	Learned []bool // per token, whether it is to be foretold from those before; the first never is
	Slice   string // of the data that it belongs to: replay draws from every slice alike
}

// learned counts the tokens whose loss counts.
func (e Example) learned() (n int) {
	for i, l := range e.Learned {
		if l && i > 0 {
			n++
		}
	}
	return n
}

// Line is one line of training data: a prompt and its completion, or the turns
// of a conversation, or a text. The names are those of TRL's dataset formats.
type Line struct {
	Prompt     string         `json:"prompt"`
	Completion string         `json:"completion"`
	Answer     string         `json:"answer"` // in the place of a completion, so that items of tasks can be learned
	Messages   []task.Message `json:"messages"`
	Text       string         `json:"text"`
	Slice      string         `json:"slice"`
}

// Encoding makes tokens of lines, as the model's tokenizer and template do. Its
// functions are called by several goroutines at once.
type Encoding struct {
	Encode func(text string) []int32 // special tokens written in it count as such
	// Chat writes turns as the model's template does, with the opening of an
	// answer behind them if open; nil: prompts and completions follow each other as
	// they are.
	Chat func(messages []task.Message, open bool) (string, error)
	// Begin and End stand before and behind an example without a template; nil for
	// none.
	Begin, End []int32
	All        bool // every token counts: lines need no answer
}

// Lines reads examples from JSON lines. What is learned of a line is its
// completion, or what the assistant says in its messages, to the end of the turn,
// or all of its text. A line that breaks a rule is an error "file:line: ...".
func Lines(file string, r io.Reader, e Encoding) ([]Example, error) {
	var lines []Line
	var numbers []int
	err := task.EachLine(file, r, func(number int, text []byte) error {
		var line Line
		if err := json.Unmarshal(text, &line); err != nil {
			return task.Plain(err)
		}
		lines, numbers = append(lines, line), append(numbers, number)
		return nil
	})
	if err == nil && len(lines) == 0 {
		err = fmt.Errorf("%s: no lines: want one JSON object a line, with prompt and completion, messages or text", file)
	}
	if err != nil {
		return nil, err
	}
	examples, failed := make([]Example, len(lines)), make([]error, len(lines))
	kernel.Parallel(len(lines), func(low, high int) {
		for i := low; i < high && failed[max(low, i-1)] == nil; i++ {
			examples[i], failed[i] = e.checked(lines[i])
		}
	})
	for i, err := range failed {
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, numbers[i], err)
		}
	}
	return examples, nil
}

// checked encodes a line that something is learned of.
func (e Encoding) checked(line Line) (Example, error) {
	if line.Completion == "" && line.Answer != "" {
		if line.Completion = line.Answer; e.Chat == nil {
			line.Completion = " " + line.Answer // as tasks put it behind a prompt
		}
	}
	example, err := e.example(line)
	switch {
	case err != nil:
	case e.All && len(example.Tokens) < 2:
		err = fmt.Errorf("the line has fewer than 2 tokens: want a prompt, messages or a text")
	case !e.All && (example.learned() == 0 || line.Prompt != "" && line.Completion == ""): // an end alone is no answer
		err = fmt.Errorf("nothing of the line is learned: want a completion, an assistant's message or a text")
	}
	return example, err
}

// example encodes a line.
func (e Encoding) example(l Line) (Example, error) {
	forms := 0
	for _, is := range []bool{l.Prompt != "" || l.Completion != "", l.Messages != nil, l.Text != ""} {
		if is {
			forms++
		}
	}
	if forms != 1 {
		return Example{}, fmt.Errorf("want either prompt and completion, or messages, or text: the line has %d of them", forms)
	}
	x := Example{Slice: l.Slice}
	switch {
	case l.Text != "":
		x.add(e.Begin, false)
		x.add(e.Encode(l.Text), true)
		x.add(e.End, true)
		return x, nil
	case l.Messages == nil && e.Chat == nil && e.All && l.Completion == "":
		x.add(e.Begin, false)
		x.add(e.Encode(l.Prompt), false)
		return x, nil
	case l.Messages == nil && e.Chat == nil:
		x.add(e.Begin, false)
		x.add(e.Encode(l.Prompt), false)
		x.add(e.Encode(l.Completion), true)
		x.add(e.End, true)
		return x, nil
	case l.Messages == nil && e.All && l.Completion == "":
		l.Messages = []task.Message{{Role: "user", Content: l.Prompt}}
	case l.Messages == nil:
		l.Messages = []task.Message{{Role: "user", Content: l.Prompt}, {Role: "assistant", Content: l.Completion}}
	case e.Chat == nil:
		return x, ErrNoChat
	}
	return x, e.turns(&x, l.Messages)
}

// ErrNoChat is the error of a line that only a chat template can write, where there
// is none.
var ErrNoChat = errors.New("a line with messages needs a model with a chat template")

// turns encodes a conversation: what the template writes up to an answer, with its
// opening, is not learned; what follows up to the end of the turn is.
func (e Encoding) turns(x *Example, messages []task.Message) error {
	written := ""
	for i, m := range messages {
		if m.Role != "assistant" {
			continue
		}
		before, err := e.Chat(messages[:i], true)
		if err != nil {
			return err
		}
		after, err := e.Chat(messages[:i+1], false)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(before, written) || !strings.HasPrefix(after, before) {
			return errRewritten
		}
		x.add(e.Encode(before[len(written):]), false)
		x.add(e.Encode(after[len(before):]), true)
		written = after
	}
	if last := len(messages) - 1; e.All && last >= 0 && messages[last].Role != "assistant" {
		before, err := e.Chat(messages, true)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(before, written) {
			return errRewritten
		}
		x.add(e.Encode(before[len(written):]), false)
	}
	return nil
}

var errRewritten = errors.New("the chat template writes earlier turns in another way once more follow: such a template cannot be trained on")

// Fit are the examples of at most so many tokens, and how many are longer.
func Fit(examples []Example, most int) (kept []Example, longer int) {
	for _, e := range examples {
		if len(e.Tokens) > most {
			longer++
			continue
		}
		kept = append(kept, e)
	}
	return kept, longer
}

func (x *Example) add(ids []int32, learned bool) {
	for _, id := range ids {
		x.Tokens, x.Learned = append(x.Tokens, id), append(x.Learned, learned)
	}
}
