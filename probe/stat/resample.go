package stat

import (
	endian "encoding/binary"
	"math"
	"slices"
	"sort"
)

// resampler draws bootstrap samples of units, stratum by stratum, and totals
// several columns of numbers over each sample. From a stratum of C units it
// draws C-1 with replacement and weighs each C/(C-1), so that the variance of
// a total over the draws is the unbiased one, however few units there are (Rao
// and Wu, JASA 83, 1988, p. 231); with C draws it would be short by 1/C.
//
// As a rule most units are alike, such as the items that did not change. How
// many draws fall on these is settled by one random number for all of them,
// and only the others are drawn one by one.
type resampler struct {
	columns int
	strata  []pool
}

// pool is one stratum to draw from.
type pool struct {
	draws  int       // per sample
	weight float64   // of each unit drawn
	common []float64 // the columns of the units that are most numerous
	rest   []float64 // the columns of all others, shape (others, columns)
	others int
	// chances[j] is the probability that at most fewest+j draws fall on the
	// others. It is nil if every unit is drawn by itself.
	chances []float64
	fewest  int
}

// newResampler prepares to draw from the units, whose columns are given as
// slices of one number per unit.
func newResampler(u units, columns ...[]float64) resampler {
	result := resampler{columns: len(columns)}
	for h := 0; h+1 < len(u.start); h++ {
		count := u.start[h+1] - u.start[h]
		rows := make([][]float64, count)
		for at := range rows {
			for _, column := range columns {
				rows[at] = append(rows[at], column[u.start[h]+at])
			}
		}
		result.strata = append(result.strata, newPool(rows))
	}
	return result
}

func newPool(rows [][]float64) pool {
	count := len(rows)
	if count == 1 { // nothing to choose from: always drawn
		return pool{draws: 1, weight: 1, rest: rows[0], others: 1}
	}
	result := pool{draws: count - 1, weight: float64(count) / float64(count-1)}
	key, most := commonest(rows)
	if most < 2 || count < 32 { // too few to be worth it
		key = ""
	}
	for _, row := range rows {
		if key != "" && rowKey(row) == key {
			result.common = row
			continue
		}
		result.rest = append(result.rest, row...)
		result.others++
	}
	if key != "" {
		result.fewest, result.chances = binomialTable(result.draws, float64(result.others)/float64(count))
	}
	return result
}

// commonest returns the key of the row that occurs most often, the first such,
// and how often it does.
func commonest(rows [][]float64) (key string, most int) {
	counts := map[string]int{}
	for _, row := range rows {
		counts[rowKey(row)]++
	}
	for _, row := range rows {
		if is := rowKey(row); counts[is] > most {
			key, most = is, counts[is]
		}
	}
	return key, most
}

func rowKey(row []float64) string {
	bytes := make([]byte, 0, 8*len(row))
	for _, value := range row {
		bytes = endian.LittleEndian.AppendUint64(bytes, math.Float64bits(value))
	}
	return string(bytes)
}

// binomialTable returns the cumulative probabilities of a binomial number, of
// all values that are likelier than 1e-18 of the likeliest, from the fewest
// on. The ratios of neighbours lead outwards from the likeliest.
func binomialTable(n int, p float64) (fewest int, cumulative []float64) {
	mode := min(n, int(float64(n+1)*p))
	if p == 0 || p == 1 {
		return mode, []float64{1}
	}
	odds := p / (1 - p)
	fewest = mode
	chances := []float64{1} // as multiples of the likeliest
	for chance := 1.0; fewest > 0 && chance > 1e-18; fewest-- {
		chance *= float64(fewest) / float64(n-fewest+1) / odds
		chances = append(chances, chance)
	}
	slices.Reverse(chances)
	for k, chance := mode, 1.0; k < n && chance > 1e-18; k++ {
		chance *= float64(n-k) / float64(k+1) * odds
		chances = append(chances, chance)
	}
	sum := 0.0
	for _, chance := range chances {
		sum += chance
		cumulative = append(cumulative, sum)
	}
	for at := range cumulative {
		cumulative[at] /= sum
	}
	return fewest, cumulative
}

// run returns the totals of every column, one per sample: result[c][i].
func (r resampler) run(samples int, seed uint64, use purpose) [][]float64 {
	result := make([][]float64, r.columns)
	for c := range result {
		result[c] = make([]float64, samples)
	}
	parallel(samples, func(from, to int) {
		totals, part := make([]float64, r.columns), make([]float64, r.columns)
		for sample := from; sample < to; sample++ {
			r.sample(stream(seed, use, sample), totals, part)
			for c, total := range totals {
				result[c][sample] = total
			}
		}
	})
	return result
}

// sample writes the totals of one sample into totals, using part as scratch.
func (r resampler) sample(state uint64, totals, part []float64) {
	clear(totals)
	for h := range r.strata {
		stratum := &r.strata[h]
		draws := stratum.draws
		if stratum.chances != nil {
			state += golden
			at := sort.SearchFloat64s(stratum.chances, unit(mix(state)))
			draws = stratum.fewest + min(at, len(stratum.chances)-1)
		}
		state = stratum.draw(draws, state, part)
		for c := range totals {
			if stratum.chances != nil {
				part[c] += float64(float64(stratum.draws-draws) * stratum.common[c])
			}
			totals[c] += float64(stratum.weight * part[c])
		}
	}
}

// draw totals the given number of units other than the common ones, each drawn
// by half a random word, and returns the state after the last of them.
func (p *pool) draw(draws int, state uint64, into []float64) uint64 {
	clear(into)
	if p.others > 1<<20 { // half a word would favour some units by 1/4096
		for range draws {
			state += golden
			p.add(below(mix(state), p.others), into)
		}
		return state
	}
	count := uint64(p.others)
	if len(into) == 1 { // the same sums without the inner loop, the two halves apart
		even, odd := 0.0, 0.0
		for range draws / 2 {
			state += golden
			word := mix(state)
			even += p.rest[word>>32*count>>32]
			odd += p.rest[word&math.MaxUint32*count>>32]
		}
		into[0] = even + odd
	} else {
		for range draws / 2 {
			state += golden
			word := mix(state)
			p.add(int(word>>32*count>>32), into)
			p.add(int(word&math.MaxUint32*count>>32), into)
		}
	}
	if draws%2 == 1 {
		state += golden
		p.add(int(mix(state)>>32*count>>32), into)
	}
	return state
}

// add adds the columns of one of the others.
func (p *pool) add(at int, into []float64) {
	for c, value := range p.rest[at*len(into) : (at+1)*len(into)] {
		into[c] += value
	}
}
