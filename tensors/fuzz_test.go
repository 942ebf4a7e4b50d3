package tensors_test

import (
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
		if err := c.Read(make([]float32, len(raw)/info.DType.Size()), name, 0); (err == nil) != info.DType.Float() {
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
