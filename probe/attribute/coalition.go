package attribute

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/merge"
)

// coalition is a set of groups, one letter each, "1" for those that are tuned
// and "0" for those that are as in the base. The term is that of Shapley's
// games, whose players are the groups.
type coalition string

func none(n int) coalition  { return coalition(strings.Repeat("0", n)) }
func whole(n int) coalition { return coalition(strings.Repeat("1", n)) }

func (c coalition) has(group int) bool { return c[group] == '1' }

func (c coalition) with(group int) coalition    { return c[:group] + "1" + c[group+1:] }
func (c coalition) without(group int) coalition { return c[:group] + "0" + c[group+1:] }

// alpha is the model in which the groups of the coalition are tuned. Tensors
// of no group are tuned where more than half of the groups are.
func (c coalition) alpha(groups []Group) merge.Alpha {
	alphas, tuned := make([]float64, len(c)), 0
	for i := range alphas {
		if c.has(i) {
			alphas[i] = 1
			tuned++
		}
	}
	switch {
	case tuned == 0:
		return merge.Number(0)
	case tuned == len(c):
		return merge.Number(1)
	case 2*tuned > len(c):
		return Scale(groups, alphas, 1)
	}
	return Scale(groups, alphas, 0)
}

// describe says in words which model the coalition is.
func (c coalition) describe(groups []Group) string {
	var tuned, base []string
	for i, group := range groups {
		if c.has(i) {
			tuned = append(tuned, group.Name)
		} else {
			base = append(base, group.Name)
		}
	}
	switch {
	case len(tuned) == 0:
		return "the base"
	case len(base) == 0:
		return "the tuned model"
	case len(base) <= len(tuned):
		return "the tuned model without " + strings.Join(base, ", ")
	}
	return "the base with " + strings.Join(tuned, ", ")
}

// ledger keeps the losses of all coalitions that were asked for.
type ledger struct {
	groups []Group
	ask    Oracle
	losses map[coalition]Losses
	waves  int
}

// want asks for those of the coalitions that are not known yet, in one call.
func (l *ledger) want(ctx context.Context, list []coalition) error {
	var open []coalition
	seen := map[coalition]bool{}
	for _, c := range list {
		if _, known := l.losses[c]; !known && !seen[c] {
			seen[c] = true
			open = append(open, c)
		}
	}
	if len(open) == 0 {
		return nil
	}
	points := make([]merge.Alpha, len(open))
	for i, c := range open {
		points[i] = c.alpha(l.groups)
	}
	losses, err := ask(ctx, l.ask, points, func(i int) string { return open[i].describe(l.groups) })
	if err != nil {
		return err
	}
	for i, c := range open {
		l.losses[c] = losses[i]
	}
	l.waves++
	return nil
}

// ask is one call of an oracle, whose answers are held against its contract.
func ask(ctx context.Context, oracle Oracle, points []merge.Alpha, describe func(i int) string) ([]Losses, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	losses, err := oracle(ctx, points)
	if err != nil {
		return nil, err
	}
	if len(losses) != len(points) {
		panic(fmt.Sprintf("attribute: the oracle gave %d losses for %d points", len(losses), len(points)))
	}
	for i, l := range losses {
		for _, each := range []struct {
			kind  string
			value float64
		}{{"general", l.General}, {"domain", l.Domain}} {
			if math.IsNaN(each.value) || math.IsInf(each.value, 0) {
				return nil, fmt.Errorf("attribute: the %s loss of %s is %v, which is no finite number and cannot be compared: look for weights or logits that overflow, or leave that group out", each.kind, describe(i), each.value)
			}
		}
	}
	return slices.Clone(losses), nil
}
