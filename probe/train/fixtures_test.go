package train_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/probe/train"
	"surgeon/tensors"
)

// tiny is a model that makes a step in a millisecond: 4 query heads over 2, tied.
var tiny = decoder.Config{Family: "llama", Vocabulary: 48, Hidden: 32, Intermediate: 48, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 8, Context: 64,
	Epsilon: 1e-5, Tied: true, Layer: decoder.Layer{RoPE: decoder.RoPE{Theta: 1e4}}}

// tinyBase are its weights, always the same.
func tinyBase() *train.Weights { return train.Initialise(tiny, 0.08, 3) }

// sums are examples that can be learned: 1, a, b, 2, and then what a and b say.
func sums(n int) (list []train.Example) {
	for i := range n {
		a, b := int32(i%5), int32(i/5%5)
		list = append(list, train.Example{
			Tokens:  []int32{1, 10 + a, 20 + b, 2, 30 + a + b, 40 + b},
			Learned: []bool{false, false, false, false, true, true},
		})
	}
	return list
}

// sliced are the examples of sums in two slices, one thrice as large.
func sliced(n int) []train.Example {
	list := sums(n)
	for i := range list {
		list[i].Slice = []string{"large", "large", "large", "small"}[i%4]
	}
	return list
}

// allData are data for every option.
func allData() train.Data {
	return train.Data{Domain: sums(13), Replay: sliced(12), Unlabelled: examples(5, 7, tiny.Vocabulary)}
}

// ways are the ways to train, each with data of allData.
var ways = map[string]train.Options{
	"full":             {Steps: 8, BatchTokens: 24, LearningRate: 3e-3, WarmUp: 3, Seed: 4},
	"replay, KL, pull": {Steps: 8, BatchTokens: 24, LearningRate: 3e-3, WarmUp: 3, WeightDecay: 0.1, ReplayShare: 0.4, KL: 0.5, UnlabelledTokens: 15, L2SP: 2, ClipNorm: -1},
	"LoRA, KL":         {Steps: 8, BatchTokens: 24, LearningRate: 3e-2, WarmUp: 2, ReplayShare: 0.4, KL: 0.5, UnlabelledTokens: 15, LowRank: &train.LowRank{Rank: 3, Alpha: 6}},
	"frozen":           {Steps: 8, BatchTokens: 24, LearningRate: 3e-3, WarmUp: 3, Frozen: frozenBelow},
}

// frozenBelow freezes the embedding, the first block and a norm.
func frozenBelow(name string) bool {
	return strings.Contains(name, "embed_tokens") || strings.Contains(name, "layers.0.") || name == "model.norm.weight"
}

func begun(t *testing.T, c decoder.Config, base tensors.Source, data train.Data, opt train.Options) *train.Run {
	t.Helper()
	r, err := train.New(c, base, data, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stepped makes n steps.
func stepped(t *testing.T, r *train.Run, n int) (reports []train.Report) {
	t.Helper()
	for range n {
		report, err := r.Step()
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, report)
	}
	return reports
}

// values are those of a tensor.
func values(t *testing.T, src tensors.Source, name string) []float32 {
	t.Helper()
	info, ok := src.Info(name)
	if !ok {
		t.Fatalf("there is no tensor %q", name)
	}
	list := make([]float32, info.Len())
	if err := src.Read(list, name, 0); err != nil {
		t.Fatal(err)
	}
	return list
}

// saved are the files of a run's state, by name.
func saved(t *testing.T, r *train.Run) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if err := r.Save(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	return files(t, dir)
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

// sameState checks that two runs stand at the same bits: values, moments, step and
// what was drawn.
func sameState(t *testing.T, what string, got, want *train.Run) {
	t.Helper()
	a, b := saved(t, got), saved(t, want)
	if len(a) != 2 || len(b) != 2 {
		t.Fatalf("%s: a state of %d and %d files, want 2", what, len(a), len(b))
	}
	for name, data := range b {
		if a[name] != data {
			t.Errorf("%s: %s differs", what, name)
		}
	}
}

// moved lists the tensors of a model whose values are not the base's.
func moved(t *testing.T, now, base tensors.Source) (names []string) {
	t.Helper()
	for _, name := range now.Names() {
		if !slices.Equal(values(t, now, name), values(t, base, name)) {
			names = append(names, name)
		}
	}
	return names
}

// lossOf is the mean loss of a model on examples by the decoder, nats a token.
func lossOf(t *testing.T, c decoder.Config, src tensors.Source, list []train.Example) float64 {
	t.Helper()
	m, err := decoder.Open(c, src)
	if err != nil {
		t.Fatal(err)
	}
	var requests []decoder.Request
	for _, e := range list {
		first := slices.Index(e.Learned, true)
		requests = append(requests, decoder.Request{Prompt: e.Tokens[:first], Continuations: [][]int32{e.Tokens[first:]}})
	}
	responses, err := m.Score(context.Background(), requests, decoder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	total, n := 0.0, 0
	for i, r := range responses {
		total, n = total-r.LogProbs[0], n+len(requests[i].Continuations[0])
	}
	return total / float64(n)
}

// almost reports whether two numbers differ by no more than rounding in float32.
func almost(a, b float64) bool { return math.Abs(a-b) <= 2e-6*max(1, math.Abs(a)) }
