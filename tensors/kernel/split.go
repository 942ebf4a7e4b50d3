package kernel

import (
	"math"
	"sync"
)

// Where the processor multiplies tiles of bfloat16 (Intel AMX) and Use asked for
// it, Multiply cuts each x into three bfloat16 whose sum it is, exactly, and
// multiplies each by the weight: the products are exact as they are in a fused
// multiply-add, and every sum is of float32. Only the order of the sums is
// another. For a weight of bfloat16,
//
//	for each step of 32 indices i
//		for each part of x: first, second, third
//			dst[r][o] += chain over even i + chain over odd i
//
// where a chain is of fused multiply-adds from 0 upwards. Subnormal numbers
// count as zero. That is one order for any number of threads and rows.
const (
	tileRowsAMX = 16
	pairRows    = 2 * tileRowsAMX             // rows that are multiplied together
	partWords   = tileRowsAMX * 2 * stepPairs // values of a part of a step: 16 rows of 32
	stepWords   = 3 * partWords
	blockSteps  = 18 // steps of 32 rows that go over all panels together: 108 KiB, of the second cache
)

// splitColumns computes the columns of dst that belong to the panels low to
// high.
func (p *Panels) splitColumns(dst []float32, parts []uint16, rows, low, high int) {
	steps, width := pairs(p.in)/stepPairs, (high-low)*panelColumns
	columns := min(width, p.out-low*panelColumns)
	for r := 0; r < rows; r += pairRows {
		count := min(pairRows, rows-r)
		x, c := parts[r/tileRowsAMX*steps*stepWords:], dst[r*p.out+low*panelColumns:]
		if count == pairRows && columns == width {
			p.splitTiles(c, p.out, x, pairRows, low, high)
			continue
		}
		// Tiles that dst does not hold whole go by a copy.
		whole := wholes.Get().(*[]float32)
		*whole = resize(*whole, pairRows*width)
		p.splitTiles(*whole, width, x, (count+tileRowsAMX-1)/tileRowsAMX*tileRowsAMX, low, high)
		for i := range count {
			copy(c[i*p.out:i*p.out+columns], (*whole)[i*width:])
		}
		wholes.Put(whole)
	}
}

// wholes keeps the memory of tiles that are copied.
var wholes = sync.Pool{New: func() any { return new([]float32) }}

// splitTiles multiplies 16 or 32 rows of x by the panels low to high and writes
// them to c, whose rows are stride apart.
func (p *Panels) splitTiles(c []float32, stride int, x []uint16, rows, low, high int) {
	step, depth := rows/tileRowsAMX*stepWords, pairs(p.in)*panelColumns
	steps, block := pairs(p.in)/stepPairs, blockSteps*pairRows/rows
	c = c[:(rows-1)*stride+(high-low)*panelColumns]
	for start := 0; start < steps; start += block {
		k := min(block, steps-start)
		panels := p.bf16[low*depth : high*depth][start*stepPairs*panelColumns:]
		multiplyTiles(c, stride, x[start*step:(start+k)*step], rows, panels, depth, high-low, k, start > 0)
	}
}

// partsOf is the size of the parts of x [rows, in]: [pairs of tiles, steps, 2, 3,
// 16, 32], with one tile in place of two where the last rows fit it.
func partsOf(rows, in int) int {
	return pairs(in) / stepPairs * ((rows + tileRowsAMX - 1) / tileRowsAMX) * stepWords
}

// splitRow cuts row r of an x of so many rows and puts its parts in their place.
// Columns beyond the row are zero. Rows beyond x stay what they are: they give
// rows that nobody reads.
func splitRow(parts []uint16, row []float32, r, rows int) {
	steps, next := pairs(len(row))/stepPairs, 2*stepWords
	if rows-r/pairRows*pairRows <= tileRowsAMX {
		next = stepWords
	}
	to := parts[r/pairRows*steps*2*stepWords+r%pairRows/tileRowsAMX*stepWords+r%tileRowsAMX*2*stepPairs:]
	whole := len(row) / (2 * stepPairs)
	split(to, row, whole, next)
	if whole < steps {
		var tail [2 * stepPairs]float32
		copy(tail[:], row[whole*2*stepPairs:])
		split(to[whole*next:], tail[:], 1, next)
	}
}

// splitPlain is the specification of split: it cuts 32 values of x for each step
// into their parts. Steps are next words apart.
func splitPlain(dst []uint16, x []float32, steps, next int) {
	for i, v := range x[:steps*2*stepPairs] {
		at := i/(2*stepPairs)*next + i%(2*stepPairs)
		for part := range 3 {
			bits := math.Float32bits(v)
			dst[at+part*partWords] = uint16(bits >> 16)
			v -= math.Float32frombits(bits & 0xffff0000)
		}
	}
}
