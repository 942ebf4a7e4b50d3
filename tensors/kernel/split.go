package kernel

import "math"

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
	partWords   = tileRowsAMX * 2 * stepPairs // values of a part of a step: 16 rows of 32
	stepWords   = 3 * partWords
	blockSteps  = 24 // steps in which a panel stays in the first cache
)

// splitColumns computes the columns of dst that belong to the panels low to
// high.
func (p *Panels) splitColumns(dst []float32, parts []uint16, rows, low, high int) {
	steps, tiles := pairs(p.in)/stepPairs, (rows+tileRowsAMX-1)/tileRowsAMX
	for from := 0; from < rows; from += bandRows {
		band := min(bandRows, rows-from)
		for start := 0; start < steps; start += blockSteps {
			k := min(blockSteps, steps-start)
			block := parts[(start*tiles+from/tileRowsAMX*k)*stepWords:]
			for n := low; n < high; n++ {
				panel := p.bf16[(n*steps+start)*stepPairs*panelColumns:]
				p.splitPanel(dst[from*p.out+n*panelColumns:], block, panel, n, band, k, start > 0)
			}
		}
	}
}

// splitPanel multiplies rows of x by k steps of panel n and adds them to dst, or
// writes them there. Tiles that dst does not hold whole go by a copy.
func (p *Panels) splitPanel(dst []float32, block []uint16, panel []uint32, n, rows, k int, add bool) {
	const high = 2 * tileRowsAMX
	columns := min(panelColumns, p.out-n*panelColumns)
	r := 0
	if columns == panelColumns && rows >= high {
		r = rows / high * high
		multiplyTiles(dst[:(r-1)*p.out+panelColumns], p.out, block, panel, r, k, add)
	}
	for ; r < rows; r += high {
		var whole [high * panelColumns]float32
		count := min(high, rows-r)
		for i := 0; add && i < count; i++ {
			copy(whole[i*panelColumns:(i+1)*panelColumns], dst[(r+i)*p.out:(r+i)*p.out+columns])
		}
		tiled := (count + tileRowsAMX - 1) / tileRowsAMX * tileRowsAMX
		multiplyTiles(whole[:], panelColumns, block[r/tileRowsAMX*k*stepWords:], panel, tiled, k, add)
		for i := range count {
			copy(dst[(r+i)*p.out:(r+i)*p.out+columns], whole[i*panelColumns:])
		}
	}
}

// partsOf is the size of the parts of x [rows, in]: [blocks, tiles of 16 rows,
// steps of the block, 3, 16, 32].
func partsOf(rows, in int) int {
	return pairs(in) / stepPairs * ((rows + tileRowsAMX - 1) / tileRowsAMX) * stepWords
}

// splitRow cuts row r of an x of so many rows and puts its parts in their place.
// Columns beyond the row are zero. Rows beyond x stay what they are: they give
// rows that nobody reads.
func splitRow(parts []uint16, row []float32, r, rows int) {
	steps, tiles := pairs(len(row))/stepPairs, (rows+tileRowsAMX-1)/tileRowsAMX
	for start := 0; start < steps; start += blockSteps {
		k := min(blockSteps, steps-start)
		to := parts[(start*tiles+r/tileRowsAMX*k)*stepWords+r%tileRowsAMX*2*stepPairs:]
		values := row[start*2*stepPairs:]
		whole := min(k, len(values)/(2*stepPairs))
		split(to, values, whole)
		if whole < k {
			var tail [2 * stepPairs]float32
			copy(tail[:], values[whole*2*stepPairs:])
			split(to[whole*stepWords:], tail[:], 1)
		}
	}
}

// splitPlain is the specification of split: it cuts 32 values of x for each step
// into their parts.
func splitPlain(dst []uint16, x []float32, steps int) {
	for i, v := range x[:steps*2*stepPairs] {
		at := i/(2*stepPairs)*stepWords + i%(2*stepPairs)
		for part := range 3 {
			bits := math.Float32bits(v)
			dst[at+part*partWords] = uint16(bits >> 16)
			v -= math.Float32frombits(bits & 0xffff0000)
		}
	}
}
