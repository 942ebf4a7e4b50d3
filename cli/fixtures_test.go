package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

const (
	embedding = "model.embed_tokens.weight"
	head      = "lm_head.weight"
	finalNorm = "model.norm.weight"
)

// done runs a command line that must succeed without a word on standard error
// and returns what it prints.
func done(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, code := surgeon(t, args...)
	if code != ExitDone || errs != "" {
		t.Fatalf("surgeon %s: exit code %d: %s", strings.Join(args, " "), code, errs)
	}
	return out
}

// decoded runs a command line and parses what it prints as JSON.
func decoded[T any](t *testing.T, args ...string) T {
	t.Helper()
	return parsed[T](t, done(t, args...))
}

func parsed[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// refused runs a command line that must fail with an exit code and one line
// that holds every text, and print nothing.
func refused(t *testing.T, code int, says []string, args ...string) {
	t.Helper()
	out, errs, got := surgeon(t, args...)
	line := "surgeon " + strings.Join(args, " ")
	if got != code {
		t.Errorf("%s: exit code %d, want %d: %s", line, got, code, errs)
	}
	for _, text := range says {
		if !strings.Contains(errs, text) {
			t.Errorf("%s: says %q, want %q", line, errs, text)
		}
	}
	if strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "surgeon: ") || strings.ContainsAny(errs, "\uFFFD\x1b") {
		t.Errorf("%s: says %q, want one plain line", line, errs)
	}
	if out != "" {
		t.Errorf("%s: prints %q", line, out)
	}
}

// variant makes a model directory whose weights and config.json were changed.
// Both changes may be nil.
func variant(t *testing.T, dir, name string, p tensorstest.Pico, weights func(m *tensorstest.Memory), config ...string) string {
	t.Helper()
	path := pico(t, dir, name, p)
	if weights != nil {
		m := p.Weights()
		weights(m)
		save(t, filepath.Join(path, "model.safetensors"), m)
	}
	write(t, path, "config.json", strings.NewReplacer(config...).Replace(read(t, filepath.Join(path, "config.json"))))
	return path
}

// save writes a file of weights, over another if there is one.
func save(t *testing.T, path string, m tensors.Source) string {
	t.Helper()
	if _, err := tensors.Write(context.Background(), path, m, tensors.WriteOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// copyTensor adds a tensor of a Source to a Memory, under a name.
func copyTensor(to *tensorstest.Memory, name string, from tensors.Source, of string) {
	info, _ := from.Info(of)
	raw, err := tensors.Raw(from, of)
	if err != nil {
		panic(err)
	}
	to.AddRaw(name, info, slices.Clone(raw))
}

// opened opens what a command has written, for the length of a test.
func opened(t *testing.T, path string) *tensors.Checkpoint {
	t.Helper()
	c, err := tensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// sameTensor checks that a tensor has the bytes of another.
func sameTensor(t *testing.T, what string, a tensors.Source, nameA string, b tensors.Source, nameB string) {
	t.Helper()
	x, errX := tensors.Raw(a, nameA)
	y, errY := tensors.Raw(b, nameB)
	if errX != nil || errY != nil || !bytes.Equal(x, y) {
		t.Errorf("%s: %s is not %s: %v %v", what, nameA, nameB, errX, errY)
	}
}

// tree is the content of every file below a directory.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files[path] = read(t, filepath.Join(dir, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// sameTree compares two directories file by file, but for the named ones.
func sameTree(t *testing.T, what string, a, b map[string]string, but ...string) {
	t.Helper()
	for _, files := range []map[string]string{a, b} {
		for name := range files {
			if x, y := a[name], b[name]; x != y && !slices.Contains(but, name) {
				t.Errorf("%s: %s differs, %d and %d bytes", what, name, len(x), len(y))
			}
		}
	}
}

func sum(data string) string {
	s := sha256.Sum256([]byte(data))
	return hex.EncodeToString(s[:])
}

// weightsFile puts a safetensors file together by hand.
func weightsFile(header string, data int) string {
	raw := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return string(raw) + header + strings.Repeat("\x00", data)
}
