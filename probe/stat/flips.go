package stat

import "math"

// signFlips returns the two-sided p value of the hypothesis that the models
// could be exchanged unit by unit: the share of the ways of giving the sums of
// the units other signs whose total is at least as far from 0 as the total
// observed (Fisher, The Design of Experiments, 1935, section 21). If there are
// no more ways than draws, all of them are tried and p is exact. Otherwise p
// is (1 + number at least as far) / (1 + draws), which is never below what the
// draws can tell (Phipson and Smyth, SAGMB 9:39, 2010).
//
// Sums of 0 have no sign and play no part. The others are taken eight at a
// time: the totals of the 256 ways to sign eight sums are looked up by one
// random byte.
func signFlips(sums []float64, draws int, seed uint64) (p float64, exact bool) {
	values, observed, rounding := changedSums(sums)
	if len(values) == 0 {
		return 1, true
	}
	exact = len(values) < 31 && 1<<len(values) <= draws
	if exact {
		draws = 1 << len(values)
	}
	tables := signTables(values)
	far := make([]bool, draws)
	parallel(draws, func(from, to int) {
		for draw := from; draw < to; draw++ {
			start, total := stream(seed, forFlips, draw), 0.0
			for at, word := 0, uint64(draw); at < len(tables); at++ {
				if !exact && at%8 == 0 {
					start += golden
					word = mix(start)
				}
				total += tables[at][byte(word)]
				word >>= 8
			}
			far[draw] = math.Abs(total) >= observed-rounding
		}
	})
	return share(far, exact), exact
}

// changedSums returns the sums that are not 0, the distance of their total
// from 0, and how much of a difference between totals may be rounding.
func changedSums(sums []float64) (values []float64, observed, rounding float64) {
	for _, sum := range sums {
		if sum != 0 {
			values = append(values, sum)
			observed += sum
			rounding += math.Abs(sum)
		}
	}
	return values, math.Abs(observed), 1e-10 * rounding
}

// signTables returns for every eight values their totals under all signs: bit
// i of the index says whether value i is negated.
func signTables(values []float64) [][256]float64 {
	tables := make([][256]float64, (len(values)+7)/8)
	for at := range tables {
		block := values[8*at : min(8*at+8, len(values))]
		for signs := range tables[at] {
			total := 0.0
			for i, value := range block {
				if signs>>i&1 == 1 {
					value = -value
				}
				total += value
			}
			tables[at][signs] = total
		}
	}
	return tables
}

func share(far []bool, exact bool) float64 {
	count := 0
	for _, is := range far {
		if is {
			count++
		}
	}
	if exact {
		return float64(count) / float64(len(far))
	}
	return float64(1+count) / float64(1+len(far))
}
