package kernel

import (
	"fmt"
	"math"
	"sync"
)

// AttentionGradient is the gradient of Attention without caches by its q, k and v
// (as in Dao et al., arXiv 2205.14135, appendix B.2): with P the weights that the
// softmax gives, and the gradient of a loss by the result, for each query head
// that reads a head of keys and values,
//
//	dP[r][j] = gradient[r] . v[j]
//	dS[r][j] = P[r][j] * (dP[r][j] - sum over l of P[r][l]*dP[r][l]) * Scale
//	dq[r] = sum over j of dS[r][j] * k[j]
//	dk[j] = sum over r and query heads of dS[r][j] * q[r]
//	dv[j] = sum over r and query heads of P[r][j] * gradient[r]
//
// dq, gradient and q are [rows, Query*Dim], dk, dv, k and v [rows, KV*Dim]; the
// segments cover the rows in order. A segment with a parent and soft capping are
// not for training, and panic.
//
// All products are in the chains of Multiply, from the first key that any of the
// queries attends to. The sums over r and heads take so many rows at a time that
// they have 256 queries, at least one row, and within them go row by row. The other
// sums are in eight chains.
func AttentionGradient(dq, dk, dv, gradient, q, k, v []float32, segments []Segment, h Heads) {
	rows := 0
	if len(segments) > 0 {
		rows = segments[len(segments)-1].End
	}
	for _, o := range []struct {
		name   string
		values []float32
		heads  int
	}{{"dq", dq, h.Query}, {"gradient", gradient, h.Query}, {"q", q, h.Query}, {"dk", dk, h.KV}, {"dv", dv, h.KV}, {"k", k, h.KV}, {"v", v, h.KV}} {
		check(o.name+" of AttentionGradient", len(o.values), rows*o.heads*h.Dim)
	}
	next := 0
	for i, s := range segments {
		if s.Parent >= 0 || s.Start != next || s.End < s.Start {
			panic(fmt.Sprintf("kernel: segment %d of AttentionGradient, %+v, has a parent or does not begin at row %d", i, s, next))
		}
		next = s.End
	}
	if h.Softcap != 0 {
		panic("kernel: AttentionGradient knows no soft capping")
	}
	if h.Scale == 0 {
		h.Scale = float32(1 / math.Sqrt(float64(h.Dim)))
	}
	a := attentionGradient{attention: attention{Heads: h, q: q, k: k, v: v, group: h.Query / h.KV}, dq: dq, dk: dk, dv: dv, gradient: gradient}
	a.step = max(1, innerBlock/a.group)
	inTurn(len(segments)*h.KV, 1, func(n, _ int) {
		b := backs.Get().(*back)
		defer backs.Put(b)
		a.segment(b, segments[n/h.KV], n%h.KV)
	})
}

// attentionGradient is the operands of one call.
type attentionGradient struct {
	attention
	dq, dk, dv, gradient []float32
}

// back is what one worker needs for a block of queries against the keys that they
// attend to.
type back struct {
	keys, values                  Panels    // [keys, Dim]
	keysAcross                    Panels    // [Dim, keys]
	queriesAcross, gradientAcross Panels    // [Dim, queries]
	queries, gradient             []float32 // [queries, Dim], with rows strideOf(Dim) apart
	weights, slopes               []float32 // [queries, keys], with rows strideOf(keys) apart: P; dP, then dS
	blocks                        []float32 // the left operand of a product
	dq                            []float32 // [queries, Dim]
}

var backs = sync.Pool{New: func() any { return new(back) }}

// segment computes the gradients of all rows of a segment, for one head of keys.
func (a *attentionGradient) segment(b *back, s Segment, head int) {
	width := a.KV * a.Dim
	for r := s.Start; r < s.End; r++ {
		at := r*width + head*a.Dim
		clear(a.dk[at : at+a.Dim])
		clear(a.dv[at : at+a.Dim])
	}
	for low := s.Start; low < s.End; low += a.step {
		a.rows(b, low, min(low+a.step, s.End), s.Start+a.first(low-s.Start), s.Start, head)
	}
}

