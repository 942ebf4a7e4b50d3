package stat

import (
	"cmp"
	"math"
	"slices"
)

// units are what counts as drawn independently: the items, or their clusters,
// within strata. They stand in ascending order of their names, stratum by
// stratum.
type units struct {
	of    []int     // the unit of each item
	names []string  // of the units
	size  []float64 // the number of items in each
	start []int     // stratum h has the units start[h] to start[h+1]-1
	items float64   // the number of items
}

// newUnits groups the items by stratum and cluster. Without clusters each item
// is a unit, without strata all units are in one stratum. A cluster with items
// in two strata counts as one cluster in each.
func newUnits(a aligned) units {
	result := units{of: make([]int, len(a.items)), items: float64(len(a.items))}
	type place struct{ stratum, cluster string }
	placeOf := func(i int) (p place) {
		if p.cluster = a.items[i]; a.clusters != nil {
			p.cluster = a.clusters[i]
		}
		if a.strata != nil {
			p.stratum = a.strata[i]
		}
		return p
	}
	order := make([]int, len(a.items))
	for i := range order {
		order[i] = i
	}
	if a.clusters != nil || a.strata != nil {
		slices.SortStableFunc(order, func(i, j int) int {
			p, q := placeOf(i), placeOf(j)
			return cmp.Or(cmp.Compare(p.stratum, q.stratum), cmp.Compare(p.cluster, q.cluster))
		})
	}
	var last place
	for rank, i := range order {
		p := placeOf(i)
		if rank == 0 || p.stratum != last.stratum {
			result.start = append(result.start, len(result.names))
		}
		if rank == 0 || p != last {
			result.names = append(result.names, p.cluster)
			result.size = append(result.size, 0)
		}
		last = p
		result.of[i] = len(result.names) - 1
		result.size[len(result.size)-1]++
	}
	result.start = append(result.start, len(result.names))
	return result
}

// single reports whether every unit is one item of one stratum, so that the
// items are simply independent draws.
func (u units) single() bool { return len(u.names) == len(u.of) && len(u.start) == 2 }

// even reports whether all units have equally many items.
func (u units) even() bool {
	for _, size := range u.size {
		if size != u.size[0] {
			return false
		}
	}
	return true
}

// freedom returns the number of units less the number of strata: C-1 without
// strata.
func (u units) freedom() float64 { return float64(len(u.names) - (len(u.start) - 1)) }

// sums returns the sum of the values of each unit's items.
func (u units) sums(values []float64) []float64 {
	result := make([]float64, len(u.names))
	for i, value := range values {
		result[u.of[i]] += value
	}
	return result
}

// deviations returns for each unit the sum over its items of value minus mean,
// and this less the average of its stratum if there are several. A deviation
// that is no more than rounding is 0.
func (u units) deviations(values []float64) []float64 {
	mean, scale := average(values), magnitude(values)
	result := u.sums(values)
	for at := range result {
		result[at] -= float64(u.size[at] * mean)
	}
	for h := 0; h+1 < len(u.start) && len(u.start) > 2; h++ {
		// A stratum of one unit keeps its deviation from the mean of all: it
		// has no spread of its own, and this is the cautious choice.
		if stratum := result[u.start[h]:u.start[h+1]]; len(stratum) > 1 {
			center := average(stratum)
			for at := range stratum {
				stratum[at] -= center
			}
		}
	}
	for at := range result {
		if math.Abs(result[at]) <= 1e-12*scale*u.size[at] {
			result[at] = 0
		}
	}
	return result
}

// covariance returns the covariance of two means over the items from the
// deviations z of their units. With C_h units in stratum h and n items it is
//
//	sum_h C_h/(C_h-1) sum_{u in h} z_u z'_u / n²
//
// For one stratum of single items this is the sample covariance over n; for
// one stratum of clusters it is the clustered variance with the factor C/(C-1)
// (Liang and Zeger, Biometrika 73, 1986; Miller, arXiv 2411.00640); for strata
// it is the linearised variance of a stratified sample (Cochran, Sampling
// Techniques, 1977, section 11.18, without finite population correction).
// It is NaN if there are no more units than strata.
func (u units) covariance(z, other []float64) float64 {
	if !(u.freedom() > 0) {
		return math.NaN()
	}
	total := 0.0
	for h := 0; h+1 < len(u.start); h++ {
		sum, count := 0.0, float64(u.start[h+1]-u.start[h])
		for at := u.start[h]; at < u.start[h+1]; at++ {
			sum += float64(z[at] * other[at])
		}
		if count > 1 {
			sum *= count / (count - 1)
		}
		total += sum
	}
	return total / (u.items * u.items)
}

// half returns the units whose names the split puts on one side, with the
// positions of their items.
func (u units) half(side uint64) (half units, items []int) {
	renamed := make([]int, len(u.names))
	for h := 0; h+1 < len(u.start); h++ {
		half.start = append(half.start, len(half.names))
		for at := u.start[h]; at < u.start[h+1]; at++ {
			renamed[at] = -1
			if split(u.names[at]) == side {
				renamed[at] = len(half.names)
				half.names, half.size = append(half.names, u.names[at]), append(half.size, u.size[at])
			}
		}
	}
	half.start = append(half.start, len(half.names))
	half.start = slices.Compact(half.start)
	for i, at := range u.of {
		if renamed[at] >= 0 {
			half.of, items = append(half.of, renamed[at]), append(items, i)
		}
	}
	half.items = float64(len(items))
	return half, items
}

// split puts a name on side 0 or 1, by the hash FNV-1a of 64 bits and a mix.
func split(name string) uint64 {
	hash := uint64(0xcbf29ce484222325)
	for i := range len(name) {
		hash = (hash ^ uint64(name[i])) * 0x100000001b3
	}
	return mix(hash) & 1
}

// average returns the mean of values, summed in their order.
func average(values []float64) float64 {
	sum := 0.0
	for _, value := range values {
		sum += value
	}
	return sum / float64(len(values))
}
