package audit

import (
	"math"

	"surgeon/probe/stat"
)

// What a gate has to show.
const (
	// ShowsRetained: that a protected task has lost no more than its margin.
	ShowsRetained = "retained"
	// ShowsAboveChance: that the base scores above chance at all, without which
	// nothing can be shown to be retained.
	ShowsAboveChance = "above chance"
	// ShowsGain: that tuning gained something in the domain.
	ShowsGain = "gain"
	// ShowsKept: that enough of the gain is kept.
	ShowsKept = "gain kept"
)

// Gate is the test that a next model has to pass on a task.
type Gate struct {
	Task string `json:"task"`
	Kind Kind   `json:"kind"`
	// Shows is what the gate has to show, one of the names above.
	Shows string `json:"shows"`
	// Margin is the largest loss that does not matter: against the base, or for
	// a gain to be kept against the tuned model, the share of the gain that may
	// be lost.
	Margin float64 `json:"margin"`
	// N is the number of items that shows it with probability 80 %, at 5 %
	// one-sided, if nothing is lost: 6.18 psi / margin² ([stat.ItemsToRetain]),
	// and for a protected task no less than log(0.05) / log(1-margin), the rule of
	// three. What is to lie above 0, the base's score above chance or the gain,
	// takes 7.85 variances over its square ([stat.ItemsNeeded]), and more than
	// were asked. N is 0 if no number would do: no one could run so many, or the
	// base scores too little above chance to lose the margin.
	N int `json:"n"`
	// Discordance is psi, the share of items that changed between base and the
	// model that the gate was sized by, times the design effect of clusters. Of
	// no change at all one item is counted. Where a gain is to be kept it is the
	// variance of an item between tuned model and candidate.
	Discordance float64 `json:"discordance"`
	// Asked is the number of items that this audit asked, and Passed says that
	// the model passed on them already.
	Asked  int  `json:"asked"`
	Passed bool `json:"passed"`
}

// Gates returns the tests for the next model: one for each task of the basket in
// its order, sized by what was seen of the chosen candidate, or else of the tuned
// model. It returns none if neither was judged.
func Gates(e Evidence) []Gate {
	e = e.complete()
	v := e.chosen().Verdict
	if v == nil {
		v = e.Tuned.Verdict
	}
	return gatesOf(v, e.Rule)
}

func gatesOf(v *Verdict, rule Rule) (gates []Gate) {
	if v == nil {
		return nil
	}
	for _, task := range v.Tasks {
		gates = append(gates, gateOf(task, rule))
	}
	return gates
}

// gateOf sizes the test of one task. The rule is complete.
func gateOf(t TaskVerdict, rule Rule) Gate {
	g := Gate{Task: t.Task, Kind: t.Kind, Shows: ShowsRetained, Margin: t.Margin, Asked: t.N, Passed: t.safe()}
	switch {
	case t.Kind == Domain && !gains(t.Gap, rule):
		g.Shows, g.Margin, g.Passed = ShowsGain, 0, t.Gap.High < 0
		g.N, g.Discordance = itemsToGain(t.Gap, t.N, rule)
	case t.Kind == Domain:
		g.Shows, g.Margin, g.Discordance = ShowsKept, (1-rule.Retention)*(0-t.Gap.Value), itemVariance(t.Restored, t.N, rule)
		g.Passed = t.Closed.Defined && t.Closed.Low >= rule.Retention
		if g.Margin > 0 {
			g.N = stat.ItemsToRetain(g.Margin, g.Discordance)
		}
	case t.Floor:
		g.Shows, g.Margin = ShowsAboveChance, 0
		g.N, g.Discordance = itemsAboveChance(t.Base, t.Chance, t.N, t.DesignEffect)
	case t.blind():
	default:
		g.N, g.Discordance = itemsToRetain(t.Margin, t.N, t.Fell+t.Rose, t.DesignEffect)
	}
	return g
}

// itemsToRetain returns the number of items that shows that no more than the
// margin is lost, and the share of items that change, by how many of those asked
// have changed.
func itemsToRetain(margin float64, asked, changed int, designEffect float64) (items int, discordance float64) {
	discordance = float64(max(1, changed)) / float64(asked) * max(1, designEffect)
	if items = stat.ItemsToRetain(margin, discordance); items > 0 {
		items = max(items, int(math.Ceil(math.Log(0.05)/math.Log1p(-margin))))
	}
	return items, discordance
}

// itemsAboveChance returns the number of items that shows that a base which is
// not shown to score above chance does, and the variance of an item, of the base
// or of guessing; no number if it scores no better by its estimate.
func itemsAboveChance(base, chance float64, asked int, designEffect float64) (items int, variance float64) {
	if base <= chance {
		return 0, 0
	}
	variance = max(base*(1-base), chance*(1-chance)) * max(1, designEffect)
	return more(asked, stat.ItemsNeeded(base-chance, variance, 0, 0, 1)), variance
}

// itemsToGain returns the number of items that shows a gain, base minus tuned
// being its negative, and the variance of an item; no number if there is none by
// its estimate.
func itemsToGain(gap Interval, asked int, rule Rule) (items int, variance float64) {
	if gap.Value >= 0 {
		return 0, 0
	}
	variance = itemVariance(gap, asked, rule)
	items = stat.ItemsNeeded(gap.Value, variance, 0, 0, 1)
	if gap.High >= 0 {
		items = more(asked, items)
	}
	return items, variance
}

// more raises a number of items to more than were asked, since those have not
// shown it; no number stays none.
func more(asked, items int) int {
	if items == 0 {
		return 0
	}
	return max(asked+1, items)
}

// gains reports whether a gain is shown that is worth a share.
func gains(gap Interval, rule Rule) bool {
	return gap.High < 0 && 0-gap.Value >= rule.LeastGap-1e-12
}

// itemVariance is the variance of an item that the interval of a mean stands for.
func itemVariance(i Interval, items int, rule Rule) float64 {
	deviation := i.half() / (math.Sqrt2 * math.Erfinv(rule.Confidence))
	return float64(items) * deviation * deviation
}

// needed returns the number of items of the gate of a task that is not decided,
// 0 where it is decided, where no number would do, and where as many were asked.
func (t TaskVerdict) needed(rule Rule) int {
	g := gateOf(t, rule)
	decided := t.Kind != Domain && !t.Floor && (t.NonInferior || t.Difference.High < -t.Margin)
	if decided || g.Passed || g.N <= t.N {
		return 0
	}
	return g.N
}
