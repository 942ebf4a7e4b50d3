//go:build unix

package tensors_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestTruncatedWhileMapped shortens a file that is open. What lies beyond its
// end is an error that names the file, for Read and for Write, and nothing
// half-written is left.
func TestTruncatedWhileMapped(t *testing.T) {
	dir := t.TempDir()
	m := tensorstest.NewMemory()
	const n = 1 << 20 // several pages, so that the end is on none that is still there
	m.Add("x", tensors.F32, []int{n}, make([]float32, n))
	m.AddRaw("y", tensors.Info{DType: "U8", Shape: []int{n}}, make([]byte, n))
	path := filepath.Join(dir, "model.safetensors")
	if _, err := tensors.Write(t.Context(), path, m, tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	c, err := tensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	check := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "changed while it was read") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("Read", c.Read(make([]float32, 1), "x", n-1))
	out := filepath.Join(dir, "out")
	_, err = tensors.Write(t.Context(), out, c, tensors.WriteOptions{})
	check("Write", err)
	_, err = tensors.Diff(c, m)
	check("Diff", err)
	check("ReadRaw", c.ReadRaw(make([]byte, 8), "x", 4*n-8))
	check("View", tensors.View(c, "y", n-8, 8, func(raw []byte) error { _ = make([]byte, raw[7]); return nil }))
	check("Read64", tensors.Read64(c, make([]float64, 1), "x", n-1))
	_, err = c.DigestFiles(t.Context(), nil)
	check("DigestFiles", err)
	_, err = tensors.DigestTensors(t.Context(), c, nil)
	check("DigestTensors", err)
	check("Conform", tensors.Conform(c, m).Read(make([]float32, 1), "x", n-1))
	check("Keep", tensors.Keep(c, func(string) bool { return true }).ReadRaw(make([]byte, 8), "x", 4*n-8))
	if err := c.Read(make([]float32, 4), "x", 0); err != nil {
		t.Errorf("what is still there: %v", err)
	}
	if left := entries(t, dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// TestPanicGoesOn: only a fault of mapped memory is an error; what else goes
// wrong while a View is lent is not hidden.
func TestPanicGoesOn(t *testing.T) {
	c, err := tensors.Open(unbroken(t, blocks(1), "out", tensors.WriteOptions{}))
	closing(t, c, err)
	defer func() {
		if text := recover(); text != "a mistake" {
			t.Errorf("recovered %v", text)
		}
	}()
	err = tensors.View(c, block(0), 0, 1, func([]byte) error { panic("a mistake") })
	t.Errorf("came back with %v", err)
}

// TestTruncatedBeforeOpened refuses a shard that is shorter than its header
// says, by one byte or by almost all, and names it.
func TestTruncatedBeforeOpened(t *testing.T) {
	dir := unbroken(t, blocks(5), "out", tensors.WriteOptions{ShardSize: 200})
	path := filepath.Join(dir, "model-00002-of-00003.safetensors")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{info.Size() - 1, 100, 8, 7, 0} {
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		c, err := tensors.Open(dir)
		refused(t, c, err, path)
	}
}
