package tensors_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"surgeon/tensors"
)

// made writes a directory, or a file, as an earlier run of surgeon would have:
// its surgeon.json names the files.
func made(t *testing.T, path string) {
	t.Helper()
	opt := tensors.WriteOptions{ShardSize: 200, Replace: map[string][]byte{"config.json": []byte("old")}}
	if filepath.Ext(path) == "" {
		opt.Beside = func(files []tensors.Digest) (map[string][]byte, error) {
			data, err := json.Marshal(map[string]any{"files": files, "version": "1"})
			return map[string][]byte{tensors.Provenance: data}, err
		}
	}
	if _, err := tensors.Write(t.Context(), path, blocks(5), opt); err != nil {
		t.Fatal(err)
	}
}

// TestForce replaces what Write has made before, wholly: no file of the old
// content stays. Who has the old files open still sees them.
func TestForce(t *testing.T) {
	for _, target := range []string{"out", "out.safetensors"} {
		dir := t.TempDir()
		path := filepath.Join(dir, target)
		made(t, path)
		old, err := tensors.Open(path)
		closing(t, old, err)

		_, err = tensors.Write(t.Context(), path, blocks(2), tensors.WriteOptions{})
		refused(t, nil, err, path, "the target exists", "--force")
		refused(t, nil, tensors.Vacant(path, false), path, "the target exists", "--force")
		if err := tensors.Vacant(path, true); err != nil {
			t.Errorf("Vacant with force: %v", err)
		}
		if _, err := tensors.Write(t.Context(), path, blocks(2), tensors.WriteOptions{Force: true}); err != nil {
			t.Fatal(err)
		}
		sameTree(t, path, unbroken(t, blocks(2), target, tensors.WriteOptions{}))
		if got := entries(t, dir); !slices.Equal(got, []string{target}) {
			t.Errorf("left %q", got)
		}
		sameTensors(t, old, blocks(5))
	}
}

// TestForceRefused: force is not for what surgeon did not make, nor for a
// directory of its own that has come to hold something else, nor for what is
// not of the kind that it would make.
func TestForceRefused(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"filled", "nested", "lying", "hidden"} {
		made(t, filepath.Join(dir, name))
	}
	for _, name := range []string{"home/letters.txt", "weights/model.safetensors", "directory.safetensors/surgeon.json", "file",
		"filled/letters.txt", "nested/evaluation/letters.txt", "lying/surgeon.json", "hidden/.letters"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("precious"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	before := tree(t, dir)
	check := func(name string, words ...string) {
		t.Helper()
		path := filepath.Join(dir, name)
		refused(t, nil, tensors.Vacant(path, true), append(words, path)...)
		src := &watched{Source: blocks(2)}
		_, err := tensors.Write(t.Context(), path, src, tensors.WriteOptions{Force: true})
		refused(t, nil, err, append(words, path)...)
		if len(src.reads) > 0 {
			t.Errorf("%s: read %v before the refusal", name, src.reads)
		}
		if after := tree(t, dir); !maps.Equal(after, before) {
			t.Errorf("%s: %q is left of %q", name, sorted(after), sorted(before))
		}
	}
	for _, name := range []string{"home", "weights", "filled", "nested", "lying", "hidden"} {
		check(name, "not, or not only, what surgeon wrote", "surgeon.json", "remove it yourself")
	}
	check("directory.safetensors", "the target exists")
	check("file", "the target exists")
}

// TestForceFails: whatever stops the write, the old content stays.
func TestForceFails(t *testing.T) {
	broken := errors.New("the disk is on fire")
	check := func(name string, opt tensors.WriteOptions, before func(cancel context.CancelFunc) error) {
		for _, target := range []string{"out", "out.safetensors"} {
			t.Run(name+" "+target, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), target)
				made(t, path)
				want := tree(t, path)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				src := &watched{Source: blocks(9), before: func(name string) error {
					if name == block(8) {
						return before(cancel)
					}
					return nil
				}}
				opt.Force, opt.ShardSize = true, 200
				if _, err := tensors.Write(ctx, path, src, opt); err == nil {
					t.Fatal("written")
				}
				got := tree(t, path)
				for file := range want {
					if got[file] != want[file] {
						t.Errorf("%s was changed", file)
					}
				}
			})
		}
	}
	none := func(context.CancelFunc) error { return nil }
	check("a source that fails", tensors.WriteOptions{}, func(context.CancelFunc) error { return broken })
	check("cancelled", tensors.WriteOptions{}, func(cancel context.CancelFunc) error { cancel(); return nil })
	check("beside fails", tensors.WriteOptions{Beside: func([]tensors.Digest) (map[string][]byte, error) { return nil, broken }}, none)
}

