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

// Heads is the shape of an attention and what it does to its scores.
type Heads struct {
	Query, KV int     // query heads, and those of keys and values; Query is a multiple of KV
	Dim       int     // channels of a head
	Window    int     // tokens that a token attends to, itself included; 0: all before it
	Scale     float32 // of a score; 0 is 1/sqrt(Dim)
	Softcap   float32 // bound c of a score s, which becomes c*tanh(s/c); 0: none
}

// Attention is causal scaled dot-product attention (Vaswani et al., arXiv
// 1706.03762) with grouped queries (Ainslie et al., arXiv 2305.13245): query
// head h reads key and value head h*KV/Query. A row attends to itself and
// to the rows before it along its segment and its segment's ancestors, Window
// rows in all (Beltagy et al., arXiv 2004.05150), or all of them if it is 0:
//
//	dst[r][h] = sum over j of softmax over j (q[r][h].k[j] * Scale) * v[j]
//
// with soft capping of the scores before the softmax (Gemma 2, arXiv
// 2408.00118). dst and q are [rows, Query*Dim], k and v [rows, KV*Dim]; the
// segments cover the rows in order.
//
// caches, if there are any, are one per segment. That of a segment without a
// parent may hold tokens that come before; that of a child begins as a copy of
// its parent's. The segment's own keys and values are added to it.
//
// Both products are in the chains of Multiply, the second one over positions in
// the sequence, whatever is shared or comes from a cache; the sum of the softmax
// is in eight chains, of every eighth position from the first that is attended
// to, and divides the second product.
func Attention(dst, q, k, v []float32, segments []Segment, caches []*Cache, h Heads) {
	rows := 0
	if len(segments) > 0 {
		rows = segments[len(segments)-1].End
	}
	check("dst of Attention", len(dst), rows*h.Query*h.Dim)
	check("q of Attention", len(q), rows*h.Query*h.Dim)
	check("k of Attention", len(k), rows*h.KV*h.Dim)
	check("v of Attention", len(v), rows*h.KV*h.Dim)
	if caches != nil {
		check("caches of Attention", len(caches), len(segments))
	}
	if h.Scale == 0 {
		h.Scale = float32(1 / math.Sqrt(float64(h.Dim)))
	}
	a := attention{Heads: h, dst: dst, q: q, k: k, v: v, segments: segments, caches: caches, group: h.Query / h.KV}
	a.step = max(1, attentionRows/a.group)
	stretches := a.stretches(a.trees())
	a.count()
	var next atomic.Int64
	Parallel(min(runtime.GOMAXPROCS(0), len(stretches)*h.KV), func(int, int) {
		path := paths.Get().(*path)
		defer paths.Put(path)
		for {
			n := int(next.Add(1)) - 1
			if n >= len(stretches)*h.KV {
				return
			}
			a.stretch(path, stretches[n/h.KV], n%h.KV)
		}
	})
}

// attention is the operands of one call.
type attention struct {
	Heads
	dst, q, k, v []float32
	segments     []Segment
	caches       []*Cache
	group        int // query heads that read one key head
	step         int // rows that are worked on together
}

// tree is the segments low to high of a forest, which have one first token, and
// the length of their longest sequence, without what a cache holds.
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

// stretch is the rows from to to-1 of a tree, which one worker computes for one head.
type stretch struct {
	tree
	from, to int
}

// workerStretches is how many stretches there are for each worker at least, so that
// none waits long for another, and stretchRows the fewest rows of one: it packs the
// keys and values before its own rows once more.
const (
	workerStretches = 4
	stretchRows     = 128
)

// stretches cuts trees where there are too few of them. Caches are written by one
// worker for each head.
func (a *attention) stretches(trees []tree) (list []stretch) {
	most, items := 1, max(1, len(trees)*a.KV)
	if a.caches == nil {
		most = (workerStretches*runtime.GOMAXPROCS(0) + items - 1) / items
	}
	for _, t := range trees {
		start, end := a.segments[t.low].Start, a.segments[t.high-1].End
		n := max(1, min(most, (end-start)/stretchRows))
		for i := range n {
			list = append(list, stretch{t, start + (end-start)*i/n, start + (end-start)*(i+1)/n})
		}
	}
	return list
}

// count sets what the caches will hold. Their pages follow head by head.
func (a *attention) count() {
	for i, c := range a.caches {
		segment := a.segments[i]
		if segment.Parent >= 0 {
			c.length = a.caches[segment.Parent].length
		}
		c.length += segment.End - segment.Start
		if len(c.heads) == 0 {
			c.heads = make([][]*page, a.KV)
		}
	}
}

// cached returns the pages of a segment's cache for one head, with what comes
// before the segment and room for it.
func (a *attention) cached(s, head int) (pages []*page, before int) {
	segment, c := a.segments[s], a.caches[s]
	before = c.length - (segment.End - segment.Start)
	if segment.Parent >= 0 {
		c.heads[head] = fork(a.caches[segment.Parent].heads[head], before)
	}
	c.heads[head] = extend(c.heads[head], a.Dim, before, c.length)
	return c.heads[head], before
}

// path is what one worker needs along a sequence: the pages of one head of keys
// and values by position, and a row for each query of a block.
type path struct {
	pages []*page // of the sequence that is being worked on
	own   []*page // the memory of pages, where there is no cache
	ends  []int   // per segment of the tree, the position after it
	leads []bool  // per segment of the tree: the first row that is computed follows it
	// queries and weights as Multiply takes them.
	queries, weights, scores, mixed []float32
	sums                            []float32
}

var paths = sync.Pool{New: func() any { return new(path) }}

// attentionRows is the number of queries in a block: three of AVX-512's
// highest tiles.
const attentionRows = 3 * 14

