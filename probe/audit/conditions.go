package audit

import (
	"fmt"
	"math"
)

// moreItems asks for the items that would make protected tasks safe, those aside
// that are known to be lost.
func (v *Verdict) moreItems(who string, rule Rule, known func(TaskVerdict) bool) (conditions []string) {
	for _, t := range v.Tasks {
		if t.Kind == Domain || t.safe() || known(t) {
			continue
		}
		conditions = append(conditions, t.wants(who, rule))
	}
	return conditions
}

func none(TaskVerdict) bool { return false }

// noSafety asks for a safety task where there is none.
func (v *Verdict) noSafety() []string {
	for _, t := range v.Tasks {
		if t.Kind == Safety {
			return nil
		}
	}
	return []string{"Test a safety task: none was in the basket."}
}

// conditions lists what shipping a repair is bound to.
func (v *Verdict) conditions(m Trial, rule Rule) (list []string) {
	for _, t := range v.Tasks {
		if t.Kind == General && t.lost() {
			list = append(list, fmt.Sprintf("The owner accepts that %s loses %s.", t.Task, lossIn(t.Difference)))
		}
	}
	if v.Retention.Defined && v.Retention.High < rule.Retention {
		list = append(list, fmt.Sprintf("The owner accepts that %s of the domain gain is kept, and not %s %%.", shareIn(v.Retention), percent(rule.Retention)))
	}
	list = append(list, v.moreItems("candidate", rule, TaskVerdict.lost)...)
	list = append(list, v.noSafety()...)
	if m.Class == ClassIsolation {
		list = append(list, "Watch the router: what it sends to the wrong model is the risk that is left.")
	}
	if w := m.Written; w != nil && !w.true() {
		list = append(list, fmt.Sprintf("Write it in a wider type: in %s the strength comes to %.2f and not %.2f.", w.Type, w.Effective, w.Asked))
	}
	return list
}

// moreDomain asks for the items that decide how much of the gain is kept.
func (v *Verdict) moreDomain(rule Rule) (list []string) {
	if v.Retention.Defined && (v.Retention.Low >= rule.Retention || v.Retention.High < rule.Retention) {
		return nil
	}
	for _, t := range v.Tasks {
		if g := gateOf(t, rule); t.Kind == Domain && !g.Passed && g.N > t.N {
			list = append(list, fmt.Sprintf("Ask %d items of %s: by %d it is open how much of the gain is kept.", g.N, t.Task, t.N))
		}
	}
	return list
}

// true reports whether the written strength is the one that was judged.
func (w Written) true() bool { return math.Abs(w.Effective-w.Asked) <= 0.05 }
