package kernel_test

import (
	"fmt"
	"testing"

	"surgeon/tensors/kernel"
)

// TestCache runs a sequence in steps, each behind the caches of the ones
// before, in two branches that share a beginning: the bits of the sequence run
// at once. The pages of 256 tokens are left, met and crossed.
func TestCache(t *testing.T) {
	for _, h := range []kernel.Heads{{Query: heads, KV: kvHeads, Dim: headDim}, {Query: heads, KV: kvHeads, Dim: headDim, Window: 40, Softcap: 3}} {
		processors(t, func(t *testing.T) {
			for _, steps := range [][]int{{1, 2, 3, 600}, {255, 256, 257, 258}, {30, 256, 512, 520}, {300, 301, 302, 303, 333, 700}} {
				total := steps[len(steps)-1]
				whole := run(numbers(0, total), []kernel.Segment{{0, total, -1}}, nil, h)
				stem, low := new(kernel.Cache), 0
				for _, high := range steps {
					// The same tokens twice: behind the stem, and behind a fork of it.
					n := high - low
					branch := stem.Prefix(stem.Len())
					got := run(append(numbers(low, high), numbers(low, high)...), []kernel.Segment{{0, n, -1}, {n, 2 * n, -1}}, []*kernel.Cache{stem, branch}, h)
					want := whole[low*heads*headDim : high*heads*headDim]
					same(t, fmt.Sprint("tokens to ", high, " of ", steps), got[:len(want)], want)
					same(t, fmt.Sprint("the fork's tokens to ", high, " of ", steps), got[len(want):], want)
					if stem.Len() != high || branch.Len() != high {
						t.Fatalf("the caches have %d and %d tokens, not %d", stem.Len(), branch.Len(), high)
					}
					stem, low = branch, high
				}
			}
		})
	}
}

// TestCacheOfTree fills the caches of a tree's segments and goes on from its
// leaves: each is as if it had been run alone.
func TestCacheOfTree(t *testing.T) {
	h := kernel.Heads{Query: heads, KV: kvHeads, Dim: headDim}
	for _, prompt := range []int{5, 255, 256, 300} {
		// A prompt, and two ways on; then a token behind each.
		caches := []*kernel.Cache{new(kernel.Cache), new(kernel.Cache), new(kernel.Cache)}
		run(numbers(0, prompt+5), []kernel.Segment{{0, prompt, -1}, {prompt, prompt + 2, 0}, {prompt + 2, prompt + 5, 0}}, caches, h)
		got := run([]int{900, 901}, []kernel.Segment{{0, 1, -1}, {1, 2, -1}}, caches[1:], h)
		for branch, tokens := range [][]int{
			append(numbers(0, prompt+2), 900), append(append(numbers(0, prompt), numbers(prompt+2, prompt+5)...), 901),
		} {
			alone := run(tokens, []kernel.Segment{{0, len(tokens), -1}}, nil, h)
			const width = heads * headDim
			same(t, fmt.Sprint("branch ", branch, " of a prompt of ", prompt), got[branch*width:(branch+1)*width], alone[len(alone)-width:])
		}
	}
}

// TestCacheBytes: shared pages are counted once by nobody, so it is an upper
// bound that grows with the tokens by whole panels.
func TestCacheBytes(t *testing.T) {
	check := func(tokens int, want int64) {
		t.Helper()
		if got := kernel.CacheBytes(tokens, 3, 64); got != want {
			t.Errorf("a cache of %d tokens takes %d bytes, not %d", tokens, got, want)
		}
	}
	const position = 2 * 3 * 64 * 4
	check(0, 0)
	check(1, 32*position)
	check(33, 64*position)
	check(65, 128*position)
	check(256, 256*position)
	check(257, (256+32)*position)
}

func run(tokens []int, segments []kernel.Segment, caches []*kernel.Cache, h kernel.Heads) []float32 {
	q, k, v := rowsOf(tokens)
	dst := dirty(len(q))
	kernel.Attention(dst, q, k, v, segments, caches, h)
	return dst
}
