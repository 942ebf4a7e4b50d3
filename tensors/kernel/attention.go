package kernel

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// Segment is a run of rows of a batch that continue one another: rows Start to
// End-1 are consecutive tokens, and the token before Start is the last row of
// segment Parent, or there is none if Parent is negative. Sequences with a
// common beginning share its segments, so a batch is a forest of tokens; its
// segments stand depth first, each before those that continue it.
type Segment struct{ Start, End, Parent int }

// Attention is causal scaled dot-product attention (Vaswani et al., arXiv
// 1706.03762) with grouped queries (Ainslie et al., arXiv 2305.13245): query
// head h reads key and value head h*kvHeads/heads. A row attends to itself and
// to the rows before it along its segment and its segment's ancestors, window
// rows in all (Beltagy et al., arXiv 2004.05150), or all of them if window is 0:
//
//	dst[r][h] = sum over j of softmax over j (q[r][h].k[j] / sqrt(headDim)) * v[j]
//
// dst and q are [rows, heads*headDim], k and v [rows, kvHeads*headDim]; the
// segments cover the rows in order. Both products are in the chains of
// Multiply, the second one over positions in the sequence, whatever is shared;
// the sum of the softmax is in eight chains, of every eighth position, and divides the second product.
func Attention(dst, q, k, v []float32, segments []Segment, heads, kvHeads, headDim, window int) {
	rows := 0
	if len(segments) > 0 {
		rows = segments[len(segments)-1].End
	}
	check("dst of Attention", len(dst), rows*heads*headDim)
	check("q of Attention", len(q), rows*heads*headDim)
	check("k of Attention", len(k), rows*kvHeads*headDim)
	check("v of Attention", len(v), rows*kvHeads*headDim)
	a := attention{dst: dst, q: q, k: k, v: v, segments: segments, kvHeads: kvHeads, headDim: headDim, group: heads / kvHeads,
		scale: float32(1 / math.Sqrt(float64(headDim))), window: window}
	a.step = max(1, attentionRows/a.group)
	trees := a.trees()
	var next atomic.Int64
	Parallel(min(runtime.GOMAXPROCS(0), len(trees)*kvHeads), func(int, int) {
		path := paths.Get().(*path)
		defer paths.Put(path)
		for {
			n := int(next.Add(1)) - 1
			if n >= len(trees)*kvHeads {
				return
			}
			a.tree(path, trees[n/kvHeads], n%kvHeads)
		}
	})
}

// attention is the operands of one call.
type attention struct {
	dst, q, k, v            []float32
	segments                []Segment
	kvHeads, headDim, group int // group: query heads that read one key head
	step                    int // rows that are worked on together
	scale                   float32
	window                  int
}

// tree is the segments low to high of a forest, which have one first token, and
// the length of their longest sequence.
type tree struct{ low, high, longest int }

// trees cuts the forest, and checks the order of the segments.
func (a *attention) trees() (list []tree) {
	var open []int // the segments from the root to the one before
	var depth []int
	for s, segment := range a.segments {
		for len(open) > 0 && open[len(open)-1] != segment.Parent {
			open, depth = open[:len(open)-1], depth[:len(depth)-1]
		}
		start := 0
		if len(open) > 0 {
			start = depth[len(depth)-1]
		} else if segment.Parent >= 0 {
			panic(fmt.Sprintf("kernel: segment %d does not stand behind its parent %d, depth first", s, segment.Parent))
		} else {
			list = append(list, tree{low: s})
		}
		open, depth = append(open, s), append(depth, start+segment.End-segment.Start)
		last := &list[len(list)-1]
		last.high, last.longest = s+1, max(last.longest, depth[len(depth)-1])
	}
	return list
}

// path holds, packed, the keys and values of one head by position, along the
// sequence that is being worked on. What a segment does not write is that of
// its ancestors, since segments stand depth first.
type path struct {
	keys   Panels // [longest, headDim]
	values Panels // [headDim, longest]: the transposed values
	ends   []int  // per segment of the tree, the position after it
	// A row for each query of a block; the first two as Multiply takes them.
	queries, weights, scores, mixed []float32
	sums                            []float32
}

var paths = sync.Pool{New: func() any { return new(path) }}

// attentionRows is the number of queries in a block: three of the highest tiles.
const attentionRows = 3 * 14

