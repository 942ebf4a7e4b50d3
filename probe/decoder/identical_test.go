package decoder_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"surgeon/merge"
	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// pattern is every number of a response by its bits.
func pattern(r decoder.Response) (list []uint64) {
	number := func(v float64) { list = append(list, math.Float64bits(v)) }
	for i, tokens := range r.Tokens {
		number(r.LogProbs[i])
		for _, v := range tokens {
			number(v)
		}
		if r.Greedy[i] {
			list = append(list, 1)
		}
	}
	for _, v := range r.Logits {
		number(float64(v))
	}
	return list
}

// checkSame checks that two runs gave the same bits, and that there are any.
func checkSame(t *testing.T, what string, got, want []decoder.Response) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d responses, want %d", what, len(got), len(want))
	}
	for i := range want {
		g, w := pattern(got[i]), pattern(want[i])
		if len(w) == 0 {
			t.Fatalf("%s: request %d has no numbers: nothing is proved", what, i+1)
		}
		if !slices.Equal(g, w) {
			t.Errorf("%s: the bits of request %d differ", what, i+1)
		}
	}
}

func score(t *testing.T, m *decoder.Model, requests []decoder.Request) []decoder.Response {
	t.Helper()
	got, err := m.Score(context.Background(), requests, decoder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// mixed are requests that share much, a little and nothing, that come twice
// and that begin one another.
func mixed() []decoder.Request {
	long, other := ids(1, 60, picoVocabulary), ids(2, 23, picoVocabulary)
	return []decoder.Request{
		{Prompt: long[:40], Continuations: [][]int32{long[40:44], {1}, {1, 2, 3}, long[40:41]}},
		{Prompt: long[:40], Logits: true},
		{Prompt: long[:37], Continuations: [][]int32{long[37:60]}},
		{Prompt: other, Continuations: [][]int32{{5}, {5}, {5, 5}}, Logits: true},
		{Prompt: long[:40], Continuations: [][]int32{long[40:44], {1}}},
		{Prompt: other[:1], Logits: true},
		{Prompt: other[5:9], Continuations: [][]int32{other[9:15]}},
		{Prompt: slices.Concat(long[:20], other), Logits: true},
	}
}

var identityPicos = []tensorstest.Pico{{Seed: 7}, {Seed: 8, DType: tensors.F32, Untied: true, Layers: 3}}

// TestSameBits scores the same requests in many ways.
func TestSameBits(t *testing.T) {
	for _, p := range identityPicos {
		t.Run(fmt.Sprint(p.Seed), func(t *testing.T) {
			requests := mixed()
			want := score(t, pico(t, p), requests)
			sameForThreads(t, p, requests, want)
			sameForOrder(t, p, requests, want)
			sameForBatches(t, p, requests, want)
		})
	}
}

func sameForThreads(t *testing.T, p tensorstest.Pico, requests []decoder.Request, want []decoder.Response) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, threads := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(threads)
		checkSame(t, fmt.Sprintf("%d threads", threads), score(t, pico(t, p), requests), want)
	}
}

func sameForOrder(t *testing.T, p tensorstest.Pico, requests []decoder.Request, want []decoder.Response) {
	t.Helper()
	m := pico(t, p)
	checkSame(t, "a second time", score(t, m, requests), want)
	checkSame(t, "a third time", score(t, m, requests), want)
	for shift := range requests {
		turned := slices.Concat(requests[shift:], requests[:shift])
		slices.Reverse(turned)
		wanted := slices.Concat(want[shift:], want[:shift])
		slices.Reverse(wanted)
		checkSame(t, fmt.Sprintf("turned by %d and reversed", shift), score(t, m, turned), wanted)
		checkSame(t, fmt.Sprintf("request %d alone", shift+1), score(t, m, requests[shift:shift+1]), want[shift:shift+1])
	}
}

// sameForBatches cuts the requests, whose forest has about 150 rows, into
// batches and passes of all sizes.
func sameForBatches(t *testing.T, p tensorstest.Pico, requests []decoder.Request, want []decoder.Response) {
	t.Helper()
	m := pico(t, p)
	for _, limit := range []int{1, 2, 41, 64, 100, 1000} {
		for _, pass := range []int{1, 3, 100} {
			got, err := decoder.ScoreBy(m, requests, limit, pass)
			if err != nil {
				t.Fatal(err)
			}
			checkSame(t, fmt.Sprintf("batches of %d rows, %d a pass", limit, pass), got, want)
		}
	}
}

// TestManyPasses has more rows than are held at a time: 40 prompts of 430
// tokens are 17,200 rows, and a pass holds 4,096.
func TestManyPasses(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds: left out by -short")
	}
	p := tensorstest.Pico{Seed: 9, Layers: 1}
	var requests []decoder.Request
	for i := range 40 {
		requests = append(requests, decoder.Request{Prompt: ids(uint64(100+i), 430, picoVocabulary), Continuations: [][]int32{{int32(i)}}})
	}
	var reads []string
	m := mustOpen(t, picoConfig(t, p), unreadable{p.Weights(), "no tensor", &reads})
	var last, total int64
	got, err := m.Score(context.Background(), requests, decoder.Options{Progress: func(done, all int64) {
		if done <= last || done > all {
			t.Errorf("progress goes from %d to %d of %d", last, done, all)
		}
		last, total = done, all
	}})
	if err != nil {
		t.Fatal(err)
	}
	if last != total || total != 40*430 { // times one layer
		t.Errorf("progress ends at %d of %d, want 17200", last, total)
	}
	// Five passes read each weight of the layer five times: rows of the
	// embedding, nine tensors. The embedding as head and the norm are kept.
	if want := 5*(1+9) + 1 + 1; len(reads) != want {
		t.Errorf("%d tensors were read, want %d: %q", len(reads), want, reads)
	}
	for _, i := range []int{0, 37, 38, 39} {
		checkSame(t, fmt.Sprintf("request %d alone", i+1), score(t, m, requests[i:i+1]), got[i:i+1])
	}
}

// TestLazyMerge scores a merge that was never written and the same merge from
// a file.
func TestLazyMerge(t *testing.T) {
	for _, d := range []tensors.DType{tensors.BF16, tensors.F16, tensors.F32} {
		base, chem := tensorstest.Pico{Seed: 7, DType: d}, tensorstest.Pico{Seed: 7, DType: d, Drift: 0.2}
		c := picoConfig(t, base)
		from, to := base.Weights(), chem.Weights()
		difference, err := tensors.Diff(from, to)
		if err != nil {
			t.Fatal(err)
		}
		merged := func(alpha float64) *merge.Model {
			m, err := merge.Apply(from, merge.Term{Label: "chem", Delta: difference, Alpha: merge.Number(alpha)})
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		at := func(src tensors.Source) []decoder.Response { return score(t, mustOpen(t, c, src), mixed()) }
		checkSame(t, string(d)+" at alpha 0", at(merged(0)), at(from))
		checkSame(t, string(d)+" at alpha 1", at(merged(1)), at(to))

		lazy := at(merged(0.37))
		checkSame(t, string(d)+" at alpha 0.37", lazy, at(written(t, merged(0.37))))
		for i, other := range [][]decoder.Response{at(from), at(to)} {
			if slices.Equal(pattern(lazy[0]), pattern(other[0])) {
				t.Errorf("%s: the merge scores like its side %d: nothing is proved", d, i)
			}
		}
	}
}

// written writes a Source as a model directory and opens it.
func written(t *testing.T, src tensors.Source) tensors.Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "merged")
	if _, err := tensors.Write(context.Background(), path, src, tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	c, err := tensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
