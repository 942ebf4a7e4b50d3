package probe

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"surgeon/probe/decoder"
	"surgeon/probe/task"
)

// run is a Score that runs.
type run struct {
	*Bench
	questions  []question
	candidates []Candidate
	models     []*decoder.Model
	answers    [][]*Answer // per candidate and question; nil before it is there
	scores     []Scores

	choosing, writing int64 // units of progress of all candidates together
}

func newRun(b *Bench, questions []question, candidates []Candidate) *run {
	r := &run{Bench: b, questions: questions, candidates: candidates, models: make([]*decoder.Model, len(candidates))}
	places := map[[2]int]int{}
	for i, q := range questions {
		places[[2]int{q.task, q.item}] = i
	}
	for k, candidate := range candidates {
		r.scores = append(r.scores, Scores{ID: candidate.ID})
		r.answers = append(r.answers, make([]*Answer, len(questions)))
		if k < len(b.Known) {
			for _, a := range b.Known[k] {
				if i, ok := places[[2]int{a.Task, a.Item}]; ok {
					r.answers[k][i] = &a
				}
			}
		}
		for i, q := range questions {
			if q.truncated {
				r.scores[k].Truncated++
			}
			if q.generation != nil && r.answers[k][i] == nil {
				r.writing += int64(len(q.generation.Prompt)+q.generation.MaxTokens) * int64(b.Config.Layers)
			}
		}
	}
	return r
}

// open lists the questions of a kind that a candidate has not answered.
func (r *run) open(k int, generation bool) (list []int) {
	for i, q := range r.questions {
		if (q.generation != nil) == generation && r.answers[k][i] == nil {
			list = append(list, i)
		}
	}
	return list
}

// choose scores the choices. Candidates that were left with the same questions
// go together.
func (r *run) choose(ctx context.Context) error {
	for start := 0; start < len(r.candidates); {
		open, end := r.open(start, false), start+1
		for end < len(r.candidates) && slices.Equal(r.open(end, false), open) {
			end++
		}
		if len(open) > 0 {
			if err := r.wave(ctx, start, end, open); err != nil {
				return err
			}
		}
		start = end
	}
	return nil
}

// wave scores the choices of open questions for the candidates from start to
// end.
func (r *run) wave(ctx context.Context, start, end int, open []int) error {
	requests := make([]decoder.Request, len(open))
	for i, at := range open {
		requests[i] = *r.questions[at].request
	}
	before := r.choosing
	opt := decoder.WaveOptions{Streams: r.memory() / 4}
	opt.Progress = func(done, total int64) {
		r.choosing = before + done
		r.progress(before + total + r.writing)
	}
	opt.Done = func(model, request int, response decoder.Response) {
		r.there(start+model, open[request], Answer{LogProbs: response.LogProbs})
	}
	out, err := decoder.ScoreAll(ctx, r.models[start:end], requests, opt)
	if err != nil {
		return r.name(err, open)
	}
	for i, o := range out {
		s := &r.scores[start+i]
		s.Err, s.Tokens, s.Time = r.name(o.Err, open), o.Rows, o.Time
	}
	return nil
}

// write generates the texts, one candidate after the other.
func (r *run) write(ctx context.Context) error {
	total := r.choosing + r.writing
	for k := range r.candidates {
		open := r.open(k, true)
		if len(open) == 0 || r.scores[k].Err != nil {
			continue
		}
		if err := r.texts(ctx, k, open, total); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.scores[k].Err = r.name(err, open)
		}
		r.models[k] = nil
		runtime.GC() // or the next candidate's weights might not fit beside its own
	}
	return nil
}

func (r *run) texts(ctx context.Context, k int, open []int, total int64) error {
	var requests []decoder.Generation
	var weight int64
	for _, at := range open {
		g := *r.questions[at].generation
		requests = append(requests, g)
		weight += int64(len(g.Prompt)+g.MaxTokens) * int64(r.Config.Layers)
	}
	before, done := r.choosing, int64(0)
	opt := decoder.GenerateOptions{Cache: r.models[k].Budget(r.memory())}
	opt.Done = func(i int, g decoder.Generated) {
		done += int64(len(requests[i].Prompt)+requests[i].MaxTokens) * int64(r.Config.Layers)
		r.choosing = before + done
		r.progress(total)
		r.there(k, open[i], Answer{Text: Written(r.Tokenizer, g, r.Stop).Text})
	}
	out, err := r.models[k].Generate(ctx, requests, opt)
	r.scores[k].Tokens += out.Rows
	r.scores[k].Time += out.Time
	r.choosing = before + weight
	return err
}

func (r *run) memory() int64 {
	if r.Memory == 0 {
		return benchMemory
	}
	return r.Memory
}

func (r *run) progress(total int64) {
	if r.Progress != nil {
		r.Progress(r.choosing, total)
	}
}

// there keeps an answer.
func (r *run) there(k, at int, a Answer) {
	a.Task, a.Item = r.questions[at].task, r.questions[at].item
	r.answers[k][at] = &a
	if r.Answered != nil {
		r.Answered(k, a)
	}
}

// name replaces the number of a request by the item it came from.
func (r *run) name(err error, open []int) error {
	var failed *decoder.RequestError
	if !errors.As(err, &failed) {
		return err
	}
	q := r.questions[open[failed.Request]]
	return fmt.Errorf("%s: %w", r.where(q.task, q.item), failed.Err)
}

// grade grades the answers of every candidate that did not fail.
func (r *run) grade() []Scores {
	for k := range r.candidates {
		if r.scores[k].Err != nil {
			continue
		}
		for _, t := range r.Tasks {
			r.scores[k].Tasks = append(r.scores[k].Tasks, TaskScore{Task: t.Name, Metric: t.Form.Metric()})
		}
		for i, q := range r.questions {
			out, a := &r.scores[k].Tasks[q.task], r.answers[k][i]
			out.add(r.Tasks[q.task].Items[q.item], *a)
		}
	}
	return r.scores
}

// add grades an answer.
func (s *TaskScore) add(item task.Item, a Answer) {
	s.Sample.Items = append(s.Sample.Items, item.ID)
	if item.Choices == nil {
		s.Texts = append(s.Texts, a.Text)
		s.Sample.Scores = append(s.Sample.Scores, item.GradeText(a.Text))
		return
	}
	s.Chosen = append(s.Chosen, task.Choose(a.LogProbs))
	s.Sample.Scores = append(s.Sample.Scores, item.GradeChoice(a.LogProbs))
}
