package cli

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestGridKilled kills a grid with SIGKILL at five random moments and goes on: the
// results are those of an undisturbed run, byte for byte, no answer is lost and
// none stands there twice.
func TestGridKilled(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "grid.yml", `methods: [linear, {trim: 0.5}]
alphas: [1, 2]
tasks: [instruct, symbols]
domain: [symbols]
max_gen_toks: 12
limit: 70
`)
	whole, out := filepath.Join(dir, "whole"), filepath.Join(dir, "killed")
	if _, errs, code := surgeon(t, "grid", "--out", whole, path); code != ExitDone {
		t.Fatal(errs)
	}
	lines := func(dir string) int {
		data, _ := os.ReadFile(filepath.Join(dir, "log.jsonl"))
		return bytes.Count(data, []byte("\n"))
	}
	size := func() int64 {
		info, err := os.Stat(filepath.Join(out, "log.jsonl"))
		if err != nil {
			return 0
		}
		return info.Size()
	}
	all, kills, resumed := lines(whole), 0, 0
	perLine := int64(len(read(t, filepath.Join(whole, "log.jsonl"))) / all)
	for kills < 5 {
		before := lines(out)
		until := size() + perLine*(1+rand.N(max(1, int64(all-before)/3)))
		cmd, _, errs := process("grid", "--out", out, path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		exited := make(chan error, 1)
		go func() { exited <- cmd.Wait() }()
		for end := time.Now().Add(20 * time.Second); size() < until && len(exited) == 0 && time.Now().Before(end); {
			time.Sleep(200 * time.Microsecond)
		}
		cmd.Process.Kill()
		<-exited
		if code := cmd.ProcessState.ExitCode(); code > 0 {
			t.Fatalf("exit code %d: %s", code, errs)
		} else if code == 0 {
			break // it was done before it could be killed
		}
		kills++
		if n := lines(out); n > before && n < all {
			resumed++
		} else if n < before {
			t.Errorf("%d answers after the kill, %d before", n, before)
		}
	}
	cmd, text, errs := process("grid", "--out", out, path)
	if err := cmd.Run(); err != nil || !strings.Contains(text.String(), "trim=0.5 alpha=2") {
		t.Fatalf("%v: %s%s", err, text, errs)
	}
	if a, b := read(t, filepath.Join(out, "results.json")), read(t, filepath.Join(whole, "results.json")); a != b {
		t.Errorf("after %d kills:\n%.2000s\nundisturbed:\n%.2000s", kills, a, b)
	}
	sameRecords(t, out, whole)
	if resumed < 3 {
		t.Errorf("only %d of %d kills came between two answers", resumed, kills)
	}
	t.Logf("%d kills, %d of them between two of %d answers", kills, resumed, all)
}
