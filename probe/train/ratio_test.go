//go:build ratio

package train_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"surgeon/probe/train"
)

// TestTrainingRatio times steps of training against PyTorch on the same shapes: 8
// sequences of 96 tokens through the embedded pair's model, AdamW and clipping.
// PyTorch is taken at its best of one and two threads, explicit and fused
// attention, eager and compiled. What others do on the machine changes from one
// second to the next, so that both sides make a few steps in turn, and the ratio
// of their medians is taken turn by turn. SURGEON_PYTHON has torch.
func TestTrainingRatio(t *testing.T) {
	python := os.Getenv("SURGEON_PYTHON")
	if python == "" {
		t.Skip("SURGEON_PYTHON is not set: there is nothing to compare with")
	}
	r, err := train.New(embedded, train.Initialise(embedded, 0.05, 1), train.Data{Domain: examples(64, 97, embedded.Vocabulary)},
		train.Options{Steps: 1 << 20, LearningRate: 1e-4})
	if err != nil {
		t.Fatal(err)
	}
	peer := exec.Command(python, "testdata/torchtrain.py", "../../testdata/pair/scratch/config.json", "--steps", "40", "--race")
	peer.Stderr = os.Stderr
	turns, err := peer.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := peer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := peer.Start(); err != nil {
		t.Fatal(err)
	}
	answers := json.NewDecoder(out)
	var ways struct {
		Best json.RawMessage `json:"best"`
	}
	if err := answers.Decode(&ways); err != nil {
		t.Fatal(err)
	}

	const steps = 12
	var ours, eager, best, toEager, toBest []float64 // by turn
	for turn := range 31 {
		var took []float64
		for range steps {
			start := time.Now()
			if _, err := r.Step(); err != nil {
				t.Fatal(err)
			}
			took = append(took, time.Since(start).Seconds())
		}
		var theirs struct{ Eager, Best []float64 }
		fmt.Fprintln(turns, steps)
		if err := answers.Decode(&theirs); err != nil {
			t.Fatal(err)
		}
		if turn == 0 { // caches are cold, and a branch may be compiled yet
			continue
		}
		o, e, b := median(took), median(theirs.Eager), median(theirs.Best)
		ours, eager, best = append(ours, o), append(eager, e), append(best, b)
		toEager, toBest = append(toEager, e/o), append(toBest, b/o)
	}
	turns.Close()
	if err := peer.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(toBest)
	t.Logf("a step of 768 tokens (medians of %d turns): %.1f ms, %.0f tokens/s; PyTorch eager %.1f ms: %.2f times as fast; PyTorch at its best %.1f ms: %.2f times as fast, quarter to three quarters of the turns %.2f to %.2f (wanted: 1.0); its best: %s",
		len(ours), 1e3*median(ours), 768/median(ours), 1e3*median(eager), median(toEager), 1e3*median(best), median(toBest), toBest[len(toBest)/4], toBest[len(toBest)*3/4], ways.Best)
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}
