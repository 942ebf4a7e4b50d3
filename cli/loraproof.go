package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/decoder"
	"surgeon/probe/route"
	"surgeon/probe/task"
)

// The labels of a router's prompts.
const (
	labelDomain  = "domain"
	labelGeneral = "general"
)

// proof is what base and adapter answer, apart and together.
type proof struct {
	Answers int          `json:"answers"`          // to the general questions, with the adapter off
	Same    int          `json:"same_as_the_base"` // of them, bit for bit
	Tasks   []provedTask `json:"tasks"`
}

// provedTask is a task's scores.
type provedTask struct {
	Task  string    `json:"task"`
	Label string    `json:"label"`
	N     int       `json:"n"`
	Base  rankScore `json:"base"`
	Off   rankScore `json:"adapter_off"`
	On    rankScore `json:"adapter_on"`
	Tuned rankScore `json:"tuned"`
}

// prove scores base, adapter off, adapter on and fine-tune, and makes the router.
func (s *isolation) prove(ctx context.Context, env environment, opt isolateOptions) error {
	if opt.score {
		if err := s.in.sameArchitecture(); err != nil {
			return err
		}
		scores, asked, tasks, err := s.ask(ctx, env, opt)
		if err != nil {
			return err
		}
		if err := s.compare(scores, tasks, opt); err != nil {
			return err
		}
		if opt.router == "" {
			var prompts []labelled
			for _, a := range asked {
				prompts = append(prompts, labelled{a.Prompt, opt.labelOf(tasks[a.Task])})
			}
			return s.route(ctx, opt, prompts)
		}
	}
	if opt.router == "" {
		return nil
	}
	prompts, err := s.labelled(opt)
	if err != nil {
		return err
	}
	return s.route(ctx, opt, prompts)
}

// ask scores the four candidates.
func (s *isolation) ask(ctx context.Context, env environment, opt isolateOptions) ([]probe.Scores, []probe.Asked, []string, error) {
	delta, err := s.adapter.Over(s.in.base)
	if err != nil {
		return nil, nil, nil, err
	}
	var candidates []probe.Candidate
	for _, c := range []struct {
		id    string
		alpha float64
	}{{"adapter off", 0}, {"adapter on", 1}} {
		m, err := merge.Apply(s.in.base, merge.Term{Label: s.Out, Delta: delta, Alpha: merge.Number(c.alpha)})
		if err != nil {
			return nil, nil, nil, err
		}
		candidates = append(candidates, probe.Candidate{ID: c.id, Source: m})
	}
	tuned, err := s.in.merged(merge.Number(1))
	if err != nil {
		return nil, nil, nil, err
	}
	candidates = append([]probe.Candidate{{ID: "base", Source: s.in.from}}, append(candidates, probe.Candidate{ID: "tuned", Source: tuned})...)

	opt.bench.suit(s.in.base.embedded)
	bench, set, err := newBench(s.in.base, opt.bench)
	if err != nil {
		return nil, nil, nil, err
	}
	s.Notes = append(s.Notes, set.notes...)
	var names []string
	for _, t := range bench.Tasks {
		names = append(names, t.Name)
	}
	for _, name := range opt.domain {
		if !slices.Contains(names, name) {
			return nil, nil, nil, usagef("--domain %s: the tasks are %s", name, some(names))
		}
	}
	asked, err := bench.Ask()
	if err != nil {
		return nil, nil, nil, err
	}
	var finish func()
	bench.Progress, finish = opt.progress("score", "rows")
	scores, err := bench.ScoreAsked(ctx, asked, candidates)
	finish()
	return scores, asked, names, err
}

// compare holds the answers against each other.
func (s *isolation) compare(scores []probe.Scores, tasks []string, opt isolateOptions) error {
	for _, one := range scores {
		if one.Err != nil {
			return fmt.Errorf("%s: %w", one.ID, one.Err)
		}
	}
	p := &proof{}
	for k, base := range scores[0].Tasks {
		if opt.labelOf(base.Task) == labelDomain {
			continue
		}
		for i, a := range base.Answers {
			if p.Answers++; sameReply(a.Reply, scores[1].Tasks[k].Answers[i].Reply) {
				p.Same++
			}
		}
	}
	var runs [][]probe.TaskScore
	for _, one := range scores {
		runs = append(runs, overSeeds(one.Tasks))
	}
	for k, t := range runs[0] {
		one := provedTask{Task: t.Task, Label: opt.labelOf(t.Task), N: len(t.Sample.Scores)}
		for i, into := range []*rankScore{&one.Base, &one.Off, &one.On, &one.Tuned} {
			means, err := summary(runs[i][k : k+1])
			if err != nil {
				return err
			}
			into.sweepTask = means[0]
			if into.ToBase, err = pairedTo(runs[0][k], runs[i][k]); err != nil {
				return err
			}
			if into.ToTuned, err = pairedTo(runs[3][k], runs[i][k]); err != nil {
				return err
			}
		}
		p.Tasks = append(p.Tasks, one)
	}
	s.Proof = p
	return nil
}

// sameReply reports whether two replies have the same bits.
func sameReply(a, b task.Reply) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// labelled is a prompt of a router.
type labelled struct {
	Prompt string `json:"prompt"`
	Label  string `json:"label"`
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
		examples = append(examples, route.Example{Label: p.Label})
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
