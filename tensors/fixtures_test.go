package tensors_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// floats are the types whose values surgeon reads.
var floats = []tensors.DType{tensors.F32, tensors.F16, tensors.BF16}

// targets are the paths, below a directory, that the tests of Write write to.
var targets = []string{"out", "deep/er/out", "out.safetensors", "deep/out.safetensors"}

// file puts a safetensors file together by hand: eight bytes of length, the
// header, the data.
func file(header string, data ...byte) []byte {
	raw := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(raw, header...), data...)
}

// one is the file of a single F32 tensor of one element, named name.
func one(name string, value float32) []byte {
	header, err := json.Marshal(map[string]any{name: map[string]any{"dtype": "F32", "shape": []int{1}, "data_offsets": []int{0, 4}}})
	if err != nil {
		panic(err)
	}
	return file(string(header), binary.LittleEndian.AppendUint32(nil, math.Float32bits(value))...)
}

// openBytes opens a file in memory, under the name "m".
func openBytes(data []byte) (*tensors.Checkpoint, error) {
	return tensors.OpenFS(fstest.MapFS{"model.safetensors": {Data: data}}, "m")
}

// write puts files into a new directory.
func write(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// mapFS is the same as write, in memory.
func mapFS(files map[string][]byte) fstest.MapFS {
	m := fstest.MapFS{}
	for name, data := range files {
		m[name] = &fstest.MapFile{Data: data}
	}
	return m
}

// closing opens a checkpoint for the length of a test.
func closing(t *testing.T, c *tensors.Checkpoint, err error) *tensors.Checkpoint {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// refused checks that an error is one readable line that holds all words. 400
// bytes fill five lines of a terminal.
func refused(t *testing.T, c *tensors.Checkpoint, err error, words ...string) {
	t.Helper()
	if err == nil {
		c.Close()
		t.Fatalf("opened, with the tensors %q", c.Names())
	}
	text := err.Error()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("the error does not say %q: %s", word, text)
		}
	}
	if strings.ContainsAny(text, "\n\r\x1b") || len(text) >= 400 {
		t.Errorf("the error is not one short line (%d bytes): %.500q", len(text), text)
	}
}

// mixed is a Source of everything a checkpoint may hold: a matrix, a scalar, a
// tensor without elements, integers, and a name that JSON must escape.
func mixed(d tensors.DType) *tensorstest.Memory {
	m := tensorstest.NewMemory()
	draw := tensorstest.NewRandom(5, "mixed")
	values := make([]float32, 7*11)
	for i := range values {
		values[i] = draw.Normal(i)
	}
	m.Add("model.layers.0.mlp.up_proj.weight", d, []int{7, 11}, values)
	m.Add("scalar", d, []int{}, []float32{-2.5})
	m.Add("empty", d, []int{3, 0, 2}, nil)
	m.Add("<\"höhe\">\t", d, []int{2}, []float32{1, -1})
	integers := binary.LittleEndian.AppendUint64(nil, math.MaxUint64-2)
	m.AddRaw("ids", tensors.Info{DType: "I64", Shape: []int{1, 2}}, append(integers, 1, 2, 3, 4, 5, 6, 7, 8))
	return m
}

// encode writes a Source as a safetensors file with code of its own: headers
// in any order, an odd header length, no padding.
func encode(src tensors.Source, names []string) []byte {
	header, data := map[string]any{}, []byte{}
	for _, name := range names {
		info, _ := src.Info(name)
		raw, err := tensors.Raw(src, name)
		if err != nil {
			panic(err)
		}
		header[name] = map[string]any{"dtype": info.DType, "shape": append([]int{}, info.Shape...), "data_offsets": []int{len(data), len(data) + len(raw)}}
		data = append(data, raw...)
	}
	text, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	return file(string(text)+strings.Repeat(" ", (len(text)+1)%2), data...)
}

// parsed is what the tiny reader below finds in a file.
type parsed struct {
	infos    map[string]tensors.Info
	raw      map[string][]byte
	metadata map[string]string
}

// parse reads a safetensors file with nothing but encoding/json.
func parse(data []byte) (parsed, error) {
	p := parsed{map[string]tensors.Info{}, map[string][]byte{}, nil}
	n := binary.LittleEndian.Uint64(data)
	var header map[string]json.RawMessage
	if err := json.Unmarshal(data[8:8+n], &header); err != nil {
		return p, err
	}
	var used int
	for name, text := range header {
		if name == "__metadata__" {
			if err := json.Unmarshal(text, &p.metadata); err != nil {
				return p, err
			}
			continue
		}
		var entry struct {
			DType   tensors.DType `json:"dtype"`
			Shape   []int         `json:"shape"`
			Offsets [2]int        `json:"data_offsets"`
		}
		if err := json.Unmarshal(text, &entry); err != nil {
			return p, err
		}
		if entry.Shape == nil {
			return p, fmt.Errorf("%s: shape null", name)
		}
		p.infos[name] = tensors.Info{DType: entry.DType, Shape: entry.Shape}
		p.raw[name] = data[8+int(n):][entry.Offsets[0]:entry.Offsets[1]]
		used += entry.Offsets[1] - entry.Offsets[0]
	}
	if used != len(data)-8-int(n) {
		return p, fmt.Errorf("%d bytes of data, %d in tensors", len(data)-8-int(n), used)
	}
	return p, nil
}

// sameTensors checks that two Sources hold the same names, types, shapes and
// bytes.
func sameTensors(t *testing.T, got, want tensors.Source) {
	t.Helper()
	if !slices.Equal(got.Names(), want.Names()) {
		t.Fatalf("names %q, want %q", got.Names(), want.Names())
	}
	for _, name := range want.Names() {
		a, _ := got.Info(name)
		b, _ := want.Info(name)
		if a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) {
			t.Errorf("%q: %v, want %v", name, a, b)
		}
		x, err := tensors.Raw(got, name)
		if err != nil {
			t.Fatal(err)
		}
		if y, _ := tensors.Raw(want, name); !bytes.Equal(x, y) {
			t.Errorf("%q: other bytes", name)
		}
	}
}

// entries lists a directory, hidden files too.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	names := []string{}
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	return names
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
