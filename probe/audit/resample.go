package audit

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"surgeon/probe/stat"
)

// samples holds bootstrap means: [task][model][sample].
type samples [][][]float64

// resample draws bootstrap samples of every task. A sample serves all models
// alike, and tasks are drawn independently of each other.
func (p panel) resample() samples {
	result := make(samples, len(p.tasks))
	for t := range p.tasks {
		result[t] = p.resampleTask(t)
	}
	return result
}

// resampleTask draws clusters of one task with replacement, one less than there
// are, which makes the variance of a mean the unbiased one (Rao and Wu, JASA
// 83, 1988, p. 231), and returns each model's mean over the items drawn. The
// draws depend on the seed, the task's name and the number of the sample only.
func (p panel) resampleTask(task int) [][]float64 {
	rows := p.units(task)
	width := len(p.models) + 1
	means := make([][]float64, len(p.models))
	for m := range means {
		means[m] = make([]float64, p.rule.Resamples)
	}
	totals, name := make([]float64, width), hash(p.tasks[task].Name)
	for sample := range p.rule.Resamples {
		random := rand.New(rand.NewPCG(mix(p.rule.Seed^name), mix(name+uint64(sample))))
		clear(totals)
		for range max(1, len(rows)-1) {
			for c, value := range rows[random.IntN(len(rows))] {
				totals[c] += value
			}
		}
		for m := range means {
			means[m][sample] = totals[m] / totals[width-1]
		}
	}
	return means
}

// units returns one row per cluster of a task, by ascending name: the total of
// each model, and the number of items.
func (p panel) units(task int) [][]float64 {
	groups := p.groups(task)
	order := make([]int, len(p.tasks[task].Items))
	for i := range order {
		order[i] = i
	}
	if groups != nil {
		slices.SortStableFunc(order, func(i, j int) int { return strings.Compare(groups[i], groups[j]) })
	}
	var rows [][]float64
	for rank, i := range order {
		if rank == 0 || groups == nil || groups[i] != groups[order[rank-1]] {
			rows = append(rows, make([]float64, len(p.models)+1))
		}
		row := rows[len(rows)-1]
		for m := range p.models {
			row[m] += p.models[m].Scores[task][i]
		}
		row[len(p.models)]++
	}
	return rows
}

// mean returns for each sample the mean over some tasks of a model's means.
func (s samples) mean(tasks []int, model int) []float64 {
	var result []float64
	for _, task := range tasks {
		if result == nil {
			result = make([]float64, len(s[task][model]))
		}
		for at, value := range s[task][model] {
			result[at] += value / float64(len(tasks))
		}
	}
	return result
}

// percentiles returns the middle part of the values that has the given share of
// them, at ranks p(n+1) between neighbours. The values are sorted.
func percentiles(values []float64, confidence float64) (low, high float64) {
	slices.Sort(values)
	at := func(p float64) float64 {
		rank := min(max(p*float64(len(values)+1)-1, 0), float64(len(values)-1))
		below := int(rank)
		above := min(below+1, len(values)-1)
		return values[below] + float64((rank-float64(below))*(values[above]-values[below]))
	}
	return at((1 - confidence) / 2), at((1 + confidence) / 2)
}

// share returns, of the difference between the scores of two models, the part
// that a third one has of it,
//
//	(third - from) / (to - from),
//
// each the mean over the same tasks, with the percentile interval of shared
// bootstrap samples. It is undefined if to-from is below the least gap or its
// own interval reaches 0. The interval is never narrower to either side than
// the rule of three for all items allows: where hardly any item changes, the
// samples are all alike. One task is left to package stat, which does the same.
func (p panel) share(tasks []int, from, to, third int, what string) (Interval, error) {
	whole := p.mean(tasks, to) - p.mean(tasks, from)
	if whole < p.rule.LeastGap-1e-12 {
		return undefined(nothing(what, p.mean(tasks, from), p.mean(tasks, to))), nil
	}
	if len(tasks) == 1 {
		task := tasks[0]
		ratio, err := stat.GapClosed(p.table(task, to), p.table(task, from), p.table(task, third), p.options(task))
		if ratio.Undefined != "" {
			ratio.Undefined = unsure(what, whole)
		}
		return intervalOf(ratio), err
	}
	drawn, items := p.drawn(tasks, from, to, third)
	start, end, reached := drawn[0], drawn[1], drawn[2]
	for at := range start {
		end[at] -= start[at]
		reached[at] = (reached[at] - start[at]) / end[at]
	}
	if low, _ := percentiles(slices.Clone(end), p.rule.Confidence); !(low > 0) {
		return undefined(unsure(what, whole)), nil
	}
	return p.widened((p.mean(tasks, third)-p.mean(tasks, from))/whole, reached, items, whole), nil
}

// drawn returns for each of some models its mean over some tasks in each sample,
// and the number of items.
func (p panel) drawn(tasks []int, models ...int) (means [][]float64, items int) {
	few, all := p, make(samples, len(p.tasks))
	few.models = nil
	for _, model := range models {
		few.models = append(few.models, p.models[model])
	}
	for _, task := range tasks {
		all[task] = few.resampleTask(task)
		items += len(p.tasks[task].Items)
	}
	for at := range models {
		means = append(means, all.mean(tasks, at))
	}
	return means, items
}

// widened returns the percentile interval of a ratio with at least the width
// that the rule of three gives its numerator.
func (p panel) widened(value float64, drawn []float64, items int, denominator float64) Interval {
	low, high := percentiles(finite(drawn, value), p.rule.Confidence)
	least := stat.RuleOfThree(items, 1-(1-p.rule.Confidence)/2) / denominator
	return Interval{Value: value, Low: min(low, value-least), High: max(high, value+least), Defined: true}
}

// finite replaces what a denominator of 0 has left by the value itself. Such
// samples are fewer than the percentiles cut off.
func finite(drawn []float64, value float64) []float64 {
	for at, ratio := range drawn {
		if math.IsNaN(ratio) || math.IsInf(ratio, 0) {
			drawn[at] = value
		}
	}
	return drawn
}

// hash is FNV-1a of 64 bits.
func hash(text string) uint64 {
	result := uint64(0xcbf29ce484222325)
	for i := range len(text) {
		result = (result ^ uint64(text[i])) * 0x100000001b3
	}
	return result
}

// mix scrambles x as splitmix64 does (Steele, Lea and Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
