package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/probe/record"
	"surgeon/probe/stat"
	"surgeon/probe/task"
)

// plannedGroups are the groups that the plans of two runs put their tasks in.
func plannedGroups(runs [2]record.Run) map[string]string {
	groups := map[string]string{}
	for _, run := range runs {
		if run.Plan == nil {
			continue
		}
		for _, t := range run.Plan.Tasks {
			groups[t.Name] = t.Group
		}
	}
	return groups
}

// groupOf is the group of a task: that of the plan, or the one that its name
// says, as lm-evaluation-harness names the subjects of MMLU.
func groupOf(name string, planned map[string]string) string {
	if group, ok := planned[name]; ok {
		return group
	}
	return task.GroupOf(name)
}

// planned are the margins of the plans, if both runs have the same, or else the
// usual ones; those that are given come before both, which is said.
func (c *comparison) planned(runs [2]record.Run, given margins) margins {
	var texts []string
	for _, run := range runs {
		if run.Plan != nil && len(run.Plan.Margins) > 0 {
			texts = append(texts, string(run.Plan.Margins))
		}
	}
	var m margins
	agreed := len(texts) == 2 && texts[0] == texts[1] && json.Unmarshal([]byte(texts[0]), &m) == nil
	switch {
	case given != nil && len(texts) > 0:
		c.Notes = append(c.Notes, "--margin was given after the runs, whose plans have margins of their own: a verdict by it was not planned")
	case !agreed && len(texts) == 2:
		c.Notes = append(c.Notes, "the plans set different margins: the usual ones are taken, which were not chosen for these runs")
	case !agreed && given == nil:
		c.Notes = append(c.Notes, "no plan sets the margins: the usual ones are taken, which were not chosen for these runs")
	}
	if !agreed {
		m = usualMargins
	}
	return m.with(given)
}

// groups adds a row for each group with at least two tasks, and returns what the
// primary rows are made of.
func (c *comparison) groups(series []record.Series, plans map[string]string, rules margins, chances map[string]float64, opt compareOptions) ([]stat.Pair, error) {
	parts := map[string][]record.Series{} // by group and metric
	var order []string
	members := map[string]map[string]bool{}
	for _, s := range series {
		group := groupOf(s.Task, plans)
		if group == "" {
			continue
		}
		key := group + "\x00" + s.Metric
		if parts[key] == nil {
			order = append(order, key)
		}
		parts[key] = append(parts[key], s)
		if members[group] == nil {
			members[group] = map[string]bool{}
		}
		members[group][s.Task] = true
	}
	slices.SortStableFunc(order, func(a, b string) int {
		groupA, metricA, _ := strings.Cut(a, "\x00")
		groupB, metricB, _ := strings.Cut(b, "\x00")
		if groupA != groupB {
			return strings.Compare(groupA, groupB)
		}
		return metricRank(metricA) - metricRank(metricB)
	})
	var pairs []stat.Pair
	for _, key := range order {
		group, metric, _ := strings.Cut(key, "\x00")
		if len(members[group]) < 2 {
			c.ungroup(group)
			continue
		}
		whole, note := united(group, metric, parts[key])
		if note != "" {
			c.Notes = append(c.Notes, note)
		}
		if len(whole.Items) == 0 {
			c.ungroup(group)
			continue
		}
		chance := groupChance(metric, parts[key], chances)
		one, err := compareSeries(whole, rules.of(group), chance, opt.at(group))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", group, err)
		}
		one.leads = leads(parts[key], series)
		if one.leads && task.HigherIsBetter(metric) {
			whole.Task = group
			if len(pairs) > 0 && pairs[len(pairs)-1].Name == group {
				whole.Task = group + " by " + metric
			}
			pairs = append(pairs, pairOf(whole, chance))
		}
		c.Groups = append(c.Groups, one)
	}
	return pairs, nil
}

// groupChance is the score of guessing of a group, each task with the weight of
// its items.
func groupChance(metric string, parts []record.Series, chances map[string]float64) float64 {
	sum, n := 0.0, 0
	for _, s := range parts {
		sum += chanceOf(metric, chances, s.Task) * float64(len(s.Items))
		n += len(s.Items)
	}
	return sum / float64(n)
}

