package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shards runs a grid in so many shards and returns their folders.
func shards(t *testing.T, path string, n int) (dirs []string) {
	t.Helper()
	for i := range n {
		dir := filepath.Join(t.TempDir(), fmt.Sprint("part", i))
		says(t, "a shard", done(t, "grid", "--shard", fmt.Sprintf("%d/%d", i, n), "--out", dir, path), fmt.Sprintf("shard %d of %d is scored", i, n), "grid collect")
		if _, err := os.Stat(filepath.Join(dir, "results.json")); err == nil {
			t.Errorf("shard %d has results", i)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// TestGridShards: two shards, or more than there are candidates, collected in any
// order, are one run, byte for byte.
func TestGridShards(t *testing.T) {
	dir := t.TempDir()
	path := gridOfFacts(t, dir, "methods: [linear, {drop: 0.5}]", "alphas: [0.5, 1]", "domain: [symbols]", "seeds: [1, 2]", "num_fewshot: 1", "shots: seed", "limit: 12")
	whole := filepath.Join(dir, "whole")
	_, _, code := surgeon(t, "grid", "--out", whole, path)
	if code != ExitDone {
		t.Fatal(code)
	}
	want := read(t, filepath.Join(whole, "results.json"))
	for _, n := range []int{2, 7} {
		var parts []string
		for i := range n {
			part := filepath.Join(dir, fmt.Sprint(n, "part", i))
			if text, errs, code := surgeon(t, "grid", "--shard", fmt.Sprintf("%d/%d", i, n), "--out", part, path); code != ExitDone || !strings.Contains(text, fmt.Sprintf("shard %d of %d is scored", i, n)) {
				t.Fatalf("exit code %d: %s%s", code, text, errs)
			}
			parts = append([]string{part}, parts...) // the last first
		}
		out := filepath.Join(dir, fmt.Sprint("collected", n))
		figure := filepath.Join(dir, fmt.Sprint(n, "front.svg"))
		if text, errs, code := surgeon(t, append([]string{"grid", "collect", "--plot", figure, "--out", out}, parts...)...); code != ExitDone || !strings.Contains(text, "drop=0.5#0 alpha=1") {
			t.Errorf("exit code %d: %s%s", code, text, errs)
		}
		if got := read(t, filepath.Join(out, "results.json")); got != want {
			t.Errorf("%d shards:\n%s\none run:\n%s", n, got, want)
		}
		if !strings.Contains(read(t, figure), "<svg") {
			t.Error("no figure")
		}
		sameRecords(t, out, whole)
	}
	if a, b := read(t, filepath.Join(whole, "run.json")), read(t, filepath.Join(dir, "2part0", "run.json")); hashOf(t, a) != hashOf(t, b) {
		t.Error("a shard has another plan than the grid")
	}
}

// hashOf is the hash that a plan was written with.
func hashOf(t *testing.T, text string) string {
	t.Helper()
	return parsed[struct{ Hash string }](t, text).Hash
}

// TestGridMissingShard: shards that are missing, of another grid or not of any are
// refused by name.
func TestGridMissingShard(t *testing.T) {
	dir := t.TempDir()
	path := gridOfFacts(t, dir, "alphas: [0.5, 2]")
	parts := shards(t, path, 3)
	out := filepath.Join(dir, "out")
	refused(t, ExitInput, []string{out, "1 candidate is not scored", "tuned", "a shard is missing or was stopped"}, "grid", "collect", "--out", out, parts[0], parts[2])
	refused(t, ExitInput, []string{"nowhere", "no run folder"}, "grid", "collect", "--out", filepath.Join(dir, "new"), parts[0], filepath.Join(dir, "nowhere"))
	other := filepath.Join(dir, "other")
	done(t, "grid", "--out", other, "--shard", "1/2", gridOfFacts(t, dir, "alphas: [0.5, 3]"))
	refused(t, ExitInput, []string{parts[0], other, "no shards of one grid", "candidates[3]"}, "grid", "collect", "--out", filepath.Join(dir, "new"), parts[0], other)
	run := filepath.Join(dir, "run")
	done(t, "score", "base", "--out", run)
	refused(t, ExitInput, []string{"plan is none of a grid"}, "grid", "collect", "--out", filepath.Join(dir, "newer"), run)
	refused(t, ExitUsage, []string{"grid collect takes --out DIR"}, "grid", "collect", parts[0])
	refused(t, ExitUsage, []string{"grid collect takes --out DIR"}, "grid", "collect", "--out", out)
	// What is collected already is kept: the missing shard alone completes it.
	says(t, "collected", done(t, "grid", "collect", "--out", out, parts[1]), "linear alpha=2")
}

// TestGridStoppedShard: a shard with part of its answers is no whole one.
func TestGridStoppedShard(t *testing.T) {
	dir := t.TempDir()
	path := gridOfFacts(t, dir, "alphas: [0.5]")
	parts := shards(t, path, 2)
	log := filepath.Join(parts[1], "log.jsonl")
	all := strings.SplitAfter(read(t, log), "\n")
	write(t, parts[1], "log.jsonl", strings.Join(all[:len(all)/2], ""))
	refused(t, ExitInput, []string{"1 candidate is not scored", "tuned"}, "grid", "collect", "--out", filepath.Join(dir, "out"), parts[0], parts[1])
	done(t, "grid", "--shard", "1/2", "--out", parts[1], path)
	done(t, "grid", "collect", "--out", filepath.Join(dir, "out"), parts[0], parts[1])
}

// TestGridCollectPartOfSeeds: with several seeds, too.
func TestGridCollectPartOfSeeds(t *testing.T) {
	dir := t.TempDir()
	path := gridOfFacts(t, dir, "alphas: [0.5]", "seeds: [1, 2, 3]", "num_fewshot: 1", "shots: seed")
	parts := shards(t, path, 2)
	log := filepath.Join(parts[1], "log.jsonl")
	all := strings.SplitAfter(read(t, log), "\n")
	write(t, parts[1], "log.jsonl", strings.Join(all[:len(all)/2], ""))
	refused(t, ExitInput, []string{"1 candidate is not scored", "tuned"}, "grid", "collect", "--out", filepath.Join(dir, "out"), parts[0], parts[1])
}

// TestGridArrayJob: the shard of an array job, without --shard.
func TestGridArrayJob(t *testing.T) {
	dir := t.TempDir()
	path := gridOfFacts(t, dir, "alphas: [0.5]")
	t.Setenv("SLURM_ARRAY_TASK_ID", "1")
	t.Setenv("SLURM_ARRAY_TASK_COUNT", "3")
	part, flag := filepath.Join(dir, "array"), filepath.Join(dir, "flag")
	says(t, "an array job", done(t, "grid", "--out", part, path), "shard 1 of 3 is scored")
	done(t, "grid", "--out", flag, "--shard", "1/3", path)
	sameRecords(t, part, flag)
	for _, r := range records(t, part) {
		if r.Model != "tuned" {
			t.Errorf("%s is scored in shard 1", r.Model)
		}
	}
}
