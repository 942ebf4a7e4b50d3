//go:build ratio

package probe_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/decoder"
	"surgeon/probe/task"
	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// TestEngineRatios times the engine against transformers on the real pair, one
// after the other on the same machine. It needs SURGEON_PAIR, and SURGEON_PYTHON
// for the peers' side: a python with torch, transformers and numpy.
func TestEngineRatios(t *testing.T) {
	dir := needPair(t, "base")
	m := openModel(t, dir)
	t.Logf("%d cores, %s", runtime.GOMAXPROCS(0), kernel.Instructions())
	prompts := func(n, length int) (list [][]int32) {
		random := rand.New(rand.NewPCG(1, 2))
		for range n {
			ids := make([]int32, length)
			for i := range ids {
				ids[i] = 1000 + random.Int32N(39000)
			}
			list = append(list, ids)
		}
		return list
	}
	report := func(what string, ours float64, peer map[string]any, key string) {
		t.Helper()
		if theirs, ok := peer[key].(float64); ok {
			t.Logf("%s: %.0f, transformers %.0f: ratio %.2f %v", what, ours, theirs, ours/theirs, peer)
			return
		}
		t.Logf("%s: %.0f (no peer: SURGEON_PYTHON is not set)", what, ours)
	}

	var requests []decoder.Request
	for _, ids := range prompts(32, 128) {
		requests = append(requests, decoder.Request{Prompt: ids, Continuations: [][]int32{{5}}})
	}
	d := m.decoder(t)
	best := fastest(t, 3, func() { score(t, d, requests) })
	report("prefill of 32 x 128 tokens, tokens/s", 32*128/best.Seconds(), peer(t, "prefill", dir), "tokens_per_second")

	var texts []decoder.Generation
	for _, ids := range prompts(32, 32) {
		texts = append(texts, decoder.Generation{Prompt: ids, MaxTokens: 64})
	}
	d.Keep()
	best = fastest(t, 3, func() {
		if _, err := d.Generate(context.Background(), texts, decoder.GenerateOptions{}); err != nil {
			t.Fatal(err)
		}
	})
	report("generation of 32 x 64 tokens, tokens/s", 32*64/best.Seconds(), peer(t, "generate", dir), "tokens_per_second")

	chem := openModel(t, needPair(t, "chem"))
	mcq := readCloze(t, "general_cloze", 130)
	delta, err := tensors.Diff(m.weights, chem.weights)
	if err != nil {
		t.Fatal(err)
	}
	var candidates []probe.Candidate
	for i := range 11 {
		m, err := merge.Apply(m.weights, merge.Term{Label: "chem", Delta: delta, Alpha: merge.Number(float64(i) / 10)})
		if err != nil {
			t.Fatal(err)
		}
		candidates = append(candidates, probe.Candidate{ID: "alpha", Source: m})
	}
	b := &probe.Bench{Config: m.config, Tokenizer: m.tokenizer, Tasks: []task.Task{mcq}}
	start := time.Now()
	mustScore(t, b, candidates...)
	ours := time.Since(start).Seconds() / 11
	report("a sweep's alpha on 130 items, 1/hours", 3600/ours, perHour(peer(t, "sweep", dir, needPair(t, "chem"), needShared(t, "pair", "data", "general_cloze.jsonl"), "130")), "per_hour")
	if p := peer(t, "gemm", dir); p != nil {
		t.Logf("torch's matrix products, GFLOP/s: %v (surgeon's: go test -bench Multiply ./tensors/kernel)", p["gflops"])
	}
}

func perHour(p map[string]any) map[string]any {
	if p != nil {
		p["per_hour"] = 3600 / p["seconds"].(float64)
	}
	return p
}

func fastest(t *testing.T, n int, do func()) time.Duration {
	t.Helper()
	best := time.Duration(1 << 62)
	for range n {
		start := time.Now()
		do()
		best = min(best, time.Since(start))
	}
	return best
}

func score(t *testing.T, d *decoder.Model, requests []decoder.Request) {
	t.Helper()
	if _, err := d.Score(context.Background(), requests, decoder.Options{}); err != nil {
		t.Fatal(err)
	}
}

// peer runs the peers' side of a benchmark, or returns nil.
func peer(t *testing.T, args ...string) map[string]any {
	t.Helper()
	python := os.Getenv("SURGEON_PYTHON")
	if python == "" {
		return nil
	}
	out, err := exec.Command(python, append([]string{"testdata/peers.py"}, args...)...).Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	var result map[string]any
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatalf("%v: %v in %s", args, err, out)
	}
	return result
}
