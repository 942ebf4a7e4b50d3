package tensors_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

func sha(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func digestNames(list []tensors.Digest) []string {
	names := make([]string, len(list))
	for i, d := range list {
		names[i] = d.Name
	}
	return names
}

// digestsTrue checks that digests are those of the files of a directory.
func digestsTrue(t *testing.T, dir string, list []tensors.Digest) {
	t.Helper()
	for _, d := range list {
		data, err := os.ReadFile(filepath.Join(dir, d.Name))
		if err != nil {
			t.Error(err)
		}
		if d.Bytes != int64(len(data)) || d.SHA256 != sha(data) {
			t.Errorf("%s is described as %v, it has %d bytes of %s", d.Name, d, len(data), sha(data))
		}
	}
}

// large is a Source whose tensors are longer than what is digested at a time:
// by one byte, by less than another piece, not at all.
func large() *tensorstest.Memory {
	m := tensorstest.NewMemory()
	draw := tensorstest.NewRandom(11, "large")
	for i, size := range []int{1<<20 + 1, 3<<20 - 5, 1 << 20, 0, 1, 700_001} {
		raw := make([]byte, size)
		for j := range raw {
			raw[j] = byte(draw.Uint64(j>>3) >> (j & 7 * 8))
		}
		m.AddRaw(strings.Repeat("x", i+1), tensors.Info{DType: "U8", Shape: []int{size}}, raw)
	}
	return m
}

// TestDigestTensors compares digests with crypto/sha256 of the whole bytes, of
// a Source in memory and of a checkpoint, in the order of names.
func TestDigestTensors(t *testing.T) {
	src := large()
	c, err := tensors.Open(unbroken(t, src, "out", tensors.WriteOptions{ShardSize: 2 << 20}))
	closing(t, c, err)
	for _, s := range []tensors.Source{src, c} {
		var last, of int64
		list, err := tensors.DigestTensors(t.Context(), s, func(done, total int64) {
			if done < last || total != of && of != 0 {
				t.Errorf("progress %d of %d after %d of %d", done, total, last, of)
			}
			last, of = done, total
		})
		if err != nil {
			t.Fatal(err)
		}
		if last != of || of != 1<<20+1+3<<20-5+1<<20+1+700_001 {
			t.Errorf("progress ends at %d of %d", last, of)
		}
		for i, name := range src.Names() {
			raw, _ := tensors.Raw(src, name)
			if want := (tensors.Digest{Name: name, Bytes: int64(len(raw)), SHA256: sha(raw)}); list[i] != want {
				t.Errorf("%v, want %v", list[i], want)
			}
		}
	}
}

// TestDigestFiles compares the digests of files with those of Write and with
// crypto/sha256.
func TestDigestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	written, err := tensors.Write(t.Context(), dir, large(), tensors.WriteOptions{ShardSize: 2 << 20})
	if err != nil {
		t.Fatal(err)
	}
	c, err := tensors.Open(dir)
	closing(t, c, err)
	var last, of int64
	list, err := c.DigestFiles(t.Context(), func(done, total int64) { last, of = done, total })
	if err != nil || len(list) < 3 {
		t.Fatalf("%v, %v", list, err)
	}
	var sum int64
	for i, d := range list {
		sum += d.Bytes
		if d != written[i] {
			t.Errorf("%v, written as %v", d, written[i])
		}
	}
	digestsTrue(t, dir, written)
	if last != sum || of != sum {
		t.Errorf("progress ends at %d of %d, want %d", last, of, sum)
	}
}

// TestDigestPairs: sequences are digested two by two; that one of a pair is
// empty, shorter, or missing shows in neither sum.
func TestDigestPairs(t *testing.T) {
	const piece = 1 << 20 // what is digested at a time
	sizes := []int{0, 1, 63, 64, 65, piece - 1, piece, piece + 1}
	for _, a := range sizes {
		for _, b := range append(sizes, -1) {
			m := tensorstest.NewMemory()
			for name, size := range map[string]int{"a": a, "b": b} {
				if size >= 0 {
					m.AddRaw(name, tensors.Info{DType: "U8", Shape: []int{size}}, bytes.Repeat([]byte(name), size))
				}
			}
			list, err := tensors.DigestTensors(t.Context(), m, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range list {
				if raw, _ := tensors.Raw(m, d.Name); d.SHA256 != sha(raw) {
					t.Errorf("%s of %d and %d bytes: %s, want %s", d.Name, a, b, d.SHA256, sha(raw))
				}
			}
		}
	}
}

// TestDigestBytes digests what is in memory.
func TestDigestBytes(t *testing.T) {
	for _, data := range [][]byte{nil, []byte("abc"), bytes.Repeat([]byte{7}, 1000)} {
		if got, want := tensors.DigestBytes("n", data), (tensors.Digest{Name: "n", Bytes: int64(len(data)), SHA256: sha(data)}); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

// TestDigestStops: a cancelled context and a Source that fails are errors, and
// what is not yet begun is not read.
func TestDigestStops(t *testing.T) {
	c, err := tensors.Open(unbroken(t, large(), "out", tensors.WriteOptions{}))
	closing(t, c, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	src := &watched{Source: large()}
	if _, err := tensors.DigestTensors(ctx, src, nil); !errors.Is(err, context.Canceled) || len(src.reads) > 0 {
		t.Errorf("cancelled before: %v, %v read", err, src.reads)
	}
	if _, err := c.DigestFiles(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("files, cancelled before: %v", err)
	}

	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	var reads atomic.Int64
	src.before = func(string) error { reads.Add(1); cancel(); return nil }
	if _, err := tensors.DigestTensors(ctx, src, nil); !errors.Is(err, context.Canceled) || reads.Load() > 64 {
		t.Errorf("cancelled by the first reading: %v after %d readings", err, reads.Load())
	}

	broken := errors.New("the disk is on fire")
	src.before = func(name string) error {
		if name == "xxx" {
			return broken
		}
		return nil
	}
	if _, err := tensors.DigestTensors(t.Context(), src, nil); !errors.Is(err, broken) {
		t.Errorf("a failing Source: %v", err)
	}
}
