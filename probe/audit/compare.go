package audit

import (
	"strings"

	"surgeon/probe/stat"
)

// Comparison is one candidate against another on one task, item by item.
type Comparison struct {
	// ID names the comparison; [Against] makes "against/FIRST/SECOND/TASK".
	ID     string `json:"id"`
	First  string `json:"first"`
	Second string `json:"second"`
	Task   string `json:"task"`
	Kind   Kind   `json:"kind"`
	// Difference is the first's score less the second's, paired and clustered,
	// P its two-sided p value, adjusted by Holm's method for the tasks that are
	// protected, or of the domain.
	Difference Interval `json:"difference"`
	P          float64  `json:"p"`
	N          int      `json:"n"`
}

// Against compares two models on every task of a basket, in its order. It is an
// error if [Regressions] would fail for any of the models.
func Against(tasks []Task, first, second Model, rule Rule) ([]Comparison, error) {
	p, err := newPanel(tasks, rule, second, first)
	if err != nil {
		return nil, err
	}
	list := make([]Comparison, len(tasks))
	for t, task := range p.tasks {
		d, err := p.compare(t, 0, 1)
		if err != nil {
			return nil, err
		}
		list[t] = Comparison{
			ID: strings.Join([]string{"against", first.Name, second.Name, task.Name}, "/"), First: first.Name, Second: second.Name,
			Task: task.Name, Kind: task.Kind, Difference: Interval{Value: d.Difference, Low: d.Low, High: d.High, Defined: true}, P: d.P, N: d.N,
		}
	}
	for _, some := range [][]int{p.protected, p.domain} {
		values := make([]float64, len(some))
		for at, t := range some {
			values[at] = list[t].P
		}
		for at, value := range stat.Holm(values) {
			list[some[at]].P = value
		}
	}
	return list, nil
}
