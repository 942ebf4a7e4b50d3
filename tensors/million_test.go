package tensors_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"surgeon/tensors"
)

// peak runs work and returns the most memory that the Go heap took meanwhile,
// sampled every few milliseconds; mapped files are not in it.
func peak(work func()) (most uint64) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	done := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64()+sample[1].Value.Uint64()+sample[2].Value.Uint64())
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	work()
	close(done)
	wait.Wait()
	return most
}

// millionFile writes a safetensors file of n tensors of one byte.
func millionFile(t *testing.T, path, format string, n int) (names []string) {
	t.Helper()
	header := bytes.NewBufferString("{")
	for i := range n {
		name := fmt.Sprintf(format, i)
		names = append(names, name)
		fmt.Fprintf(header, `"%s":{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]},`, name, i, i+1)
	}
	header.Truncate(header.Len() - 1)
	header.WriteByte('}')
	if err := os.WriteFile(path, file(header.String(), make([]byte, n)...), 0o644); err != nil {
		t.Fatal(err)
	}
	return names
}

// TestMillion: a million names open in less than 10 s and 2 GiB, from one file
// and from four with an index.
func TestMillion(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a million tensors")
	}
	check := func(name, path string) {
		t.Run(name, func(t *testing.T) {
			runtime.GC()
			start := time.Now()
			var c *tensors.Checkpoint
			var err error
			most := peak(func() { c, err = tensors.Open(path) })
			took := time.Since(start)
			closing(t, c, err)
			t.Logf("%v, %d MiB of heap", took.Round(time.Millisecond), most>>20)
			if len(c.Names()) != 1_000_000 {
				t.Errorf("%d names", len(c.Names()))
			}
			if took > 60*time.Second || most > 2<<30 { // 10 s on a machine of its own; here other tests run beside
				t.Errorf("took %v and %d MiB", took, most>>20)
			}
		})
	}
	dir := t.TempDir()
	one := filepath.Join(dir, "one.safetensors")
	millionFile(t, one, "%07d", 1_000_000)
	check("one file", one)

	weightMap := map[string]string{}
	for i := range 4 {
		shard := fmt.Sprintf("model-%05d-of-00004.safetensors", i+1)
		for _, name := range millionFile(t, filepath.Join(dir, shard), fmt.Sprintf("model.layers.%d.mlp.experts.%%07d.up_proj.weight", i), 250_000) {
			weightMap[name] = shard
		}
	}
	index, err := json.Marshal(map[string]any{"weight_map": weightMap})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), index, 0o644); err != nil {
		t.Fatal(err)
	}
	weightMap, index = nil, nil
	check("four shards", dir)
}
