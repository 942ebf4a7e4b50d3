package train_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"surgeon/probe/train"
)

// TestSaveAgain: a run that stands where it was restored has nothing to save: not
// even a save that cannot write loses the state.
func TestSaveAgain(t *testing.T) {
	dir := t.TempDir()
	r := begun(t, tiny, tinyBase(), allData(), ways["full"])
	stepped(t, r, 2)
	if err := r.Save(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	again := begun(t, tiny, tinyBase(), allData(), ways["full"])
	if _, err := again.Restore(dir); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := again.Save(cancelled, dir); err != nil {
		t.Errorf("there is nothing to save: %v", err)
	}
	if after := files(t, dir); !maps.Equal(after, before) {
		t.Errorf("the folder holds %q, before %q", slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
	}
	if err := os.Remove(filepath.Join(dir, "state-000002.safetensors")); err != nil {
		t.Fatal(err)
	}
	if err := again.Save(context.Background(), dir); err != nil || !maps.Equal(files(t, dir), before) {
		t.Errorf("values that are lost are not written again: %v", err)
	}
}

// TestSaveFails: the state that was there is still the one that Restore finds.
func TestSaveFails(t *testing.T) {
	for _, blocked := range []string{"state-000003.safetensors", "state.json"} {
		dir := t.TempDir()
		r := begun(t, tiny, tinyBase(), allData(), ways["full"])
		stepped(t, r, 2)
		if err := r.Save(context.Background(), dir); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, blocked)
		if blocked == "state.json" { // a folder in the place of the file that is to be replaced
			if err := os.Rename(path, path+".kept"); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.MkdirAll(filepath.Join(path, "full"), 0o777); err != nil {
			t.Fatal(err)
		}
		stepped(t, r, 1)
		if err := r.Save(context.Background(), dir); err == nil {
			t.Errorf("%s cannot be written, and no error says so", blocked)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if blocked == "state.json" {
			if err := os.Rename(path+".kept", path); err != nil {
				t.Fatal(err)
			}
		}
		again := begun(t, tiny, tinyBase(), allData(), ways["full"])
		if resumed, err := again.Restore(dir); !resumed || err != nil || again.Done() != 2 {
			t.Errorf("%s: restored %v at step %d: %v", blocked, resumed, again.Done(), err)
		}
	}
}

// TestSaveBrackets: the folder may have any name, also one that is a pattern.
func TestSaveBrackets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run [a-", "*?")
	r := begun(t, tiny, tinyBase(), allData(), ways["full"])
	for range 2 {
		stepped(t, r, 1)
		if err := r.Save(context.Background(), dir); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := slices.Sorted(maps.Keys(files(t, dir))), []string{"state-000002.safetensors", "state.json"}; !slices.Equal(got, want) {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}

// TestRemoveState removes what saves made, finished or not, and what is a user's
// stays.
func TestRemoveState(t *testing.T) {
	dir := t.TempDir()
	r := begun(t, tiny, tinyBase(), allData(), ways["full"])
	stepped(t, r, 1)
	if err := r.Save(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, ".state-000002.safetensors.partial", "deep"), 0o777); err != nil {
		t.Fatal(err)
	}
	kept := []string{"log.jsonl", "mystate-000001.safetensors", "state-best.safetensors", "state.json.bak"}
	for _, name := range append(kept, ".state.json.123", "state-1000000.safetensors") {
		if train.StateFile(name) == slices.Contains(kept, name) {
			t.Errorf("%s: of a state %v", name, train.StateFile(name))
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := train.RemoveState(dir); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(files(t, dir))); !slices.Equal(got, kept) {
		t.Errorf("left: %q, want %q", got, kept)
	}
	if err := train.RemoveState(dir); err != nil {
		t.Errorf("a folder without a state: %v", err)
	}
}