// TestForceEmpty: an empty directory needs no force, and force does no harm.
func TestForceEmpty(t *testing.T) {
	for _, force := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "out")
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := tensors.Write(t.Context(), path, blocks(2), tensors.WriteOptions{Force: force}); err != nil {
			t.Fatal(err)
		}
		sameTree(t, path, unbroken(t, blocks(2), "out", tensors.WriteOptions{}))
	}
}

// TestForceLink: a link as target is followed to see what is there, and
// replaced; what it leads to is not touched.
func TestForceLink(t *testing.T) {
	for _, target := range []string{"out", "out.safetensors"} {
		dir, elsewhere := t.TempDir(), t.TempDir()
		path, led := filepath.Join(dir, target), filepath.Join(elsewhere, target)
		made(t, led)
		want := tree(t, led)
		if err := os.Symlink(led, path); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
		refused(t, nil, tensors.Vacant(path, false), path, "the target exists")
		if _, err := tensors.Write(t.Context(), path, blocks(2), tensors.WriteOptions{Force: true}); err != nil {
			t.Fatal(err)
		}
		sameTree(t, path, unbroken(t, blocks(2), target, tensors.WriteOptions{}))
		got := tree(t, led)
		for file := range want {
			if got[file] != want[file] {
				t.Errorf("%s: %s was changed through the link", target, file)
			}
		}
		if got := entries(t, dir); !slices.Equal(got, []string{target}) {
			t.Errorf("left %q", got)
		}
	}
}

// TestTargetAppears: a target that is made while the write runs is not
// replaced, by whomever.
func TestTargetAppears(t *testing.T) {
	for _, target := range []string{"out", "out.safetensors"} {
		for _, force := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), target)
			precious := path
			src := &watched{Source: blocks(2), before: func(name string) error {
				if name != block(1) {
					return nil
				}
				if target == "out" {
					precious = filepath.Join(path, "letters.txt")
				}
				return errors.Join(os.MkdirAll(filepath.Dir(precious), 0o755), os.WriteFile(precious, []byte("precious"), 0o644))
			}}
			if target == "out.safetensors" && force {
				continue // that file may be replaced
			}
			_, err := tensors.Write(t.Context(), path, src, tensors.WriteOptions{Force: force})
			if data, readErr := os.ReadFile(precious); readErr != nil || string(data) != "precious" {
				t.Errorf("%s, force %v: lost what appeared: %.20q, %v", target, force, data, readErr)
			}
			if err == nil {
				t.Errorf("%s, force %v: written over what appeared", target, force)
			}
		}
	}
}

// TestTargetHere writes into the empty directory that one stands in, or says
// before anything is read that it cannot.
func TestTargetHere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "here")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	src := &watched{Source: blocks(2)}
	if _, err := tensors.Write(t.Context(), ".", src, tensors.WriteOptions{}); err != nil {
		if len(src.reads) > 0 {
			t.Errorf("refused after %d tensors were read: %v", len(src.reads), err)
		}
		return
	}
	c, err := tensors.Open(dir)
	sameTensors(t, closing(t, c, err), blocks(2))
}