// leads reports whether the metric of some series is the first of their tasks.
func leads(parts, all []record.Series) bool {
	for i, s := range all {
		if s.Task == parts[0].Task {
			return all[i].Metric == parts[0].Metric
		}
	}
	return false
}

// ungroup makes the tasks of a group stand for themselves.
func (c *comparison) ungroup(group string) {
	for i := range c.Tasks {
		if c.Tasks[i].Group == group {
			c.Tasks[i].Group = ""
		}
	}
}

// fewClusters is the number of tasks below which a group is no sample of others
// like them: its intervals are for these tasks alone.
const fewClusters = 10

// united is a group as one series: all items of its tasks, each task a cluster,
// or a stratum where they are few, with the seeds that all of them have.
func united(group, metric string, parts []record.Series) (whole record.Series, note string) {
	whole = record.Series{Task: group, Metric: metric, Seeds: slices.Clone(parts[0].Seeds)}
	for _, s := range parts[1:] {
		whole.Seeds = slices.DeleteFunc(whole.Seeds, func(seed int64) bool { return !slices.Contains(s.Seeds, seed) })
	}
	if len(whole.Seeds) == 0 {
		return record.Series{}, fmt.Sprintf("%s: its tasks share no seed, so they are not put together", group)
	}
	for _, s := range parts {
		if len(s.Seeds) > len(whole.Seeds) {
			note = fmt.Sprintf("%s: only the %d seeds that all its tasks have are put together", group, len(whole.Seeds))
		}
		for i, item := range s.Items {
			whole.Items, whole.Clusters = append(whole.Items, s.Task+"/"+item), append(whole.Clusters, s.Task)
			if len(parts) < fewClusters {
				whole.Strata = append(whole.Strata, s.Task)
			}
			for _, seed := range whole.Seeds {
				at := i*len(s.Seeds) + slices.Index(s.Seeds, seed)
				whole.A, whole.B = append(whole.A, s.A[at]), append(whole.B, s.B[at])
				whole.ParsedA, whole.ParsedB = append(whole.ParsedA, s.ParsedA[at]), append(whole.ParsedB, s.ParsedB[at])
			}
		}
	}
	return whole, note
}

func pairOf(s record.Series, chance float64) stat.Pair {
	if math.IsNaN(chance) {
		chance = 0
	}
	return stat.Pair{Name: s.Task, Base: tableOf(s, s.A), Tuned: tableOf(s, s.B), Chance: chance}
}

// rank names the largest regression of the primary rows.
func (c *comparison) rank(pairs []stat.Pair, series []record.Series, chances map[string]float64) error {
	for i, s := range series {
		if c.Tasks[i].primary && task.HigherIsBetter(s.Metric) {
			pairs = append(pairs, pairOf(s, chanceOf(s.Metric, chances, s.Task)))
		}
	}
	if len(pairs) == 0 {
		return nil
	}
	ranking, err := stat.Largest(pairs, stat.Options{Seed: drawSeed})
	if err != nil {
		return err
	}
	first := ranking.Entries[0]
	if first.Difference >= -1e-12 {
		return nil
	}
	c.Largest = &largestLoss{Task: first.Name, Diff: number(first.Difference), Low: number(first.Low), High: number(first.High), P: number(first.P),
		Probability: number(first.Probability), Shrunken: number(first.Shrunken)}
	if len(ranking.Entries) > 1 {
		c.Largest.HeldOut = heldOut(ranking.HeldOut)
		if ranking.Entries[1].Difference < 0 {
			c.Largest.RunnerUp = ranking.Entries[1].Name
		}
	}
	return nil
}

// heldOut says what the half of the items that did not pick it shows.
func heldOut(h stat.HeldOut) string {
	if h.Unknown != "" {
		return h.Unknown
	}
	return fmt.Sprintf("half of the items pick %s; on the other half (%d items) it differs by %+.1f pp (%+.1f to %+.1f)",
		h.Name, h.Items, 100*h.Difference, 100*h.Low, 100*h.High)
}
