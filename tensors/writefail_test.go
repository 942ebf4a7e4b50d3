package tensors_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// failing is a Source that answers wrongly where it is told to.
type failing struct {
	*tensorstest.Memory
	names []string
	raw   func(dst []byte, name string, at int64) error
	info  func(name string) (tensors.Info, bool)
}

func (f failing) Names() []string {
	if f.names != nil {
		return f.names
	}
	return f.Memory.Names()
}

func (f failing) ReadRaw(dst []byte, name string, at int64) error {
	if f.raw != nil {
		return f.raw(dst, name, at)
	}
	return f.Memory.ReadRaw(dst, name, at)
}

func (f failing) Info(name string) (tensors.Info, bool) {
	if f.info != nil {
		return f.info(name)
	}
	return f.Memory.Info(name)
}

// TestWriteFailures: whatever a Source does wrong is an error that names it,
// and leaves nothing: not under the final name, not under a temporary one.
func TestWriteFailures(t *testing.T) {
	memory := mixed(tensors.F32)
	broken := errors.New("the disk is on fire")
	check := func(name string, src tensors.Source, words ...string) {
		t.Run(name, func(t *testing.T) {
			for _, target := range []string{"out", "out.safetensors"} { // a deeper one leaves the directories above it
				dir := t.TempDir()
				path := filepath.Join(dir, target)
				written, err := tensors.Write(t.Context(), path, src, tensors.WriteOptions{Side: fstest.MapFS{"config.json": {Data: []byte("{}")}}})
				if written != nil {
					t.Errorf("%v written", written)
				}
				refused(t, nil, err, append(words, path)...)
				if got := entries(t, dir); len(got) > 0 {
					t.Errorf("left %q behind", got)
				}
			}
		})
	}
	check("half way", failing{Memory: memory, raw: func(dst []byte, name string, at int64) error {
		if name == "scalar" { // it is written after the matrix
			return broken
		}
		return memory.ReadRaw(dst, name, at)
	}}, broken.Error())
	check("named but not described", failing{Memory: memory, names: append([]string{"a ghost"}, memory.Names()...)}, `"a ghost"`)
	check("named twice", failing{Memory: memory, names: append(memory.Names(), memory.Names()[0])}, "stands twice")
	metadata := tensorstest.NewMemory()
	metadata.Add("__metadata__", tensors.F32, []int{1}, []float32{1})
	check("called __metadata__", metadata, `"__metadata__"`)
	// What Open refuses is noticed before the file gets its name.
	deep := tensorstest.NewMemory()
	shape := make([]int, 65) // one more than a header may have
	for i := range shape {
		shape[i] = 1
	}
	deep.Add("deep", tensors.F32, shape, []float32{1})
	check("what cannot be read back", deep, "read back", "more than 64")
}

// badFS is a directory of side files whose file cannot be read.
type badFS struct{ fstest.MapFS }

func (b badFS) Open(name string) (fs.File, error) {
	if name == "config.json" {
		return nil, fs.ErrPermission
	}
	return b.MapFS.Open(name)
}

func (b badFS) ReadFile(name string) ([]byte, error) {
	if name == "config.json" {
		return nil, fs.ErrPermission
	}
	return b.MapFS.ReadFile(name)
}

// TestSideFailures: a side file that cannot be copied stops Write.
func TestSideFailures(t *testing.T) {
	check := func(side fs.FS, reason error) {
		t.Helper()
		dir := t.TempDir()
		_, err := tensors.Write(t.Context(), filepath.Join(dir, "out"), mixed(tensors.F32), tensors.WriteOptions{Side: side})
		if !errors.Is(err, reason) {
			t.Errorf("%v, want %v", err, reason)
		}
		if got := entries(t, dir); len(got) > 0 {
			t.Errorf("left %q behind", got)
		}
	}
	check(badFS{fstest.MapFS{"config.json": {}}}, fs.ErrPermission)
	check(os.DirFS(filepath.Join(t.TempDir(), "gone")), fs.ErrNotExist)
}

// TestWriteBelowFile: a target that cannot be made is an error, not a panic.
// (Tests may run as root, whom no permission bits stop; a file in the way does.)
func TestWriteBelowFile(t *testing.T) {
	dir := write(t, map[string][]byte{"file": []byte("kept")})
	for _, target := range []string{"file/out", "file/out.safetensors", "file/a/b/out"} {
		_, err := tensors.Write(t.Context(), filepath.Join(dir, target), mixed(tensors.F32), tensors.WriteOptions{})
		refused(t, nil, err, filepath.Join(dir, target))
	}
	if data, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(data) != "kept" {
		t.Errorf("the file in the way now holds %q, %v", data, err)
	}
}

// TestWriteOverMapped: replacing a file that is mapped must not change what
// its reader sees, so Write never opens the target itself.
func TestWriteOverMapped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	src := mixed(tensors.F32)
	if _, err := tensors.Write(t.Context(), path, src, tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	c, err := tensors.Open(path)
	closing(t, c, err)
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if _, err := tensors.Write(t.Context(), path, mixed(tensors.F16), tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	sameTensors(t, c, src)
}
