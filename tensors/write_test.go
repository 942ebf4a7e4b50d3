package tensors_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// patterns is a Source of stored bits that arithmetic would not keep.
func patterns() *tensorstest.Memory {
	m := tensorstest.NewMemory()
	// quiet and signalling NaN with payloads, both infinities, -0, the
	// smallest subnormal and its negative, the largest subnormal, the largest
	// number.
	words := []uint32{0x7fc00001, 0xffa5a5a5, 0x7f800001, 0x7f800000, 0xff800000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x7f7fffff}
	var raw []byte
	for _, w := range words {
		raw = binary.LittleEndian.AppendUint32(raw, w)
	}
	m.AddRaw("f32", tensors.Info{DType: "F32", Shape: []int{2, 5}}, raw)
	for _, d := range []tensors.DType{"F16", "BF16"} {
		raw := make([]byte, 0, 1<<17)
		for bits := range 1 << 16 { // all there are
			raw = binary.LittleEndian.AppendUint16(raw, uint16(bits))
		}
		m.AddRaw("all "+string(d), tensors.Info{DType: d, Shape: []int{256, 256}}, raw)
	}
	return m
}

// TestWriteRoundTrip writes a file and a directory and reads them back by
// Open and by a reader that shares no code with surgeon.
func TestWriteRoundTrip(t *testing.T) {
	check := func(name string, src tensors.Source, metadata map[string]string) {
		for _, target := range targets {
			t.Run(name+" "+target, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), target)
				written, err := tensors.Write(t.Context(), path, src, tensors.WriteOptions{Metadata: metadata})
				if err != nil {
					t.Fatal(err)
				}
				c, err := tensors.Open(path)
				sameTensors(t, closing(t, c, err), src)
				weights := path
				if filepath.Ext(target) == "" {
					weights = filepath.Join(path, "model.safetensors")
				}
				data, err := os.ReadFile(weights)
				if err != nil {
					t.Fatal(err)
				}
				checkWritten(t, written, filepath.Base(weights), data)
				p, err := parse(data)
				if err != nil {
					t.Fatalf("not a safetensors file: %v", err)
				}
				want := map[string]string{"format": "pt"} // transformers refuses a file without it
				maps.Copy(want, metadata)
				if !maps.Equal(p.metadata, want) || !maps.Equal(c.Metadata(), want) {
					t.Errorf("metadata %q and %q, want %q", p.metadata, c.Metadata(), want)
				}
				if got := sorted(p.infos); !slices.Equal(got, src.Names()) {
					t.Fatalf("names %q, want %q", got, src.Names())
				}
				for name, got := range p.raw {
					if want, _ := tensors.Raw(src, name); !bytes.Equal(got, want) {
						t.Errorf("%q: other bytes in the file", name)
					}
					info, _ := src.Info(name)
					if p.infos[name].DType != info.DType || !slices.Equal(p.infos[name].Shape, info.Shape) {
						t.Errorf("%q: %v in the file, want %v", name, p.infos[name], info)
					}
				}
				if n := binary.LittleEndian.Uint64(data); n%8 != 0 {
					t.Errorf("a header of %d bytes does not align the data", n)
				}
			})
		}
	}
	check("patterns", patterns(), nil)
	check("mixed", mixed(tensors.BF16), map[string]string{"made by": "<a test> & \"quotes\""})
	check("nothing", tensorstest.NewMemory(), nil)
}

// checkWritten checks the description of the first file of a list.
func checkWritten(t *testing.T, written []tensors.Digest, name string, data []byte) {
	t.Helper()
	if len(written) == 0 {
		t.Fatal("Write describes no file")
	}
	sum := sha256.Sum256(data)
	if got, want := written[0], (tensors.Digest{Name: name, Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}); got != want {
		t.Errorf("Write describes %v, the file is %v", got, want)
	}
}

