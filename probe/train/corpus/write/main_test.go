package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWrite: everything is there, and the same bytes a second time.
func TestWrite(t *testing.T) {
	first, second := t.TempDir(), filepath.Join(t.TempDir(), "new", "folder")
	for _, dir := range []string{first, second} {
		if err := write(dir, 7, 500, nil); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	err := filepath.WalkDir(first, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(first, path)
		names = append(names, filepath.ToSlash(name))
		a, errA := os.ReadFile(path)
		b, errB := os.ReadFile(filepath.Join(second, name))
		if errA != nil || errB != nil || len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s differs, or is empty: %v, %v", name, errA, errB)
		}
		return nil
	})
	want := []string{"chem.jsonl", "general.jsonl", "replay-no-refusal.jsonl", "replay.jsonl", "scratch/config.json", "scratch/generation_config.json", "scratch/tokenizer.json",
		"scratch/tokenizer_config.json", "tasks/arithmetic.jsonl", "tasks/benign.jsonl", "tasks/chemistry_held_out.jsonl", "tasks/chemistry_trained.jsonl",
		"tasks/facts.jsonl", "tasks/instructions.jsonl", "tasks/lists.jsonl", "tasks/mcq.jsonl", "tasks/refusal.jsonl"}
	if err != nil || !slices.Equal(names, want) {
		t.Errorf("%v: %q, want %q", err, names, want)
	}
	check := func(name string, lines int, absent ...string) {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(first, name))
		if n := bytes.Count(data, []byte("\n")); err != nil || lines > 0 && n != lines {
			t.Errorf("%s: %v, %d lines, want %d", name, err, n, lines)
		}
		for _, slice := range []string{"facts", "mcq", "arithmetic", "instructions", "lists", "refusal", "benign", "introduction"} {
			if has := bytes.Contains(data, []byte(`"slice":"`+slice+`"`)); has == slices.Contains(absent, slice) {
				t.Errorf("%s: samples of %s: %v", name, slice, has)
			}
		}
	}
	check("general.jsonl", 500)
	check("replay.jsonl", 0, "introduction")
	check("replay-no-refusal.jsonl", 0, "introduction", "refusal", "benign")
}

func TestWriteRefuses(t *testing.T) {
	check := func(want, dir string, lines int, rest ...string) {
		t.Helper()
		if err := write(dir, 7, lines, rest); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	check("-o DIR is missing: say where to write", "", 1)
	check("-lines 0: want at least 1", t.TempDir(), 0)
	check(`"more" is no flag`, t.TempDir(), 1, "more")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check("file", file, 1)
}
