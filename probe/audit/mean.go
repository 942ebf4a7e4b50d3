package audit

import (
	"math"

	"surgeon/probe/stat"
)

// Mean returns the mean score of a model over the protected tasks and over those
// of the domain, each task counting alike, with its interval: that of a mean of
// independent means, each with the variance of its clusters,
//
//	Var = sum over the K tasks of Var_k / K^2,
//	Var_k = C/(C-1) / n^2 * sum over the C clusters of (sum over its items of (score - mean))^2
//
// (the cluster-robust variance of a mean; Liang and Zeger, Biometrika 73, 1986).
// To either side it is at least as wide as the rule of three for all items, since
// where all answers are right they have no spread, and it ends at 0 and 1.
//
// An interval is not defined where there is no such task, one item or cluster
// alone, or where [Regressions] would fail.
func Mean(tasks []Task, m Model, rule Rule) (protected, domain Interval) {
	p, err := newPanel(tasks, rule, m)
	if err != nil {
		return undefined(err.Error()), undefined(err.Error())
	}
	return p.meanIn(p.protected), p.meanIn(p.domain)
}

// meanIn returns the mean of the only model over some tasks.
func (p panel) meanIn(tasks []int) Interval {
	if len(tasks) == 0 {
		return undefined("there is no such task")
	}
	variance, items := 0.0, 0
	for _, t := range tasks {
		spread, known := p.spread(t)
		if !known {
			return undefined("a task has too few items")
		}
		variance, items = variance+spread, items+len(p.tasks[t].Items)
	}
	mean := p.mean(tasks, 0)
	half := math.Sqrt2 * math.Erfinv(p.rule.Confidence) * math.Sqrt(variance) / float64(len(tasks))
	half = max(half, stat.RuleOfThree(items, 1-(1-p.rule.Confidence)/2))
	return Interval{Value: mean, Low: max(0, mean-half), High: min(1, mean+half), Defined: true}
}

// spread is the variance of the mean of the only model on a task, unknown for one
// item or cluster.
func (p panel) spread(t int) (variance float64, known bool) {
	rows := p.units(t)
	if len(rows) < 2 {
		return 0, false
	}
	mean, n := p.score(t, 0), float64(len(p.tasks[t].Items))
	for _, row := range rows {
		deviation := row[0] - row[1]*mean
		variance += float64(deviation * deviation)
	}
	c := float64(len(rows))
	return c / (c - 1) / (n * n) * variance, true
}
