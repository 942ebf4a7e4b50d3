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
		if err == nil || !strings.Contains(err.Error(), "changed while it was read") {
			t.Errorf("%s: %v", what, err)
		}
	}
	err = c.Read(make([]float32, 1), "x", n-1)
	check("Read", err)
	if err != nil && !strings.Contains(err.Error(), path) {
		t.Errorf("Read: %v does not name %s", err, path)
	}
	out := filepath.Join(dir, "out")
	_, err = tensors.Write(t.Context(), out, c, tensors.WriteOptions{})
	check("Write", err)
	_, err = tensors.Diff(c, m)
	check("Diff", err)
	if left := entries(t, dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}
