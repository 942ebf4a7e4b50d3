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
	asked      []Asked
	candidates []Candidate
	models     []*decoder.Model
	answers    [][]*Answer // per candidate and question; nil before it is there
	scores     []Scores

	choosing, writing int64 // units of progress of all candidates together
}

func newRun(b *Bench, asked []Asked, candidates []Candidate) *run {
	r := &run{Bench: b, asked: asked, candidates: candidates, models: make([]*decoder.Model, len(candidates))}
	for k, candidate := range candidates {
		r.scores = append(r.scores, Scores{ID: candidate.ID})
		r.answers = append(r.answers, make([]*Answer, len(asked)))
		if k < len(b.Known) {
			for _, a := range b.Known[k] {
				a.Grade = r.worth(a)
				r.answers[k][a.Question] = &a
			}
		}
		for i, a := range asked {
			if a.Truncated {
				r.scores[k].Truncated++
			}
			if a.generation != nil && r.answers[k][i] == nil {
				r.writing += r.weight(a)
			}
		}
	}
	return r
}

// weight is how much progress a text is.
func (r *run) weight(a Asked) int64 {
	return int64(len(a.generation.Prompt)+a.generation.MaxTokens) * int64(r.Config.Layers)
}

// worth grades an answer.
func (r *run) worth(a Answer) task.Grade {
	asked := r.asked[a.Question]
	return r.Tasks[asked.Task].Grade(asked.Question, a.Reply)
}

// open lists the questions of a kind that a candidate has not answered.
func (r *run) open(k int, generation bool) (list []int) {
	for i, a := range r.asked {
		if (a.generation != nil) == generation && r.answers[k][i] == nil {
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
	var requests []decoder.Request
	var of, window []int // per request, its place in open and among the windows
	for i, at := range open {
		for k, request := range r.asked[at].requests {
			requests, of, window = append(requests, request), append(of, i), append(window, k)
		}
	}
	windows := newWindows(end-start, open, r.asked)
	before := r.choosing
	opt := decoder.WaveOptions{Streams: r.memory() / 4, Keep: r.memory() / 4 * 3}
	opt.Progress = func(done, total int64) {
		r.choosing = before + done
		r.progress(before + total + r.writing)
	}
	opt.Done = func(model, request int, response decoder.Response) {
		i := of[request]
		if logProbs, whole := windows.add(model, i, window[request], response.LogProbs); whole {
			r.there(start+model, open[i], task.Reply{LogProbs: logProbs, Greedy: response.Greedy})
		}
	}
	out, err := decoder.ScoreAll(ctx, r.models[start:end], requests, opt)
	named := func(err error) error { return r.name(err, func(request int) int { return open[of[request]] }) }
	if err != nil {
		return named(err)
	}
	for i, o := range out {
		s := &r.scores[start+i]
		s.Err, s.Tokens, s.Time = named(o.Err), o.Rows, o.Time
	}
	return nil
}

// windows hold the log-likelihoods of texts that are asked in several requests,
// until all are there.
type windows struct {
	parts [][][][]float64 // per model, question and window; one value per continuation
}

func newWindows(models int, open []int, asked []Asked) *windows {
	w := &windows{}
	for range models {
		parts := make([][][]float64, len(open))
		for i, at := range open {
			parts[i] = make([][]float64, len(asked[at].requests))
		}
		w.parts = append(w.parts, parts)
	}
	return w
}

// add keeps what a window got, and returns the sums over all windows, in their
// order, when it was the last to come.
func (w *windows) add(model, i, window int, logProbs []float64) (sums []float64, whole bool) {
	parts := w.parts[model][i]
	parts[window] = logProbs
	sums = make([]float64, len(logProbs))
	for _, part := range parts {
		if part == nil {
			return nil, false
		}
		for j, v := range part {
			sums[j] += v
		}
	}
	return sums, true
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
			r.scores[k].Err = r.name(err, func(request int) int { return open[request] })
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
		requests = append(requests, *r.asked[at].generation)
		weight += r.weight(r.asked[at])
	}
	before, done := r.choosing, int64(0)
	opt := decoder.GenerateOptions{Cache: r.models[k].Budget(r.memory())}
	opt.Done = func(i int, g decoder.Generated) {
		at := open[i]
		done += r.weight(r.asked[at])
		r.choosing = before + done
		r.progress(total)
		text := Written(r.Tokenizer, g, r.Tasks[r.asked[at].Task].Until)
		r.there(k, at, task.Reply{Text: text.Text, Finish: string(text.Finish), Tokens: len(text.IDs)})
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

// there keeps an answer and what it is worth.
func (r *run) there(k, at int, reply task.Reply) {
	a := Answer{Question: at, Reply: reply}
	a.Grade = r.worth(a)
	r.answers[k][at] = &a
	if r.Answered != nil {
		r.Answered(k, a)
	}
}

// name replaces the number of a request by the item it came from.
func (r *run) name(err error, of func(request int) int) error {
	var failed *decoder.RequestError
	if !errors.As(err, &failed) {
		return err
	}
	return fmt.Errorf("%s: %w", r.where(r.asked[of(failed.Request)]), failed.Err)
}

// grade puts the answers of every candidate that did not fail together, by task
// and seed.
func (r *run) grade() []Scores {
	for k := range r.candidates {
		if r.scores[k].Err != nil {
			continue
		}
		for i, asked := range r.asked {
			t := &r.Tasks[asked.Task]
			if i == 0 || r.asked[i-1].Task != asked.Task || r.asked[i-1].Seed != asked.Seed {
				r.scores[k].Tasks = append(r.scores[k].Tasks, TaskScore{Task: t.Name, Seed: asked.Seed, Metric: t.Form.Metrics()[0]})
			}
			r.scores[k].Tasks[len(r.scores[k].Tasks)-1].add(t.Items[asked.Item].ID, *r.answers[k][i])
		}
	}
	return r.scores
}

func (s *TaskScore) add(item string, a Answer) {
	s.Sample.Items = append(s.Sample.Items, item)
	s.Sample.Scores = append(s.Sample.Scores, a.Grade.Scores[s.Metric])
	s.Answers = append(s.Answers, a)
}
