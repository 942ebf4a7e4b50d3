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
	// block: with 256 indices of each, and what they write, they fit the second
	// cache.
	mostPanels = 16
	bandRows   = 128
	// A weight of up to smallWeight bytes stays in the second cache while it is
	// multiplied by smallWeightRows rows after the other; a larger one comes from
	// the third for every mediumWeightRows, and one of more than mediumWeight bytes
	// from memory for every largeWeightRows.
	smallWeight      = 2 << 20
	mediumWeight     = 16 << 20
	smallWeightRows  = 64
	mediumWeightRows = 128
	largeWeightRows  = 256
)

// Multiply multiplies by a packed weight:
//
//	dst[r][o] = sum over i of x[r][i] * weight[o][i]
//
// dst is [rows, out], x [rows, in]. Every element is the sum, from 0 upwards,
// of one chain for each 256 indices i, and a chain is of fused multiply-adds
// in float32 from 0 upwards. That is the same for any instruction set but amx
// (split.go), any number of threads and of rows, and for a weight packed in
// bfloat16 or float32.
func (p *Panels) Multiply(dst, x []float32, rows int) {
	MultiplyEach([][]float32{dst}, x, rows, []*Panels{p})
}

// MultiplyEach multiplies one x [rows, in] by several weights [out, in], as Multiply
// does: dst[i] is [rows, out] of weights[i]. The rows are arranged for the tiles once.
func MultiplyEach(dst [][]float32, x []float32, rows int, weights []*Panels) {
	for i, p := range weights {
		check("dst of Multiply", len(dst[i]), rows*p.out)
		check("x of Multiply", len(x), rows*p.in)
		if (len(p.bf16) > 0) != (len(weights[0].bf16) > 0) { // they are read in other arrangements
			MultiplyEach(dst[:i], x, rows, weights[:i])
			MultiplyEach(dst[i:], x, rows, weights[i:])
			return
		}
	}
	height, bytes := smallWeightRows, int64(0)
	for _, p := range weights {
		bytes += p.Bytes()
	}
	switch {
	case bytes > mediumWeight:
		height = largeWeightRows
	case bytes > smallWeight:
		height = mediumWeightRows
	}
	if (rows+height-1)/height >= 2*runtime.GOMAXPROCS(0) {
		byRows(dst, x, rows, height, weights)
		return
	}
	byPanels(dst, x, rows, weights)
}

// byRows multiplies groups of height rows at once: each is arranged for all
// panels by who multiplies it.
func byRows(dst [][]float32, x []float32, rows, height int, weights []*Panels) {
	var next atomic.Int64
	groups, in := (rows+height-1)/height, weights[0].in
	Parallel(min(runtime.GOMAXPROCS(0), groups), func(int, int) {
		a := arrangements.Get().(*arranged)
		defer arrangements.Put(a)
		for g := int(next.Add(1)) - 1; g < groups; g = int(next.Add(1)) - 1 {
			low, high := g*height, min((g+1)*height, rows)
			a.reset(weights[0], high-low)
			a.put(x[low*in:high*in], 0, high-low)
			for w, p := range weights {
				pieces, total := (panels(p.out)+mostPanels-1)/mostPanels, panels(p.out)
				for i := range pieces {
					p.multiply(dst[w][low*p.out:high*p.out], a, total*i/pieces, total*(i+1)/pieces)
				}
			}
		}
	})
}

// byPanels multiplies by groups of panels at once.
func byPanels(dst [][]float32, x []float32, rows int, weights []*Panels) {
	a := arrangements.Get().(*arranged)
	defer arrangements.Put(a)
	a.reset(weights[0], rows)
	Parallel(rows, func(low, high int) { a.put(x, low, high) })

	total, workers := 0, runtime.GOMAXPROCS(0)
	for _, p := range weights {
		total += panels(p.out)
	}
	shares := 8 // of each worker, so that none waits long for another
	if a.split {
		shares = 3 // each of them costs more
	}
	step := max(1, min(mostPanels, total/(shares*workers)))
	type piece struct{ weight, low, high int }
	var pieces []piece
	for w, p := range weights {
		for low := 0; low < panels(p.out); low += step {
			pieces = append(pieces, piece{w, low, min(low+step, panels(p.out))})
		}
	}
	var next atomic.Int64
	Parallel(min(workers, len(pieces)), func(int, int) {
		for i := int(next.Add(1)) - 1; i < len(pieces); i = int(next.Add(1)) - 1 {
			at := pieces[i]
			weights[at.weight].multiply(dst[at.weight], a, at.low, at.high)
		}
	})
}

