package tensors_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
)

// writeFiles writes models of some lengths, in shards of at most 1 KiB, and
// opens them.
func writeFiles(t *testing.T, elements ...int) (list []*tensors.Checkpoint, want [][]tensors.Digest) {
	t.Helper()
	for _, n := range elements {
		path := filepath.Join(t.TempDir(), "model")
		files, err := tensors.Write(t.Context(), path, blocks(n), tensors.WriteOptions{ShardSize: 1 << 10})
		if err != nil {
			t.Fatal(err)
		}
		c, err := tensors.Open(path)
		closing(t, c, err)
		list = append(list, c)
		want = append(want, slices.DeleteFunc(files, func(d tensors.Digest) bool { return filepath.Ext(d.Name) != ".safetensors" }))
	}
	return list, want
}

// TestAlongside digests checkpoints of several lengths and counts while one of
// them is written, on few and on many processors, and after a write that read
// nothing: always the digests of their files.
func TestAlongside(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, processors := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(processors)
		for _, lengths := range [][]int{{}, {9}, {9, 9}, {3, 20}, {20, 3, 9}} {
			list, want := writeFiles(t, lengths...)
			along := tensors.NewAlongside(list...)
			var got [][]tensors.Digest
			written, err := tensors.Write(t.Context(), filepath.Join(t.TempDir(), "out"), blocks(9), tensors.WriteOptions{Alongside: along, ShardSize: 1 << 10,
				Beside: func([]tensors.Digest) (_ map[string][]byte, err error) {
					got, err = along.Digests(t.Context())
					return nil, err
				}})
			if err != nil {
				t.Fatal(err)
			}
			alone, err := tensors.NewAlongside(list...).Digests(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if !slices.Equal(got[i], want[i]) || !slices.Equal(alone[i], want[i]) {
					t.Errorf("%d processors, %v: model %d has digests %v and alone %v, want %v", processors, lengths, i, got[i], alone[i], want[i])
				}
			}
			without, err := tensors.Write(t.Context(), filepath.Join(t.TempDir(), "out"), blocks(9), tensors.WriteOptions{ShardSize: 1 << 10})
			if err != nil || !slices.Equal(written, without) {
				t.Errorf("%d processors, %v: written as %v, alone as %v, %v", processors, lengths, written, without, err)
			}
		}
	}
}

// TestAlongsideStops: a cancelled context and a file that became shorter end
// the digests and the Write, on few and on many processors.
func TestAlongsideStops(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, processors := range []int{1, 8} {
		runtime.GOMAXPROCS(processors)
		list, _ := writeFiles(t, 9, 9)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := tensors.NewAlongside(list...).Digests(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		for _, f := range list[1].Files() {
			if err := os.Truncate(list[1].File(f.Name), 0); err != nil {
				t.Fatal(err)
			}
		}
		along := tensors.NewAlongside(list...)
		out := filepath.Join(t.TempDir(), "out")
		_, err := tensors.Write(t.Context(), out, blocks(9), tensors.WriteOptions{Alongside: along,
			Beside: func([]tensors.Digest) (map[string][]byte, error) {
				_, err := along.Digests(t.Context())
				return nil, err
			}})
		if _, there := os.Stat(out); err == nil || !strings.Contains(err.Error(), list[1].Path()) || there == nil {
			t.Errorf("%d processors, truncated: %v, %v", processors, err, there)
		}
	}
}
