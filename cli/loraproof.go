package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"surgeon/merge"
	"surgeon/probe"
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
				prompts = append(prompts, labelled{a.Prompt, opt.labelOf(tasks[a.Task]), fmt.Sprint(a.Task, " ", a.Item)})
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
