package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"surgeon/probe"
	"surgeon/probe/decoder"
)

// probing is a probe that runs.
type probing struct {
	opt    probeOptions
	model  *decoder.Model
	reader *reader
	file   string // of requests
	list   []asked
	out    *answers

	parts  []answerParts // by line
	failed error         // of writing
	stop   context.CancelFunc
}

// answerParts is what is there of a line's answer.
type answerParts struct {
	responses []decoder.Response
	text      *probe.Text
	open      int // parts that are not there
}

// part is one of the requests of a line, or its generation.
type part struct{ line, request int }

// run answers what is not answered yet: scores first, then generations.
func (p *probing) run(ctx context.Context) error {
	ctx, p.stop = context.WithCancel(ctx)
	defer p.stop()
	p.parts = make([]answerParts, len(p.list))
	var scores, generations []part
	for i, a := range p.list {
		if p.out.has(i) {
			continue
		}
		parts := &p.parts[i]
		parts.responses, parts.open = make([]decoder.Response, len(a.requests)), len(a.requests)
		for k := range a.requests {
			scores = append(scores, part{i, k})
		}
		if a.generation != nil {
			generations = append(generations, part{line: i})
			parts.open++
		}
		if parts.open == 0 {
			p.add(i)
		}
	}
	err := p.score(ctx, scores)
	if err == nil {
		err = p.generate(ctx, generations)
	}
	if p.failed != nil {
		return p.failed
	}
	return err
}

func (p *probing) score(ctx context.Context, parts []part) error {
	if len(parts) == 0 {
		return nil
	}
	var requests []decoder.Request
	rows := 0
	for _, at := range parts {
		r := p.list[at.line].requests[at.request]
		requests, rows = append(requests, r), rows+len(r.Prompt)
	}
	step, finish := p.opt.progress("score", "rows")
	defer finish()
	_, err := p.model.Score(ctx, requests, decoder.Options{Progress: step, Done: func(i int, r decoder.Response) {
		line := &p.parts[parts[i].line]
		line.responses[parts[i].request] = r
		p.there(parts[i].line)
	}})
	return p.locate(err, parts)
}

func (p *probing) generate(ctx context.Context, parts []part) error {
	if len(parts) == 0 {
		return nil
	}
	tokenizer, err := p.reader.tokenizer()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var requests []decoder.Generation
	most := int64(0)
	for _, at := range parts {
		g := *p.list[at.line].generation
		requests, most = append(requests, g), most+int64(g.MaxTokens)
	}
	step, finish := p.opt.progress("generate", "tokens")
	defer finish()
	opt := decoder.GenerateOptions{Cache: p.model.Budget(p.opt.memory)}
	opt.Progress = func(tokens int64) {
		if step != nil {
			step(tokens, max(tokens, most))
		}
	}
	opt.Done = func(i int, g decoder.Generated) {
		most -= int64(requests[i].MaxTokens - len(g.IDs)) // are not needed
		text := probe.Text{IDs: g.IDs, Finish: g.Finish}
		if tokenizer != nil {
			text = probe.Written(tokenizer, g, p.list[parts[i].line].stop)
		}
		p.parts[parts[i].line].text = &text
		p.there(parts[i].line)
	}
	_, err = p.model.Generate(ctx, requests, opt)
	return p.locate(err, parts)
}

// there notes that a part of a line's answer is there.
func (p *probing) there(line int) {
	if p.parts[line].open--; p.parts[line].open == 0 {
		p.add(line)
	}
}

// add writes the answer to a line. If that fails, the rest is not computed.
func (p *probing) add(line int) {
	answer, parts := p.list[line].answer(), &p.parts[line]
	for _, r := range parts.responses {
		answer.add(r)
	}
	if parts.text != nil {
		answer.IDs, answer.Finish = parts.text.IDs, parts.text.Finish
		if p.reader.read != nil { // else nobody knows what they mean
			answer.Text = &parts.text.Text
		}
		answer.Tokens += len(parts.text.IDs)
	}
	answer.Key = p.out.key(line)
	if err := p.out.add(line, answer); err != nil {
		p.failed = err
		p.stop()
	}
	*parts = answerParts{} // and its memory
}

// add adds what the model said to one of a line's requests.
func (a *probeAnswer) add(r decoder.Response) {
	a.Greedy = append(a.Greedy, r.Greedy...)
	for i, v := range r.LogProbs {
		a.LogProbs = append(a.LogProbs, number(v))
		a.Tokens += len(r.Tokens[i])
	}
	if r.Logits != nil {
		a.Logits = r.Logits
	}
}

// locate replaces the number of a request by the line that it came from.
func (p *probing) locate(err error, parts []part) error {
	var failed *decoder.RequestError
	if !errors.As(err, &failed) {
		return err
	}
	return fmt.Errorf("%s:%d: %w", p.file, p.list[parts[failed.Request].line].line, failed.Err)
}
