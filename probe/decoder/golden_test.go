package decoder_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/tensors"
)

// forward holds what transformers 5.23 computes on tiny random models; see the
// README there.
const forward = "../../../shared/golden/forward"

type golden struct {
	Prompts []struct {
		IDs           []int32     `json:"ids"`
		LastLogits    []float64   `json:"last_logits"`
		Logits        [][]float64 `json:"logits"`
		LogLikelihood struct {
			Prompt       []int32   `json:"prompt"`
			Continuation []int32   `json:"continuation"`
			Sum          float64   `json:"sum"`
			Tokens       []float64 `json:"tokens"`
			IsGreedy     bool      `json:"is_greedy"`
		} `json:"loglikelihood"`
		Greedy struct {
			IDs []int32   `json:"ids"`
			Gap []float64 `json:"top2_gap"`
		} `json:"greedy"`
	} `json:"prompts"`
}

// TestForwardGoldens runs the goldens of testdata, those of ../shared and those
// of a folder of one's own, made by testdata/make_forward.py with other seeds.
func TestForwardGoldens(t *testing.T) {
	for _, folder := range []string{"testdata/forward", forward, os.Getenv("SURGEON_FORWARD")} {
		files, _ := filepath.Glob(filepath.Join(folder, "*", "golden.json"))
		if len(files) == 0 {
			t.Logf("%q has no goldens: skipped", folder)
		}
		for _, file := range files {
			t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) { compareGolden(t, open(t, filepath.Dir(file)), readGolden(t, file)) })
		}
	}
}

func readGolden(t *testing.T, file string) (g golden) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func compareGolden(t *testing.T, m *decoder.Model, g golden) {
	t.Helper()
	var requests []decoder.Request
	for _, p := range g.Prompts {
		requests = append(requests,
			decoder.Request{Prompt: p.IDs, Logits: true},
			decoder.Request{Prompt: p.LogLikelihood.Prompt, Continuations: [][]int32{p.LogLikelihood.Continuation}})
		for i := range p.Logits {
			requests = append(requests, decoder.Request{Prompt: p.IDs[:i+1], Logits: true})
		}
	}
	got, err := m.Score(context.Background(), requests, decoder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var worst, worstSum float64
	for _, p := range g.Prompts {
		worst = max(worst, farthest(t, got[0].Logits, p.LastLogits))
		worstSum = max(worstSum, math.Abs(got[1].LogProbs[0]-p.LogLikelihood.Sum))
		if got[1].Greedy[0] != p.LogLikelihood.IsGreedy {
			t.Errorf("greedy is %v, want %v", got[1].Greedy[0], p.LogLikelihood.IsGreedy)
		}
		got = got[2:]
		for _, want := range p.Logits {
			worst = max(worst, farthest(t, got[0].Logits, want))
			got = got[1:]
		}
	}
	t.Logf("greatest |logit difference| %.2g, of log-likelihood sums %.2g nats", worst, worstSum)
	if !(worst <= 2e-4) {
		t.Errorf("greatest |logit difference| is %g, more than 2e-4", worst)
	}
	if !(worstSum <= 1e-3) {
		t.Errorf("greatest difference of a log-likelihood sum is %g, more than 1e-3", worstSum)
	}
}

func farthest(t *testing.T, got []float32, want []float64) float64 {
	t.Helper()
	if len(got) != len(want) || len(got) == 0 {
		t.Fatalf("%d logits, want %d", len(got), len(want))
	}
	var worst float64
	for i := range want {
		worst = max(worst, math.Abs(float64(got[i])-want[i]))
	}
	return worst
}

// open opens a model directory.
func open(t testing.TB, dir string) *decoder.Model {
	t.Helper()
	c, err := tensors.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := decoder.ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	m, err := decoder.Open(config, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
