package record

import (
	"fmt"
	"math"
)

// aggregate is the scores of a task or group.
type aggregate struct {
	name, alias string
	items       int
	values      map[string]float64 // by metric and filter, "acc,none"
	errors      map[string]float64 // standard errors; of those that have one
	counts      map[string]int     // of a group, the items of each metric
	tasks       []string           // of a group
	leaves      map[string]bool    // of a group, the tasks in it and in its groups
}

// aggregateOf is the mean of the items' scores, by metric, and its standard
// error with n-1; of lists of verdicts the share of all, without an error.
func aggregateOf(task string, records []Record, about TaskExport) *aggregate {
	a := &aggregate{name: task, alias: about.Alias, items: len(records), values: map[string]float64{}, errors: map[string]float64{}}
	if a.alias == "" {
		a.alias = task
	}
	scores, parts := map[string][]float64{}, map[string][]bool{}
	for _, r := range records {
		for metric, score := range r.Scores {
			if list := r.Parts[metric]; len(list) > 0 {
				parts[metric] = append(parts[metric], list...)
			} else {
				scores[metric] = append(scores[metric], score)
			}
		}
	}
	for metric, list := range scores {
		mean, stderr := meanOf(list)
		a.values[fullName(metric)] = mean
		if len(list) > 1 {
			a.errors[fullName(metric)] = stderr
		}
	}
	for metric, list := range parts {
		a.values[fullName(metric)] = share(list)
		delete(a.errors, fullName(metric))
	}
	for metric, value := range about.Results {
		a.values[fullName(metric)] = value
		delete(a.errors, fullName(metric))
	}
	return a
}

// fullName is a metric's name with its filter.
func fullName(name string) string {
	metric, filter := splitMetric(name)
	return metric + "," + filter
}

// meanOf is the mean and its standard error, NaN of a single number.
func meanOf(list []float64) (mean, stderr float64) {
	n := float64(len(list))
	for _, x := range list {
		mean += x
	}
	mean /= n
	var squares float64
	for _, x := range list {
		squares += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(squares/(n-1)) / math.Sqrt(n)
}

// object is the scores as the results file has them.
func (a *aggregate) object() *object {
	out := &object{}
	out.set("name", a.name)
	out.set("alias", a.alias)
	out.set("sample_len", a.items)
	for _, name := range sortedKeys(a.values) {
		metric, filter := splitMetric(name)
		out.set(name, numberOr(a.values[name], true))
		stderr, ok := a.errors[name]
		out.set(metric+"_stderr,"+filter, numberOr(stderr, ok))
	}
	if a.counts != nil {
		out.set("sample_count", a.counts)
	}
	return out
}

// numberOr is a number, or "N/A" for none.
func numberOr(x float64, known bool) any {
	if !known || math.IsNaN(x) || math.IsInf(x, 0) {
		return "N/A"
	}
	return x
}

// groups aggregates the groups that have tasks here, outer ones first.
func (p *exportPart) groups(opt ExportOptions, scores map[string]*aggregate) (groups []*aggregate, err error) {
	for _, group := range opt.Groups {
		if scores[group.Name] != nil {
			return nil, fmt.Errorf("the group %q has the name of a task or of another group", group.Name)
		}
		a := groupOf(group, scores)
		if a.items > 0 {
			scores[group.Name] = a
			groups = append([]*aggregate{a}, groups...)
		}
	}
	return groups, nil
}

// groupOf is the mean of the tasks' scores weighted by their items, and its
// standard error from the variances within tasks,
// sqrt(sum (n-1) n se² / (N-k) / N) (lm_eval/api/metrics.py, pooled_sample_stderr).
func groupOf(group GroupExport, scores map[string]*aggregate) *aggregate {
	a := &aggregate{name: group.Name, alias: group.Alias, values: map[string]float64{}, errors: map[string]float64{},
		counts: map[string]int{}, leaves: map[string]bool{}}
	if a.alias == "" {
		a.alias = group.Name
	}
	for _, task := range group.Tasks {
		part := scores[task]
		if part == nil {
			continue
		}
		a.tasks = append(a.tasks, task)
		for leaf := range part.leaves {
			a.leaves[leaf] = true
		}
		if part.leaves == nil {
			a.leaves[task] = true
		}
	}
	leaves := sortedKeys(a.leaves)
	metrics := map[string]bool{}
	for _, leaf := range leaves {
		a.items += scores[leaf].items
		for metric := range scores[leaf].values {
			metrics[metric] = true
		}
	}
	for metric := range metrics {
		var count, tasks, sum, squares float64
		known := true
		for _, leaf := range leaves {
			value, ok := scores[leaf].values[metric]
			if !ok {
				continue
			}
			n := float64(scores[leaf].items)
			stderr, has := scores[leaf].errors[metric]
			known = known && has
			count, tasks, sum, squares = count+n, tasks+1, sum+n*value, squares+(n-1)*n*stderr*stderr
		}
		a.values[metric], a.counts[metric] = sum/count, int(count)
		if known {
			a.errors[metric] = math.Sqrt(squares / (count - tasks) / count)
		}
	}
	return a
}
