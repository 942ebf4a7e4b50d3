package kernel_test

import (
	"fmt"
	"math"
	"testing"

	"surgeon/tensors/kernel"
)

const heads, kvHeads, headDim = 6, 2, 4 // three query heads to a key head

// token is one row of a batch by its own number: the same token has the same
// query, key and value in whatever row of whatever batch it stands.
func rowsOf(tokens []int) (q, k, v []float32) {
	for _, id := range tokens {
		q = append(q, normals(uint64(1000+id), heads*headDim)...)
		k = append(k, normals(uint64(2000+id), kvHeads*headDim)...)
		v = append(v, normals(uint64(3000+id), kvHeads*headDim)...)
	}
	return q, k, v
}

func attention(tokens []int, segments []kernel.Segment) []float32 {
	q, k, v := rowsOf(tokens)
	dst := dirty(len(q))
	kernel.Attention(dst, q, k, v, segments, nil, kernel.Heads{Query: heads, KV: kvHeads, Dim: headDim})
	return dst
}

func numbers(from, to int) []int {
	var list []int
	for i := from; i < to; i++ {
		list = append(list, i)
	}
	return list
}

// TestAttentionShared computes a tree of sequences at once and each sequence
// by itself: the same bits, for any number of threads.
func TestAttentionShared(t *testing.T) {
	// A prompt of tokens 0-4; the answers 5-7 and 8, the second of which goes
	// on in two ways, 9-10 and 11; beside it a sequence of its own, 12-15.
	segments := []kernel.Segment{{0, 5, -1}, {5, 8, 0}, {8, 9, 0}, {9, 11, 2}, {11, 12, 2}, {12, 16, -1}}
	prompt := numbers(0, 5)
	sequences := [][]int{
		append(prompt[:5:5], 5, 6, 7), append(prompt[:5:5], 8, 9, 10), append(prompt[:5:5], 8, 11), numbers(12, 16),
	}
	processors(t, func(t *testing.T) {
		shared := attention(numbers(0, 16), segments)
		const width = heads * headDim
		for _, tokens := range sequences {
			alone := attention(tokens, []kernel.Segment{{0, len(tokens), -1}})
			for row, id := range tokens {
				same(t, fmt.Sprintf("token %d of %v", id, tokens), shared[id*width:(id+1)*width], alone[row*width:(row+1)*width])
			}
		}
		// Cutting a sequence into segments changes nothing.
		whole := attention(numbers(0, 7), []kernel.Segment{{0, 7, -1}})
		cut := attention(numbers(0, 7), []kernel.Segment{{0, 1, -1}, {1, 1, 0}, {1, 4, 1}, {4, 7, 2}})
		same(t, "a sequence cut in four", cut, whole)
	})
}

// TestAttentionStretches computes a large tree, which several workers share, and the
// same rows behind caches, which they do not: the same bits.
func TestAttentionStretches(t *testing.T) {
	// A prompt of 300 tokens that goes on in three ways, one of which does in two.
	segments := []kernel.Segment{{0, 300, -1}, {300, 450, 0}, {450, 490, 0}, {490, 690, 2}, {690, 700, 2}, {700, 905, 0}, {905, 935, -1}, {935, 935, 6}}
	q, k, v := rowsOf(numbers(0, 935))
	h := kernel.Heads{Query: heads, KV: kvHeads, Dim: headDim}
	processors(t, func(t *testing.T) {
		for _, h.Window = range []int{0, 70} {
			shared, cached := dirty(len(q)), dirty(len(q))
			kernel.Attention(shared, q, k, v, segments, nil, h)
			caches := make([]*kernel.Cache, len(segments))
			for i := range caches {
				caches[i] = new(kernel.Cache)
			}
			kernel.Attention(cached, q, k, v, segments, caches, h)
			same(t, fmt.Sprintf("a window of %d", h.Window), shared, cached)
			if last := len(segments) - 1; caches[last].Len() != 30 {
				t.Errorf("the cache of a segment without rows has %d tokens", caches[last].Len())
			}
			// It goes on as its parent's does.
			more, both := dirty(2*heads*headDim), []*kernel.Cache{caches[6].Prefix(30), caches[7]}
			q, k, v := rowsOf([]int{1, 1})
			kernel.Attention(more, q, k, v, []kernel.Segment{{0, 1, -1}, {1, 2, -1}}, both, h)
			same(t, "behind the segment without rows", more[heads*headDim:], more[:heads*headDim])
		}
	})
}

