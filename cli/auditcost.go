package cli

import (
	"context"
	"fmt"
	"time"

	"surgeon/cli/table"
	"surgeon/probe"
	"surgeon/probe/attribute"
	"surgeon/probe/decoder"
)

// phaseCost is what a part of an audit takes.
type phaseCost struct {
	Phase  string  `json:"phase"`
	Models int     `json:"models"` // candidates, or points of a search
	Items  int     `json:"items"`  // questions to each
	Tokens int     `json:"tokens"` // of all of them
	Time   seconds `json:"seconds"`
}

// auditCost is what an audit takes, by a pilot.
type auditCost struct {
	Phases []phaseCost `json:"phases"`
	Pilot  seconds     `json:"pilot_seconds"`
	Memory int64       `json:"memory_bytes"` // an estimate of the most
}

type seconds float64

func (c auditCost) total() (tokens int, took seconds) {
	for _, p := range c.Phases {
		tokens, took = tokens+p.Tokens, took+p.Time
	}
	return tokens, took
}

// cost measures a pilot: it asks the base, the merge halfway and the fine-tune a few
// questions of every task, and keeps nothing.
func (a *auditing) cost(ctx context.Context) (auditCost, error) {
	start := time.Now()
	p := &pilot{a: a}
	if err := p.measure(ctx); err != nil {
		return auditCost{}, err
	}
	chosen, judged := a.parts()
	repairs, points := a.counts()
	finalists := repairs
	if a.opt.finalists == finalistsBest {
		finalists = min(repairs, len(a.opt.repairs))
	}
	c := auditCost{Phases: []phaseCost{
		p.scored(partModels, [3]int{1, 0, 1}, a.asked),
		p.attributed(points, chosen),
		p.scored(partChoose, [3]int{0, repairs, 0}, chosen),
		p.scored(partJudge, [3]int{0, finalists, 0}, judged),
		p.decided(2+repairs, finalists),
	}, Pilot: seconds(time.Since(start).Seconds()), Memory: a.memory(2 + repairs)}
	return c, nil
}

// counts are the repairs that are asked, and the points at which the harm is looked for.
func (a *auditing) counts() (repairs, points int) {
	for _, c := range a.candidates[2:] {
		if c.Class != classIsolation {
			repairs++
		}
	}
	least, most := attribute.Cost(len(a.groups), a.searchOptions().Permutations)
	points = 2 + len(usualAlphas) + (least+most)/2
	if a.tries(classGroups) {
		points += 30
	}
	return repairs, points
}

// scored is the cost of questions to so many models like the base, like the merge
// halfway, and like the fine-tune.
func (p *pilot) scored(phase string, like [3]int, asked []probe.Asked) phaseCost {
	c := probe.CostOf(asked)
	out := phaseCost{Phase: phase, Items: len(asked)}
	for m, n := range like {
		tokens := number(0)
		for _, q := range asked {
			if q.Writes() {
				tokens += p.lengths[m][q.Task]
			}
		}
		rows := c.Choices + c.Prompts
		out.Models += n
		out.Tokens += n * (rows + int(tokens))
		out.Time += seconds(float64(n) * (p.open + p.row*float64(rows) + p.written*float64(tokens)))
	}
	return out
}

// attributed is the cost of looking for the harm, and of what gradients ask for.
func (p *pilot) attributed(points int, chosen []probe.Asked) phaseCost {
	general, domain := p.references(chosen)
	rows := general + domain
	out := phaseCost{Phase: partWhere, Models: points, Items: p.answers(chosen), Tokens: points * rows, Time: seconds(float64(points) * (p.open/wave + p.row*float64(rows)))}
	if p.a.tries(classIsolation) {
		c := probe.CostOf(p.a.asked)
		out.Tokens += c.Choices + c.Prompts
		out.Time += seconds(p.row * float64(c.Choices+c.Prompts))
	}
	if p.a.frozen == "" {
		learned := pathNodes*rows + rows + 2*relearnSteps[len(relearnSteps)-1]*relearnRows
		out.Tokens += learned
		out.Time += seconds(p.learned * float64(learned))
	}
	return out
}

// What the statistics take of each question to each candidate that is judged, and the
// memo: by surgeon memo of two audits, of 139 questions and 3 such candidates (0.6 s of
// processor time) and of 1,336 and 44 (4.2 s).
const (
	secondsOfAnAnswer = 6e-5
	secondsOfAMemo    = 0.6
)

// decided is the cost of the statistics and of the memo, which depend on no model.
func (p *pilot) decided(models, judged int) phaseCost {
	return phaseCost{Phase: partDecided, Models: models, Items: len(p.a.asked), Time: secondsOfAMemo + seconds(secondsOfAnAnswer*float64(judged*len(p.a.asked)))}
}

// answers is how many answers the harm is looked for by.
func (p *pilot) answers(chosen []probe.Asked) (n int) {
	sides := p.sides(chosen)
	return min(sides[0], p.a.opt.references) + min(sides[1], p.a.opt.references)
}

// sides counts general questions and those of the domain.
func (p *pilot) sides(asked []probe.Asked) (n [2]int) {
	for _, q := range asked {
		if p.a.ofDomain(q) {
			n[1]++
		} else {
			n[0]++
		}
	}
	return n
}

// references are the rows of the answers by which the harm is looked for.
func (p *pilot) references(chosen []probe.Asked) (general, domain int) {
	var requests [2][]decoder.Request
	answer := [2]number{}
	for _, q := range chosen {
		side := 0
		if p.a.ofDomain(q) {
			side = 1
		}
		requests[side] = append(requests[side], decoder.Request{Prompt: p.a.encoded(q.Prompt), Logits: true})
		answer[side] += min(mostAnswer, max(1, p.lengths[2*side][q.Task]))
	}
	rows := func(side int) int {
		n := len(requests[side])
		if n == 0 {
			return 0
		}
		some := thin(requests[side], p.a.opt.references)
		return decoder.Rows(some) + int(answer[side]/number(n)*number(len(some)))
	}
	return rows(0), rows(1)
}

// printCost prints what an audit takes.
func (a *auditing) printCost(c auditCost) error {
	var rows [][]string
	for _, p := range c.Phases {
		rows = append(rows, []string{p.Phase, fmt.Sprint(p.Models), fmt.Sprint(p.Items), table.Count(int64(p.Tokens)), lasting(p.Time)})
	}
	if err := a.env.printTable([]table.Column{{Name: "part"}, {Name: "models", Right: true}, {Name: "items", Right: true}, {Name: "tokens", Right: true}, {Name: "time", Right: true}}, rows); err != nil {
		return err
	}
	tokens, took := c.total()
	return a.env.printf("\nin all about %s tokens, %s, about %s of memory, by a pilot of %s\n", table.Count(int64(tokens)), lasting(took), table.Bytes(c.Memory), lasting(c.Pilot))
}

// lasting is a time as people say it.
func lasting(s seconds) string {
	switch d := time.Duration(float64(s) * float64(time.Second)); {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	default:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
}
