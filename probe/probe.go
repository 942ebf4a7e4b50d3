// Package probe scores candidates, which may be models that were never
// written, on tasks.
//
// A Bench has the architecture and the tokenizer that all candidates share and
// the tasks to score them on. Score runs every candidate over all items, the
// choices in waves of candidates and the texts one candidate after the other,
// and returns its Scores, item by item, for package stat to summarise and
// compare.
package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"surgeon/probe/decoder"
	"surgeon/probe/stat"
	"surgeon/probe/task"
	"surgeon/probe/token"
	"surgeon/tensors"
)

// Candidate is a model to score.
type Candidate struct {
	ID     string
	Source tensors.Source
}

// Bench is what candidates are scored with.
type Bench struct {
	Config    decoder.Config
	Tokenizer *token.Tokenizer
	Tasks     []task.Task
	Items     [][]int      // of each task, the numbers of the items that are asked; nil: all of all
	Setting   task.Setting // how they are asked; its Seed is that of Seeds
	Seeds     []int64      // every task is asked once under each; nil: Setting's alone

	// Chat writes messages by the model's template, up to where its reply
	// begins. It is needed where Setting asks for a chat.
	Chat     func(messages []task.Message) (string, error)
	EOS      []int32          // tokens that end a generated text
	Sampling decoder.Sampling // of texts; its Seed is made of that of the question
	Memory   int64            // bytes for packed weights, keys and values; 0 is 1 GiB

	// Progress is told how much of the work is done, in token rows times layers;
	// it may be nil. A generated text counts as if it had all the tokens that it
	// may have.
	Progress func(done, total int64)
	// Answered is told every answer as soon as it is there; it may be nil.
	Answered func(candidate int, a Answer)
	// Known are answers that need not be computed, per candidate; nil for none.
	Known [][]Answer
}

// Answer is what a candidate answered to a question, and what that is worth.
type Answer struct {
	Question int // number among those that were asked
	Reply    task.Reply
	Grade    task.Grade
}

// TaskScore is what a candidate scored on a task under a seed: a score per item.
type TaskScore struct {
	Task    string
	Seed    int64
	Metric  string // the task's first, which Sample is of
	Sample  stat.Sample
	Answers []Answer // per item
}

// Chosen are the choices that were taken, per item.
func (s TaskScore) Chosen() (list []int) {
	for _, a := range s.Answers {
		list = append(list, a.Grade.Chosen)
	}
	return list
}

// Texts are the texts that were generated, per item.
func (s TaskScore) Texts() (list []string) {
	for _, a := range s.Answers {
		list = append(list, a.Reply.Text)
	}
	return list
}

// Scores are a candidate's results, one per task and seed, the tasks in the
// order of the Bench and the seeds of each together. Seeds that would have
// changed nothing were not asked, see Ask.
type Scores struct {
	ID        string
	Err       error // of this candidate alone: the tensor, layer or item that failed
	Tasks     []TaskScore
	Truncated int           // items whose prompts lost their beginning to fit the context
	Tokens    int64         // that went through the model
	Time      time.Duration // that it took
}

// Score asks every candidate every question. Results stand in the order of the
// candidates. A candidate that fails does not keep the others from going on; an
// error concerns all of them and names the candidate or the item.
func (b *Bench) Score(ctx context.Context, candidates []Candidate) ([]Scores, error) {
	asked, err := b.Ask()
	if err != nil {
		return nil, err
	}
	return b.ScoreAsked(ctx, asked, candidates)
}

// ScoreAsked is Score of questions that Ask has listed, or some of them.
func (b *Bench) ScoreAsked(ctx context.Context, asked []Asked, candidates []Candidate) ([]Scores, error) {
	r, err := newRun(b, asked, candidates), error(nil)
	for i, candidate := range candidates { // all of them before the first minute of work
		if r.models[i], err = decoder.Open(b.Config, candidate.Source); err != nil {
			return nil, fmt.Errorf("%s: %w", candidate.ID, err)
		}
	}
	if err := r.choose(ctx); err != nil {
		return nil, err
	}
	if err := r.write(ctx); err != nil {
		return nil, err
	}
	return r.grade(), nil
}

// Encode turns a prompt and its continuations into token ids. Each
// continuation is encoded together with the prompt, since a token may span the
// join. Where one does, prompt and continuations are cut at the last token
// that all of them share, so that every continuation is scored from the same
// place (lm-evaluation-harness cuts at the prompt's own tokens instead, which
// goes wrong there; its issues 1053 and 3336).
func Encode(t *token.Tokenizer, prompt string, continuations []string) (decoder.Request, error) {
	ids := t.Encode(prompt)
	cut := len(ids)
	wholes := make([][]int32, len(continuations))
	for i, continuation := range continuations {
		if continuation == "" {
			return decoder.Request{}, fmt.Errorf("continuation %d is empty: it needs at least one token", i+1)
		}
		wholes[i] = t.Encode(prompt + continuation)
		n := 0
		for n < cut && n < len(wholes[i]) && wholes[i][n] == ids[n] {
			n++
		}
		cut = n
	}
	if len(ids) == 0 {
		return decoder.Request{}, errors.New("the prompt is empty: it needs at least one token")
	}
	if cut == 0 {
		return decoder.Request{}, errors.New("prompt and continuation share no whole token")
	}
	r := decoder.Request{Prompt: ids[:cut]}
	for i, whole := range wholes {
		if len(whole) == cut {
			return decoder.Request{}, fmt.Errorf("continuation %d has no token of its own", i+1)
		}
		r.Continuations = append(r.Continuations, whole[cut:])
	}
	return r, nil
}

// Begin puts the tokens in front of ids with which the tokenizer begins every
// text, such as <s>, unless they stand there: a chat template may have written
// them. (The tokenizer's own default decides, as in lm-evaluation-harness since
// its change 3347.)
func Begin(t *token.Tokenizer, ids []int32) []int32 {
	const text = -1 // no token's id
	around := t.AddSpecial([]int32{text})
	start := around[:slices.Index(around, text)]
	if len(ids) >= len(start) && slices.Equal(ids[:len(start)], start) {
		return ids
	}
	return slices.Concat(start, ids)
}
