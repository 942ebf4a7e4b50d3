package tensors_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/tensors"
)

// readAll reads every tensor of a checkpoint that could be opened: what the
// header promised must be there.
func readAll(t *testing.T, c *tensors.Checkpoint, limit int) {
	t.Helper()
	var sum int64
	for _, name := range c.Names() {
		info, ok := c.Info(name)
		raw, err := tensors.Raw(c, name)
		if !ok || err != nil || int64(len(raw)) != info.Bytes() {
			t.Fatalf("%q: %v, %d bytes, %v", name, info, len(raw), err)
		}
		sum += info.Bytes()
		if err := c.Read(make([]float32, info.Len()), name, 0); (err == nil) != info.DType.Float() {
			t.Fatalf("%q: Read of %s: %v", name, info.DType, err)
		}
	}
	if sum > int64(limit) {
		t.Fatalf("tensors of %d bytes in files of %d: some overlap", sum, limit)
	}
}

// FuzzOpen opens any header over any data: an error of one short line, or a
// checkpoint whose every tensor can be read.
func FuzzOpen(f *testing.F) {
	for _, header := range []string{
		`{}`, `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, `{"__metadata__":{"k":"v"},"a":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]}} `,
		`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"F16","shape":[],"data_offsets":[2,4]}}`,
		`{"a":{"dtype":"U8","shape":[[`, `{"a":{},"a":{}}`, `{"a":{"dtype":"I64","shape":[0,9223372036854775808],"data_offsets":[0,0]}}`, "null",
		`{"a":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}}`, `{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}`, `{"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]},"b":{"dtype":"F8_E4M3","shape":[],"data_offsets":[3,4]}}`,
		`{"a":{"dtype":"F6_E3M2","shape":[4],"data_offsets":[1,4]},"b":{"dtype":"F8_E8M0","shape":[1],"data_offsets":[0,1]},"__metadata__":null}`,
		`{"\u0061":{"\u0064type":"F8_E5M2","shape":[2,2],"data_offsets":[0,4]}}`, `{"\ud834\udd1e":{"dtype":"F8_E4M3FNUZ","shape":[4],"data_offsets":[0,4]}}`,
		`{"a":{"dtype":"F8_E5M2FNUZ","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"C64","shape":[0],"data_offsets":[4,4]},"c":{"dtype":"F64","shape":[0,1],"data_offsets":[0,0]}}`,
		`{"__metadata__":{"\ud800":"x"}}`, `{"a":{"dtype":"\ud83d`, `{"a":{"dtype":"U8","shape":[4,1,01],"data_offsets":[0,4]}}`,
	} {
		f.Add(header, []byte{1, 2, 3, 4})
	}
	f.Fuzz(func(t *testing.T, header string, data []byte) {
		c, err := openBytes(file(header, data...))
		if err != nil {
			if text := err.Error(); len(text) >= 400 || strings.ContainsAny(text, "\n\r") {
				t.Fatalf("not one short line: %.500q", text)
			}
			return
		}
		defer c.Close()
		readAll(t, c, len(data))
	})
}

// FuzzIndex opens any index beside two good shards.
func FuzzIndex(f *testing.F) {
	for _, index := range []string{
		`{"weight_map":{"x":"a.safetensors","y":"b.safetensors"}}`, `{"weight_map":{"x":"b.safetensors"}}`, `{"weight_map":{"x":"../a.safetensors"}}`,
		`{"metadata":{"total_size":8},"weight_map":{"x":"a.safetensors"}}`, `{"weight_map":{"x":"model.safetensors.index.json"}}`, `[]`, ``,
	} {
		f.Add(index)
	}
	x, y := one("x", 1), one("y", 2)
	f.Fuzz(func(t *testing.T, index string) {
		c, err := tensors.OpenFS(mapFS(map[string][]byte{"model.safetensors.index.json": []byte(index), "a.safetensors": x, "b.safetensors": y}), "m")
		if err != nil {
			return
		}
		defer c.Close()
		if len(c.Names()) == 0 || len(c.Files()) == 0 {
			t.Fatalf("opened with tensors %q in files %v", c.Names(), c.Files())
		}
		readAll(t, c, len(x)+len(y))
	})
}

// FuzzJournal resumes by any journal beside one good and one broken shard: the
// result is that of an unbroken write, or the leftovers are said to be another's
// and stay.
func FuzzJournal(f *testing.F) {
	opt := tensors.WriteOptions{ShardSize: 100, Resume: true}
	whole := filepath.Join(f.TempDir(), "out")
	if _, err := tensors.Write(f.Context(), whole, blocks(1), opt); err != nil {
		f.Fatal(err)
	}
	first, err := os.ReadFile(filepath.Join(whole, "model-00001-of-00002.safetensors"))
	if err != nil {
		f.Fatal(err)
	}
	journal := journalOf(f, opt)
	f.Add(journal)
	f.Add(journal[:len(journal)/2])
	f.Add(bytes.ToUpper(journal))
	for _, text := range []string{"", "{}\n{}\n", "null\n", "{\"identity\":\"\",\"shards\":-1}\n{\"name\":\".journal\"}\n", "{}\n{\"name\":\"..\"}\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, journal []byte) {
		dir := t.TempDir()
		path, partial := filepath.Join(dir, "out"), filepath.Join(dir, ".out.partial")
		if err := os.Mkdir(partial, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{".journal": journal, "model-00001-of-00002.safetensors": first, "model-00002-of-00002.safetensors": first} {
			if err := os.WriteFile(filepath.Join(partial, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, err := tensors.Write(t.Context(), path, blocks(1), opt)
		var unfinished *tensors.Unfinished
		switch {
		case err == nil:
			sameTree(t, path, whole)
		case !errors.As(err, &unfinished):
			t.Errorf("%v", err)
		case len(entries(t, partial)) != 3:
			t.Errorf("%v, and %q are left", err, entries(t, partial))
		}
	})
}

// journalOf is the journal of a write of blocks(1) when both shards are
// finished.
func journalOf(f *testing.F, opt tensors.WriteOptions) (journal []byte) {
	dir := f.TempDir()
	opt.Beside = func([]tensors.Digest) (map[string][]byte, error) {
		var err error
		journal, err = os.ReadFile(filepath.Join(dir, ".out.partial", ".journal"))
		return nil, err
	}
	if _, err := tensors.Write(f.Context(), filepath.Join(dir, "out"), blocks(1), opt); err != nil {
		f.Fatal(err)
	}
	return journal
}
