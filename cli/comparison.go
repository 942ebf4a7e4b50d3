package cli

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"surgeon/probe/record"
	"surgeon/probe/stat"
	"surgeon/probe/task"
)

// compare fills in a comparison of two runs of one model each.
func (c *comparison) compare(opt compareOptions, runs [2]record.Run) error {
	aligned, err := record.Align(runs[0], runs[1])
	if err != nil {
		return err
	}
	c.Notes = append(c.Notes, runs[0].Notes...)
	for _, note := range runs[1].Notes {
		if !slices.Contains(c.Notes, note) {
			c.Notes = append(c.Notes, note)
		}
	}
	if aligned.PromptsDiffer > 0 {
		c.faults = append(c.faults, "the runs were given different prompts")
	}
	if aligned.Missing > 0 {
		c.faults = append(c.faults, "tasks or items are in one run alone")
	}
	c.Notes = append(aligned.Notes, c.Notes...)
	if aligned.PromptsCompared > 0 && aligned.PromptsDiffer == 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("both models saw the same prompts: all %d hashes are equal", aligned.PromptsCompared))
	}
	rules := c.planned(runs, opt.margins)
	chances := chancesOf(runs[0])
	plans := plannedGroups(runs)
	series := sorted(aligned.Series)
	for _, s := range series {
		one, err := compareSeries(s, rules.of(s.Task), chanceOf(s.Metric, chances, s.Task), opt.at(unitOf(s.Task, plans)))
		if err != nil {
			return fmt.Errorf("%s: %w", s.Task, err)
		}
		one.Group = groupOf(s.Task, plans)
		c.Tasks = append(c.Tasks, one)
	}
	pairs, err := c.groups(series, plans, rules, chances, opt)
	if err != nil {
		return err
	}
	if err := opt.margins.check(c.names()); err != nil {
		return err
	}
	c.adjust()
	return c.rank(pairs, series, chances)
}

// names are those of all tasks and groups.
func (c *comparison) names() (list []string) {
	for _, t := range slices.Concat(c.Groups, c.Tasks) {
		list = append(list, t.Task)
	}
	return list
}

// metricOrder is the order in which metrics of a task stand; the first is the
// one that counts.
var metricOrder = []string{"acc", "exact_match,flexible-extract", "exact_match", "prompt_level_strict_acc", "acc_norm", "exact_match,strict-match"}

func metricRank(metric string) int {
	bare, _, _ := strings.Cut(metric, ",none")
	if i := slices.Index(metricOrder, bare); i >= 0 {
		return i
	}
	return len(metricOrder)
}

// sorted orders series by task, and the metrics of a task by importance.
func sorted(list []record.Series) []record.Series {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b record.Series) int {
		if order := strings.Compare(a.Task, b.Task); order != 0 {
			return order
		}
		return metricRank(a.Metric) - metricRank(b.Metric)
	})
	return list
}

// chancesOf are the scores of guessing, by task, where answers have the
// log-likelihoods of choices.
func chancesOf(run record.Run) map[string]float64 {
	choices, counts := map[string]map[int]int{}, map[string]int{} // per task and number of choices, answers
	for _, r := range run.Records {
		if n := len(r.LogProbs); n > 1 {
			if choices[r.Task] == nil {
				choices[r.Task] = map[int]int{}
			}
			choices[r.Task][n]++
		}
		counts[r.Task]++
	}
	chances := map[string]float64{}
	for name, of := range choices {
		for _, n := range slices.Sorted(maps.Keys(of)) { // in order, so that the sum is the same for any order of the answers
			chances[name] += float64(of[n]) / float64(n) / float64(counts[name])
		}
	}
	return chances
}

// chanceOf is the score of guessing by a metric: that of the choices, 0 of a text
// that must be right, or NaN where it is not known.
func chanceOf(metric string, chances map[string]float64, name string) float64 {
	if chance, ok := chances[name]; ok {
		return chance
	}
	for _, prefix := range []string{"exact_match", "contains", "prompt_level", "inst_level"} {
		if strings.HasPrefix(metric, prefix) {
			return 0
		}
	}
	return math.NaN()
}

