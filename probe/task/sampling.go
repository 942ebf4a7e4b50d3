package task

import (
	"bytes"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"

	"surgeon/probe/task/mersenne"
)

// Draw is which items share a draw of shots.
type Draw string

// The draws.
const (
	// Stock draws as lm-evaluation-harness does: from one generator for each task,
	// for one item after the other, so that the shots of an item are those of a
	// full run whichever items are asked; or the first of the pool, where the task
	// says so.
	Stock Draw = "stock"
	// PerSeed draws once for all items, which can then share the work on their
	// shots; for the first item it is the draw of Stock.
	PerSeed Draw = "seed"
	// PerItem draws for each item by the seed and the number of the item alone.
	PerItem Draw = "item"
)

// shots draws, for each of the items, the rows of the pool that stand before it.
func (t *Task) shots(s Setting, items []int) ([][]int, error) {
	n := t.Shots
	if s.Shots >= 0 && !t.FixedShots {
		n = s.Shots
	}
	draws := make([][]int, len(items))
	most := len(t.Pool)
	if t.OwnPool {
		most--
	}
	switch {
	case n == 0 || len(items) == 0:
		return draws, nil
	case n > most:
		return nil, fmt.Errorf("%s: %d shots are wanted and there are %d to draw from: ask for fewer, or add the split that they come from to the data folder", t.Name, n, max(most, 0))
	}
	switch s.Draw {
	case PerSeed:
		t.drawOnce(draws, items, n, s.Seed)
	case PerItem:
		for k, i := range items {
			draws[k] = t.others(permutation(s.Seed, "shots", i, len(t.Pool)), i, n)
		}
	case Stock, "":
		t.drawStock(draws, items, n, s.Seed)
	default:
		return nil, fmt.Errorf("%s: shots are drawn by %q: want %s, %s or %s", t.Name, s.Draw, Stock, PerSeed, PerItem)
	}
	return draws, nil
}

// drawOnce takes the same rows for all items. From a pool that is asked itself
// it takes the first in one order of the whole pool, the item left out.
func (t *Task) drawOnce(draws [][]int, items []int, n int, seed int64) {
	size := n
	if t.OwnPool {
		size = len(t.Pool)
	}
	order := mersenne.New(seed).Sample(len(t.Pool), size)
	for k, i := range items {
		draws[k] = t.others(order, i, n)
	}
}

// drawStock goes through the items in their order, those that are not asked too.
func (t *Task) drawStock(draws [][]int, items []int, n int, seed int64) {
	places := map[int][]int{}
	for k, i := range items {
		places[i] = append(places[i], k)
	}
	r := mersenne.New(seed)
	for i := range slices.Max(items) + 1 {
		draw := t.stock(r, i, n)
		for _, k := range places[i] {
			draws[k] = draw
		}
	}
}

// stock is the draw for item i, the sampler default or first_n of
// lm-evaluation-harness. From a pool that is asked itself default draws one row
// more and leaves the item out; if copies of it leave too few, it draws again
// from the pool without them.
func (t *Task) stock(r *mersenne.Random, i, n int) []int {
	all := make([]int, len(t.Pool))
	for row := range all {
		all[row] = row
	}
	switch {
	case t.FirstShots:
		return t.others(all, i, n)
	case !t.OwnPool:
		return r.Sample(len(t.Pool), n)
	}
	if draw := t.others(r.Sample(len(t.Pool), n+1), i, n); len(draw) == n {
		return draw
	}
	rest := t.others(all, i, len(all))
	draw := r.Sample(len(rest), min(n, len(rest)))
	for k := range draw {
		draw[k] = rest[draw[k]]
	}
	return draw
}

// others are the first n rows, without item i itself where the pool is asked.
func (t *Task) others(rows []int, i, n int) []int {
	if t.OwnPool {
		rows = slices.DeleteFunc(slices.Clone(rows), func(row int) bool {
			return row == i || len(t.Items[i].Doc) > 0 && bytes.Equal(t.Pool[row].Doc, t.Items[i].Doc)
		})
	}
	return rows[:min(n, len(rows))]
}

// permutation is an order of n things that depends on nothing but a seed, what
// it is for, and a number: Fisher and Yates with the generator PCG.
func permutation(seed int64, purpose string, index, n int) []int {
	key := uint64(seed)
	for _, c := range []byte(purpose) {
		key = (key ^ uint64(c)) * 1099511628211 // FNV-1a
	}
	r := rand.NewPCG(mix(key), mix(uint64(index)))
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := below(r, uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
	return order
}

// mix is the finaliser of splitmix64: it sets seeds that are near to each other
// apart.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below draws a number below n, all equally likely (Lemire, ACM TOMACS 29, 2019,
// p. 3).
func below(r *rand.PCG, n uint64) int {
	high, low := bits.Mul64(r.Uint64(), n)
	for low < -n%n {
		high, low = bits.Mul64(r.Uint64(), n)
	}
	return int(high)
}
