package tensors_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// sizedModel is a model in which every tensor has a size that the test of
// shards can add up in the head. The names are in no useful order: 10 stands
// before 2, the head before the embedding.
func sizedModel() *tensorstest.Memory {
	m := tensorstest.NewMemory()
	for name, size := range map[string]int{
		"model.embed_tokens.weight": 40,
		"model.layers.0.a.weight":   10, "model.layers.0.b.weight": 10,
		"model.layers.2.a.weight": 10, "model.layers.2.b.weight": 90,
		"model.layers.10.a.weight": 20,
		"model.norm.weight":        5,
		"lm_head.weight":           30,
		"another":                  3,
	} {
		raw := make([]byte, size)
		for i := range raw {
			raw[i] = byte(size + i)
		}
		m.AddRaw(name, tensors.Info{DType: "U8", Shape: []int{size}}, raw)
	}
	return m
}

// readIndex reads the shard index of a directory with code of its own.
func readIndex(t *testing.T, dir string) (total int64, weightMap map[string]string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "model.safetensors.index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index struct {
		Metadata  map[string]int64  `json:"metadata"`
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	if len(index.Metadata) != 1 {
		t.Errorf("the metadata of the index is %v", index.Metadata)
	}
	return index.Metadata["total_size"], index.WeightMap
}

// TestShards splits a model in the order in which it runs, and what is written
// opens as the model that it was.
func TestShards(t *testing.T) {
	src := sizedModel()
	check := func(limit int64, want ...[]string) {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			written, err := tensors.Write(t.Context(), dir, src, tensors.WriteOptions{ShardSize: limit})
			if err != nil {
				t.Fatal(err)
			}
			c, err := tensors.Open(dir)
			sameTensors(t, closing(t, c, err), src)
			total, weightMap := readIndex(t, dir)
			if total != 218 || len(weightMap) != len(src.Names()) {
				t.Errorf("the index names %d tensors of %d bytes, want %d of 218", len(weightMap), total, len(src.Names()))
			}
			names := []string{}
			for i, held := range want {
				file := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(want))
				names = append(names, file)
				shard, err := tensors.Open(filepath.Join(dir, file))
				closing(t, shard, err)
				slices.Sort(held)
				if !slices.Equal(shard.Names(), held) {
					t.Errorf("%s holds %q, want %q", file, shard.Names(), held)
				}
				for _, name := range held {
					if weightMap[name] != file {
						t.Errorf("the index says that %s is in %s, not in %s", name, weightMap[name], file)
					}
				}
			}
			names = append(names, "model.safetensors.index.json")
			if got := entries(t, dir); !slices.Equal(got, names) {
				t.Errorf("the directory holds %q, want %q", got, names)
			}
			if got := digestNames(written); !slices.Equal(got, names) {
				t.Errorf("the digests are of %q, want %q", got, names)
			}
			digestsTrue(t, dir, written)
		})
	}
	embed, zeroA, zeroB := "model.embed_tokens.weight", "model.layers.0.a.weight", "model.layers.0.b.weight"
	twoA, twoB, ten := "model.layers.2.a.weight", "model.layers.2.b.weight", "model.layers.10.a.weight"
	norm, head, other := "model.norm.weight", "lm_head.weight", "another"
	// 60 fits exactly; the 90 bytes of twoB are more than the limit and alone.
	check(60, []string{embed, zeroA, zeroB}, []string{twoA}, []string{twoB}, []string{ten, norm, head, other})
	check(59, []string{embed, zeroA}, []string{zeroB, twoA}, []string{twoB}, []string{ten, norm, head, other})
	check(1, []string{embed}, []string{zeroA}, []string{zeroB}, []string{twoA}, []string{twoB}, []string{ten}, []string{norm}, []string{head}, []string{other})
	check(217, []string{embed, zeroA, zeroB, twoA, twoB, ten, norm, head}, []string{other})
}

// TestOneShard writes one file, without an index, where everything fits, where
// there is no limit, and where the target is a file.
func TestOneShard(t *testing.T) {
	check := func(target string, limit int64, want string) {
		t.Helper()
		path := unbroken(t, sizedModel(), target, tensors.WriteOptions{ShardSize: limit})
		c, err := tensors.Open(path)
		sameTensors(t, closing(t, c, err), sizedModel())
		dir := path
		if filepath.Ext(target) != "" {
			dir = filepath.Dir(path)
		}
		if got := entries(t, dir); !slices.Equal(got, []string{want}) {
			t.Errorf("%s with a limit of %d: %q", target, limit, got)
		}
	}
	check("out", 218, "model.safetensors")
	check("out", 0, "model.safetensors")
	check("out", 1<<40, "model.safetensors")
	check("out.safetensors", 60, "out.safetensors") // a limit splits directories only
}

// TestShardOfNothing: tensors without elements are written where they stand,
// around one that is larger than the limit.
func TestShardOfNothing(t *testing.T) {
	m := tensorstest.NewMemory()
	for i, size := range []int{0, 9, 0, 1} {
		m.AddRaw(block(i), tensors.Info{DType: "U8", Shape: []int{size}}, make([]byte, size))
	}
	c, err := tensors.Open(unbroken(t, m, "out", tensors.WriteOptions{ShardSize: 5}))
	sameTensors(t, closing(t, c, err), m)
	if len(c.Files()) != 3 {
		t.Errorf("%d shards of 0, 9 and 0+1 bytes", len(c.Files()))
	}
}