// rows computes dq of the rows low to high and adds what they give to dk and dv.
// The first key that one of them attends to is that of row origin; their
// segment begins at start.
func (a *attentionGradient) rows(b *back, low, high, origin, start, head int) {
	queries, keys, width := (high-low)*a.group, high-origin, a.KV*a.Dim
	at := origin*width + head*a.Dim // of the first key
	b.queries = a.gather(b.queries, a.q, low, high, head)
	b.gradient = a.gather(b.gradient, a.gradient, low, high, head)
	b.keys.pack(a.k[at:], width, keys, a.Dim)
	b.values.pack(a.v[at:], width, keys, a.Dim)
	b.keysAcross.packTransposed(a.k[at:], width, a.Dim, keys)
	b.queriesAcross.packTransposed(b.queries, strideOf(a.Dim), a.Dim, queries)
	b.gradientAcross.packTransposed(b.gradient, strideOf(a.Dim), a.Dim, queries)

	b.keys.out, b.values.out = panels(keys)*panelColumns, panels(keys)*panelColumns // no tile is cut off
	stride := strideOf(keys)
	b.weights = resize(b.weights, queries*stride)
	b.slopes = resize(b.slopes, queries*stride)
	b.product(b.weights, stride, b.queries, strideOf(a.Dim), queries, &b.keys)
	b.product(b.slopes, stride, b.gradient, strideOf(a.Dim), queries, &b.values)
	for m := range queries {
		row := low + m/a.group
		from, to := start+a.first(row-start)-origin, row+1-origin
		a.slope(b.weights[m*stride:][:b.keys.out], b.slopes[m*stride:][:b.keys.out], from, to)
	}
	b.dq = resize(b.dq, queries*a.Dim)
	b.product(b.dq, a.Dim, b.slopes, stride, queries, &b.keysAcross)
	a.scatter(a.dq, b.dq, low, high, head)
	b.addTransposed(a.dk[at:], width, b.slopes, stride, keys, &b.queriesAcross)
	b.addTransposed(a.dv[at:], width, b.weights, stride, keys, &b.gradientAcross)
}

// strideOf is the distance of rows that are the left operand of a product over n
// indices: if they are no more than a block, the tiles read the rows as they are.
func strideOf(n int) int {
	if n <= innerBlock {
		return blockStride
	}
	return panels(n) * panelColumns
}

// slope turns a query's scores into weights and its dP into dS. It attends to the
// keys from to to; the loops go over whole vectors.
func (a *attentionGradient) slope(weights, slopes []float32, from, to int) {
	low, high := from&^15, (to+15)&^15
	p, d := weights[low:high], slopes[low:high]
	multiply(p, a.Scale)
	for _, outside := range [][]float32{weights[low:from], weights[to:high]} {
		for i := range outside {
			outside[i] = float32(math.Inf(-1))
		}
	}
	exponentials(p, largest(p))
	for _, values := range [][]float32{weights, slopes} {
		clear(values[:from])
		clear(values[to:])
	}
	multiply(p, 1/eightSum(p))
	centre(d, p, eightDot(p, d), a.Scale)
}

func centrePlain(dst, weight []float32, mean, scale float32) {
	for i, w := range weight {
		dst[i] = float32((dst[i]-mean)*w) * scale
	}
}

// product is Multiply of x [rows, in], whose rows are xStride apart, with dst's
// rows stride apart.
func (b *back) product(dst []float32, stride int, x []float32, xStride, rows int, p *Panels) {
	if xStride == blockStride {
		p.columns(dst, stride, x, rows, 0, panels(p.out), p.in, false)
		return
	}
	b.blocks = resize(b.blocks, blocksOf(rows, p.in))
	for start := 0; start < p.in; start += innerBlock {
		block := b.blocks[start/innerBlock*rows*blockStride:]
		for r := range rows {
			copy(block[r*blockStride:], x[r*xStride+start:][:min(innerBlock, p.in-start)])
		}
	}
	p.columns(dst, stride, b.blocks, rows, 0, panels(p.out), p.in, false)
}

// addTransposed adds the product of the transpose [columns, in] of x to dst, whose
// rows are stride apart.
func (b *back) addTransposed(dst []float32, stride int, x []float32, xStride, columns int, p *Panels) {
	b.blocks = resize(b.blocks, blocksOf(columns, p.in))
	transposeBlocks(b.blocks, x, xStride, p.in, columns)
	p.columns(dst, stride, b.blocks, columns, 0, panels(p.out), p.in, true)
}

// gather copies the queries of rows low to high that read one head of keys.
func (a *attentionGradient) gather(dst, q []float32, low, high, head int) []float32 {
	stride := strideOf(a.Dim)
	dst = resize(dst, (high-low)*a.group*stride)
	for m := range (high - low) * a.group {
		copy(dst[m*stride:], q[a.at(low, m, head):][:a.Dim])
	}
	return dst
}

// scatter is the reverse of gather.
func (a *attentionGradient) scatter(q, src []float32, low, high, head int) {
	width := a.group * a.Dim
	for r := low; r < high; r++ {
		copy(q[r*a.Query*a.Dim+head*width:][:width], src[(r-low)*width:])
	}
}
