package attribute

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/merge"
)

// Order ranks the groups, as indices into Effects, by what setting them back
// is worth: first those that harm without a benefit, the most harmful first;
// then by exchange rate, the worst bargain first; last those without either,
// for which there is no rate. Ties are in the order of the groups.
func Order(a *Attribution) []int {
	order := make([]int, len(a.Effects))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		x, y := &a.Effects[i], &a.Effects[j]
		first := a.class(x)
		if by := cmp.Compare(first, a.class(y)); by != 0 {
			return by
		}
		if first == bargain {
			return cmp.Compare(y.Exchange, x.Exchange)
		}
		return cmp.Compare(y.Harm-y.Benefit, x.Harm-x.Benefit)
	})
	return order
}

// Classes of groups in the order of Order.
const (
	harmOnly = iota
	bargain
	neither
)

func (a *Attribution) class(e *Effect) int {
	switch {
	case !math.IsNaN(e.Exchange):
		return bargain
	case e.Harm > a.Resolution:
		return harmOnly
	}
	return neither
}

// DefaultBudget is the share of the domain gain that SelectiveRevert is
// usually given.
const DefaultBudget = 0.2

// Candidate is a model to try: the tuned one with some groups as in the base.
type Candidate struct {
	Name     string // "without embedding, layers 0-7 mlp"
	Alpha    merge.Alpha
	Reverted []int   // indices of groups, in the order in which they were set back
	Healed   float64 // harm that the groups are answerable for, in nats a token
	Spent    float64 // their benefit as a share of the whole one
}

// SelectiveRevert sets groups back in the order of their exchange rates until
// the budget is spent: the share of the domain gain that may be lost. Each
// candidate has one group more set back than the one before. A group that
// does not fit into what is left of the budget is passed over, and groups that
// do no harm are left as they are. What candidates heal and spend is
// foretold from the attribution, as if effects added up: they are to be scored.
func SelectiveRevert(a *Attribution, budget float64) []Candidate {
	if !(budget >= 0) {
		panic(fmt.Sprintf("attribute: a budget of %v of the domain gain", budget))
	}
	groups := make([]Group, len(a.Effects))
	alphas := make([]float64, len(a.Effects))
	for i, e := range a.Effects {
		groups[i], alphas[i] = e.Group, 1
	}
	var list []Candidate
	var now Candidate
	var names []string
	for _, i := range Order(a) {
		e := &a.Effects[i]
		price := a.price(e)
		if e.Harm <= a.Resolution || now.Spent+price > budget {
			continue
		}
		alphas[i] = 0
		names = append(names, e.Group.Name)
		now = Candidate{
			Name:     "without " + strings.Join(names, ", "),
			Alpha:    Scale(groups, alphas, 1),
			Reverted: append(slices.Clone(now.Reverted), i),
			Healed:   now.Healed + e.Harm,
			Spent:    now.Spent + price,
		}
		list = append(list, now)
	}
	return list
}

// price is the share of the domain gain that a group is answerable for. What
// is worse for the domain costs nothing and refunds nothing, and where there
// is no gain no benefit can be spent.
func (a *Attribution) price(e *Effect) float64 {
	switch {
	case e.Benefit <= a.Resolution:
		return 0
	case a.Benefit <= a.Resolution:
		return math.Inf(1)
	}
	return e.Benefit / a.Benefit
}
