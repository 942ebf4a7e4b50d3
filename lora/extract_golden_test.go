package lora_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"surgeon/lora"
	"surgeon/tensors"
)

// TestGoldenExtraction compares extractions with the optimum of Eckart and Young,
// computed by numpy in float64, at the ranks of mergekit-extract-lora.
func TestGoldenExtraction(t *testing.T) {
	needGoldens(t)
	data, err := os.ReadFile(filepath.Join(goldens, "extract", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]struct {
		Base, Tune string
		Modules    map[string]struct {
			Rank           int
			Relative_error float64
			Optimum        float64
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	for name, g := range golden {
		base, tuned := open(t, filepath.Join(goldens, g.Base)), open(t, filepath.Join(goldens, g.Tune))
		delta, err := tensors.Diff(base, tuned)
		if err != nil {
			t.Fatal(err)
		}
		worst, compared := 0.0, 0
		for module, want := range g.Modules {
			include := func(tensor string) bool { return tensor == module+".weight" }
			x := decompose(t, delta, lora.DecomposeOptions{Embedding: true, Include: include, Ranks: lora.Ranks{Rank: want.Rank}})
			if len(x.Matrices) != 1 {
				continue // of norms
			}
			over, err := x.Adapter(0, nil).Over(base)
			if err != nil {
				t.Fatal(err)
			}
			list, err := lora.Residuals(t.Context(), one{delta, module + ".weight"}, over, nil)
			if err != nil {
				t.Fatal(err)
			}
			compared++
			got := list[0].Error()
			if want.Optimum > 1e-6 {
				worst = max(worst, got/want.Optimum)
			} else if got > 2e-6 {
				t.Errorf("%s, %s: error %g at full rank", name, module, got)
			}
			if m := x.Matrices[0]; math.Abs(m.Optimum(m.Rank)-want.Optimum) > 1e-6+0.01*want.Optimum {
				t.Errorf("%s, %s: optimum %v, numpy has %v", name, module, m.Optimum(m.Rank), want.Optimum)
			}
		}
		t.Logf("%s: %d modules, error at most %.6f of the optimum", name, compared, worst)
		if compared < 8 || !(worst <= 1.01) {
			t.Errorf("%s: %d modules, error %v times the optimum", name, compared, worst)
		}
	}
}

// one is a Delta's difference of one tensor.
type one struct {
	tensors.Delta
	name string
}

// Names implements tensors.Delta.
func (o one) Names() []string { return []string{o.name} }

// TestGoldenBlends: sums of adapters are the sums of what PEFT says they change, for
// the ways of PEFT that are exact.
func TestGoldenBlends(t *testing.T) {
	needGoldens(t)
	base := open(t, filepath.Join(goldens, "base"))
	adapter := func(path string) *lora.Adapter {
		a, err := lora.Open(filepath.Join(goldens, "blend", path))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { a.Close() })
		return a
	}
	first := adapter("one")
	check := func(other, result string, rank int, tolerance float64, weights ...float64) {
		t.Helper()
		sum, err := lora.Concatenated([]*lora.Adapter{first, adapter(other)}, weights)
		if err == nil && rank > 0 {
			sum, _, err = sum.Truncated(t.Context(), rank, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		near(t, result, over64(t, base, sum), over64(t, base, adapter("results/"+result)), tolerance)
	}
	check("two", "cat-two-w0.7_0.3", 0, 1e-6, 0.7, 0.3)
	check("two", "cat-two-w1.0_-1.0", 0, 1e-6, 1, -1)
	check("wide", "cat-wide-w0.7_0.3", 0, 1e-6, 0.7, 0.3)
	check("wide", "cat-wide-w1.0_-1.0", 0, 1e-6, 1, -1)
	check("two", "svd-two-rank8-w0.7_0.3", 8, 5e-6, 0.7, 0.3)
	check("two", "svd-two-rank3-w0.7_0.3", 3, 5e-6, 0.7, 0.3)
	check("two", "svd-two-rank3-w1.0_-1.0", 3, 5e-6, 1, -1)
	check("wide", "svd-wide-rank12-w1.0_-1.0", 12, 5e-6, 1, -1)
	check("wide", "svd-wide-rank12-w0.7_0.3", 12, 5e-6, 0.7, 0.3)
}
