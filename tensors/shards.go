package tensors

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/edsrzf/mmap-go"
)

// index is a model.safetensors.index.json.
type index struct {
	WeightMap map[string]string `json:"weight_map"` // tensor -> file beside the index
}

// openShards opens every file an index names and checks that each tensor is in
// exactly the file the index says.
func (c *Checkpoint) openShards(file string, load loader) error {
	data, err := fs.ReadFile(c.dir, file)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File(file), cause(err))
	}
	var ix index
	if err := json.Unmarshal(data, &ix); err != nil {
		return fmt.Errorf("%s: not a shard index: %w", c.File(file), shorten(err))
	}
	if len(ix.WeightMap) == 0 {
		return fmt.Errorf("%s: names no tensor: weight_map is empty or missing", c.File(file))
	}
	shards, err := ix.shards()
	if err != nil {
		return fmt.Errorf("%s: %w", c.File(file), err)
	}
	c.tensors = make(map[string]stored, len(ix.WeightMap))
	for _, shard := range shards {
		if err := c.openFile(shard, load); err != nil {
			return err
		}
	}
	return c.checkIndex(file, ix)
}

// shards lists the files of the index, sorted. A name may not lead out of the
// index's own directory.
func (ix index) shards() ([]string, error) {
	seen := map[string]bool{}
	for tensor, shard := range ix.WeightMap {
		if !plainName(shard) {
			return nil, fmt.Errorf("tensor %s is said to be in %s, which is not the name of a file beside the index", quote(tensor), quote(shard))
		}
		seen[shard] = true
	}
	return sortedKeys(seen), nil
}

// plainName reports whether a name is one of a file in a directory: no
// separators, nothing that a terminal would not print, no longer than file
// systems allow.
func plainName(name string) bool {
	unprintable := func(r rune) bool { return !strconv.IsPrint(r) }
	return fs.ValidPath(name) && name != "." && len(name) <= 255 &&
		!strings.ContainsAny(name, `/\`) && !strings.ContainsFunc(name, unprintable)
}

// checkIndex checks that the index says of every tensor the file it is in. Of
// several that are wrong, it tells of the first by name: not of any, as a map
// would have it.
func (c *Checkpoint) checkIndex(file string, ix index) error {
	var misplaced, unnamed []string
	for name, shard := range ix.WeightMap {
		if t, ok := c.tensors[name]; !ok || t.file != shard {
			misplaced = append(misplaced, name)
		}
	}
	for name := range c.tensors {
		if _, ok := ix.WeightMap[name]; !ok {
			unnamed = append(unnamed, name)
		}
	}
	if len(misplaced) > 0 {
		name := slices.Min(misplaced)
		t, ok := c.tensors[name]
		if !ok {
			return fmt.Errorf("%s: tensor %s is not in %s, where the index says it is", c.File(file), quote(name), ix.WeightMap[name])
		}
		return fmt.Errorf("%s: tensor %s is in %s, but the index says %s", c.File(file), quote(name), t.file, ix.WeightMap[name])
	}
	if len(unnamed) > 0 {
		name := slices.Min(unnamed)
		return fmt.Errorf("%s: tensor %s of %s is missing from the index", c.File(file), quote(name), c.tensors[name].file)
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// mapped returns a loader that maps files of a directory read-only.
func mapped(dir string) loader {
	return func(file string) ([]byte, func() error, error) {
		path := filepath.Join(dir, file)
		info, err := os.Stat(path)
		if err != nil {
			return nil, nil, err
		}
		if !info.Mode().IsRegular() { // opening a pipe would wait for its writer
			return nil, nil, fmt.Errorf("is not a file: only a file can be mapped into memory")
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		if info.Size() == 0 {
			return nil, func() error { return nil }, nil // an empty file cannot be mapped; parsing refuses it
		}
		m, err := mmap.Map(f, mmap.RDONLY, 0)
		if err != nil {
			return nil, nil, fmt.Errorf("cannot be mapped into memory: %w", err)
		}
		return m, m.Unmap, nil
	}
}
