//go:build linux || darwin

package tensors_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// claiming is a Source of tensors that are only described.
func claiming(d tensors.DType, shapes ...[]int) *watched {
	m := tensorstest.NewMemory()
	for i, shape := range shapes {
		m.AddRaw(fmt.Sprintf("model.layers.%d.weight", i), tensors.Info{DType: d, Shape: shape}, nil)
	}
	return &watched{Source: m}
}

// refusesRoom checks that a Source is refused before anything is read or
// written, whatever the target.
func refusesRoom(t *testing.T, name string, src *watched, words ...string) {
	t.Run(name, func(t *testing.T) {
		for _, target := range []string{"out", "out.safetensors", "deep/er/out"} {
			for _, limit := range []int64{0, 1 << 40} {
				path := filepath.Join(t.TempDir(), target)
				_, err := tensors.Write(t.Context(), path, src, tensors.WriteOptions{ShardSize: limit})
				refused(t, nil, err, append(words, path)...)
				if strings.Contains(err.Error(), "read back") {
					t.Error("it was refused after it was written")
				}
				if len(src.reads) > 0 {
					t.Errorf("read %v", src.reads)
				}
				if got := entries(t, filepath.Dir(path)); len(got) > 0 {
					t.Errorf("left %q", got)
				}
			}
		}
	})
}

// TestRoom: a Source for which no disk has room is refused with what it takes
// and what there is.
func TestRoom(t *testing.T) {
	refusesRoom(t, "1 PiB", claiming("F32", []int{1 << 24, 1 << 24}), "it takes 1.049e+06 GiB", "GiB are free")
	refusesRoom(t, "half an EiB", claiming("F4", []int{1 << 60}), "it takes 5.369e+08 GiB", "GiB are free")
}

// TestRoomOverflow does the same where the bits or bytes of a tensor, or of all
// of them, do not fit in 63 bits.
func TestRoomOverflow(t *testing.T) {
	refusesRoom(t, "1 EiB of bytes", claiming("U8", []int{1 << 30, 1 << 30}), "it takes 1.074e+09 GiB", "GiB are free")
	refusesRoom(t, "1 EiB of F32", claiming("F32", []int{1 << 58}), "it takes 1.074e+09 GiB", "GiB are free")
	refusesRoom(t, "1 EiB of F4", claiming("F4", []int{1 << 61}), "it takes 1.074e+09 GiB", "GiB are free")
	refusesRoom(t, "16 of 1 EiB", claiming("U8", repeated(16, []int{1 << 60})...))
	refusesRoom(t, "16 EiB", claiming("U64", []int{1 << 61}))
	refusesRoom(t, "dimensions of 2^64", claiming("U8", []int{1 << 32, 1 << 32}))
}

func repeated(n int, shape []int) [][]int {
	shapes := make([][]int, n)
	for i := range shapes {
		shapes[i] = shape
	}
	return shapes
}
