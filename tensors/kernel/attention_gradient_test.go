package kernel_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"surgeon/tensors/kernel"
)

// attend is Attention over segments without parents, in float64.
func attend(q, k, v []float64, segments []kernel.Segment, h kernel.Heads) []float64 {
	dst := make([]float64, len(q))
	eachQuery(q, k, segments, h, func(query int, keys []int, p []float64) {
		for j, key := range keys {
			for i := range h.Dim {
				dst[query+i] += p[j] * v[key+i]
			}
		}
	})
	return dst
}

// eachQuery hands over where each query stands, where the keys that it attends to
// do, and its weights.
func eachQuery(q, k []float64, segments []kernel.Segment, h kernel.Heads, do func(query int, keys []int, p []float64)) {
	for _, s := range segments {
		for r := s.Start; r < s.End; r++ {
			for head := range h.Query {
				query := (r*h.Query + head) * h.Dim
				var keys []int
				var p []float64
				for j := s.Start; j <= r; j++ {
					if h.Window > 0 && j <= r-h.Window {
						continue
					}
					key, score := (j*h.KV+head/(h.Query/h.KV))*h.Dim, 0.0
					for i := range h.Dim {
						score += q[query+i] * k[key+i]
					}
					keys, p = append(keys, key), append(p, score*scaleOf(h))
				}
				for j, log := range logProbabilities(p) {
					p[j] = math.Exp(log)
				}
				do(query, keys, p)
			}
		}
	}
}

func scaleOf(h kernel.Heads) float64 {
	if h.Scale == 0 {
		return 1 / math.Sqrt(float64(h.Dim))
	}
	return float64(h.Scale)
}

// attendGradient is the formula of AttentionGradient, in float64.
func attendGradient(gradient, q, k, v []float64, segments []kernel.Segment, h kernel.Heads) (dq, dk, dv []float64) {
	dq, dk, dv = make([]float64, len(q)), make([]float64, len(k)), make([]float64, len(v))
	eachQuery(q, k, segments, h, func(query int, keys []int, p []float64) {
		dp, mean := make([]float64, len(keys)), 0.0
		for j, key := range keys {
			for i := range h.Dim {
				dp[j] += gradient[query+i] * v[key+i]
				dv[key+i] += p[j] * gradient[query+i]
			}
			mean += p[j] * dp[j]
		}
		for j, key := range keys {
			ds := p[j] * (dp[j] - mean) * scaleOf(h)
			for i := range h.Dim {
				dq[query+i] += ds * k[key+i]
				dk[key+i] += ds * q[query+i]
			}
		}
	})
	return dq, dk, dv
}

// operands draws gradient, q, k and v.
func operands(rows int, h kernel.Heads) (gradient, q, k, v []float32) {
	return normals(1, rows*h.Query*h.Dim), normals(2, rows*h.Query*h.Dim), normals(3, rows*h.KV*h.Dim), normals(4, rows*h.KV*h.Dim)
}

// attentionGradient is dq, dk and dv, one behind the other.
func attentionGradient(dst, gradient, q, k, v []float32, segments []kernel.Segment, h kernel.Heads) {
	kernel.AttentionGradient(dst[:len(q)], dst[len(q):len(q)+len(k)], dst[len(q)+len(k):], gradient, q, k, v, segments, h)
}

