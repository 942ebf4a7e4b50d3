package kernel

import "math"

// Segment is a run of rows of a batch that continue one another: rows Start to
// End-1 are consecutive tokens, and the token before Start is the last row of
// segment Parent, or there is none if Parent is negative. Sequences with a
// common beginning share its segments, so a batch is a forest of tokens.
type Segment struct{ Start, End, Parent int }

// Attention is causal scaled dot-product attention (Vaswani et al., arXiv
// 1706.03762) with grouped queries (Ainslie et al., arXiv 2305.13245): query
// head h reads key and value head h*kvHeads/heads. A row attends to itself and
// to the rows before it along its segment and its segment's ancestors:
//
//	dst[r][h] = sum over j of softmax over j (q[r][h].k[j] / sqrt(headDim)) * v[j]
//
// dst and q are [rows, heads*headDim], k and v [rows, kvHeads*headDim]; the
// segments cover the rows in order. Sums run from the first token of the
// sequence to the last, whatever is shared.
func Attention(dst, q, k, v []float32, segments []Segment, heads, kvHeads, headDim int) {
	rows := 0
	if len(segments) > 0 {
		rows = segments[len(segments)-1].End
	}
	check("dst of Attention", len(dst), rows*heads*headDim)
	check("q of Attention", len(q), rows*heads*headDim)
	check("k of Attention", len(k), rows*kvHeads*headDim)
	check("v of Attention", len(v), rows*kvHeads*headDim)
	owner := make([]int, rows) // the segment of each row
	for s, segment := range segments {
		for r := segment.Start; r < segment.End; r++ {
			owner[r] = s
		}
	}
	clear(dst)
	scale := float32(1 / math.Sqrt(float64(headDim)))
	Parallel(rows, func(low, high int) {
		var past []int // the rows that a row attends to, first token first
		var weights []float32
		for r := low; r < high; r++ {
			past = appendPath(past[:0], segments, owner[r], r)
			if cap(weights) < len(past) {
				weights = make([]float32, 2*len(past))
			}
			for h := range heads {
				at, kv := (r*heads+h)*headDim, h*kvHeads/heads
				attend(dst[at:at+headDim], q[at:at+headDim], k, v, past, weights[:len(past)], kv*headDim, kvHeads*headDim, scale)
			}
		}
	})
}

// appendPath lists the rows of a sequence up to row r of segment s.
func appendPath(past []int, segments []Segment, s, r int) []int {
	segment := segments[s]
	if segment.Parent >= 0 {
		past = appendPath(past, segments, segment.Parent, segments[segment.Parent].End-1)
	}
	for row := segment.Start; row <= r; row++ {
		past = append(past, row)
	}
	return past
}

// attend computes one head of one row. offset and stride find the head's
// channels in a row of k and v. dst must be zero.
func attend(dst, q, k, v []float32, past []int, weights []float32, offset, stride int, scale float32) {
	largest := float32(math.Inf(-1))
	for j, row := range past {
		at := row*stride + offset
		weights[j] = dot(q, k[at:at+len(q)]) * scale
		largest = max(largest, weights[j])
	}
	var sum float32
	for j, w := range weights {
		weights[j] = float32(math.Exp(float64(w - largest)))
		sum += weights[j]
	}
	for j, row := range past {
		w, at := weights[j]/sum, row*stride+offset
		for i, value := range v[at : at+len(q)] {
			dst[i] += float32(w * value)
		}
	}
}

// dot is one chain of sums of rounded products.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var sum float32
	for i, v := range a {
		sum += float32(v * b[i])
	}
	return sum
}
