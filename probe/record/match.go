package record

import (
	"fmt"
	"maps"
)

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
func docHash(task, item string, records bySeed) (hash string, err error) {
	hash, other := extremes(func(r *Record) string { return r.DocHash }, records)
	if other != hash {
		return "", fmt.Errorf("item %q of task %q is one document (%.12s) with one seed and another (%.12s) with another", item, task, hash, other)
	}
	return hash, nil
}

// extremes are the first and the last in order of the values that records have,
// those without one apart. They are equal if all agree.
func extremes(value func(*Record) string, sides ...bySeed) (first, last string) {
	for _, records := range sides {
		for _, r := range records {
			switch v := value(r); {
			case v == "":
			case first == "":
				first, last = v, v
			default:
				first, last = min(first, v), max(last, v)
			}
		}
	}
	return first, last
}

// sameSeed calls the one seed of b as the one seed of a.
func (out *Alignment) sameSeed(task string, a, b answers) answers {
	seedA, oneA := onlySeed(a)
	seedB, oneB := onlySeed(b)
	if !oneA || !oneB || seedA == seedB {
		return b
	}
	out.note("%s: each run has one seed, %d in the first and %d in the second; they are paired", task, seedA, seedB)
	renamed := answers{}
	for item, records := range b {
		renamed[item] = bySeed{seedA: records[seedB]}
	}
	return renamed
}

func onlySeed(items answers) (seed int64, one bool) {
	for _, records := range items {
		for s := range records {
			if one && s != seed {
				return 0, false
			}
			seed, one = s, true
		}
	}
	return seed, one
}

// clusterOf is the cluster that all answers to an item have, those without one
// apart.
func clusterOf(task, item string, sides ...bySeed) (cluster string, err error) {
	cluster, other := extremes(func(r *Record) string { return r.Cluster }, sides...)
	if other != cluster {
		return "", fmt.Errorf("item %q of task %q is in cluster %q and in %q", item, task, cluster, other)
	}
	return cluster, nil
}