// tableOf is one side of a series.
func tableOf(s record.Series, scores []float64) stat.Table {
	t := stat.Table{Items: s.Items, Seeds: s.Seeds, Scores: scores, Strata: s.Strata}
	if s.Strata != nil {
		return t
	}
	seen := map[string]bool{}
	for _, cluster := range s.Clusters {
		seen[cluster] = true
	}
	if len(seen) > 1 { // one cluster alone says nothing about others: its items are all there is
		t.Clusters = make([]string, len(s.Items))
		for i, cluster := range s.Clusters {
			if t.Clusters[i] = cluster; cluster == "" {
				t.Clusters[i] = "item " + s.Items[i]
			}
		}
	}
	return t
}

// compareSeries compares a task. Of a metric of which less is better both sides
// are compared with the sign turned, without a margin, which is a share.
func compareSeries(s record.Series, margin, chance float64, opt compareOptions) (comparedTask, error) {
	higher := task.HigherIsBetter(s.Metric)
	beyond := slices.ContainsFunc(slices.Concat(s.A, s.B), func(v float64) bool { return v < 0 || v > 1 })
	if beyond || !higher {
		margin, chance = 0, math.NaN()
	}
	if !higher {
		s.A, s.B = negated(s.A), negated(s.B)
	}
	base, tuned := tableOf(s, s.A), tableOf(s, s.B)
	options := stat.Options{Margin: margin, Chance: chance, Seed: drawSeed}
	if opt.options != nil {
		var err error
		if options, err = opt.options(options); err != nil {
			return comparedTask{}, err
		}
	}
	d, err := stat.Compare(base, tuned, options)
	if err != nil {
		return comparedTask{}, err
	}
	one := comparedTask{Task: s.Task, Metric: s.Metric, N: d.N, Seeds: d.Seeds, Clusters: d.Clusters,
		Base: number(d.Base), Tuned: number(d.Tuned), Diff: number(d.Difference), SE: number(d.SE),
		CI: [2]number{number(d.Low), number(d.High)}, Method: d.IntervalMethod, BCa: [2]number{number(d.BootstrapLow), number(d.BootstrapHigh)},
		Lost: d.Lost, Gained: d.Gained, McNemar: number(d.McNemar), MidP: number(d.McNemarMid), Flips: number(d.Permutation), P: number(d.P), PMethod: d.PMethod,
		Margin: number(margin), Verdict: string(d.Verdict), Detectable: number(d.Detectable), NeededItems: d.NeededItems, NeededSeeds: d.NeededSeeds,
		Design: number(d.DesignEffect), Correlation: number(d.Correlation), Warnings: d.Warnings}
	if p := d.Components; p != nil {
		one.Components = &seedParts{number(p.Item), number(p.Seed), number(p.Residual), number(p.SDBase), number(p.SDTuned), number(p.SDDifference), p.Buy}
	}
	if err := one.format(s, base, tuned); err != nil {
		return comparedTask{}, err
	}
	if !math.IsNaN(chance) {
		r, err := stat.Retention(base, tuned, stat.Options{Chance: chance, Seed: drawSeed})
		if err != nil {
			return comparedTask{}, err
		}
		one.Retention = &retained{number(r.Ratio), number(r.Low), number(r.High), r.Undefined}
	}
	one.Floor, one.Ceiling, one.Insensitive, one.Equivalent = d.Floor, d.Ceiling, d.Insensitive, d.Equivalent
	one.flips(s, opt.flips)
	if beyond || !higher {
		one.Unit = "scores beyond 0 to 1"
	}
	if !higher {
		one.turn()
	}
	return one, nil
}

func negated(list []float64) []float64 {
	out := make([]float64, len(list))
	for i, v := range list {
		out[i] = -v
	}
	return out
}

