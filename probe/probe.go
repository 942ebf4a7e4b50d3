// Package probe scores candidates, which may be models that were never
// written, on tasks.
//
// A Bench has the architecture and the tokenizer that all candidates share and
// the tasks to score them on. Score runs every candidate over all items and
// returns its Scores, item by item, for package stat to summarise and compare.
package probe

import (
	"context"
	"errors"
	"fmt"

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
	Tasks     []task.MCQ
	Progress  func(done, total int64) // token rows times layers, over all candidates; may be nil
}

// TaskScore is what a candidate scored on a task: a score per item, and the
// index of the choice it took.
type TaskScore struct {
	Task   string
	Metric string // "acc": the share of items whose most likely choice is right
	Sample stat.Sample
	Chosen []int
}

// Scores are a candidate's results, one per task in the order of the Bench.
type Scores struct {
	ID    string
	Tasks []TaskScore
}

// Score scores every candidate on every task. Results stand in the order of
// the candidates. An error names the candidate or the item.
func (b *Bench) Score(ctx context.Context, candidates []Candidate) ([]Scores, error) {
	requests, err := b.requests()
	if err != nil {
		return nil, err
	}
	opened := make([]*decoder.Model, len(candidates))
	for i, candidate := range candidates { // all of them before the first minute of work
		if opened[i], err = decoder.Open(b.Config, candidate.Source); err != nil {
			return nil, fmt.Errorf("%s: %w", candidate.ID, err)
		}
	}
	results := make([]Scores, len(candidates))
	for i, candidate := range candidates {
		opt := decoder.Options{}
		if b.Progress != nil {
			opt.Progress = func(done, total int64) { b.Progress(int64(i)*total+done, int64(len(candidates))*total) }
		}
		responses, err := opened[i].Score(ctx, requests, opt)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", candidate.ID, b.name(err))
		}
		results[i] = b.grade(candidate.ID, responses)
		opened[i] = nil // and its memory
	}
	return results, nil
}

// requests lists the items of all tasks as questions to a model.
func (b *Bench) requests() ([]decoder.Request, error) {
	var requests []decoder.Request
	for _, t := range b.Tasks {
		for _, item := range t.Items {
			r, err := Encode(b.Tokenizer, item.Prompt, item.Choices)
			if err != nil {
				return nil, fmt.Errorf("task %s, item %s: %w", t.Name, item.ID, err)
			}
			requests = append(requests, r)
		}
	}
	return requests, nil
}

// name replaces the number of a request by the item it came from.
func (b *Bench) name(err error) error {
	var failed *decoder.RequestError
	if !errors.As(err, &failed) {
		return err
	}
	at := failed.Request
	for _, t := range b.Tasks {
		if at < len(t.Items) {
			return fmt.Errorf("task %s, item %s: %w", t.Name, t.Items[at].ID, failed.Err)
		}
		at -= len(t.Items)
	}
	return err
}

func (b *Bench) grade(id string, responses []decoder.Response) Scores {
	s := Scores{ID: id}
	for _, t := range b.Tasks {
		out := TaskScore{Task: t.Name, Metric: "acc"}
		for _, item := range t.Items {
			out.Sample.Items = append(out.Sample.Items, item.ID)
			out.Sample.Scores = append(out.Sample.Scores, item.Grade(responses[0].LogProbs))
			out.Chosen = append(out.Chosen, task.Choose(responses[0].LogProbs))
			responses = responses[1:]
		}
		s.Tasks = append(s.Tasks, out)
	}
	return s
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
