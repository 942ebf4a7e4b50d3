package probe

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"surgeon/probe/decoder"
	"surgeon/probe/task"
)

// Asked is an item of a task under a seed, as a model gets it.
type Asked struct {
	Task, Item int // numbers
	Seed       int64
	Question   task.Question
	Prompt     string // as it is encoded
	Digest     string // of all that decides the answer but the model: tokens, sampling, where it ends
	Truncated  bool   // the prompt lost its beginning to fit the context

	requests   []decoder.Request   // of log-likelihoods; several are windows of one text
	generation *decoder.Generation // of a text
}

const (
	benchTokens = 32
	benchMemory = 1 << 30
)

// Ask lists all questions: tasks in order, of each the seeds, of each the items.
// Where no question of a task depends on the seed, such as those without shots
// whose answers are not sampled, it is asked under the first seed alone: other
// seeds would repeat its answers and look like evidence. An error names the
// task and the item.
func (b *Bench) Ask() (list []Asked, err error) {
	for t := range b.Tasks {
		first, err := b.ask(t, b.seeds()[0])
		if err != nil {
			return nil, err
		}
		list = append(list, first...)
		for _, seed := range b.seeds()[1:] {
			next, err := b.ask(t, seed)
			if err != nil {
				return nil, err
			}
			if !sameQuestions(first, next) {
				list = append(list, next...)
			}
		}
	}
	return list, nil
}

func (b *Bench) seeds() []int64 {
	if len(b.Seeds) == 0 {
		return []int64{b.Setting.Seed}
	}
	return b.Seeds
}

func sameQuestions(a, b []Asked) bool {
	for i := range a {
		if a[i].Digest != b[i].Digest {
			return false
		}
	}
	return true
}

// ask lists the questions of a task under a seed.
func (b *Bench) ask(t int, seed int64) ([]Asked, error) {
	of, setting := &b.Tasks[t], b.Setting
	setting.Seed = seed
	var items []int
	if b.Items != nil {
		items = b.Items[t]
	}
	questions, err := of.Questions(setting, items)
	if err != nil {
		return nil, fmt.Errorf("task %w", err) // which names it
	}
	list := make([]Asked, len(questions))
	for i, q := range questions {
		a := Asked{Task: t, Item: q.Item, Seed: seed, Question: q}
		if err := b.encode(&a); err != nil {
			return nil, fmt.Errorf("%s: %w", b.where(a), err)
		}
		list[i] = a
	}
	return list, nil
}

func (b *Bench) where(a Asked) string {
	return fmt.Sprintf("task %s, item %s", b.Tasks[a.Task].Name, b.Tasks[a.Task].Items[a.Item].ID)
}

// encode writes the prompt of a question and turns it into tokens that fit the
// context.
func (b *Bench) encode(a *Asked) (err error) {
	a.Prompt = a.Question.Text
	if a.Question.Messages != nil { // a text whose perplexity is asked is no chat

		if a.Prompt, err = b.Chat(a.Question.Messages); err != nil {
			return err
		}
	}
	of := &b.Tasks[a.Task]
	switch {
	case of.Form == task.Perplexity:
		err = b.rolling(a)
	case a.Question.Continuations != nil:
		err = b.choices(a)
	default:
		err = b.text(a, of)
	}
	if err == nil {
		err = a.fit(b.Config)
	}
	a.Digest = a.digest(of.Until)
	return err
}

// choices asks for the log-likelihoods of continuations. White space that ends
// the prompt is scored with them, as lm-evaluation-harness does.
func (b *Bench) choices(a *Asked) error {
	prompt := strings.TrimRightFunc(a.Prompt, unicode.IsSpace)
	if prompt == "" {
		prompt = a.Prompt
	}
	continuations := make([]string, len(a.Question.Continuations))
	for i, c := range a.Question.Continuations {
		if c == "" {
			return fmt.Errorf("continuation %d is empty: it needs at least one token", i+1)
		}
		continuations[i] = a.Prompt[len(prompt):] + c
	}
	r, err := Encode(b.Tokenizer, prompt, continuations)
	r.Prompt = Begin(b.Tokenizer, r.Prompt)
	a.requests = []decoder.Request{r}
	return err
}

// text asks for a text.
func (b *Bench) text(a *Asked, of *task.Task) error {
	if a.Prompt == "" {
		return errors.New("the prompt is empty: it needs at least one token")
	}
	most := of.MaxTokens
	if most == 0 {
		most = benchTokens
	}
	g := decoder.Generation{Prompt: Begin(b.Tokenizer, b.Tokenizer.Encode(a.Prompt)), MaxTokens: most, EOS: b.EOS, Sampling: b.Sampling}
	if g.Sampling.Temperature > 0 {
		g.Sampling.Seed = streamOf(b.Tasks[a.Task].Name, b.Tasks[a.Task].Items[a.Item].ID, a.Seed)
	}
	g = Until(b.Tokenizer, g, of.Until)
	a.generation = &g
	return nil
}

// streamOf is the seed of an answer: it depends on the task, the item and the
// seed, not on what else is asked.
func streamOf(name, item string, seed int64) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d", name, item, seed))
	return binary.LittleEndian.Uint64(sum[:])
}

// rolling asks for the log-likelihood of a whole text. The first token stands
// behind the token that begins texts or, without one, that ends them.
func (b *Bench) rolling(a *Asked) error {
	prefix := Begin(b.Tokenizer, nil)
	if len(prefix) == 0 {
		prefix = b.EOS
	}
	if len(prefix) == 0 {
		return errors.New("no token begins or ends texts: perplexity needs one before the first token")
	}
	var err error
	a.requests, err = Rolling(b.Tokenizer.Encode(a.Prompt), prefix[0], b.Config.Context)
	return err
}

// fit cuts the beginning of a prompt that is too long for the context, as
// lm-evaluation-harness does, and notes it. What the continuations or the text
// need is left.
func (a *Asked) fit(c decoder.Config) error {
	if a.generation != nil {
		a.shorten(&a.generation.Prompt, c.Context-a.generation.MaxTokens)
		return a.generation.Check(c)
	}
	for i := range a.requests {
		r, more := &a.requests[i], 0
		for _, continuation := range r.Continuations {
			more = max(more, len(continuation)-1)
		}
		a.shorten(&r.Prompt, c.Context-more)
		if err := r.Check(c); err != nil {
			return err
		}
	}
	return nil
}

func (a *Asked) shorten(prompt *[]int32, room int) {
	if room >= 1 && len(*prompt) > room {
		*prompt, a.Truncated = (*prompt)[len(*prompt)-room:], true
	}
}

// digest identifies what the model is given and how its answer ends.
func (a *Asked) digest(until []string) string {
	sum := sha256.New()
	for _, r := range a.requests {
		fmt.Fprintf(sum, "choices %d %d\n", r.Prompt, r.Continuations)
	}
	if g := a.generation; g != nil {
		fmt.Fprintf(sum, "text %d %d %d %q %+v\n", g.Prompt, g.MaxTokens, g.EOS, until, g.Sampling)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