// turn turns the signs back: what is said are the scores as they are.
func (c *comparedTask) turn() {
	c.Unit = "scores of which less is better"
	c.Base, c.Tuned, c.Diff = -c.Base, -c.Tuned, -c.Diff
	c.CI, c.BCa = [2]number{-c.CI[1], -c.CI[0]}, [2]number{-c.BCa[1], -c.BCa[0]}
	for i := range c.Flipped {
		c.Flipped[i].Base, c.Flipped[i].Tuned = -c.Flipped[i].Base, -c.Flipped[i].Tuned
	}
}

// drawSeed makes every bootstrap and permutation: the same runs give the same
// bytes.
const drawSeed = 1

// format splits the difference where some answer could not be read.
func (c *comparedTask) format(s record.Series, base, tuned stat.Table) error {
	if !slices.Contains(s.ParsedA, false) && !slices.Contains(s.ParsedB, false) {
		return nil
	}
	baseRead, tunedRead := base, tuned
	baseRead.Scores, tunedRead.Scores = ones(s.ParsedA), ones(s.ParsedB)
	f, err := stat.SplitFormat(base, tuned, baseRead, tunedRead)
	if err != nil {
		return err
	}
	c.Format = &formatParts{Knowledge: number(f.Knowledge), Form: number(f.Format), BaseRead: number(share(s.ParsedA)), TunedRead: number(share(s.ParsedB))}
	return nil
}

func ones(list []bool) []float64 {
	out := make([]float64, len(list))
	for i, v := range list {
		if v {
			out[i] = 1
		}
	}
	return out
}

func share(list []bool) float64 {
	sum := 0.0
	for _, v := range ones(list) {
		sum += v
	}
	return sum / float64(len(list))
}

// flips lists the first items that were lost, and then those that were won.
func (c *comparedTask) flips(s record.Series, most int) {
	for _, sign := range []float64{-1, 1} {
		listed := 0
		for i, item := range s.Items {
			for k, seed := range s.Seeds {
				at := i*len(s.Seeds) + k
				if sign*(s.B[at]-s.A[at]) > 0 && listed < most {
					c.Flipped = append(c.Flipped, flippedItem{item, seed, number(s.A[at]), number(s.B[at])})
					listed++
				}
			}
		}
	}
}

// adjust sets which rows are primary, one for each group and each task of no
// group, and adjusts p: by Holm over those, by Benjamini and Hochberg over the
// parts of each group.
func (c *comparison) adjust() {
	var family []*comparedTask
	parts := map[string][]*comparedTask{}
	for i := range c.Groups {
		if t := &c.Groups[i]; t.leads {
			if i > 0 && c.Groups[i-1].Task == t.Task {
				t.by = " by " + t.Metric
			}
			family = append(family, t)
		}
	}
	for i := range c.Tasks {
		t := &c.Tasks[i]
		switch {
		case i > 0 && c.Tasks[i-1].Task == t.Task:
		case t.Group == "":
			family = append(family, t)
		default:
			key := t.Group + " " + t.Metric
			parts[key] = append(parts[key], t)
		}
	}
	for _, t := range family {
		t.primary = true
	}
	set := func(list []*comparedTask, adjust func(p []float64) []float64, into func(t *comparedTask, p number)) {
		p := make([]float64, len(list))
		for i, t := range list {
			p[i] = float64(t.P)
		}
		for i, v := range adjust(p) {
			into(list[i], number(v))
		}
	}
	set(family, stat.Holm, func(t *comparedTask, p number) { t.Adjusted = &p })
	for _, list := range parts {
		set(list, stat.BenjaminiHochberg, func(t *comparedTask, p number) { t.FDR = &p })
	}
}

// retained reports whether every primary row has the verdict RETAINED.
func (c *comparison) retained() bool { return c.worst() == "" }

// worst says which primary rows do not have it, and what else stands against
// the comparison.
func (c *comparison) worst() string {
	list := slices.Clone(c.faults)
	for _, t := range slices.Concat(c.Groups, c.Tasks) {
		if t.primary && t.Verdict != string(stat.Retained) {
			list = append(list, t.Task+t.by+" is "+t.Verdict)
		}
	}
	return strings.Join(list, ", ")
}
