package attribute

import (
	"context"
	"math"
	"math/bits"
)

// shapley replaces harms and benefits by Shapley values (L. S. Shapley, "A
// value for n-person games", 1953). The value of group g is the mean, over all
// orders in which the groups could be tuned one after another, of what the
// loss changes when g is:
//
//	v_g = sum over S without g of |S|! (n-|S|-1)! / n! (L(S+g) - L(S))
//
// The values sum to L(tuned) - L(base), and groups that can be exchanged have
// the same. All coalitions S are asked for where those are no more points than
// the permutations would take; otherwise the mean is over sampled permutations.
func (a *Attribution) shapley(ctx context.Context, book *ledger, opt Options) error {
	n := len(a.Effects)
	if exhaustive(n, opt.Permutations) {
		a.Method = Exact
		if err := book.want(ctx, coalitions(n)); err != nil {
			return err
		}
		for g := range a.Effects {
			a.set(g, book.exact(g), Losses{})
		}
		return nil
	}
	a.Method = Sampled
	orders := permutations(n, opt.Permutations, opt.Seed)
	var list []coalition
	for _, order := range orders {
		list = append(list, prefixes(order)...)
	}
	if err := book.want(ctx, list); err != nil {
		return err
	}
	for g, values := range book.sampled(orders) {
		a.set(g, values.mean, values.deviation)
	}
	return nil
}

// set makes a change of the losses the share of group g.
func (a *Attribution) set(g int, value, deviation Losses) {
	e := &a.Effects[g]
	e.Harm, e.Benefit = value.General, 0-value.Domain
	e.HarmError, e.BenefitError = deviation.General, deviation.Domain
}

// Cost is how many points Attribute asks for: the least, with the sweep alone,
// and the most, with Shapley values from the given number of permutations.
func Cost(groups, permutations int) (least, most int) {
	o := Options{Permutations: permutations}.fill()
	switch {
	case groups == 0:
		return 0, 0
	case groups <= 2:
		return 1 << groups, 1 << groups // the base with one group is the tuned model without the other
	case exhaustive(groups, o.Permutations):
		return 2 + 2*groups, 1 << groups
	}
	// The first and the last step of a permutation are points of the sweep.
	return 2 + 2*groups, 2 + 2*groups + o.Permutations*(groups-3)
}

// exhaustive reports whether all coalitions are no more points than the
// permutations take. Either count includes the sweep.
func exhaustive(n, permutations int) bool {
	return n < 31 && 1<<n <= 2+2*n+permutations*max(0, n-3)
}

// coalitions lists all of n groups, group 0 changing fastest.
func coalitions(n int) []coalition {
	list := make([]coalition, 0, 1<<n)
	for set := range 1 << n {
		c := none(n)
		for g := range n {
			if set>>g&1 == 1 {
				c = c.with(g)
			}
		}
		list = append(list, c)
	}
	return list
}

// exact is the Shapley value of group g by its definition.
func (l *ledger) exact(g int) Losses {
	n := len(l.groups)
	weights := make([]float64, n) // of coalitions, by size: size! (n-size-1)! / n!
	weights[0] = 1 / float64(n)
	for size := 1; size < n; size++ {
		weights[size] = weights[size-1] * float64(size) / float64(n-size)
	}
	var value Losses
	for set, c := range coalitions(n) {
		if c.has(g) {
			continue
		}
		change := l.losses[c.with(g)].minus(l.losses[c])
		value = value.plus(change.times(weights[bits.OnesCount(uint(set))]))
	}
	return value
}

// estimate is the mean over pairs of permutations and its standard error.
type estimate struct{ mean, deviation Losses }

// sampled estimates the Shapley values of all groups from pairs of a
// permutation and its reverse: the changes of the loss along each permutation
// (Castro, Gomez, Tejada, "Polynomial calculation of the Shapley value based
// on sampling", Computers & Operations Research 36, 2009). Along a permutation
// the changes telescope, so the estimates too sum to the whole difference.
//
// In the reverse of a permutation a group follows those that it preceded, so
// that what two groups have in common is shared out evenly by every pair, and
// only interactions of three or more are left to chance (antithetic sampling:
// Mitchell, Cooper, Frank, Holmes, "Sampling permutations for Shapley value
// estimation", JMLR 23, 2022). The two are not independent, so the standard
// error is that of the means of pairs: s/sqrt(pairs).
func (l *ledger) sampled(orders [][]int) []estimate {
	n, pairs := len(l.groups), len(orders)/2
	values := make([][]Losses, pairs) // shape (pairs, groups)
	for p := range values {
		values[p] = make([]Losses, n)
		for _, order := range orders[2*p : 2*p+2] {
			at := none(n)
			for _, g := range order {
				next := at.with(g)
				values[p][g] = values[p][g].plus(l.losses[next].minus(l.losses[at]).times(0.5))
				at = next
			}
		}
	}
	result := make([]estimate, n)
	for g := range result {
		var sum, squares Losses
		for p := range values {
			sum = sum.plus(values[p][g])
		}
		mean := sum.times(1 / float64(pairs))
		for p := range values {
			off := values[p][g].minus(mean)
			squares = squares.plus(Losses{float64(off.General * off.General), float64(off.Domain * off.Domain)})
		}
		degrees := float64(pairs) * float64(pairs-1)
		result[g] = estimate{mean, Losses{math.Sqrt(squares.General / degrees), math.Sqrt(squares.Domain / degrees)}}
	}
	return result
}

// prefixes lists the coalitions that grow along a permutation.
func prefixes(order []int) []coalition {
	at := none(len(order))
	list := []coalition{at}
	for _, g := range order {
		at = at.with(g)
		list = append(list, at)
	}
	return list
}

// permutations draws count permutations of n groups, each odd one the reverse
// of the one before.
func permutations(n, count int, seed uint64) [][]int {
	orders := make([][]int, 0, count)
	for pair := range count / 2 {
		order, reverse := permutation(n, seed, pair), make([]int, n)
		for i, g := range order {
			reverse[n-1-i] = g
		}
		orders = append(orders, order, reverse)
	}
	return orders
}

// golden is 2^64 divided by the golden ratio, the step of splitmix64.
const golden = 0x9e3779b97f4a7c15

// mix is the finisher of splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// permutation is number index of a seed, by the shuffle of Fisher and Yates.
// Every draw is a function of seed, index and position.
func permutation(n int, seed uint64, index int) []int {
	const purpose uint64 = 0x7368_6170_6c65_79 // "shapley"
	start := mix(mix(mix(seed+golden)+purpose) + uint64(index)*golden)
	order := make([]int, n)
	for i := range order {
		high, _ := bits.Mul64(mix(start+uint64(i+1)*golden), uint64(i+1)) // 0 to i
		order[i] = order[high]
		order[high] = i
	}
	return order
}
