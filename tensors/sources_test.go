package tensors_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// watched is a Source that counts which tensors are read, and calls a function
// before each reading.
type watched struct {
	tensors.Source
	before func(name string) error // may be nil

	mutex sync.Mutex
	reads map[string]int
}

func (w *watched) ReadRaw(dst []byte, name string, at int64) error {
	w.mutex.Lock()
	if w.reads == nil {
		w.reads = map[string]int{}
	}
	w.reads[name]++
	w.mutex.Unlock()
	if w.before != nil {
		if err := w.before(name); err != nil {
			return err
		}
	}
	return w.Source.ReadRaw(dst, name, at)
}

// stopAt is a Source that cancels a context when a tensor is read.
func stopAt(src tensors.Source, name string, cancel context.CancelFunc) *watched {
	return &watched{Source: src, before: func(read string) error {
		if read == name {
			cancel()
		}
		return nil
	}}
}

// blocks is a model of some blocks, each of one tensor of 100 bytes, and an
// embedding of 100 bytes. Written with a limit of 200 it has two of them in a
// shard.
func blocks(n int) *tensorstest.Memory {
	m := tensorstest.NewMemory()
	draw := tensorstest.NewRandom(7, "blocks")
	add := func(name string) {
		raw := make([]byte, 100)
		for i := range raw {
			raw[i] = byte(draw.Uint64(100*len(m.Names()) + i))
		}
		m.AddRaw(name, tensors.Info{DType: "U8", Shape: []int{100}}, raw)
	}
	add("model.embed_tokens.weight")
	for i := range n {
		add(block(i))
	}
	return m
}

func block(i int) string { return fmt.Sprintf("model.layers.%d.mlp.weight", i) }

// tree reads all files of a directory, hidden ones too, and their permissions.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		var data []byte
		if info.Mode().IsRegular() {
			if data, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		files[name] = info.Mode().String() + " " + string(data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// sameTree checks that two directories hold the same files.
func sameTree(t *testing.T, got, want string) {
	t.Helper()
	a, b := tree(t, got), tree(t, want)
	for name := range b {
		if a[name] != b[name] {
			t.Errorf("%s differs: %d bytes, want %d", name, len(a[name]), len(b[name]))
		}
	}
	for name := range a {
		if _, ok := b[name]; !ok {
			t.Errorf("%s is there and should not be", name)
		}
	}
}

// unbroken writes a Source in one go and returns where.
func unbroken(t *testing.T, src tensors.Source, target string, opt tensors.WriteOptions) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), target)
	if _, err := tensors.Write(t.Context(), path, src, opt); err != nil {
		t.Fatal(err)
	}
	return path
}

// lent is a file system whose files are read without a copy, so that what a
// test allocates is what it measures.
type lent struct{ fstest.MapFS }

func (l lent) ReadFile(name string) ([]byte, error) {
	file, ok := l.MapFS[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return file.Data, nil
}

// flip changes one bit of the last byte of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(data)
	changed[len(changed)-1] ^= 1
	if err := os.WriteFile(path, changed, 0o644); err != nil {
		t.Fatal(err)
	}
}
