package kernel

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// innerBlock is the number of products in one chain: a block of x and of a
	// panel stay in the first caches while a tile is computed.
	innerBlock = 256
	// blockStride is the distance of two rows in a block of x. It is no power
	// of two, or the rows of a tile would compete for the same lines of cache.
	blockStride = innerBlock + 16
	// mostPanels is the number of panels that go over a block of x together,
	// and bandRows about the number of rows that they go over before the next
	// block: with 256 rows of each, and what they write, they fit the second
	// cache.
	mostPanels = 16
	bandRows   = 128
)

// Multiply multiplies by a packed weight:
//
//	dst[r][o] = sum over i of x[r][i] * weight[o][i]
//
// dst is [rows, out], x [rows, in]. Every element is the sum, from 0 upwards,
// of one chain for each 256 indices i, and a chain is of fused multiply-adds
// in float32 from 0 upwards. That is the same for any instruction set, number of
// threads and number of rows, and for a weight packed in bfloat16 or float32.
func (p *Panels) Multiply(dst, x []float32, rows int) {
	check("dst of Multiply", len(dst), rows*p.out)
	check("x of Multiply", len(x), rows*p.in)
	blocks := inBlocks(x, rows, p.in)
	defer scratch.Put(blocks)

	total, workers := panels(p.out), runtime.GOMAXPROCS(0)
	step := max(1, min(mostPanels, total/(8*workers)))
	var next atomic.Int64
	Parallel(min(workers, (total+step-1)/step), func(int, int) {
		for {
			low := int(next.Add(int64(step))) - step
			if low >= total {
				return
			}
			p.columns(dst, p.out, *blocks, rows, low, min(low+step, total), p.in)
		}
	})
}

// columns computes the columns of dst, whose rows are stride apart, that belong
// to the panels low to high, from the first in rows of the panels.
func (p *Panels) columns(dst []float32, stride int, blocks []float32, rows, low, high, in int) {
	from, to := low*panelColumns, min(high*panelColumns, p.out)
	for r := range rows {
		clear(dst[r*stride+from : r*stride+to])
	}
	p.accumulate(dst, stride, blocks, rows, low, high, in)
}

// accumulate is columns, added to what dst holds.
func (p *Panels) accumulate(dst []float32, stride int, blocks []float32, rows, low, high, in int) {
	tiles := (rows + tileRows() - 1) / tileRows()
	band := max(1, bandRows/tileRows())
	for from := 0; from < tiles; from += band {
		for start := 0; start < in; start += innerBlock {
			k := min(innerBlock, in-start)
			block := blocks[start/innerBlock*rows*blockStride:]
			for t := from; t < min(from+band, tiles); t++ {
				first, last := rows*t/tiles, rows*(t+1)/tiles // of nearly the same height
				for n := low; n < high; n++ {
					at := (n*p.in + start) * panelColumns
					p.addTile(dst[first*stride:], stride, block[first*blockStride:], n, at, last-first, k)
				}
			}
		}
	}
}

// addTile adds the product of rows rows of a block of x with k rows of panel n
// to its place in dst.
func (p *Panels) addTile(dst []float32, stride int, block []float32, n, at, rows, k int) {
	column := n * panelColumns
	if column+panelColumns <= p.out {
		p.tile(dst[column:], stride, block, at, rows, k)
		return
	}
	var sums [mostTileRows * panelColumns]float32
	p.tile(sums[:], panelColumns, block, at, rows, k)
	for r := range rows {
		for j := range p.out - column {
			dst[r*stride+column+j] += sums[r*panelColumns+j]
		}
	}
}

// tilePlain is the specification of every tile: it adds the product of rows
// rows of a block of x with k rows of the panel that begins at element at to c,
// whose rows are stride apart.
func (p *Panels) tilePlain(c []float32, stride int, block []float32, at, rows, k int) {
	for r := range rows {
		var sums, weights [panelColumns]float32
		for i, v := range block[r*blockStride : r*blockStride+k] {
			p.line(&weights, at+i*panelColumns)
			for j, w := range weights {
				sums[j] = fma(v, w, sums[j])
			}
		}
		for j, sum := range sums {
			c[r*stride+j] += sum
		}
	}
}

// line reads one row of a panel.
func (p *Panels) line(into *[panelColumns]float32, at int) {
	if len(p.bf16) == 0 {
		copy(into[:], p.single[at:])
		return
	}
	for j := range panelHalf {
		into[j], into[panelHalf+j] = bf16(p.bf16[at+2*j]), bf16(p.bf16[at+2*j+1])
	}
}

// inBlocks copies x [rows, in] to [blocks, rows, blockStride].
func inBlocks(x []float32, rows, in int) *[]float32 {
	blocks := scratch.Get().(*[]float32)
	*blocks = resize(*blocks, (in+innerBlock-1)/innerBlock*rows*blockStride)
	Parallel(rows, func(low, high int) {
		for r := low; r < high; r++ {
			for start := 0; start < in; start += innerBlock {
				at := (start/innerBlock*rows + r) * blockStride
				copy((*blocks)[at:at+innerBlock], x[r*in+start:(r+1)*in])
			}
		}
	})
	return blocks
}

// scratch keeps the blocks of x from one product to the next.
var scratch = sync.Pool{New: func() any { return new([]float32) }}

func bf16(v uint16) float32 { return math.Float32frombits(uint32(v) << 16) }
