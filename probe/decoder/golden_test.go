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

// forwardCases are the goldens of the families that this package runs.
var forwardCases = []string{"llama-tied", "llama-untied-bf16", "llama-llama3rope", "llama-linear-mha-bias", "mistral-window8", "qwen2-bf16", "qwen3", "phi3", "phi3-partial-legacy"}

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
	} `json:"prompts"`
}

func TestForwardGoldens(t *testing.T) {
	if _, err := os.Stat(forward); err != nil {
		t.Skipf("the forward goldens are not there: %v", err)
	}
	for _, name := range forwardCases {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(forward, name)
			m := open(t, dir)
			var g golden
			data, err := os.ReadFile(filepath.Join(dir, "golden.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &g); err != nil {
				t.Fatal(err)
			}
			compareGolden(t, m, g)
		})
	}
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
