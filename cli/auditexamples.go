package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"surgeon/probe/audit"
	"surgeon/probe/record"
)

// lostExample is an item that the base had right and the fine-tune wrong.
type lostExample struct {
	Task  string  `json:"task"`
	Item  string  `json:"item"`
	Base  string  `json:"base"`           // what it answered, shortened
	Tuned string  `json:"tuned"`          //
	Fall  *number `json:"fall,omitempty"` // of the right choice's log-likelihood, nats
}

// examplesOf are two items of the general task that lost most, by rule and not by
// taste: those whose right choice lost most of its log-likelihood, or where replies
// are texts the first by the hash of their names. Items of safety are never quoted.
func examplesOf(run record.Run, rule auditRule, lost *audit.Regression) (list []lostExample) {
	planned := plannedGroups([2]record.Run{run, run})
	unit := ""
	for i, gap := range lost.Tasks {
		if gap.Kind == audit.General && gap.Shown && (unit == "" || gap.Adjusted > lost.Tasks[slices.IndexFunc(lost.Tasks, func(g audit.Gap) bool { return g.Task == unit })].Adjusted) {
			unit = lost.Tasks[i].Task
		}
	}
	sides := map[string][2]*record.Record{}
	for i := range run.Records {
		rec := &run.Records[i]
		side := slices.Index([]string{"base", "tuned"}, rec.Model)
		if side < 0 || unitOf(rec.Task, planned) != unit {
			continue
		}
		both := sides[rec.Task+"/"+rec.Item]
		if both[side] == nil || rec.Seed < both[side].Seed {
			both[side] = rec
		}
		sides[rec.Task+"/"+rec.Item] = both
	}
	for _, both := range sides {
		if both[0] == nil || both[1] == nil || both[0].Scores[rule.Metrics[both[0].Task]] < 0.5 || both[1].Scores[rule.Metrics[both[1].Task]] >= 0.5 {
			continue
		}
		list = append(list, exampleOf(both[0], both[1]))
	}
	slices.SortFunc(list, func(a, b lostExample) int {
		if a.Fall != nil && b.Fall != nil && *a.Fall != *b.Fall {
			return compareNumbers(*b.Fall, *a.Fall)
		}
		return strings.Compare(nameHash(a), nameHash(b))
	})
	return list[:min(2, len(list))]
}

func nameHash(e lostExample) string {
	sum := sha256.Sum256([]byte(e.Task + "/" + e.Item))
	return hex.EncodeToString(sum[:])
}

func exampleOf(base, tuned *record.Record) lostExample {
	e := lostExample{Task: base.Task, Item: base.Item, Base: replyWords(base), Tuned: replyWords(tuned)}
	if base.Chosen != nil && *base.Chosen >= 0 && *base.Chosen < min(len(base.LogProbs), len(tuned.LogProbs)) {
		fall := number(base.LogProbs[*base.Chosen] - tuned.LogProbs[*base.Chosen])
		e.Fall = &fall
	}
	return e
}

// replyLength is how many letters of a reply are quoted.
const replyLength = 96

// replyWords is a reply in one short line.
func replyWords(r *record.Record) string {
	if r.Chosen != nil && len(r.LogProbs) > 1 {
		return "choice " + string(rune('A'+max(0, *r.Chosen)))
	}
	if r.Text == nil {
		return ""
	}
	words := []rune(strings.Join(strings.Fields(*r.Text), " "))
	if len(words) > replyLength {
		return string(words[:replyLength]) + "…"
	}
	return string(words)
}