// TestAttentionGradient compares with differences of Attention's formula.
func TestAttentionGradient(t *testing.T) {
	segments := []kernel.Segment{{0, 5, -1}, {5, 5, -1}, {5, 6, -1}, {6, 13, -1}}
	for _, h := range []kernel.Heads{
		{Query: 1, KV: 1, Dim: 1}, {Query: 4, KV: 2, Dim: 3}, {Query: 3, KV: 3, Dim: 2, Scale: 0.7}, {Query: 2, KV: 1, Dim: 4, Window: 3}, {Query: 2, KV: 1, Dim: 2, Window: 1},
	} {
		gradient, q, k, v := operands(13, h)
		what := fmt.Sprint("AttentionGradient ", h)
		got := everywhere(t, what, len(q)+2*len(k), func(dst []float32) { attentionGradient(dst, gradient, q, k, v, segments, h) })
		loss := func(q, k, v []float64) float64 { return weighted(gradient, attend(q, k, v, segments, h)) }
		near(t, what+" dq", got[:len(q)], numeric(q, func(q []float64) float64 { return loss(q, widened(k), widened(v)) }))
		near(t, what+" dk", got[len(q):][:len(k)], numeric(k, func(k []float64) float64 { return loss(widened(q), k, widened(v)) }))
		near(t, what+" dv", got[len(q)+len(k):], numeric(v, func(v []float64) float64 { return loss(widened(q), widened(k), v) }))
	}
	kernel.AttentionGradient(nil, nil, nil, nil, nil, nil, nil, nil, kernel.Heads{Query: 1, KV: 1, Dim: 1})
}

// TestAttentionGradientLong compares with the formula, over segments of more rows
// than a block of queries has and more keys than a chain, and heads that fill no
// panel.
func TestAttentionGradientLong(t *testing.T) {
	for _, s := range []struct {
		rows []int
		h    kernel.Heads
	}{
		{[]int{15, 60, 1, 33}, kernel.Heads{Query: 4, KV: 2, Dim: 32}},
		{[]int{257}, kernel.Heads{Query: 3, KV: 1, Dim: 40}},
		{[]int{530}, kernel.Heads{Query: 1, KV: 1, Dim: 4}},
		{[]int{3, 300}, kernel.Heads{Query: 2, KV: 1, Dim: 8, Window: 37}},
		{[]int{600}, kernel.Heads{Query: 2, KV: 2, Dim: 8, Window: 300}},
		{[]int{20}, kernel.Heads{Query: 2, KV: 1, Dim: 300}},
		{[]int{4}, kernel.Heads{Query: 300, KV: 1, Dim: 2}},
	} {
		var segments []kernel.Segment
		rows := 0
		for _, n := range s.rows {
			segments = append(segments, kernel.Segment{Start: rows, End: rows + n, Parent: -1})
			rows += n
		}
		gradient, q, k, v := operands(rows, s.h)
		what := fmt.Sprint("AttentionGradient ", s)
		var got []float32
		instructionSets(t, func(t *testing.T) {
			if rows > 300 && kernel.Instructions() == "generic" {
				t.Skip("slow")
			}
			dst := dirty(len(q) + 2*len(k))
			attentionGradient(dst, gradient, q, k, v, segments, s.h)
			if got == nil {
				got = dst
			}
			same(t, what, dst, got)
		})
		dq, dk, dv := attendGradient(widened(gradient), widened(q), widened(k), widened(v), segments, s.h)
		closeTo(t, what, got, slices.Concat(dq, dk, dv), 10*max(rows, s.h.Query))
	}
}

// TestAttentionGradientApart: a segment's gradients do not depend on its
// neighbours.
func TestAttentionGradientApart(t *testing.T) {
	h := kernel.Heads{Query: 4, KV: 2, Dim: 8}
	gradient, q, k, v := operands(50, h)
	both, one := dirty(len(q)+2*len(k)), dirty((30*h.Query+60*h.KV)*h.Dim)
	attentionGradient(both, gradient, q, k, v, []kernel.Segment{{0, 20, -1}, {20, 50, -1}}, h)
	wide, narrow := h.Query*h.Dim, h.KV*h.Dim
	attentionGradient(one, gradient[20*wide:], q[20*wide:], k[20*narrow:], v[20*narrow:], []kernel.Segment{{0, 30, -1}}, h)
	same(t, "dq", one[:30*wide], both[20*wide:50*wide])
	same(t, "dk", one[30*wide:][:30*narrow], both[50*wide+20*narrow:][:30*narrow])
	same(t, "dv", one[30*wide+30*narrow:], both[50*wide+70*narrow:])
}
