package train_test

import (
	"runtime"
	"testing"

	"surgeon/probe/train"
)

// TestMemory holds the estimate against what is in use behind a step.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a gigabyte: left out by -short")
	}
	all := train.LowRank{Rank: 16, Alpha: 32}
	two := train.LowRank{Rank: 16, Alpha: 32, Targets: []string{"q_proj", "v_proj"}}
	check := func(what string, opt train.Options) {
		t.Helper()
		opt.Steps, opt.LearningRate = 1, 1e-3
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		data := train.Data{Domain: examples(64, 97, embedded.Vocabulary), Unlabelled: examples(8, 97, embedded.Vocabulary)}
		r := begun(t, embedded, train.Initialise(embedded, 0.05, 1), data, opt)
		stepped(t, r, 1)
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(r)
		took, estimate := float64(after.HeapAlloc-before.HeapAlloc), float64(train.Memory(embedded, opt))
		t.Logf("%-24s %4.0f MB, estimated %4.0f", what, took/1e6, estimate/1e6)
		if estimate < 0.85*took || estimate > 1.5*took {
			t.Errorf("%s: %.0f MB are estimated, %.0f are used", what, estimate/1e6, took/1e6)
		}
	}
	check("few rows", train.Options{BatchTokens: 128})
	check("many rows", train.Options{BatchTokens: 1536})
	check("pull", train.Options{BatchTokens: 128, L2SP: 1})
	check("divergence", train.Options{BatchTokens: 1024, KL: 1})
	check("adapter", train.Options{BatchTokens: 1024, LowRank: &all})
	check("adapter of two", train.Options{BatchTokens: 1024, LowRank: &two})
	check("adapter, divergence", train.Options{BatchTokens: 768, LowRank: &all, KL: 1})
}

// TestGradientMemory holds the estimate against what is in use.
func TestGradientMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a gigabyte: left out by -short")
	}
	for _, opt := range []train.GradientOptions{{BatchTokens: 128}, {}} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		g := gradients(t, embedded, train.Initialise(embedded, 0.05, 1), opt)
		meanOf(t, g, examples(8, 97, embedded.Vocabulary))
		if _, err := g.Loss(t.Context(), examples(8, 97, embedded.Vocabulary)); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(g)
		took, estimate := float64(after.HeapAlloc-before.HeapAlloc), float64(train.GradientMemory(embedded, opt))
		t.Logf("%d rows: %4.0f MB, estimated %4.0f", opt.BatchTokens, took/1e6, estimate/1e6)
		if estimate < 0.85*took || estimate > 1.5*took {
			t.Errorf("%.0f MB are estimated, %.0f are used", estimate/1e6, took/1e6)
		}
	}
}