// tree computes all rows of a tree for one head of keys.
func (a *attention) tree(p *path, t tree, head int) {
	p.reset(t, a.headDim, a.step*a.group)
	for s := t.low; s < t.high; s++ {
		segment := a.segments[s]
		start := 0
		if segment.Parent >= 0 {
			start = p.ends[segment.Parent-t.low]
		}
		p.ends[s-t.low] = start + segment.End - segment.Start
		for r := segment.Start; r < segment.End; r++ {
			at := (r*a.kvHeads + head) * a.headDim
			p.put(start+r-segment.Start, a.k[at:at+a.headDim], a.v[at:at+a.headDim])
		}
		for r := segment.Start; r < segment.End; r += a.step {
			a.rows(p, r, min(r+a.step, segment.End), start+r-segment.Start, head)
		}
	}
}

// reset makes room for the sequences of a tree. What positions hold that were
// not written yet is finite, and so is multiplied away by weights of 0.
func (p *path) reset(t tree, headDim, queries int) {
	width := panels(t.longest) * panelColumns
	p.keys.out, p.keys.in = width, headDim
	p.keys.single = zeros(p.keys.single, width*headDim)
	p.values.out, p.values.in = panels(headDim)*panelColumns, width
	p.values.single = zeros(p.values.single, width*p.values.out)
	p.ends = resize(p.ends, t.high-t.low)
	blocks := func(n int) int { return (n + innerBlock - 1) / innerBlock * queries * blockStride }
	p.queries, p.weights = resize(p.queries, blocks(headDim)), resize(p.weights, blocks(width))
	p.scores, p.mixed = resize(p.scores, queries*width), resize(p.mixed, queries*p.values.out)
	p.sums = resize(p.sums, queries)
}

// put packs the key and the value of a position.
func (p *path) put(position int, key, value []float32) {
	at := position/panelColumns*panelColumns*p.keys.in + position%panelColumns
	for i, v := range key {
		p.keys.single[at+i*panelColumns] = v
	}
	for start := 0; start < len(value); start += panelColumns {
		n := start / panelColumns
		copy(p.values.single[(n*p.values.in+position)*panelColumns:], value[start:min(start+panelColumns, len(value))])
	}
}

// rows computes the rows low to high, the first of which is at a position, for
// the queries of one head of keys.
func (a *attention) rows(p *path, low, high, position, head int) {
	queries, keys := (high-low)*a.group, panels(position+high-low)
	for m := range queries {
		at := a.at(low, m, head)
		p.block(p.queries, m, queries, a.q[at:at+a.headDim])
	}
	p.keys.columns(p.scores, p.queries, queries, 0, keys, a.headDim)
	for m := range queries {
		scores := p.scores[m*p.keys.out : m*p.keys.out+keys*panelColumns]
		seen := position + m/a.group + 1
		first := 0
		if a.window > 0 {
			first = max(0, seen-a.window)
		}
		p.sums[m] = softmax(scores[first:seen], a.scale)
		clear(scores[:first])
		clear(scores[seen:])
		p.block(p.weights, m, queries, scores)
	}
	p.values.columns(p.mixed, p.weights, queries, 0, panels(a.headDim), keys*panelColumns)
	for m := range queries {
		at, mixed := a.at(low, m, head), p.mixed[m*p.values.out:]
		for i := range a.headDim {
			a.dst[at+i] = mixed[i] / p.sums[m]
		}
	}
}

// at is where query m of a block begins in q and dst.
func (a *attention) at(low, m, head int) int {
	row, of := low+m/a.group, head*a.group+m%a.group
	return (row*a.kvHeads*a.group + of) * a.headDim
}

// block copies row m of a matrix of rows rows to its place in the blocks.
func (p *path) block(blocks []float32, m, rows int, values []float32) {
	for start := 0; start < len(values); start += innerBlock {
		copy(blocks[(start/innerBlock*rows+m)*blockStride:], values[start:min(start+innerBlock, len(values))])
	}
}

// softmax puts exp(scale*s - largest) in the place of each score s and returns
// their sum, in eight chains.
func softmax(scores []float32, scale float32) float32 {
	largest := float32(math.Inf(-1))
	for i, s := range scores {
		s *= scale
		scores[i] = s
		if s > largest {
			largest = s
		}
	}
	exponentials(scores, largest)
	var sums [8]float32
	whole := len(scores) &^ 7
	for i := 0; i < whole; i += 8 {
		group := (*[8]float32)(scores[i:])
		for j, e := range group {
			sums[j] += e
		}
	}
	for j, e := range scores[whole:] {
		sums[j] += e
	}
	return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))
}
