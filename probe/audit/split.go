package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Split parts the items of each task into those to choose a candidate on and
// those to report on, as positions in ascending order. An item is selected if
// the first 64 bits of
//
//	SHA-256(salt, task, "item", ID)  or  SHA-256(salt, "", "cluster", cluster)
//
// taken as a share of 2^64 lie below share, each part preceded by its length in
// eight bytes. So an item stays on its side whatever other items are added or
// left out, and clusters stay together, in all tasks that have items of one: what
// was chosen on a fact is not judged by the same fact in other words. But of a task
// whose items would all fall on one side, as few may, those nearest to the border
// cross it, unless share is 0 or 1. Split panics unless share lies between 0 and 1.
func Split(tasks []Task, share float64, salt string) (selected, report [][]int) {
	if !(share >= 0 && share <= 1) {
		panic(fmt.Sprintf("audit: the share of items to select is %v, but must lie between 0 and 1", share))
	}
	for _, task := range tasks {
		places := make([]float64, len(task.Items))
		for i, item := range task.Items {
			places[i] = place(salt, task.Name, item)
		}
		border := borderOf(places, share)
		var chosen, others []int
		for i, place := range places {
			if place < border {
				chosen = append(chosen, i)
			} else {
				others = append(others, i)
			}
		}
		selected, report = append(selected, chosen), append(report, others)
	}
	return selected, report
}

// borderOf is the place from which on items report: the share, unless all places lie on
// one side of it and there are two at least.
func borderOf(places []float64, share float64) float64 {
	if len(places) == 0 || share == 0 || share == 1 {
		return share
	}
	least, most := slices.Min(places), slices.Max(places)
	switch {
	case least == most:
		return share
	case most < share: // all are selected: the last one is not
		return most
	case least >= share: // none is: the first one is
		return math.Nextafter(least, 1)
	}
	return share
}

// place returns a number in [0,1) that depends on the names alone.
func place(salt, task string, item Item) float64 {
	kind, name := "item", item.ID
	if item.Cluster != "" {
		task, kind, name = "", "cluster", item.Cluster
	}
	var message []byte
	for _, part := range []string{salt, task, kind, name} {
		message = binary.BigEndian.AppendUint64(message, uint64(len(part)))
		message = append(message, part...)
	}
	sum := sha256.Sum256(message)
	return float64(binary.BigEndian.Uint64(sum[:])>>11) * 0x1p-53
}

// Sub returns the tasks and the model with the given items only, such as one
// side of [Split]. It panics if the items are not of these tasks, or if the
// model was not scored on them.
func Sub(tasks []Task, m Model, items [][]int) ([]Task, Model) {
	if len(items) != len(tasks) || len(m.Scores) != len(tasks) {
		panic(fmt.Sprintf("audit: items of %d tasks and scores of %d for a basket of %d", len(items), len(m.Scores), len(tasks)))
	}
	parts, part := make([]Task, len(tasks)), m
	part.Scores = make([][]float64, len(tasks))
	for t, task := range tasks {
		parts[t] = task
		parts[t].Items = make([]Item, len(items[t]))
		part.Scores[t] = make([]float64, len(items[t]))
		for at, i := range items[t] {
			parts[t].Items[at], part.Scores[t][at] = task.Items[i], m.Scores[t][i]
		}
	}
	return parts, part
}
