package cli

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"surgeon/probe"
	"surgeon/probe/audit"
	"surgeon/probe/record"
	"surgeon/probe/task"
)

// auditManner is how base and fine-tune answered a task, over all items and seeds: a
// change of the form of answers is not one of their worth.
type auditManner struct {
	Task  string       `json:"task"`
	Kind  audit.Kind   `json:"kind"`
	Base  answered     `json:"base"`
	Tuned answered     `json:"tuned"`
	Form  *formatParts `json:"form,omitempty"` // of the difference, by its first metric; nil where every answer could be read
}

// answered is how one model answered.
type answered struct {
	N         int               `json:"n"`
	Letters   []int             `json:"letters,omitempty"` // how often each choice was taken, by its place in the data
	Collapsed bool              `json:"collapsed,omitempty"`
	Tokens    number            `json:"tokens"` // mean length of a text
	Flags     map[string]number `json:"flags"`  // shares: empty, unparseable, truncated, repeated, refused
	Scores    map[string]number `json:"scores"` // mean by every metric
}

// mannersOf counts the answers of base and fine-tune, task by task.
func mannersOf(run record.Run, rule auditRule) (list []auditManner) {
	planned := plannedGroups([2]record.Run{run, run})
	sides := map[string][2][]record.Record{}
	for _, rec := range run.Records {
		side := slices.Index([]string{"base", "tuned"}, rec.Model)
		if side < 0 {
			continue
		}
		unit := unitOf(rec.Task, planned)
		both := sides[unit]
		both[side] = append(both[side], rec)
		sides[unit] = both
	}
	for _, unit := range slices.Sorted(maps.Keys(sides)) {
		both := sides[unit]
		for side := range both {
			slices.SortFunc(both[side], byQuestion)
		}
		m := auditManner{Task: unit, Kind: rule.Kinds[unit], Base: answeredBy(both[0]), Tuned: answeredBy(both[1])}
		m.Form = formOf(both, rule)
		list = append(list, m)
	}
	return list
}

func answeredBy(records []record.Record) answered {
	a := answered{N: len(records), Flags: map[string]number{}, Scores: map[string]number{}}
	n, tokens := number(len(records)), 0
	right := map[int]int{}
	for _, r := range records {
		if r.Chosen != nil && len(r.LogProbs) > 1 {
			for len(a.Letters) <= *r.Chosen {
				a.Letters = append(a.Letters, 0)
			}
			a.Letters[*r.Chosen]++
			if r.Scores["acc"] == 1 {
				right[*r.Chosen]++
			}
		}
		tokens += r.Tokens
		for _, flag := range r.Flags {
			a.Flags[flag] += 1 / n
		}
		for metric, v := range r.Scores {
			a.Scores[metric] += number(v) / n
		}
	}
	a.Tokens = number(tokens) / max(n, 1)
	if a.N >= probe.CollapsedItems && len(a.Letters) > 0 {
		most := slices.Index(a.Letters, slices.Max(a.Letters))
		a.Collapsed = float64(a.Letters[most]) >= probe.CollapsedShare*float64(a.N) && 2*right[most] < a.Letters[most]
	}
	return a
}

// formOf splits the difference of a task by whether answers could be read.
func formOf(both [2][]record.Record, rule auditRule) *formatParts {
	a, b := both[0], both[1]
	if len(a) == 0 || len(a) != len(b) {
		return nil
	}
	f := &formatParts{}
	n := number(len(a))
	unread := 0
	for i := range a {
		if byQuestion(a[i], b[i]) != 0 {
			return nil
		}
		readA, readB := !slices.Contains(a[i].Flags, task.Unparseable), !slices.Contains(b[i].Flags, task.Unparseable)
		metric := rule.Metrics[a[i].Task]
		diff := number(b[i].Scores[metric]-a[i].Scores[metric]) / n
		if readA && readB {
			f.Knowledge += diff
		} else {
			f.Form += diff
			unread++
		}
		if readA {
			f.BaseRead += 1 / n
		}
		if readB {
			f.TunedRead += 1 / n
		}
	}
	if unread == 0 {
		return nil
	}
	return f
}

// byQuestion orders records by what was asked.
func byQuestion(a, b record.Record) int {
	return cmp.Or(strings.Compare(a.Task, b.Task), strings.Compare(a.Item, b.Item), cmp.Compare(a.Seed, b.Seed))
}
