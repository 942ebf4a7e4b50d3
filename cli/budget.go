package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"surgeon/probe"
	"surgeon/probe/record"
	"surgeon/probe/stat"
	"surgeon/probe/task"
)

// limits stop a run before all questions are asked: when its time is used up,
// and a task when its comparison with another run is decided. The items come in
// a random order, every subject in proportion, so what was asked is a fair
// sample. Decisions are made at looks after each part of the items, with the
// error spent over them as O'Brien and Fleming do (Lan and DeMets, Biometrika
// 70, 1983, p. 659).
type limits struct {
	until   time.Time   // zero for none
	against *record.Run // of the base; nil for none
	rules   margins
	tasks   map[string]bool // that the base's run has

	asked, all   map[string]int // items, by task or group
	decided      map[string]comparedTask
	decidedAt    map[string]int // how many looks there were
	looks        []float64      // shares of the items
	outOfTime    bool
	otherPrompts int // questions that the base was asked in other words
}

// parts is in how many parts the items are asked.
const parts = 20

// stop is where a task ended.
type stop struct {
	Looks   []float64 `json:"looks"` // shares of the items at the looks so far, the last one the end
	Items   int       `json:"items"`
	All     int       `json:"all"`
	Verdict string    `json:"verdict,omitempty"` // "" where no look decided
}

// stops are where the tasks ended; nil without looks.
func (l *limits) stops() map[string]stop {
	if l == nil {
		return nil
	}
	out := map[string]stop{}
	for unit, all := range l.all {
		s := stop{Items: l.asked[unit], All: all}
		if l.against != nil {
			s.Looks = l.looks
		}
		if t, ok := l.decided[unit]; ok {
			s.Looks, s.Verdict = l.looks[:l.decidedAt[unit]], t.Verdict
		}
		out[unit] = s
	}
	return out
}

// base identifies the run of the base; "" for none.
func (l *limits) base() string {
	if l == nil || l.against == nil {
		return ""
	}
	sum := sha256.Sum256(asJSON(l.against.Records))
	return hex.EncodeToString(sum[:])
}

// late reports whether the time is used up.
func (l *limits) late() bool { return l != nil && !l.until.IsZero() && time.Now().After(l.until) }

// within asks the questions part by part, and leaves those that are not asked
// out of the evaluation.
func (e *evaluation) within(ctx context.Context) error {
	l := e.limits
	l.asked, l.all, l.decided, l.decidedAt = map[string]int{}, map[string]int{}, map[string]comparedTask{}, map[string]int{}
	if err := l.shares(e); err != nil {
		return err
	}
	known := e.bench.Known
	var done []int
	var longest time.Duration
	for n, part := range e.divide() {
		start := time.Now()
		if n > 0 && !l.until.IsZero() && start.Add(longest).After(l.until) {
			l.outOfTime = true
			break
		}
		part = slices.DeleteFunc(part, func(i int) bool { return l.isDecided(e.unit(i)) })
		if len(part) == 0 {
			continue
		}
		if err := e.ask(ctx, part, known); err != nil {
			return err
		}
		done = append(done, part...)
		longest = max(longest, time.Since(start))
		l.looks = append(l.looks, float64(n+1)/parts)
		if err := l.look(e, done, known, l.looks); err != nil {
			return err
		}
	}
	if l.outOfTime && len(l.looks) > 0 { // the end came from the clock, not from the scores: the rest of the error may be spent
		l.looks[len(l.looks)-1] = 1
		if err := l.look(e, done, known, l.looks); err != nil {
			return err
		}
	}
	l.count(e, done)
	slices.Sort(done)
	e.keepOnly(done, known)
	return nil
}

// divide deals the questions into parts: of every cluster of every task a random
// tenth of the items, all seeds of an item together.
func (e *evaluation) divide() [][]int {
	ranks := map[[2]string][]string{} // per task and cluster, the items in random order
	seen := map[[2]string]bool{}
	for i := range e.asked {
		r := e.base[i]
		key, item := [2]string{r.Task, r.Cluster}, [2]string{r.Task, r.Item}
		if !seen[item] {
			seen[item] = true
			ranks[key] = append(ranks[key], r.Item)
		}
	}
	place := map[[2]string]int{}
	offset := 0
	for _, key := range sortedPairs(ranks) {
		items := ranks[key]
		slices.SortFunc(items, func(a, b string) int {
			return strings.Compare(record.Key("order", key[0], a), record.Key("order", key[0], b))
		})
		for k, item := range items {
			// Small clusters begin at different parts, so that parts are alike.
			place[[2]string{key[0], item}] = (k*parts/max(len(items), 1) + offset) % parts
		}
		offset++
	}
	list := make([][]int, parts)
	for i := range e.asked {
		at := place[[2]string{e.base[i].Task, e.base[i].Item}]
		list[at] = append(list[at], i)
	}
	return list
}