// TestAttentionFormula compares with the formula in float64.
func TestAttentionFormula(t *testing.T) {
	tokens := numbers(0, 9)
	q, k, v := rowsOf(tokens)
	near(t, "Attention", attention(tokens, []kernel.Segment{{0, 9, -1}}), formula(q, k, v, len(tokens), kernel.Heads{Query: heads, KV: kvHeads, Dim: headDim}))
	gemma := kernel.Heads{Query: heads, KV: kvHeads, Dim: headDim, Window: 5, Scale: 0.7, Softcap: 2}
	dst := dirty(len(q))
	kernel.Attention(dst, q, k, v, []kernel.Segment{{0, 9, -1}}, nil, gemma)
	near(t, "Attention with a scale and a cap", dst, formula(q, k, v, len(tokens), gemma))
}

// TestAttentionValues: equal scores share equally, a first token sees itself
// alone, a large score takes all and does not overflow.
func TestAttentionValues(t *testing.T) {
	check := func(what string, q, k, v, want []float32) {
		t.Helper()
		dst := dirty(len(q))
		kernel.Attention(dst, q, k, v, []kernel.Segment{{0, len(q), -1}}, nil, kernel.Heads{Query: 1, KV: 1, Dim: 1})
		same(t, what, dst, want)
	}
	check("equal scores", []float32{0, 0, 0, 0}, []float32{1, 2, 3, 4}, []float32{4, 8, 0, 0}, []float32{4, 6, 4, 3})
	check("large scores", []float32{1000, 1000, -1000}, []float32{1, 2, -3}, []float32{7, 8, 9}, []float32{7, 8, 9})
	kernel.Attention(nil, nil, nil, nil, nil, nil, kernel.Heads{Query: 1, KV: 1, Dim: 1})
}

// TestAttentionLong compares the instruction sets, bit for bit, and with the
// formula, over more keys than a block of the product has, for heads that fill
// no panel and queries that fill no tile.
func TestAttentionLong(t *testing.T) {
	for _, shape := range []struct{ rows, heads, kvHeads, headDim, window int }{
		{300, 3, 1, 40, 0}, {530, 2, 2, 4, 0}, {70, 50, 1, 8, 0}, {40, 2, 1, 300, 0}, {300, 3, 1, 40, 1}, {300, 3, 1, 40, 37}, {300, 3, 1, 40, 299}, {300, 3, 1, 40, 1000}, {700, 2, 1, 8, 100}, {600, 2, 1, 8, 257},
	} {
		h := kernel.Heads{Query: shape.heads, KV: shape.kvHeads, Dim: shape.headDim, Window: shape.window}
		q, k, v := normals(1, shape.rows*shape.heads*shape.headDim), normals(2, shape.rows*shape.kvHeads*shape.headDim), normals(3, shape.rows*shape.kvHeads*shape.headDim)
		var first []float32
		instructionSets(t, func(t *testing.T) {
			dst := dirty(len(q))
			kernel.Attention(dst, q, k, v, []kernel.Segment{{0, shape.rows, -1}}, nil, h)
			if first == nil {
				first = dst
			}
			same(t, fmt.Sprint("Attention ", shape), dst, first)
		})
		near(t, fmt.Sprint("Attention ", shape), first, formula(q, k, v, shape.rows, h))
	}
}

// TestAttentionOrder: segments that do not stand depth first are a mistake.
func TestAttentionOrder(t *testing.T) {
	panics(t, "a child behind another tree", func() {
		attention(numbers(0, 6), []kernel.Segment{{0, 2, -1}, {2, 4, -1}, {4, 6, 0}})
	})
}

// formula is Attention over one sequence, in float64.
func formula(q, k, v []float32, rows int, a kernel.Heads) []float64 {
	scale := float64(a.Scale)
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(a.Dim))
	}
	want := make([]float64, len(q))
	for r := range rows {
		for h := range a.Query {
			kv := h / (a.Query / a.KV)
			weights := make([]float64, r+1)
			var sum float64
			for j := range weights {
				if a.Window > 0 && j <= r-a.Window {
					continue // its weight stays 0
				}
				var score float64
				for i := range a.Dim {
					score += float64(q[(r*a.Query+h)*a.Dim+i]) * float64(k[(j*a.KV+kv)*a.Dim+i])
				}
				score *= scale
				if c := float64(a.Softcap); c > 0 {
					score = c * math.Tanh(score/c)
				}
				weights[j] = math.Exp(score)
				sum += weights[j]
			}
			for j, w := range weights {
				for i := range a.Dim {
					want[(r*a.Query+h)*a.Dim+i] += w / sum * float64(v[(j*a.KV+kv)*a.Dim+i])
				}
			}
		}
	}
	return want
}
