package tensors_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"surgeon/tensors"
)

// TestBeside: Replace stands in the place of side files, Beside sees the true
// digests of everything before it, and what it makes is digested too.
func TestBeside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	var seen []tensors.Digest
	written, err := tensors.Write(t.Context(), dir, blocks(5), tensors.WriteOptions{
		ShardSize: 300,
		Side:      mapFS(map[string][]byte{"config.json": []byte("old"), "tokenizer.json": []byte("[]"), "notes.txt": nil}),
		Replace:   map[string][]byte{"config.json": []byte("new"), "extra.json": []byte("more")},
		Beside: func(files []tensors.Digest) (map[string][]byte, error) {
			seen = slices.Clone(files)
			files[0].Name = "what is done to the list stays with the callee"
			return map[string][]byte{"surgeon.json": []byte("{}"), "README.md": []byte("# a model")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	weights := []string{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}
	before := slices.Concat(weights, []string{"tokenizer.json", "config.json", "extra.json", "model.safetensors.index.json"})
	if got := digestNames(seen); !slices.Equal(got, before) {
		t.Errorf("Beside saw %q, want %q", got, before)
	}
	if got, want := digestNames(written), append(before, "README.md", "surgeon.json"); !slices.Equal(got, want) {
		t.Errorf("described %q, want %q", got, want)
	}
	if got, want := entries(t, dir), slices.Sorted(slices.Values(digestNames(written))); !slices.Equal(got, want) {
		t.Errorf("the directory holds %q, described are %q", got, want)
	}
	digestsTrue(t, dir, written)
	for name, want := range map[string]string{"config.json": "new", "extra.json": "more", "tokenizer.json": "[]", "surgeon.json": "{}", "README.md": "# a model"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
}

// TestBesideFile: what Beside makes for a single file stands next to it; side
// files and replacements belong to directories.
func TestBesideFile(t *testing.T) {
	dir := write(t, map[string][]byte{"another": []byte("kept")})
	path := filepath.Join(dir, "out.safetensors")
	var seen []tensors.Digest
	written, err := tensors.Write(t.Context(), path, blocks(5), tensors.WriteOptions{
		Side:    mapFS(map[string][]byte{"config.json": []byte("old")}),
		Replace: map[string][]byte{"config.json": []byte("new")},
		Beside: func(files []tensors.Digest) (map[string][]byte, error) {
			seen = files
			return map[string][]byte{"out.surgeon.json": []byte("{}")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := digestNames(seen); !slices.Equal(got, []string{"out.safetensors"}) {
		t.Errorf("Beside saw %q", got)
	}
	if got := digestNames(written); !slices.Equal(got, []string{"out.safetensors", "out.surgeon.json"}) {
		t.Errorf("described %q", got)
	}
	digestsTrue(t, dir, written)
	if got := entries(t, dir); !slices.Equal(got, []string{"another", "out.safetensors", "out.surgeon.json"}) {
		t.Errorf("the directory holds %q", got)
	}
}

// TestBesideFails: an error of Beside is the error of Write, and nothing is
// left.
func TestBesideFails(t *testing.T) {
	broken := errors.New("no licence")
	for _, target := range []string{"out", "out.safetensors"} {
		dir := t.TempDir()
		opt := resumable()
		opt.Beside = func([]tensors.Digest) (map[string][]byte, error) {
			return map[string][]byte{"surgeon.json": []byte("{}")}, broken
		}
		written, err := tensors.Write(t.Context(), filepath.Join(dir, target), blocks(9), opt)
		if !errors.Is(err, broken) || written != nil {
			t.Errorf("%v, %v", written, err)
		}
		if got := entries(t, dir); len(got) > 0 {
			t.Errorf("left %q", got)
		}
	}
}

// TestBesideCancelled is cancelled when the weights are finished: a directory
// can be resumed, a single file leaves nothing.
func TestBesideCancelled(t *testing.T) {
	for _, target := range []string{"out", "out.safetensors"} {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		opt := resumable()
		opt.Beside = func([]tensors.Digest) (map[string][]byte, error) {
			cancel()
			return nil, ctx.Err()
		}
		_, err := tensors.Write(ctx, filepath.Join(dir, target), blocks(9), opt)
		var unfinished *tensors.Unfinished
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", target, err)
		}
		if target == "out" {
			if !errors.As(err, &unfinished) || unfinished.Finished != 5 || unfinished.Shards != 5 {
				t.Errorf("%v", err)
			}
			if got := resume(t, filepath.Join(dir, target)); len(got) > 0 {
				t.Errorf("read again: %q", got)
			}
		} else if got := entries(t, dir); len(got) > 0 || errors.As(err, &unfinished) {
			t.Errorf("%v, left %q", err, got)
		}
	}
}

// TestBesideNames: files of one's own may not stand in the place of what Write
// makes itself, nor outside the target, nor, beside a single file, in the place
// of what is there.
func TestBesideNames(t *testing.T) {
	check := func(target, name string, beside bool) {
		t.Run(target+" "+name, func(t *testing.T) {
			dir := write(t, map[string][]byte{"precious.json": []byte("kept")})
			made := map[string][]byte{name: []byte("made")}
			opt := tensors.WriteOptions{Replace: made}
			if beside {
				opt = tensors.WriteOptions{Beside: func([]tensors.Digest) (map[string][]byte, error) { return made, nil }}
			}
			before := tree(t, dir)
			_, err := tensors.Write(t.Context(), filepath.Join(dir, target), blocks(2), opt)
			if err == nil {
				t.Errorf("written, and the directory holds %q", entries(t, dir))
			}
			if after := tree(t, dir); !maps.Equal(before, after) {
				t.Errorf("the directory held %q and holds %q", sorted(before), sorted(after))
			}
		})
	}
	for _, name := range []string{"model.safetensors", "../precious.json", "", ".journal"} {
		check("out", name, false)
		check("out", name, true)
	}
	for _, name := range []string{"model.safetensors", "../x", "", "precious.json", "out.safetensors", ".journal"} {
		check("out.safetensors", name, true)
	}
}
