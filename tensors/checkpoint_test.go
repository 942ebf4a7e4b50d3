package tensors_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// sharded spreads a Source over two shards and an index.
func sharded(src tensors.Source) map[string][]byte {
	names := src.Names()
	first, second := names[:2], names[2:]
	weights := map[string]string{}
	for _, name := range first {
		weights[name] = "model-00001-of-00002.safetensors"
	}
	for _, name := range second {
		weights[name] = "model-00002-of-00002.safetensors"
	}
	index, err := json.Marshal(map[string]any{"metadata": map[string]any{"total_size": 1}, "weight_map": weights})
	if err != nil {
		panic(err)
	}
	return map[string][]byte{
		"model.safetensors.index.json":     index,
		"model-00001-of-00002.safetensors": encode(src, first),
		"model-00002-of-00002.safetensors": encode(src, second),
	}
}

// TestCheckpoint opens the same tensors in every way there is and holds each
// to the contract of a Source and to the bytes that were put in.
func TestCheckpoint(t *testing.T) {
	for _, d := range floats {
		src := mixed(d)
		names := slices.Clone(src.Names())
		slices.Reverse(names) // data in another order than names
		single, shards := map[string][]byte{"model.safetensors": encode(src, names)}, sharded(src)
		other := map[string][]byte{"weights.safetensors": single["model.safetensors"]}
		check := func(how string, open func(t *testing.T) (*tensors.Checkpoint, error), files ...string) {
			t.Run(string(d)+" "+how, func(t *testing.T) {
				c, err := open(t)
				closing(t, c, err)
				tensorstest.TestSource(t, c)
				sameTensors(t, c, src)
				var got []string
				for _, f := range c.Files() {
					got = append(got, f.Name)
					if f.Bytes != int64(len(single[f.Name])+len(shards[f.Name])+len(other[f.Name])) {
						t.Errorf("%s: %d bytes", f.Name, f.Bytes)
					}
				}
				if !slices.Equal(got, files) {
					t.Errorf("files %q, want %q", got, files)
				}
				if _, err := fs.Stat(c.Dir(), files[0]); err != nil {
					t.Errorf("Dir is not where the weights are: %v", err)
				}
			})
		}
		path := func(files map[string][]byte, name string) func(t *testing.T) (*tensors.Checkpoint, error) {
			return func(t *testing.T) (*tensors.Checkpoint, error) {
				path := filepath.Join(write(t, files), name)
				c, err := tensors.Open(path)
				if err == nil && c.Path() != path {
					t.Errorf("Path is %s, opened as %s", c.Path(), path)
				}
				return c, err
			}
		}
		memory := func(files map[string][]byte) func(*testing.T) (*tensors.Checkpoint, error) {
			return func(*testing.T) (*tensors.Checkpoint, error) { return tensors.OpenFS(mapFS(files), "memory") }
		}
		first, second := "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
		check("file", path(single, "model.safetensors"), "model.safetensors")
		check("file of another name", path(other, "weights.safetensors"), "weights.safetensors")
		check("directory", path(single, ""), "model.safetensors")
		check("directory with one file of another name", path(other, ""), "weights.safetensors")
		check("index", path(shards, "model.safetensors.index.json"), first, second)
		check("directory of shards", path(shards, ""), first, second)
		check("one file of two", path(map[string][]byte{"model.safetensors": single["model.safetensors"], "b.safetensors": nil}, "model.safetensors"), "model.safetensors")
		check("directory of both", path(map[string][]byte{"model.safetensors": nil, first: shards[first], second: shards[second], "model.safetensors.index.json": shards["model.safetensors.index.json"]}, ""), first, second)
		check("file system", memory(single), "model.safetensors")
		check("file system of shards", memory(shards), first, second)
	}
}

// TestLinks opens a directory of symbolic links, as the cache of Hugging Face
// lays models out.
func TestLinks(t *testing.T) {
	src := mixed(tensors.BF16)
	blobs := write(t, map[string][]byte{"0123abcd": encode(src, src.Names())})
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(blobs, "0123abcd"), filepath.Join(dir, "model.safetensors")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "model.safetensors")} {
		c, err := tensors.Open(path)
		sameTensors(t, closing(t, c, err), src)
	}
}