func sortedPairs[V any](m map[[2]string]V) (keys [][2]string) {
	for key := range m {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	return keys
}

// ask asks some questions and adds the answers to those that are known.
func (e *evaluation) ask(ctx context.Context, part []int, known [][]probe.Answer) error {
	asked := make([]probe.Asked, len(part))
	place := map[int]int{}
	for at, i := range part {
		asked[at], place[i] = e.asked[i], at
	}
	bench := *e.bench
	bench.Known = make([][]probe.Answer, len(e.candidates))
	for k := range known {
		for _, a := range known[k] {
			if at, ok := place[a.Question]; ok {
				a.Question = at
				bench.Known[k] = append(bench.Known[k], a)
			}
		}
	}
	bench.Answered = func(k int, a probe.Answer) {
		a.Question = part[a.Question]
		known[k] = append(known[k], a)
		e.bench.Answered(k, a)
	}
	scores, err := bench.ScoreAsked(ctx, asked, e.candidates)
	for _, s := range scores {
		if err == nil {
			err = s.Err
		}
	}
	return err
}

// unit is the group, or the task, of a question.
func (e *evaluation) unit(i int) string {
	t := e.bench.Tasks[e.asked[i].Task]
	for _, p := range e.plan.Tasks {
		if p.Name == t.Name && p.Group != "" {
			return p.Group
		}
	}
	return t.Name
}

// shares notes which tasks the base's run has too: only those are looked at.
func (l *limits) shares(e *evaluation) error {
	if l.against == nil {
		return nil
	}
	l.tasks = map[string]bool{}
	for _, r := range l.against.Records {
		l.tasks[r.Task] = true
	}
	prompts := map[[2]string]map[string]bool{}
	for _, r := range l.against.Records {
		key := [2]string{r.Task, r.Item}
		if prompts[key] == nil {
			prompts[key] = map[string]bool{}
		}
		prompts[key][r.PromptHash] = true
	}
	for _, r := range e.base {
		if of := prompts[[2]string{r.Task, r.Item}]; of != nil && !of[r.PromptHash] && !of[""] {
			l.otherPrompts++
		}
	}
	if !slices.ContainsFunc(e.bench.Tasks, func(t task.Task) bool { return l.tasks[t.Name] }) {
		return errors.New("--against: that run has none of these tasks")
	}
	return nil
}

// isDecided reports whether a look has decided a task or group.
func (l *limits) isDecided(unit string) bool {
	_, ok := l.decided[unit]
	return ok
}

// look compares what was answered so far, and notes what is decided.
func (l *limits) look(e *evaluation, done []int, known [][]probe.Answer, looks []float64) error {
	if l.against == nil {
		return nil
	}
	asked := map[int]bool{}
	for _, i := range done {
		asked[i] = true
	}
	var answers []record.Record
	for _, a := range known[0] {
		if asked[a.Question] && l.tasks[e.base[a.Question].Task] && !l.isDecided(e.unit(a.Question)) {
			a.Grade = e.bench.Tasks[e.asked[a.Question].Task].Grade(e.asked[a.Question].Question, a.Reply)
			answers = append(answers, e.record(0, a))
		}
	}
	if len(answers) == 0 {
		return nil
	}
	list, err := againstBase(e.plan, l.against.Records, answers, l.rules, func(o stat.Options) (stat.Options, error) {
		return stat.Sequential(o, stat.OBrienFleming, looks)
	})
	if err != nil {
		return err
	}
	for _, t := range list {
		if t.Verdict != string(stat.Inconclusive) && t.N > 1 {
			l.decided[t.Task], l.decidedAt[t.Task] = t, len(looks)
		}
	}
	return nil
}

// count counts the items of every unit.
func (l *limits) count(e *evaluation, done []int) {
	seen := map[[2]string]bool{}
	for i := range e.asked {
		key := [2]string{e.base[i].Task, e.base[i].Item}
		if !seen[key] {
			seen[key] = true
			l.all[e.unit(i)]++
		}
	}
	clear(seen)
	for _, i := range done {
		key := [2]string{e.base[i].Task, e.base[i].Item}
		if !seen[key] {
			seen[key] = true
			l.asked[e.unit(i)]++
		}
	}
}

// keepOnly makes some of the questions the evaluation's.
func (e *evaluation) keepOnly(done []int, known [][]probe.Answer) {
	place := map[int]int{}
	asked, base := make([]probe.Asked, len(done)), make([]record.Record, len(done))
	for at, i := range done {
		asked[at], base[at], place[i] = e.asked[i], e.base[i], at
	}
	for k := range known {
		known[k] = slices.DeleteFunc(known[k], func(a probe.Answer) bool {
			_, ok := place[a.Question]
			return !ok
		})
		for n := range known[k] {
			known[k][n].Question = place[known[k][n].Question]
		}
	}
	e.asked, e.base, e.bench.Known = asked, base, known
}

// notes say how far a run with limits came.
func (l *limits) notes() (list []string) {
	if l == nil {
		return nil
	}
	if l.otherPrompts > 0 {
		list = append(list, fmt.Sprintf("warning: %d of the questions were put to the base with other prompts: shots, template or wording differ, and so may the scores for that reason", l.otherPrompts))
	}
	for _, unit := range slices.Sorted(maps.Keys(l.all)) {
		switch t, ok := l.decided[unit]; {
		case ok:
			list = append(list, fmt.Sprintf("%s: %s after %d of %d items: %+.1f pp from the base (%+.1f to %+.1f at this look)",
				unit, t.Verdict, l.asked[unit], l.all[unit], 100*float64(t.Diff), 100*float64(t.CI[0]), 100*float64(t.CI[1])))
		case l.against != nil && l.asked[unit] == l.all[unit]:
			list = append(list, fmt.Sprintf("%s: no look decided it; surgeon compare says where it stands", unit))
		case l.asked[unit] < l.all[unit]:
			list = append(list, fmt.Sprintf("%s: the time was used up after %d of %d items, a random sample of them", unit, l.asked[unit], l.all[unit]))
		}
	}
	return list
}
