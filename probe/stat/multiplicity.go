package stat

import (
	"fmt"
	"sort"
)

// Holm returns the p values adjusted for their number by Holm's method
// (Scandinavian Journal of Statistics 6, 1979, p. 65): calling significant all
// that are at most alpha raises a false alarm anywhere among them with
// probability at most alpha, however they depend on each other. The smallest
// of m is multiplied by m, the next by m-1, and so on, and none is less than
// the one before. It is meant for the few comparisons that were planned.
//
// The result is in the order of p. It panics if a p value is not in [0,1].
func Holm(p []float64) []float64 {
	order := ascendingP(p)
	result, last := make([]float64, len(p)), 0.0
	for rank, at := range order {
		last = max(last, min(1, float64(len(p)-rank)*p[at]))
		result[at] = last
	}
	return result
}

// BenjaminiHochberg returns the p values adjusted for their number by the
// method of Benjamini and Hochberg (JRSS B 57, 1995, p. 289): among those
// called significant at q, the share of false alarms is at most q on average,
// if the p values are independent or positively dependent. The largest of m is
// kept, the one before it is multiplied by m/(m-1), and so on down to m/1, and
// none is more than the one after. It is meant for exploring many subjects.
//
// The result is in the order of p. It panics if a p value is not in [0,1].
func BenjaminiHochberg(p []float64) []float64 {
	order := ascendingP(p)
	result, last := make([]float64, len(p)), 1.0
	for rank := len(order) - 1; rank >= 0; rank-- {
		last = min(last, p[order[rank]]*float64(len(p))/float64(rank+1))
		result[order[rank]] = last
	}
	return result
}

// ascendingP returns the positions of the p values in ascending order.
func ascendingP(p []float64) []int {
	order := make([]int, len(p))
	for i, value := range p {
		if !(value >= 0 && value <= 1) {
			panic(fmt.Sprintf("stat: p value %d is %v, but must lie between 0 and 1", i, value))
		}
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return p[order[i]] < p[order[j]] })
	return order
}
