//go:build ratio

package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"surgeon/tensors/kernel"
)

// TestHarnessRatios times score against lm-evaluation-harness (HF backend,
// float32, two threads, at the batch size that is best for it) on the real base
// and real benchmark data: the whole command here, evaluation without loading
// there. SURGEON_PAIR has the base, SURGEON_PYTHON lm_eval; SURGEON_ISA chooses
// the instructions. It takes half an hour.
func TestHarnessRatios(t *testing.T) {
	pair, python := os.Getenv("SURGEON_PAIR"), os.Getenv("SURGEON_PYTHON")
	goldens := "../../shared/golden/lm_eval"
	if _, err := os.Stat(goldens); pair == "" || python == "" || err != nil {
		t.Skip("SURGEON_PAIR, SURGEON_PYTHON and ../shared are needed")
	}
	sets := []string{kernel.Instructions()}
	if kernel.Use("amx") == nil {
		sets = append(sets, "amx")
		t.Cleanup(func() { kernel.Use(sets[0]) })
	}
	nltk := t.TempDir()
	program(t, python, filepath.Join(goldens, "make_punkt_tab.py"), "../../shared/data/punkt/english.json", nltk)
	for _, job := range []struct {
		name, tasks, theirs, shots, limit string
		least                             float64 // times as fast
		own                               []string
		batches                           []string
	}{
		{"mmlu", "mmlu_SUBJECT", "local_mmlu_letters_SUBJECT", "5", "20", 10, nil, []string{"1", "8"}},
		{"gsm8k, shots per seed", "gsm8k", "local_gsm8k", "5", "64", 8, []string{"--shots-per", "seed"}, []string{"16", "64"}},
		{"gsm8k, shots per item", "gsm8k", "local_gsm8k", "5", "64", 8, nil, nil},
		{"ifeval", "ifeval", "local_ifeval", "0", "64", 5, nil, []string{"16", "64"}},
	} {
		t.Run(job.name, func(t *testing.T) {
			args := append([]string{"score", filepath.Join(pair, "base"), "--tasks", subjects(t, job.tasks), "--data", "../../shared/data", "--num-fewshot", job.shots, "--limit", job.limit}, job.own...)
			ours := map[string]float64{} // seconds, the better of two
			measure := func() {
				for _, set := range sets {
					if err := kernel.Use(set); err != nil {
						t.Fatal(err)
					}
					start := time.Now()
					command(t, args...)
					if took := time.Since(start).Seconds(); ours[set] == 0 || took < ours[set] {
						ours[set] = took
					}
				}
			}
			measure()
			theirs, best := 0.0, ""
			for _, batch := range job.batches {
				var out bytes.Buffer
				cmd := exec.Command(python, "../probe/testdata/peers.py", "harness", filepath.Join(pair, "base"), filepath.Join(goldens, "tasks"), nltk, subjects(t, job.theirs), job.shots, job.limit, batch)
				cmd.Stdout = &out
				if err := cmd.Run(); err != nil {
					t.Fatalf("lm_eval: %v", err)
				}
				var answer struct{ Seconds float64 }
				if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
					t.Fatal(err)
				}
				if theirs == 0 || answer.Seconds < theirs {
					theirs, best = answer.Seconds, batch
				}
			}
			measure()
			for _, set := range sets {
				if theirs == 0 { // no batches: there is nothing to compare with
					t.Logf("%s: %s %.1f s", job.name, set, ours[set])
					continue
				}
				t.Logf("%s: %s %.1f s, lm_eval %.1f s at batch size %s: %.1f times as fast (wanted: %.0f)", job.name, set, ours[set], theirs, best, theirs/ours[set], job.least)
			}
		})
	}
}

// subjects is a list of tasks, of the first twelve subjects where a name stands
// for them.
func subjects(t *testing.T, name string) string {
	if !strings.Contains(name, "SUBJECT") {
		return name
	}
	files, err := filepath.Glob("../../shared/data/mmlu/test/*_test.csv")
	if err != nil || len(files) < 12 {
		t.Fatal("no MMLU data", err)
	}
	var list []string
	for _, file := range files[:12] {
		list = append(list, strings.ReplaceAll(name, "SUBJECT", strings.TrimSuffix(filepath.Base(file), "_test.csv")))
	}
	return strings.Join(list, ",")
}
