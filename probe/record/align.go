package record

import (
	"fmt"
	"maps"
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
}

// Series is the scores of two runs on the same items with the same seeds, by one
// metric.
type Series struct {
	Task, Metric string

	// Items are in order, each once. A metric of several verdicts an item, as
	// IFEval's by instruction, has one for each, ITEM#1 and so on, of the cluster
	// ITEM unless the item has another.
	Items, Clusters []string // a cluster is "" for an item of none
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
		return Alignment{}, fmt.Errorf("the runs share nothing: the first has %s, the second %s", inventory(left), inventory(right))
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
type answers map[string]map[int64]Record

// indexOf sorts a run's records by task, item and seed.
func indexOf(run Run, side string) (map[string]answers, error) {
	if models := run.Models(); len(models) > 1 {
		return nil, fmt.Errorf("the %s run has answers of %d models (%s): name the one to compare", side, len(models), listed(models[:min(named, len(models))], len(models)))
	}
	if len(run.Records) == 0 {
		return nil, fmt.Errorf("the %s run has no answers", side)
	}
	tasks := map[string]answers{}
	for _, r := range run.Records {
		if tasks[r.Task] == nil {
			tasks[r.Task] = answers{}
		}
		items := tasks[r.Task]
		if items[r.Item] == nil {
			items[r.Item] = map[int64]Record{}
		}
		if _, twice := items[r.Item][r.Seed]; twice {
			return nil, fmt.Errorf("the %s run has item %q of task %q twice with seed %d", side, r.Item, r.Task, r.Seed)
		}
		items[r.Item][r.Seed] = r
	}
	return tasks, nil
}

// inventory names tasks and how many items they have.
func inventory(tasks map[string]answers) string {
	var names []string
	for _, task := range sortedKeys(tasks) {
		if len(names) < named {
			names = append(names, fmt.Sprintf("%s (%s)", task, counted(len(tasks[task]), "item")))
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
	var items []string
	metricsA, metricsB := map[string]bool{}, map[string]bool{}
	for _, item := range sortedKeys(a) {
		if b[item] == nil {
			continue
		}
		items = append(items, item)
		if err := out.compare(task, item, a[item], b[item]); err != nil {
			return err
		}
		collectMetrics(metricsA, a[item])
		collectMetrics(metricsB, b[item])
	}
	if len(items) == 0 {
		return nil
	}
	namesA, namesB := sortedKeys(metricsA), sortedKeys(metricsB)
	out.missing("metric", task+": ", namesA, namesB)
	for _, metric := range namesA {
		if !metricsB[metric] {
			continue
		}
		if err := out.metric(task, metric, items, a, b); err != nil {
			return err
		}
	}
	return nil
}

func collectMetrics(into map[string]bool, bySeed map[int64]Record) {
	for _, r := range bySeed {
		for metric := range r.Scores {
			into[metric] = true
		}
	}
}

// rename calls the items of b as those of a with the same document, if the two
// sides share no name.
func (out *Alignment) rename(task string, a, b answers) (answers, error) {
	for item := range b {
		if a[item] != nil {
			return b, nil
		}
	}
	byHash := map[string]string{}
	for _, item := range sortedKeys(a) {
		hash, err := docHash(task, item, a[item])
		if err != nil {
			return nil, err
		}
		if _, twice := byHash[hash]; twice {
			item = "" // items of one document cannot be told apart
		}
		byHash[hash] = item
	}
	renamed, count := maps.Clone(b), 0
	for _, item := range sortedKeys(b) {
		hash, err := docHash(task, item, b[item])
		if err != nil {
			return nil, err
		}
		name := byHash[hash]
		if hash == "" || name == "" || renamed[name] != nil {
			continue
		}
		renamed[name] = b[item]
		delete(renamed, item)
		count++
	}
	if count > 0 {
		out.note("%s: the runs call items by different names; %d were matched by their documents", task, count)
	}
	return renamed, nil
}

// docHash is the document of an item, "" if it is not known.
func docHash(task, item string, bySeed map[int64]Record) (hash string, err error) {
	for _, seed := range seedsOf(bySeed) {
		switch other := bySeed[seed].DocHash; {
		case hash == "":
			hash = other
		case other != "" && other != hash:
			return "", fmt.Errorf("item %q of task %q is one document (%.12s) with one seed and another (%.12s) with another", item, task, hash, other)
		}
	}
	return hash, nil
}

func seedsOf(bySeed map[int64]Record) []int64 { return slices.Sorted(maps.Keys(bySeed)) }

// sameSeed calls the one seed of b as the one seed of a.
func (out *Alignment) sameSeed(task string, a, b answers) answers {
	seedA, oneA := onlySeed(a)
	seedB, oneB := onlySeed(b)
	if !oneA || !oneB || seedA == seedB {
		return b
	}
	out.note("%s: each run has one seed, %d in the first and %d in the second; they are paired", task, seedA, seedB)
	renamed := answers{}
	for item, bySeed := range b {
		renamed[item] = map[int64]Record{seedA: bySeed[seedB]}
	}
	return renamed
}

func onlySeed(items answers) (seed int64, one bool) {
	for _, bySeed := range items {
		for s := range bySeed {
			if one && s != seed {
				return 0, false
			}
			seed, one = s, true
		}
	}
	return seed, one
}

// compare checks that an item is the same document on both sides, and of one
// cluster, and compares the prompts.
func (out *Alignment) compare(task, item string, a, b map[int64]Record) error {
	hashA, err := docHash(task, item, a)
	if err != nil {
		return err
	}
	hashB, err := docHash(task, item, b)
	if err != nil {
		return err
	}
	if hashA != "" && hashB != "" && hashA != hashB {
		return fmt.Errorf("item %q of task %q is another document in the first run (doc_hash %.12s) than in the second (%.12s): the runs are of different data", item, task, hashA, hashB)
	}
	for seed, r := range a {
		other, ok := b[seed]
		if !ok || r.PromptHash == "" || other.PromptHash == "" {
			continue
		}
		out.PromptsCompared++
		if r.PromptHash != other.PromptHash {
			out.PromptsDiffer++
		}
	}
	_, err = clusterOf(task, item, a, b)
	return err
}

// clusterOf is the cluster that all answers to an item have, those without one
// apart.
func clusterOf(task, item string, sides ...map[int64]Record) (cluster string, err error) {
	for _, bySeed := range sides {
		for _, seed := range seedsOf(bySeed) {
			switch other := bySeed[seed].Cluster; {
			case cluster == "":
				cluster = other
			case other != "" && other != cluster:
				return "", fmt.Errorf("item %q of task %q is in cluster %q and in %q", item, task, cluster, other)
			}
		}
	}
	return cluster, nil
}