// arranged is rows of x as the tiles read them: in blocks or, if split, in parts.
type arranged struct {
	rows, in int
	split    bool
	blocks   []float32 // [blocks, rows, blockStride]
	parts    []uint16  // see splitRow
}

// arrangements keeps their memory from one product to the next.
var arrangements = sync.Pool{New: func() any { return new(arranged) }}

// reset makes room for rows rows of an x that p multiplies.
func (a *arranged) reset(p *Panels, rows int) {
	a.rows, a.in, a.split = rows, p.in, splitting() && len(p.bf16) > 0
	if a.split {
		a.parts = resize(a.parts, partsOf(rows, p.in))
		return
	}
	a.blocks = resize(a.blocks, (p.in+innerBlock-1)/innerBlock*rows*blockStride)
}

// put arranges the rows low to high of x [rows, in].
func (a *arranged) put(x []float32, low, high int) {
	for r := low; r < high; r++ {
		row := x[r*a.in : (r+1)*a.in]
		if a.split {
			splitRow(a.parts, row, r, a.rows)
			continue
		}
		for start := 0; start < a.in; start += innerBlock {
			block := a.blocks[(start/innerBlock*a.rows+r)*blockStride:]
			n := copy(block[:innerBlock], row[start:])
			block[n] = 0 // the other one of a pair
		}
	}
}

// multiply computes the columns of dst that belong to the panels low to high.
func (p *Panels) multiply(dst []float32, a *arranged, low, high int) {
	if a.split {
		p.splitColumns(dst, a.parts, a.rows, low, high)
		return
	}
	p.columns(dst, p.out, a.blocks, a.rows, low, high, p.in, false)
}

// columns computes the columns of dst, whose rows are stride apart, that belong
// to the panels low to high, from the first in rows of the panels; or adds them to
// what dst holds.
func (p *Panels) columns(dst []float32, stride int, blocks []float32, rows, low, high, in int, add bool) {
	if in == 0 && !add {
		from, to := low*panelColumns, min(high*panelColumns, p.out)
		for r := range rows {
			clear(dst[r*stride+from : r*stride+to])
		}
	}
	tiles := (rows + tileRows() - 1) / tileRows()
	band := max(1, bandRows/tileRows())
	for from := 0; from < tiles; from += band {
		for start := 0; start < in; start += innerBlock {
			k := min(innerBlock, in-start)
			block := blocks[start/innerBlock*rows*blockStride:]
			for t := from; t < min(from+band, tiles); t++ {
				first, last := rows*t/tiles, rows*(t+1)/tiles // of nearly the same height
				for n := low; n < high; n++ {
					p.panelTile(dst[first*stride:], stride, block[first*blockStride:], n, start, last-first, k, add || start > 0)
				}
			}
		}
	}
}

// panelTile is tile in the columns of dst that belong to panel n, which may be fewer
// than the panel's.
func (p *Panels) panelTile(dst []float32, stride int, block []float32, n, start, rows, k int, add bool) {
	column := n * panelColumns
	if column+panelColumns <= p.out {
		p.tile(dst[column:], stride, block, n, start, rows, k, add)
		return
	}
	var sums [mostTileRows * panelColumns]float32
	p.tile(sums[:], panelColumns, block, n, start, rows, k, false)
	for r := range rows {
		for j := range p.out - column {
			if add {
				sums[r*panelColumns+j] += dst[r*stride+column+j]
			}
			dst[r*stride+column+j] = sums[r*panelColumns+j]
		}
	}
}

// tilePlain is the specification of every tile: it writes the product of rows
// rows of a block of x with the k rows of panel n from row start, which is even,
// added to 0 or to what is there, to c, whose rows are stride apart.
func (p *Panels) tilePlain(c []float32, stride int, block []float32, n, start, rows, k int, add bool) {
	for r := range rows {
		var sums, weights [panelColumns]float32
		for i, v := range block[r*blockStride : r*blockStride+k] {
			p.line(&weights, n, start+i)
			for j, w := range weights {
				sums[j] = fma(v, w, sums[j])
			}
		}
		for j, sum := range sums {
			if !add {
				c[r*stride+j] = 0
			}
			c[r*stride+j] += sum
		}
	}
}

// line reads row i of panel n.
func (p *Panels) line(into *[panelColumns]float32, n, i int) {
	if len(p.bf16) == 0 {
		copy(into[:], p.single[(n*p.in+i)*panelColumns:])
		return
	}
	pair := p.bf16[(n*pairs(p.in)+i/2)*panelColumns:]
	for j := range into {
		word := pair[j] << 16
		if i%2 == 1 {
			word = pair[j] & 0xffff0000
		}
		into[j] = math.Float32frombits(word)
	}
}