// TestRanges checks the edges of Read that the contract suite does not reach.
func TestRanges(t *testing.T) {
	src := mixed(tensors.F32)
	c, err := openBytes(encode(src, src.Names()))
	closing(t, c, err)
	check := func(name string, n, from int, ok bool) {
		t.Helper()
		if err := c.Read(make([]float32, n), name, from); (err == nil) != ok {
			t.Errorf("Read of %d at %d of %s: %v", n, from, name, err)
		}
	}
	const matrix, last = "model.layers.0.mlp.up_proj.weight", 76 // of 7 x 11 elements
	maxInt := int(^uint(0) >> 1)
	check(matrix, 1, last, true)
	check(matrix, 2, last, false)
	check(matrix, 0, last+1, true)
	check(matrix, 0, last+2, false)
	check(matrix, 1, maxInt, false)
	check(matrix, 1, -maxInt-1, false)
	check("scalar", 1, 0, true)
	check("scalar", 1, 1, false)
	check("empty", 0, 0, true)
	check("empty", 1, 0, false)
	check("ids", 0, 0, false)
}

// TestMetadata keeps the __metadata__ of the first file that has any.
func TestMetadata(t *testing.T) {
	check := func(want string, headers ...string) {
		t.Helper()
		files, weights := map[string][]byte{}, map[string]string{}
		for i, header := range headers {
			name := string(rune('a'+i)) + ".safetensors"
			files[name] = file(header)
			for _, tensor := range []string{"x", "y"} {
				if c, err := openBytes(file(header)); err == nil {
					if _, ok := c.Info(tensor); ok {
						weights[tensor] = name
					}
				}
			}
		}
		index, _ := json.Marshal(map[string]any{"weight_map": weights})
		files["model.safetensors.index.json"] = index
		c, err := tensors.OpenFS(mapFS(files), "m")
		closing(t, c, err)
		if got := c.Metadata()["k"]; got != want {
			t.Errorf("metadata %q, want %q", got, want)
		}
	}
	x, y := `"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`, `"y":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`
	check("", `{`+x+`}`, `{`+y+`}`)
	check("1", `{`+x+`,"__metadata__":{"k":"1"}}`, `{"__metadata__":{"k":"2"},`+y+`}`)
	check("2", `{`+x+`}`, `{"__metadata__":{"k":"2"},`+y+`}`)
}

// TestMissing checks that what is not there is an fs.ErrNotExist.
func TestMissing(t *testing.T) {
	index := []byte(`{"weight_map":{"x":"gone.safetensors"}}`)
	dir := write(t, map[string][]byte{"model.safetensors.index.json": index})
	check := func(path string, words ...string) {
		t.Helper()
		c, err := tensors.Open(path)
		refused(t, c, err, words...)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v is no fs.ErrNotExist", path, err)
		}
	}
	check(filepath.Join(dir, "nothing"), "nothing")
	check(filepath.Join(dir, "nothing.safetensors"), "nothing.safetensors")
	check(filepath.Join(dir, "nothing.index.json"), "nothing.index.json")
	check(dir, filepath.Join(dir, "gone.safetensors"))
	check(filepath.Join(dir, "model.safetensors.index.json"), filepath.Join(dir, "gone.safetensors"))
	c, err := tensors.OpenFS(mapFS(map[string][]byte{"model.safetensors.index.json": index}), "m")
	refused(t, c, err, "gone.safetensors")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is no fs.ErrNotExist", err)
	}
}

// TestDirectories refuses directories that do not say which weights are meant.
func TestDirectories(t *testing.T) {
	check := func(rule string, files map[string][]byte) {
		t.Helper()
		dir := write(t, files)
		c, err := tensors.Open(dir)
		refused(t, c, err, dir, rule)
		c, err = tensors.OpenFS(mapFS(files), "in-memory")
		refused(t, c, err, "in-memory", rule)
	}
	x := one("x", 1)
	check("without weights", map[string][]byte{})
	check("without weights", map[string][]byte{"config.json": []byte("{}"), "README.md": nil})
	check(`"pytorch_model.bin": PyTorch weights: load them in transformers`, map[string][]byte{"config.json": []byte("{}"), "pytorch_model.bin": x})
	check("2 .safetensors files", map[string][]byte{"a.safetensors": x, "b.safetensors": x})
	for _, name := range []string{"weights.bin", "config.json", "model.safetensors.partial"} {
		path := filepath.Join(write(t, map[string][]byte{name: x}), name)
		c, err := tensors.Open(path)
		refused(t, c, err, path, "not a .safetensors file")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "model.safetensors"), 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := tensors.Open(dir)
	refused(t, c, err, "model.safetensors", "not a file")
}
