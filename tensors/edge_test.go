package tensors_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// errors stay one short line where a name is long or holds a line break.
func TestEdgeLongNames(t *testing.T) {
	long := strings.Repeat("n", 5000)
	index := func(weights map[string]string) []byte {
		data, _ := json.Marshal(map[string]any{"weight_map": weights})
		return data
	}
	check := func(name string, files map[string][]byte) {
		t.Run(name, func(t *testing.T) {
			c, err := tensors.OpenFS(mapFS(files), "m")
			refused(t, c, err)
		})
	}
	const ix = "model.safetensors.index.json"
	check("dimension above 2^63", map[string][]byte{"model.safetensors": file(`{` + tensor(long, "U8", "[9223372036854775808,0]", "[0,0]") + `}`)})
	check("64 dimensions that overflow", map[string][]byte{"model.safetensors": file(`{` + tensor("a", "U8", "["+strings.Repeat("18446744073709551615,", 63)+"1]", "[0,0]") + `}`)})
	check("shard of a long name", map[string][]byte{ix: index(map[string]string{"x": long})})
	check("shard of a long name outside", map[string][]byte{ix: index(map[string]string{"x": "../" + long})})
	check("shard with a line break", map[string][]byte{ix: index(map[string]string{"x": "a\nb"})})
	check("shard with an escape", map[string][]byte{ix: index(map[string]string{"x": "a\x1b[31mb"})})
	check("long tensor missing", map[string][]byte{ix: index(map[string]string{long: "a.safetensors"}), "a.safetensors": one("x", 1)})
	check("long tensor extra", map[string][]byte{ix: index(map[string]string{"x": "a.safetensors"}), "a.safetensors": file(`{` + tensor("x", "U8", "[0]", "[0,0]") + `,` + tensor(long, "U8", "[0]", "[0,0]") + `}`)})
	check("long tensor twice", map[string][]byte{ix: index(map[string]string{long: "a.safetensors", "y": "b.safetensors"}), "a.safetensors": one(long, 1), "b.safetensors": one(long, 1)})
}

// a tensor may be called anything but __metadata__.
func TestEdgeMetadataCase(t *testing.T) {
	c, err := openBytes(file(`{`+tensor("__METADATA__", "U8", "[1]", "[0,1]")+`}`, 1))
	closing(t, c, err)
}

// a lone surrogate is no UTF-8 name (serde_json refuses it).
func TestEdgeSurrogate(t *testing.T) {
	c, err := openBytes(file(`{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1))
	refused(t, c, err)
}

// hostile files answer in < 2 s and little memory.
func TestEdgeSlow(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time on files of 50 MB: left out by -short, which the race detector runs with")
	}
	check := func(name string, fsys fs.FS) {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			c, err := tensors.OpenFS(fsys, "m")
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			t.Logf("%v, %d MB allocated", took, (after.TotalAlloc-before.TotalAlloc)>>20)
			if took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			refused(t, c, err)
		})
	}
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	check("a tensor of 5 million keys", mapFS(map[string][]byte{"model.safetensors": file(`{"a":{` + many(5_000_000, `"%07d":1,`) + `"dtype":"U8"}}`)}))
	check("5 million empty tensors", mapFS(map[string][]byte{"model.safetensors": file(`{` + many(5_000_000, `"%07d":{},`) + `"dtype":{}}`)}))
	check("an index of 60,000 shards", mapFS(map[string][]byte{"model.safetensors.index.json": []byte(`{"weight_map":{` + many(60_000, `"%d":"s%[1]d",`) + `"x":"y"}}`)}))
}

// what is written has the names of the Source.
func TestEdgeWriteNames(t *testing.T) {
	m := tensorstest.NewMemory()
	m.Add("a\xff", tensors.F32, []int{1}, []float32{1})
	path := filepath.Join(t.TempDir(), "out")
	if _, err := tensors.Write(t.Context(), path, m, tensors.WriteOptions{}); err != nil {
		return // refusing it is right
	}
	c, err := tensors.Open(path)
	sameTensors(t, closing(t, c, err), m)
}

// progress ends at the total.
func TestEdgeProgress(t *testing.T) {
	src := mixed(tensors.F32)
	var last, want int64
	_, err := tensors.Write(t.Context(), filepath.Join(t.TempDir(), "out"), src, tensors.WriteOptions{Progress: func(done, total int64) { last, want = done, total }})
	if err != nil || last != want {
		t.Errorf("progress ends at %d of %d, %v", last, want, err)
	}
}

// the error names the file that is broken.
func TestEdgePath(t *testing.T) {
	for _, name := range []string{"model.safetensors", "model.json"} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "model.safetensors"), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := tensors.Open(dir)
		refused(t, c, err, filepath.Join(dir, "model.safetensors"))
	}
}

// side files that are links to directories, or dangling links, are skipped or copied, not fatal.
func TestEdgeSideLinks(t *testing.T) {
	side := write(t, map[string][]byte{"config.json": []byte("{}")})
	if err := os.Mkdir(filepath.Join(side, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("d", filepath.Join(side, "tokenizer_files")); err != nil {
		t.Skip(err)
	}
	if _, err := tensors.Write(t.Context(), filepath.Join(t.TempDir(), "out"), mixed(tensors.F32), tensors.WriteOptions{Side: os.DirFS(side)}); err != nil {
		t.Error(err)
	}
}

// the stem is looked for at every place of the name, not the first only.
func TestEdgeKeyOf(t *testing.T) {
	check := func(name string, want tensors.Key) {
		t.Helper()
		if got := tensors.KeyOf(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
	check("branch.h.3.attn.weight", tensors.Key{Layer: 3, Part: "attn"})
	check("sublayers.layers.3.attn.weight", tensors.Key{Layer: 3, Part: "attn"})
	check("model.layers.+7.attn.weight", tensors.Key{Layer: tensors.NoLayer, Part: "model.layers.+7.attn.weight"})
}

// what a killed Write left behind is no second file of weights.
func TestEdgeLeftover(t *testing.T) {
	dir := write(t, map[string][]byte{"a.safetensors": one("x", 1), ".b.safetensors.partial-1.safetensors": nil})
	c, err := tensors.Open(dir)
	closing(t, c, err)
}
