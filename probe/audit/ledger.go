package audit

import (
	"maps"
	"slices"

	"surgeon/probe/stat"
)

// Ledger is the forgetting ledger: which items tuning lost, and which of them
// each candidate brings back. An item is right from a score of one half up.
type Ledger struct {
	// Tasks has one entry per protected task, in the order of the basket.
	Tasks []LedgerTask `json:"tasks"`
}

// LedgerTask is the ledger of one task.
type LedgerTask struct {
	Task string `json:"task"`
	Kind Kind   `json:"kind"`
	N    int    `json:"n"`
	// Lost names the items that the base has right and the tuned model wrong, and
	// Never those of them that no candidate has right, in the order of names.
	Lost  []string `json:"lost"`
	Never []string `json:"never"`
	// Candidates has one entry per candidate, in their order.
	Candidates []LedgerCandidate `json:"candidates"`
	// Classes has one entry per class of the candidates, by name.
	Classes []LedgerClass `json:"classes"`
}

// LedgerCandidate is what one candidate does to the items of a task.
type LedgerCandidate struct {
	Name  string `json:"name"`
	Class string `json:"class"`
	// Healed counts the lost items that the candidate has right, and Broken
	// those that base and tuned model have right and the candidate wrong.
	Healed int `json:"healed"`
	Broken int `json:"broken"`
	// Better and Worse count the items that the candidate has right and the
	// tuned model wrong, and the other way round, whatever the base has, and P
	// is the mid-p value of McNemar's test of them, see [stat.McNemar].
	Better int     `json:"better"`
	Worse  int     `json:"worse"`
	P      float64 `json:"p"`
}

// LedgerClass is what the candidates of one class do together.
type LedgerClass struct {
	Class string `json:"class"`
	// Healed counts the lost items that some candidate of the class has right,
	// and Only names those that none of any other class has.
	Healed int      `json:"healed"`
	Only   []string `json:"only"`
}

// Forgotten keeps the ledger of a basket. The candidates are without base and
// tuned model, and those of the same Class count as one class. It is an error if
// [Regressions] would fail for any of the models.
func Forgotten(tasks []Task, base, tuned Model, candidates []Model) (*Ledger, error) {
	p, err := newPanel(tasks, Rule{}, append([]Model{base, tuned}, candidates...)...)
	if err != nil {
		return nil, err
	}
	l := &Ledger{}
	for _, t := range p.protected {
		l.Tasks = append(l.Tasks, p.ledger(t))
	}
	return l, nil
}

// right reports whether a model has an item right.
func (p panel) right(task, model, item int) bool { return p.models[model].Scores[task][item] >= 0.5 }

func (p panel) ledger(t int) LedgerTask {
	l := LedgerTask{Task: p.tasks[t].Name, Kind: p.tasks[t].Kind, N: len(p.tasks[t].Items), Lost: []string{}, Never: []string{}, Candidates: []LedgerCandidate{}, Classes: []LedgerClass{}}
	classes := map[string]*LedgerClass{}
	for m := candidateAt; m < len(p.models); m++ {
		l.Candidates = append(l.Candidates, p.ledgerOf(t, m))
		class := p.models[m].Class
		classes[class] = &LedgerClass{Class: class, Only: []string{}}
	}
	for i, item := range p.tasks[t].Items {
		if !p.right(t, baseAt, i) || p.right(t, tunedAt, i) {
			continue
		}
		l.Lost = append(l.Lost, item.ID)
		healing := map[string]bool{}
		for m := candidateAt; m < len(p.models); m++ {
			if p.right(t, m, i) {
				healing[p.models[m].Class] = true
			}
		}
		if len(healing) == 0 {
			l.Never = append(l.Never, item.ID)
		}
		for class := range healing {
			c := classes[class]
			if c.Healed++; len(healing) == 1 {
				c.Only = append(c.Only, item.ID)
			}
		}
	}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		l.Classes = append(l.Classes, *classes[class])
	}
	return l
}

// ledgerOf counts what one candidate does to the items of a task.
func (p panel) ledgerOf(t, m int) LedgerCandidate {
	c := LedgerCandidate{Name: p.models[m].Name, Class: p.models[m].Class}
	for i := range p.tasks[t].Items {
		base, tuned, now := p.right(t, baseAt, i), p.right(t, tunedAt, i), p.right(t, m, i)
		switch {
		case now && !tuned:
			c.Better++
			if base {
				c.Healed++
			}
		case tuned && !now:
			c.Worse++
			if base {
				c.Broken++
			}
		}
	}
	_, c.P = stat.McNemar(c.Worse, c.Better)
	return c
}