// TestWriteSame writes the same bytes twice: nothing of the time, the place or
// the order of a map is in a file.
func TestWriteSame(t *testing.T) {
	var first []byte
	for range 3 {
		path := filepath.Join(t.TempDir(), "out")
		if _, err := tensors.Write(t.Context(), path, mixed(tensors.F16), tensors.WriteOptions{Metadata: map[string]string{"a": "1", "b": "2", "c": "3"}}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(path, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		}
		if !bytes.Equal(data, first) {
			t.Fatal("the second file differs from the first")
		}
	}
}

// TestSideFiles copies what makes weights a model, and nothing else.
func TestSideFiles(t *testing.T) {
	wanted := []string{"LICENSE", "LICENSE.txt", "NOTICE", "USE_POLICY.md", "added_tokens.json", "chat_template.jinja", "config.json",
		"generation_config.json", "merges.txt", "modeling_x.py", "preprocessor_config.json", "special_tokens_map.json",
		"spiece.model", "tokenizer.json", "tokenizer_config.json", "vocab.json", "x.tiktoken"}
	unwanted := []string{"README.md", "model.safetensors", "model-00001-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.safetensors",
		"pytorch_model.bin", "pytorch_model.bin.index.json", "vocab.index.json", ".gitattributes", "training_args.bin", "notes.txt", "original/config.json", "tokenizer/x"}
	files := map[string][]byte{}
	for _, name := range append(slices.Clone(wanted), unwanted...) {
		files[name] = []byte("text of " + name)
	}
	target := filepath.Join(t.TempDir(), "out")
	written, err := tensors.Write(t.Context(), target, mixed(tensors.F32), tensors.WriteOptions{Side: mapFS(files)})
	if err != nil {
		t.Fatal(err)
	}
	want := append(slices.Clone(wanted), "model.safetensors")
	slices.Sort(want)
	if got := entries(t, target); !slices.Equal(got, want) {
		t.Errorf("the directory holds %q\nwant %q", got, want)
	}
	for i, name := range wanted {
		data, err := os.ReadFile(filepath.Join(target, name))
		if err != nil || !bytes.Equal(data, files[name]) {
			t.Errorf("%s holds %q, %v", name, data, err)
		}
		checkWritten(t, written[1+i:], name, files[name])
	}
	if got := written[0].Name; len(written) != len(wanted)+1 || got != "model.safetensors" {
		t.Errorf("%d files described, the first is %s", len(written), got)
	}
}

// TestWriteSingle writes one file, beside which nothing is left.
func TestWriteSingle(t *testing.T) {
	for _, target := range []string{"out.safetensors", "deep/out.safetensors"} {
		path := filepath.Join(t.TempDir(), target)
		side := mapFS(map[string][]byte{"config.json": []byte("{}")})
		written, err := tensors.Write(t.Context(), path, patterns(), tensors.WriteOptions{Side: side})
		if err != nil {
			t.Fatal(err)
		}
		if len(written) != 1 || written[0].Name != "out.safetensors" {
			t.Errorf("described as %v", written)
		}
		c, err := tensors.Open(path)
		sameTensors(t, closing(t, c, err), patterns())
		if got := entries(t, filepath.Dir(path)); !slices.Equal(got, []string{"out.safetensors"}) {
			t.Errorf("left %q", got)
		}
	}
}

// TestVacant allows what is not there and an empty directory, nothing else.
func TestVacant(t *testing.T) {
	dir := write(t, map[string][]byte{"file": nil, "full.safetensors": one("x", 1)})
	for _, sub := range []string{"empty", "full"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "full", ".hidden"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	check := func(name, rule string) {
		t.Helper()
		path := filepath.Join(dir, name)
		before := entries(t, dir)
		refused(t, nil, tensors.Vacant(path, false), path, rule)
		_, err := tensors.Write(t.Context(), path, mixed(tensors.F32), tensors.WriteOptions{})
		refused(t, nil, err, path, rule)
		if after := entries(t, dir); !slices.Equal(before, after) {
			t.Errorf("%s: the refusal left %q, before it was %q", name, after, before)
		}
	}
	check("file", "the target exists")
	check("full.safetensors", "the target exists")
	check("full", "the target exists")
	check("file/below", "not a directory")
	check("file/below.safetensors", "not a directory")
	for _, name := range []string{"nothing", "nothing.safetensors", "empty"} {
		if err := tensors.Vacant(filepath.Join(dir, name), false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tensors.Write(t.Context(), filepath.Join(dir, "empty"), mixed(tensors.F32), tensors.WriteOptions{}); err != nil {
		t.Errorf("into an empty directory: %v", err)
	}
}

// TestProgress counts up to the bytes of the weights.
func TestProgress(t *testing.T) {
	src := mixed(tensors.F32)
	var total, last int64
	calls := 0
	_, err := tensors.Write(t.Context(), filepath.Join(t.TempDir(), "out"), src, tensors.WriteOptions{Progress: func(done, of int64) {
		if calls++; total == 0 {
			total = of
		}
		if of != total || done < last || done > total {
			t.Errorf("progress %d of %d after %d", done, of, last)
		}
		last = done
	}})
	if err != nil || last != total || calls < len(src.Names())-1 || total < 300 {
		t.Errorf("%d calls for %d tensors, the last at %d of %d, %v", calls, len(src.Names()), last, total, err)
	}
}

// cancelling is a Source that cancels a context when a tensor is asked for.
type cancelling struct {
	*tensorstest.Memory
	cancel context.CancelFunc
	asked  int
}

func (c *cancelling) ReadRaw(dst []byte, name string, at int64) error {
	c.asked++
	c.cancel()
	return c.Memory.ReadRaw(dst, name, at)
}

// TestWriteStopped cancels before and during the writing.
func TestWriteStopped(t *testing.T) {
	for _, target := range []string{"out", "out.safetensors"} {
		ctx, cancel := context.WithCancel(t.Context())
		src := &cancelling{mixed(tensors.F32), cancel, 0}
		leavesNothing(t, ctx, target, src, context.Canceled)
		if src.asked != 1 {
			t.Errorf("%d tensors were read; the first one cancelled", src.asked)
		}
		src.asked = 0
		leavesNothing(t, ctx, target, src, context.Canceled)
		if src.asked != 0 {
			t.Errorf("%d tensors were read under a cancelled context", src.asked)
		}
	}
}

// leavesNothing checks that Write fails for a reason and leaves no file.
func leavesNothing(t *testing.T, ctx context.Context, target string, src tensors.Source, reason error) {
	t.Helper()
	dir := t.TempDir()
	written, err := tensors.Write(ctx, filepath.Join(dir, target), src, tensors.WriteOptions{Side: mapFS(map[string][]byte{"config.json": []byte("{}")})})
	if !errors.Is(err, reason) || written != nil {
		t.Errorf("%s: %v, %v; want %v", target, written, err, reason)
	}
	if got := entries(t, dir); len(got) > 0 {
		t.Errorf("%s: left %q behind", target, got)
	}
}
