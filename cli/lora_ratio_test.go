//go:build ratio

package cli

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestExtractRatio times lora extract at rank 32 against mergekit-extract-lora on a
// pair, in turns, both as commands that write their adapter; and the rescaling of
// what it wrote. SURGEON_PAIR has the pair, SURGEON_MERGEKIT is the program.
func TestExtractRatio(t *testing.T) {
	pair, mergekit := os.Getenv("SURGEON_PAIR"), os.Getenv("SURGEON_MERGEKIT")
	if pair == "" || mergekit == "" {
		t.Skip("SURGEON_PAIR and SURGEON_MERGEKIT are needed")
	}
	dir := t.TempDir()
	base, chem := filepath.Join(pair, "base"), filepath.Join(pair, "chem")
	ours, theirs, rescaled := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs"), filepath.Join(dir, "rescaled")
	jobs := []*job{
		{name: "mergekit-extract-lora", work: func() {
			program(t, mergekit, "--model", chem, "--base-model", base, "--out-path", theirs, "--max-rank", "32", "--no-copy-tokenizer", "--device", "cpu")
		}},
		{name: "surgeon lora extract", work: func() { command(t, "lora", "extract", base, chem, "--rank", "32", "-o", ours) }},
		{name: "surgeon lora rescale", work: func() {
			command(t, "lora", "rescale", ours, "--alpha", "self_attn=0.5,*=1", "--base", base, "-o", rescaled)
		}},
	}
	for range 2 {
		for _, out := range []string{ours, theirs, rescaled} {
			os.RemoveAll(out)
		}
		for _, j := range jobs {
			j.run()
		}
	}
	for _, j := range jobs {
		t.Logf("%-22s %7.2f s", j.name, j.best.Seconds())
	}
	info, err := os.Stat(filepath.Join(ours, "adapter_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("extract is %.1f times as fast (wanted: 5); an adapter of %.0f MB is rescaled in %.2f s (wanted: 1)", jobs[0].best.Seconds()/jobs[1].best.Seconds(),
		float64(info.Size())/1e6, jobs[2].best.Seconds())
	if jobs[2].best > time.Second {
		t.Error("rescaling is too slow")
	}
}
