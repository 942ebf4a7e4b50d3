package cli

import (
	"context"
	"fmt"
	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/sensitivity"
	"surgeon/probe/train"
	"surgeon/tensors"
	"time"
)

// pilotItems is how many questions of each task the pilot asks.
const pilotItems = 12

// pilot is what was measured on some questions of every task.
type pilot struct {
	a        *auditing
	open     float64           // seconds that a model takes before its first row
	row      float64           // of a row of scored choices
	written  float64           // of a token of a text
	learned  float64           // of a row of gradients
	lengths  [3]map[int]number // of texts, mean tokens by task: of the base, of the merge halfway, of the fine-tune
	examples []train.Example
}

// measure asks the pilot's questions.
func (p *pilot) measure(ctx context.Context) error {
	half, err := p.a.in.merged(merge.Number(0.5))
	if err != nil {
		return err
	}
	choices, texts := p.sample()
	models := []tensors.Source{p.a.candidates[0].source, half, p.a.candidates[1].source}
	if len(choices) > 0 {
		if p.open, err = p.took(ctx, models[1:2], choices[:1]); err != nil {
			return err
		}
		all, err := p.took(ctx, models[1:2], choices)
		if err != nil {
			return err
		}
		p.row = max(0, all-p.open) / float64(max(1, probe.CostOf(choices).Choices-probe.CostOf(choices[:1]).Choices))
	}
	if err := p.writing(ctx, models, texts); err != nil || p.a.frozen != "" {
		return err
	}
	return p.gradients(ctx, models[0])
}

// sample are some questions of every task, evenly, those of choices and those of texts.
func (p *pilot) sample() (choices, texts []probe.Asked) {
	byTask := map[int][]probe.Asked{}
	for _, q := range p.a.asked {
		byTask[q.Task] = append(byTask[q.Task], q)
	}
	for t := range p.a.bench.Tasks {
		for _, q := range thin(byTask[t], pilotItems) {
			if q.Writes() {
				texts = append(texts, q)
			} else {
				choices = append(choices, q)
			}
		}
	}
	return choices, texts
}

// took is how many seconds some models take for some questions.
func (p *pilot) took(ctx context.Context, models []tensors.Source, asked []probe.Asked) (float64, error) {
	start := time.Now()
	_, err := p.scores(ctx, models, asked)
	return time.Since(start).Seconds(), err
}

func (p *pilot) scores(ctx context.Context, models []tensors.Source, asked []probe.Asked) ([]probe.Scores, error) {
	bench := *p.a.bench
	bench.Known, bench.Answered = nil, nil
	var candidates []probe.Candidate
	for i, m := range models {
		candidates = append(candidates, probe.Candidate{ID: fmt.Sprint(i), Source: m})
	}
	var finish func()
	bench.Progress, finish = p.a.opt.progress("pilot", "rows")
	defer finish()
	scores, err := bench.ScoreAsked(ctx, asked, candidates)
	for _, s := range scores {
		if err == nil {
			err = s.Err
		}
	}
	return scores, err
}

// writing measures texts: how long those of each model are, and how long a token takes.
func (p *pilot) writing(ctx context.Context, models []tensors.Source, texts []probe.Asked) error {
	if len(texts) == 0 {
		return nil
	}
	start := time.Now()
	scores, err := p.scores(ctx, models, texts)
	if err != nil {
		return err
	}
	took, tokens := time.Since(start).Seconds(), 0
	for m, s := range scores {
		p.lengths[m] = map[int]number{}
		at := 0
		for _, t := range s.Tasks {
			for _, answer := range t.Answers {
				tokens += answer.Reply.Tokens
				p.lengths[m][texts[at].Task] += number(answer.Reply.Tokens) / number(len(t.Answers))
				at++
			}
		}
	}
	prompts := float64(len(models)) * (p.open + p.row*float64(probe.CostOf(texts).Prompts))
	p.written = max(0.2*took, took-prompts) / float64(max(1, tokens))
	return nil
}

// gradients measures a backward pass of a few questions.
func (p *pilot) gradients(ctx context.Context, model tensors.Source) error {
	for _, q := range thin(p.a.asked, 2*pilotItems) {
		ids := p.a.encoded(q.Prompt)
		e := train.Example{Tokens: ids, Learned: make([]bool, len(ids))}
		e.Learned[len(ids)-1] = true
		p.examples = append(p.examples, e)
	}
	start, rows := time.Now(), 0
	d, err := sensitivity.Fisher(ctx, p.a.bench.Config, model, p.examples, train.GradientOptions{})
	if err != nil {
		return err
	}
	for _, e := range p.examples {
		rows += len(e.Tokens)
	}
	p.learned = time.Since(start).Seconds() / float64(max(rows, d.Tokens))
	return nil
}
