package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"surgeon/probe"
	"surgeon/probe/decoder"
	"surgeon/probe/route"
	"surgeon/probe/task"
)

// labelled is a prompt of a router.
type labelled struct {
	Prompt string `json:"prompt"`
	Label  string `json:"label"`
	Group  string `json:"-"` // the question
}

// labelled are the prompts of --router, as a chat where that is asked for.
func (s *isolation) labelled(opt isolateOptions) ([]labelled, error) {
	list, err := readLabelled(opt.router)
	opt.bench.suit(s.in.base.embedded)
	if err != nil || !opt.bench.setting.Chat {
		return list, err
	}
	template, err := s.in.base.folder().chat()
	if err != nil {
		return nil, err
	}
	for i, p := range list {
		if list[i].Prompt, err = render(template, []task.Message{{Role: "user", Content: p.Prompt}}); err != nil {
			return nil, fmt.Errorf("%s: prompt %d: %w", opt.router, i+1, err)
		}
	}
	return list, nil
}

// readLabelled reads JSON lines of labelled prompts.
func readLabelled(path string) (list []labelled, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var one labelled
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, n, err)
		}
		if one.Prompt == "" || one.Label != labelDomain && one.Label != labelGeneral {
			return nil, fmt.Errorf(`%s: line %d: want {"prompt": a text, "label": "domain" or "general"}`, path, n)
		}
		list = append(list, one)
	}
	return list, lines.Err()
}

// routerTable is a router and what it gets wrong.
type routerTable struct {
	Layer     int             `json:"layer"` // behind which the residual stream is taken, its mean over the prompt's tokens
	Prompts   int             `json:"prompts"`
	Confusion route.Confusion `json:"confusion"` // of prompts that it had not seen
	Risk      []residualRisk  `json:"residual_risk,omitempty"`
	Router    *route.Router   `json:"-"` // in router.json
}

// residualRisk is what the router's mistakes cost a task: so many prompts of its
// label are answered by the wrong one of the two.
type residualRisk struct {
	Task     string `json:"task"`
	Label    string `json:"label"`
	Wrong    number `json:"routed_wrong"` // share
	Right    number `json:"score_if_right"`
	Expected number `json:"expected_score"` // (1-wrong) * right + wrong * the other's
}

// folds are those of the router's test.
const folds = 5

// route makes the router from labelled prompts.
func (s *isolation) route(ctx context.Context, opt isolateOptions, prompts []labelled) error {
	examples, layer, err := s.examples(ctx, opt, prompts)
	if err != nil {
		return err
	}
	router, err := route.Fit(examples)
	if err != nil {
		return fmt.Errorf("the router of %s: %w", cmp.Or(opt.router, "the tasks' prompts"), err)
	}
	confusion, err := route.CrossValidate(examples, folds)
	if err != nil {
		return fmt.Errorf("the router of %s: %w", cmp.Or(opt.router, "the tasks' prompts"), err)
	}
	table := &routerTable{Layer: layer, Prompts: len(examples), Confusion: confusion, Router: router}
	if s.Proof != nil {
		for _, t := range s.Proof.Tasks {
			own, other := t.Off.Score, t.On.Score
			wrong := labelDomain
			if t.Label == labelDomain {
				own, other, wrong = other, own, labelGeneral
			}
			n, of := confusion.Share(t.Label, wrong)
			share := float64(n) / float64(of)
			table.Risk = append(table.Risk, residualRisk{t.Task, t.Label, number(share), own, number((1-share)*float64(own) + share*float64(other))})
		}
	}
	s.Router = table
	return nil
}

// examples are the hidden states of prompts, each different prompt once.
func (s *isolation) examples(ctx context.Context, opt isolateOptions, prompts []labelled) ([]route.Example, int, error) {
	config, err := s.in.base.config()
	if err != nil {
		return nil, 0, err
	}
	layer := cmp.Or(opt.layer, (config.Layers+1)/2)
	if layer > config.Layers {
		return nil, 0, usagef("--layer %d: %s has %d layers", layer, s.Base, config.Layers)
	}
	tokenizer, err := s.in.base.folder().tokenizer()
	if err != nil {
		return nil, 0, err
	}
	var requests []decoder.Request
	var examples []route.Example
	seen := map[labelled]bool{}
	for _, p := range prompts {
		if seen[p] {
			continue
		}
		seen[p] = true
		ids := probe.Begin(tokenizer, tokenizer.Encode(p.Prompt))
		if len(ids) > config.Context {
			ids = ids[len(ids)-config.Context:]
		}
		requests = append(requests, decoder.Request{Prompt: ids, Hidden: true})
		examples = append(examples, route.Example{Label: p.Label, Group: p.Group})
	}
	model, err := decoder.Open(config, s.in.base)
	if err != nil {
		return nil, 0, err
	}
	step, finish := opt.progress("router", "rows")
	defer finish()
	answers, err := model.Score(ctx, requests, decoder.Options{Progress: step})
	if err != nil {
		return nil, 0, err
	}
	for i, a := range answers {
		examples[i].Vector = a.Hidden[layer]
	}
	return examples, layer, nil
}
