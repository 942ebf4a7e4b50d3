package audit

import (
	"cmp"
	"math"
	"slices"
)

// Point is one candidate between what it keeps of the domain and the room it
// leaves on the protected tasks.
type Point struct {
	Name string `json:"name"`
	// Retention is the share of the domain gain that is kept.
	Retention Interval `json:"retention"`
	// Slack is the least over the protected tasks of
	//
	//	candidate - base + margin,
	//
	// positive if the candidate lost less than the margin everywhere, and Tight
	// the task that has it.
	Slack Interval `json:"slack"`
	Tight string   `json:"tight,omitempty"`
	// Dominated says that one other candidate, DominatedBy, is at least as good
	// on both axes and better on one in at least 90 % of the bootstrap samples;
	// Probability is the largest such share of any other candidate.
	Dominated   bool    `json:"dominated"`
	DominatedBy string  `json:"dominated_by,omitempty"`
	Probability float64 `json:"probability"`
}

// surelyDominated is the share of samples from which on a point is dominated.
const surelyDominated = 0.9

// Front sets candidates side by side, one point each in their order. Base and
// tuned model are points only if they are among the candidates. All candidates
// share each bootstrap sample, so that what separates two of them is not the
// luck of the items. Without a domain gain the order on that axis is still that
// of the domain scores, and without domain tasks or without protected ones only
// the other axis counts.
//
// It is an error if [Regressions] would fail for any of the models.
func Front(tasks []Task, base, tuned Model, candidates []Model, rule Rule) ([]Point, error) {
	p, err := newPanel(tasks, rule, append([]Model{base, tuned}, candidates...)...)
	if err != nil {
		return nil, err
	}
	drawn := p.resample()
	points := make([]Point, len(candidates))
	kept, slack := make([][]float64, len(candidates)), make([][]float64, len(candidates))
	for c := range candidates {
		model := candidateAt + c
		points[c].Name = candidates[c].Name
		if points[c].Retention, err = p.retention(model); err != nil {
			return nil, err
		}
		kept[c], slack[c] = drawn.mean(p.domain, model), p.leastSlack(drawn, model)
		points[c].Slack, points[c].Tight = p.slackOf(model, slack[c])
	}
	for c := range points {
		points[c].dominate(c, points, kept, slack)
	}
	return points, nil
}

// leastSlack returns the least slack of a model in each sample.
func (p panel) leastSlack(drawn samples, model int) []float64 {
	var result []float64
	for _, t := range p.protected {
		for at, value := range drawn[t][model] {
			room := value - drawn[t][baseAt][at] + p.tasks[t].margin()
			if len(result) <= at {
				result = append(result, room)
			}
			result[at] = min(result[at], room)
		}
	}
	return result
}

// slackOf returns the least slack of a model and the task that has it.
func (p panel) slackOf(model int, drawn []float64) (Interval, string) {
	if len(p.protected) == 0 {
		return undefined("no protected task was tested"), ""
	}
	least, tight := math.Inf(1), ""
	for _, t := range p.protected {
		if room := p.score(t, model) - p.score(t, baseAt) + p.tasks[t].margin(); room < least {
			least, tight = room, p.tasks[t].Name
		}
	}
	low, high := percentiles(slices.Clone(drawn), p.rule.Confidence)
	return Interval{Value: least, Low: min(low, least), High: max(high, least), Defined: true}, tight
}

// dominate finds the candidate that most often leaves point c behind.
func (point *Point) dominate(c int, points []Point, kept, slack [][]float64) {
	for other := range points {
		wins, count := 0, max(len(kept[c]), len(slack[c]))
		for at := range count {
			further, roomier := ahead(kept[other], kept[c], at), ahead(slack[other], slack[c], at)
			if further >= 0 && roomier >= 0 && further+roomier > 0 {
				wins++
			}
		}
		if share := float64(wins) / float64(count); share > point.Probability {
			point.Probability, point.DominatedBy = share, points[other].Name
		}
	}
	if point.Dominated = point.Probability >= surelyDominated; !point.Dominated {
		point.DominatedBy = ""
	}
}

// ahead compares two models in one sample; what is but rounding is equal.
func ahead(one, other []float64, at int) int {
	if len(one) == 0 || math.Abs(one[at]-other[at]) <= 1e-12 {
		return 0
	}
	return cmp.Compare(one[at], other[at])
}

// Hypervolume returns the area that the points cover between the slack given
// and their own, and between no retention and theirs: one number to compare two
// sweeps with the same base and tuned model by, of which the latter's slack is
// the one to give (Zitzler and Thiele, IEEE Transactions on Evolutionary
// Computation 3, 1999, p. 257). Points without a retention cover nothing.
func Hypervolume(points []Point, slack float64) float64 {
	sorted := slices.Clone(points)
	slices.SortStableFunc(sorted, func(a, b Point) int { return cmp.Compare(b.Retention.Value, a.Retention.Value) })
	area, reached := 0.0, slack
	for _, point := range sorted {
		if point.Retention.Defined && point.Retention.Value > 0 && point.Slack.Defined && point.Slack.Value > reached {
			area += float64(point.Retention.Value * (point.Slack.Value - reached))
			reached = point.Slack.Value
		}
	}
	return area
}
