package audit

import (
	"cmp"
	"fmt"
	"slices"
)

// stop recommends to leave be what lost a direct comparison: on a protected task
// it scores less than another candidate by more than its interval and the number
// of tasks allow for luck, and on no task more. Of a class whose judged members
// all lost to the same candidate there is one recommendation, by the member that
// lost least; trained models count each for itself, and so does the fine-tune. One
// that lost to its own merge with the base is left: the merge is made of it.
func (a adviser) stop() (list []Recommendation) {
	for family, l := range a.beaten() {
		var gate Gate
		for _, t := range a.Candidates {
			if t.Name == l.Second && t.Verdict != nil {
				gate = a.gate(t.Verdict)
			}
		}
		list = append(list, Recommendation{
			Kind: ActStop, Change: family, From: Setting{Names: []string{l.First}}, To: Setting{Names: []string{l.Second}},
			Effect: l.Difference, EffectOf: EffectOf{EffectWorse, l.Task, l.Second}, N: l.N, Evidence: []string{l.ID}, Confidence: a.stopConfidence(l), Executed: true, Gate: gate,
			Why: fmt.Sprintf("%s scores %s points (%s to %s) less than %s on %s and more on no protected task.", l.First, points(0-l.Difference.Value), points(0-l.Difference.High), points(0-l.Difference.Low), l.Second, l.Task),
		})
	}
	return list // in an order of the map: the caller ranks them
}

// beaten returns for each family of which all members lost to one candidate the
// comparison that was lost least. Of several winners it is the chosen one, or else
// the first by name.
func (a adviser) beaten() map[string]Comparison {
	members := map[string]int{}
	for _, t := range a.Candidates {
		if t.Verdict != nil {
			members[a.family(t.Name)]++
		}
	}
	type key struct{ family, winner string }
	found := map[key][]Comparison{}
	for _, l := range a.directLosses() {
		k := key{a.family(l.First), l.Second}
		found[k] = append(found[k], l)
	}
	best := map[string]Comparison{}
	for k, lost := range found {
		if k.family == "" || k.family != a.Tuned.Name && len(lost) < members[k.family] {
			continue
		}
		least := slices.MaxFunc(lost, func(x, y Comparison) int {
			return cmp.Or(cmp.Compare(x.Difference.Value, y.Difference.Value), cmp.Compare(y.First, x.First))
		})
		if now, any := best[k.family]; !any || k.winner == a.Chosen || now.Second != a.Chosen && k.winner < now.Second {
			best[k.family] = least
		}
	}
	return best
}

// stopConfidence is high: a direct comparison is all that stopping asks for. What
// was trained with one seed is one run.
func (a adviser) stopConfidence(l Comparison) Confidence {
	for _, t := range append([]Trial{a.Tuned}, a.Candidates...) {
		if (t.Name == l.First || t.Name == l.Second) && (t.Class == ClassTraining || t.Class == ClassTrainedMerge) && len(t.Repeats) < repeats {
			return Medium
		}
	}
	return High
}

// family is what a trial is stopped as: its class, or itself if it was trained.
func (a adviser) family(name string) string {
	if name == a.Tuned.Name {
		return name
	}
	for _, t := range a.Candidates {
		switch {
		case t.Name != name || t.Verdict == nil:
		case t.Class == ClassTraining || t.Class == ClassTrainedMerge || t.Class == "":
			return name
		default:
			return t.Class
		}
	}
	return ""
}

// directLosses returns for each pair of which one lost everywhere or tied its
// worst comparison, the loser first.
func (a adviser) directLosses() (list []Comparison) {
	type pair struct{ loser, winner string }
	worst, better := map[pair]Comparison{}, map[pair]bool{}
	alpha := 1 - a.Rule.Confidence + 1e-12
	for _, c := range a.Comparisons {
		if !c.Difference.Defined || c.ID == "" || c.P > alpha {
			continue
		}
		if c.Difference.Low > 0 { // the same from the other side
			c.First, c.Second = c.Second, c.First
			c.Difference = Interval{Value: 0 - c.Difference.Value, Low: 0 - c.Difference.High, High: 0 - c.Difference.Low, Defined: true}
		}
		if !(c.Difference.High < 0) {
			continue
		}
		better[pair{c.Second, c.First}] = true
		p := pair{c.First, c.Second}
		if now, any := worst[p]; c.Kind != Domain && (!any || c.Difference.Value < now.Difference.Value || c.Difference.Value == now.Difference.Value && c.Task < now.Task) {
			worst[p] = c
		}
	}
	mergeOf := map[string]string{}
	for _, t := range a.Candidates {
		mergeOf[t.Name] = t.MergeOf
	}
	for p, c := range worst {
		if !better[p] && mergeOf[p.winner] != p.loser { // a merge needs what it is one of
			list = append(list, c)
		}
	}
	return list
}
