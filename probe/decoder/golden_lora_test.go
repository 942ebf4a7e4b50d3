package decoder_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"surgeon/lora"
	"surgeon/merge"
	"surgeon/probe/decoder"
	"surgeon/tensors"
)

// TestGoldenAdapters compares the logits of bases with adapters of every kind, which
// are never written, with PEFT's.
func TestGoldenAdapters(t *testing.T) {
	const goldens = "../../../shared/golden/lora"
	cases, err := filepath.Glob(goldens + "/cases/*")
	if err != nil || len(cases) == 0 {
		t.Skip("the LoRA goldens are not there")
	}
	compared := 0
	for _, dir := range cases {
		name := filepath.Base(dir)
		var golden struct {
			Base string
			IDs  [][]int32
		}
		decodeJSON(t, filepath.Join(dir, "golden.json"), &golden)
		if golden.Base == "gpt2" {
			continue // no family of the decoder
		}
		base, err := tensors.Open(filepath.Join(goldens, golden.Base))
		if err != nil {
			t.Fatal(err)
		}
		defer base.Close()
		a, err := lora.Open(filepath.Join(dir, "adapter"))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		delta, err := a.Over(base)
		if err != nil {
			t.Fatal(err)
		}
		m, err := merge.Apply(base, merge.Term{Label: name, Delta: delta, Alpha: merge.Number(1)})
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(goldens, golden.Base, "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := decoder.ParseConfig(data)
		if err != nil {
			t.Fatal(err)
		}
		want, err := tensors.Open(filepath.Join(dir, "logits.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer want.Close()
		tolerance, farthest := 1e-4, 0.0
		if name == "bf16" { // PEFT computes in bfloat16
			tolerance = 1
		}
		for i, ids := range golden.IDs {
			var requests []decoder.Request
			for n := range ids {
				requests = append(requests, decoder.Request{Prompt: ids[:n+1], Logits: true})
			}
			logits := make([]float32, len(ids)*c.Vocabulary)
			if err := want.Read(logits, fmt.Sprintf("adapter.%d", i), 0); err != nil {
				t.Fatal(err)
			}
			for n, r := range score(t, mustOpen(t, c, m), requests) {
				for token, v := range r.Logits {
					farthest = max(farthest, math.Abs(float64(v-logits[n*c.Vocabulary+token])))
				}
			}
		}
		t.Logf("%s: logits differ by at most %.2g", name, farthest)
		if !(farthest <= tolerance) {
			t.Errorf("%s: logits differ by %g, more than %g", name, farthest, tolerance)
		}
		compared++
	}
	if compared < 19 {
		t.Errorf("%d kinds of adapters were compared", compared)
	}
}

func decodeJSON(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}
