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
	// N is the number of items that shows it with probability 80 %, at 5 %, if
	// nothing is lost: 6.18 psi / margin², and no less than
	// log(0.05) / log(1-margin), the rule of three. It is 0 if no one could run
	// so many.
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
	case t.Kind == Domain:
		g.domain(t, rule)
	case t.Floor:
		g.Shows, g.Margin, g.Passed = ShowsAboveChance, 0, false
		if above := t.Base - t.Chance; above > 0 {
			g.Discordance = t.Base * (1 - t.Base) * max(1, t.DesignEffect)
			g.N = max(t.N+1, stat.ItemsNeeded(above, g.Discordance, 0, 0, 1))
		}
	default:
		g.Discordance = min(1, float64(max(1, t.Fell+t.Rose))/float64(t.N)*max(1, t.DesignEffect))
		g.N = stat.ItemsToRetain(t.Margin, g.Discordance)
		if g.N > 0 {
			g.N = max(g.N, int(math.Ceil(math.Log(0.05)/math.Log1p(-t.Margin))))
		}
	}
	return g
}

// domain sizes the test of a task of the domain: of its gain, where that is not
// shown, and otherwise of the share that must be kept. The variances are those
// that the intervals stand for.
func (g *Gate) domain(t TaskVerdict, rule Rule) {
	gain := 0 - t.Gap.Value
	variance := func(i Interval) float64 {
		half := i.half() / (math.Sqrt2 * math.Erfinv(rule.Confidence))
		return float64(t.N) * half * half
	}
	if !t.Shown && !(t.Gap.High < 0) || gain < rule.LeastGap-1e-12 {
		g.Shows, g.Margin, g.Passed = ShowsGain, 0, false
		if gain > 0 {
			g.Discordance = variance(t.Gap)
			g.N = max(t.N+1, stat.ItemsNeeded(gain, g.Discordance, 0, 0, 1))
		}
		return
	}
	g.Shows, g.Margin, g.Discordance = ShowsKept, (1-rule.Retention)*gain, variance(t.Restored)
	g.Passed = t.Closed.Defined && t.Closed.Low >= rule.Retention
	if g.Margin > 0 {
		g.N = stat.ItemsToRetain(g.Margin, g.Discordance)
	}
}
