package record

import (
	"fmt"
	"slices"
)

// Alignment is two runs side by side.
type Alignment struct {
	Series []Series // by task and metric, in order
	Notes  []string // what was left out, a sentence each

	// How many pairs of answers were compared by their prompts, and how many of
	// them had other prompts. Pairs of which one side has no hash are not
	// compared.
	PromptsCompared, PromptsDiffer int
	Missing                        int // tasks and items that only one run has
}

// Series is the scores of two runs on the same items with the same seeds, by one
// metric.
type Series struct {
	Task, Metric string

	// Items are in order, each once. A metric of several verdicts an item, as
	// IFEval's by instruction, has one for each, ITEM#1 and so on, of the cluster
	// ITEM unless the item has another.
	Items, Clusters []string // a cluster is "" for an item of none
	Strata          []string // nil, or the fixed part of the whole that each item is of; see package stat. Align sets none.
	Seeds           []int64  // ascending; those of A where a single one differs

	A, B             []float64 // shape (items, seeds)
	ParsedA, ParsedB []bool    // whether an answer was found; shape (items, seeds)
}

// Align puts side by side what two runs both have: for every task and metric the
// items, and the seeds, that both answered. What one side lacks is counted and
// named in the Notes.
//
// Items are the same if their names are, or, where no name is shared, if their
// doc_hash is. Seeds are the same if they are equal; a task that each side ran
// with one seed is paired whatever the seeds are called. A series is a full
// rectangle: items that lack some of its seeds are dropped, or seeds that lack
// many items, whichever keeps more pairs.
//
// It is an error if nothing is shared, if a run has several models (see
// [Run.Select]) or an item twice, or if an item stands for different documents.
func Align(a, b Run) (Alignment, error) {
	var out Alignment
	left, err := indexOf(a, "first")
	if err != nil {
		return Alignment{}, err
	}
	right, err := indexOf(b, "second")
	if err != nil {
		return Alignment{}, err
	}
	out.missing("task", "", sortedKeys(left), sortedKeys(right))
	for _, task := range sortedKeys(left) {
		if other := right[task]; other != nil {
			if err := out.task(task, left[task], other); err != nil {
				return Alignment{}, err
			}
		}
	}
	if len(out.Series) == 0 {
		return Alignment{}, fmt.Errorf("the runs share nothing: the first has %s, the second %s", inventory(left, right), inventory(right, left))
	}
	if out.PromptsDiffer > 0 {
		out.note("%d of %d pairs of answers were given to different prompts: shots, template or wording differ, and so may the scores for that reason", out.PromptsDiffer, out.PromptsCompared)
	}
	return out, nil
}

func (out *Alignment) note(format string, values ...any) {
	out.Notes = append(out.Notes, fmt.Sprintf(format, values...))
}

// answers are the records of a task by item and seed.
type answers map[string]bySeed

// bySeed is the records of an item.
type bySeed map[int64]*Record

// indexOf sorts a run's records by task, item and seed.
func indexOf(run Run, side string) (map[string]answers, error) {
	if models := run.Models(); len(models) > 1 {
		return nil, fmt.Errorf("the %s run has answers of %d models (%s): name the one to compare", side, len(models), listed(models[:min(named, len(models))], len(models)))
	}
	if len(run.Records) == 0 {
		return nil, fmt.Errorf("the %s run has no answers", side)
	}
	tasks := map[string]answers{}
	for i := range run.Records {
		r := &run.Records[i]
		if tasks[r.Task] == nil {
			tasks[r.Task] = answers{}
		}
		items := tasks[r.Task]
		if items[r.Item] == nil {
			items[r.Item] = bySeed{}
		}
		if _, twice := items[r.Item][r.Seed]; twice {
			return nil, fmt.Errorf("the %s run has item %q of task %q twice with seed %d", side, r.Item, r.Task, r.Seed)
		}
		items[r.Item][r.Seed] = r
	}
	return tasks, nil
}

// seedNames are the seeds that items were answered with, sorted as texts.
func (a answers) seedNames() []string {
	seen := map[string]bool{}
	for _, item := range a {
		for seed := range item {
			seen[fmt.Sprint(seed)] = true
		}
	}
	return sortedKeys(seen)
}

// seeds says the first of them.
func (a answers) seeds() string {
	names := a.seedNames()
	return "seed " + listed(names[:min(named, len(names))], len(names))
}

// inventory names tasks, how many items they have and, of those that the other
// side has too, with which seeds.
func inventory(tasks, others map[string]answers) string {
	var names []string
	for _, task := range sortedKeys(tasks) {
		if len(names) < named {
			about := counted(len(tasks[task]), "item")
			if others[task] != nil {
				about += ", " + tasks[task].seeds()
			}
			names = append(names, fmt.Sprintf("%s (%s)", task, about))
		}
	}
	return listed(names, len(tasks))
}

// missing notes what only one side has.
func (out *Alignment) missing(kind, of string, left, right []string) {
	only := func(side string, here, there []string) {
		var names []string
		count := 0
		for _, name := range here {
			if _, shared := slices.BinarySearch(there, name); shared {
				continue
			}
			if count++; len(names) < named {
				names = append(names, name)
			}
		}
		if kind == "task" || kind == "item" {
			out.Missing += count
		}
		if count > 0 {
			out.note("%s%s only in the %s run: %s", of, counted(count, kind), side, listed(names, count))
		}
	}
	only("first", left, right)
	only("second", right, left)
}

// task aligns a task's answers.
func (out *Alignment) task(task string, a, b answers) error {
	b, err := out.rename(task, a, b)
	if err != nil {
		return err
	}
	b = out.sameSeed(task, a, b)
	out.missing("item", task+": ", sortedKeys(a), sortedKeys(b))
	out.missing("seed", task+": ", a.seedNames(), b.seedNames())
	g, err := gridOf(task, a, b)
	if err != nil || len(g.items) == 0 {
		return err
	}
	out.comparePrompts(g)
	left, right := metricsOf(g.a), metricsOf(g.b)
	out.missing("metric", task+": ", left, right)
	for _, metric := range left {
		if _, shared := slices.BinarySearch(right, metric); shared {
			if err := out.metric(g, metric); err != nil {
				return err
			}
		}
	}
	return nil
}

// metricsOf lists the metrics of some records, in order.
func metricsOf(records []*Record) []string {
	metrics := map[string]bool{}
	for _, r := range records {
		if r == nil {
			continue
		}
		for metric := range r.Scores {
			metrics[metric] = true
		}
	}
	return sortedKeys(metrics)
}

// comparePrompts counts pairs of answers to other prompts.
func (out *Alignment) comparePrompts(g *grid) {
	for i, a := range g.a {
		b := g.b[i]
		if a == nil || b == nil || a.PromptHash == "" || b.PromptHash == "" {
			continue
		}
		out.PromptsCompared++
		if a.PromptHash != b.PromptHash {
			out.PromptsDiffer++
		}
	}
}
