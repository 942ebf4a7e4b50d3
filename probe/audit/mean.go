package audit

import "math"

// Mean returns the mean score of a model over the protected tasks and over those
// of the domain, each task counting alike, with its interval: that of a mean of
// independent means, each with the variance of its clusters,
//
//	Var = sum over the K tasks of Var_k / K^2,
//	Var_k = C/(C-1) / n^2 * sum over the C clusters of (sum over its items of (score - mean))^2
//
// (the cluster-robust variance of a mean; Liang and Zeger, Biometrika 73, 1986).
// An interval is not defined where there is no such task, or one item alone. It
// panics if the model was not scored on the tasks.
func Mean(tasks []Task, m Model, rule Rule) (protected, domain Interval) {
	rule = rule.complete()
	return meanOf(tasks, m, rule, Task.Protected), meanOf(tasks, m, rule, func(t Task) bool { return !t.Protected() })
}

func meanOf(tasks []Task, m Model, rule Rule, counts func(Task) bool) Interval {
	mean, variance, n := 0.0, 0.0, 0.0
	for i, t := range tasks {
		if !counts(t) {
			continue
		}
		value, spread, ok := taskMean(t, m.Scores[i])
		if !ok {
			return Interval{Why: "a task has too few items"}
		}
		mean, variance, n = mean+value, variance+spread, n+1
	}
	if n == 0 {
		return Interval{Why: "there is no such task"}
	}
	mean /= n
	half := math.Sqrt2 * math.Erfinv(rule.Confidence) * math.Sqrt(variance) / n
	return Interval{Value: mean, Low: mean - half, High: mean + half, Defined: true}
}

// taskMean is the mean of a task and its variance.
func taskMean(t Task, scores []float64) (mean, variance float64, ok bool) {
	n := float64(len(scores))
	if n < 2 {
		return 0, 0, false
	}
	for _, v := range scores {
		mean += v / n
	}
	sums, order := map[string]float64{}, []string{}
	for i, item := range t.Items {
		name := "cluster " + item.Cluster
		if item.Cluster == "" {
			name = "item " + item.ID
		}
		if _, seen := sums[name]; !seen {
			order = append(order, name)
		}
		sums[name] += scores[i] - mean
	}
	if len(order) < 2 {
		return 0, 0, false
	}
	for _, name := range order {
		variance += sums[name] * sums[name]
	}
	c := float64(len(order))
	return mean, c / (c - 1) / (n * n) * variance, true
}