// stretch computes the rows of a stretch for one head of keys. Without caches the pages
// are those of the path: what a segment does not write is that of its ancestors,
// since segments stand depth first.
func (a *attention) stretch(p *path, t stretch, head int) {
	if a.caches == nil {
		p.reset(t.longest, a.Dim)
	}
	p.ends = resize(p.ends, t.high-t.low)
	a.lead(p, t)
	for s := t.low; s < t.high; s++ {
		segment := a.segments[s]
		if segment.Start >= t.to && a.caches == nil { // the cache of an empty one is its parent's
			break
		}
		start := 0
		if a.caches != nil {
			p.pages, start = a.cached(s, head)
		} else if segment.Parent >= 0 {
			start = p.ends[segment.Parent-t.low]
		}
		p.ends[s-t.low] = start + segment.End - segment.Start
		if segment.End <= t.from && !p.leads[s-t.low] {
			continue // nothing of the stretch looks at it
		}
		end := min(segment.End, t.to)
		for r := segment.Start; r < end; r++ {
			at, position := (r*a.KV+head)*a.Dim, start+r-segment.Start
			p.pages[position/innerBlock].put(position%innerBlock, a.k[at:at+a.Dim], a.v[at:at+a.Dim])
		}
		for r := max(segment.Start, t.from); r < end; r += a.step {
			a.rows(p, r, min(r+a.step, end), start+r-segment.Start, head)
		}
	}
}

// lead notes which segments of a tree the first row of a stretch follows.
func (a *attention) lead(p *path, t stretch) {
	p.leads = resize(p.leads, t.high-t.low)
	clear(p.leads)
	first := t.low
	for first < t.high-1 && a.segments[first].End <= t.from {
		first++
	}
	for s := first; s >= 0; s = a.segments[s].Parent {
		p.leads[s-t.low] = true
	}
}

// reset makes empty pages for so many positions.
func (p *path) reset(positions, dim int) {
	p.pages = p.own[:0]
	for start := 0; start < positions; start += innerBlock {
		if len(p.own) == len(p.pages) {
			p.own = append(p.own, new(page))
		}
		p.pages = p.own[:len(p.pages)+1]
		p.pages[len(p.pages)-1].reset(min(innerBlock, positions-start), dim)
	}
}

// rows computes the rows low to high, the first of which is at a position, for
// the queries of one head of keys. Pages before the window of all of them are
// left out.
func (a *attention) rows(p *path, low, high, position, head int) {
	queries, seen := (high-low)*a.group, position+high-low
	skipped := a.first(position) / innerBlock
	pages := p.pages[skipped : (seen+innerBlock-1)/innerBlock]
	origin, stride := skipped*innerBlock, panels(seen-skipped*innerBlock)*panelColumns
	a.room(p, queries, len(pages), stride)
	for m := range queries {
		at := a.at(low, m, head)
		p.block(p.queries, m, queries, a.q[at:at+a.Dim])
	}
	for i, page := range pages {
		page.keys.columns(p.scores[i*innerBlock:], stride, p.queries, queries, 0, panels(min(innerBlock, stride-i*innerBlock)), a.Dim, false)
	}
	for m := range queries {
		own := position + m/a.group
		a.weigh(p, m, queries, p.scores[m*stride:(m+1)*stride], a.first(own)-origin, own+1-origin)
	}
	width := panels(a.Dim) * panelColumns
	for i, page := range pages {
		page.values.columns(p.mixed, width, p.weights[i*queries*blockStride:], queries, 0, panels(a.Dim), min(innerBlock, stride-i*innerBlock), i > 0)
	}
	for m := range queries {
		at, mixed := a.at(low, m, head), p.mixed[m*width:]
		divide(a.dst[at:at+a.Dim], mixed[:a.Dim], p.sums[m])
	}
}

// first is the first position that the token at a position attends to.
func (a *attention) first(position int) int {
	if a.Window == 0 {
		return 0
	}
	return max(0, position+1-a.Window)
}

// room makes room for so many queries against so many pages.
func (a *attention) room(p *path, queries, pages, stride int) {
	p.queries = resize(p.queries, (a.Dim+innerBlock-1)/innerBlock*queries*blockStride)
	p.weights = resize(p.weights, pages*queries*blockStride)
	p.scores = resize(p.scores, queries*stride)
	p.mixed = resize(p.mixed, queries*panels(a.Dim)*panelColumns)
	p.sums = resize(p.sums, queries)
}

// weigh turns the scores of query m, of which those from low to high count, into
// weights.
func (a *attention) weigh(p *path, m, queries int, scores []float32, low, high int) {
	counted := scores[low:high]
	multiply(counted, a.Scale)
	if a.Softcap != 0 {
		softcap(counted, a.Softcap)
	}
	p.sums[m] = softmax(counted)
	clear(scores[:low])
	clear(scores[high:])
	p.block(p.weights, m, queries, scores)
}

// at is where query m of a block begins in q and dst.
func (a *attention) at(low, m, head int) int {
	row, of := low+m/a.group, head*a.group+m%a.group
	return (row*a.Query + of) * a.Dim
}

// block copies row m of a matrix of rows rows to its place in the blocks.
func (p *path) block(blocks []float32, m, rows int, values []float32) {
	for start := 0; start < len(values); start += innerBlock {
		copy(blocks[(start/innerBlock*rows+m)*blockStride:], values[start:min(start+innerBlock, len(values))])
	}
}

// softmax puts exp(s - largest) in the place of each score s and returns their
// sum, in eight chains.
func softmax(scores []float32) float32 {
	exponentials(scores, largest(scores))
	return eightSum(scores)
}
