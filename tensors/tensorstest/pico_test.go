package tensorstest_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestRandom: the stream is a function of seed, name and number, and looks
// like what it claims to be.
func TestRandom(t *testing.T) {
	// The first three outputs of SplitMix64 after the state 1234567, which
	// every port of the reference (prng.di.unimi.it/splitmix64.c) is tested on.
	if got := []uint64{splitmix(1234567, 0), splitmix(1234567, 1), splitmix(1234567, 2)}; !slices.Equal(got, []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423}) {
		t.Fatalf("the reference in this test gives %d", got)
	}
	r := tensorstest.NewRandom(7, "")
	key := splitmix(7, 0) // an empty name adds nothing: the key is the first output after the seed
	for i := range 100 {
		if got := r.Uint64(i); got != splitmix(key, i) {
			t.Fatalf("number %d is %d, want %d", i, got, splitmix(key, i))
		}
	}
	for _, other := range []tensorstest.Random{tensorstest.NewRandom(8, ""), tensorstest.NewRandom(7, "a"), tensorstest.NewRandom(7, "b"), tensorstest.NewRandom(7, "ab"), tensorstest.NewRandom(7, "ba")} {
		if other.Uint64(0) == r.Uint64(0) {
			t.Error("two streams begin alike")
		}
	}
	const n = 20_000
	var sum, squares float64
	var counts [5]int
	for i := range n {
		v := float64(r.Normal(i))
		sum, squares = sum+v, squares+v*v
		counts[r.Intn(i, 5)]++
	}
	// Standard errors: 0.007 of the mean, 0.01 of the variance, 57 of a count
	// of 4000. Five of them, and the stream is fixed, so this never flickers.
	if mean, variance := sum/n, squares/n; math.Abs(mean) > 0.035 || math.Abs(variance-1) > 0.05 {
		t.Errorf("mean %v, variance %v", mean, variance)
	}
	for _, c := range counts {
		if c < 4000-285 || c > 4000+285 {
			t.Errorf("fifths of %d hold %v", n, counts)
		}
	}
}

// splitmix is output i of the reference after a state.
func splitmix(state uint64, i int) uint64 {
	z := state + uint64(i+1)*0x9e3779b97f4a7c15
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// TestPico checks the shapes of a model against its configuration, and that
// fields change what they say and nothing else.
func TestPico(t *testing.T) {
	p := tensorstest.Pico{Seed: 7, Layers: 3, Untied: true, DType: tensors.F16}
	var config struct {
		Type         string `json:"torch_dtype"`
		Vocabulary   int    `json:"vocab_size"`
		Hidden       int    `json:"hidden_size"`
		Intermediate int    `json:"intermediate_size"`
		Layers       int    `json:"num_hidden_layers"`
		Heads        int    `json:"num_attention_heads"`
		KVHeads      int    `json:"num_key_value_heads"`
		Tied         bool   `json:"tie_word_embeddings"`
	}
	if err := json.Unmarshal(p.Config(), &config); err != nil {
		t.Fatal(err)
	}
	if config.Type != "float16" || config.Layers != 3 || config.Tied {
		t.Errorf("configured as %+v", config)
	}
	kv := config.Hidden / config.Heads * config.KVHeads
	m := p.Weights()
	for name, want := range map[string][]int{
		"model.embed_tokens.weight": {config.Vocabulary, config.Hidden}, "lm_head.weight": {config.Vocabulary, config.Hidden}, "model.norm.weight": {config.Hidden},
		"model.layers.2.self_attn.q_proj.weight": {config.Hidden, config.Hidden}, "model.layers.2.self_attn.k_proj.weight": {kv, config.Hidden},
		"model.layers.2.mlp.up_proj.weight": {config.Intermediate, config.Hidden}, "model.layers.2.mlp.down_proj.weight": {config.Hidden, config.Intermediate},
	} {
		if info, ok := m.Info(name); !ok || !slices.Equal(info.Shape, want) || info.DType != tensors.F16 {
			t.Errorf("%s is %v, want %v", name, info, want)
		}
	}
	check := func(what string, other tensorstest.Pico, name string, same bool) {
		t.Helper()
		a, err := tensors.Raw(m, name)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := tensors.Raw(other.Weights(), name); bytes.Equal(a, b) != same {
			t.Errorf("%s: same bytes is %v", what, !same)
		}
	}
	const name = "model.layers.0.mlp.up_proj.weight"
	check("the same", p, name, true)
	check("another head", tensorstest.Pico{Seed: 7, DType: tensors.F16}, name, true)
	check("another seed", tensorstest.Pico{Seed: 8, DType: tensors.F16}, name, false)
	check("drift", tensorstest.Pico{Seed: 7, DType: tensors.F16, Drift: 0.1}, name, false)
}

// TestDrift: the relative size of the change is Drift in the first layer and
// grows by as much with each.
func TestDrift(t *testing.T) {
	base, tuned := tensorstest.Pico{Seed: 7, DType: tensors.F32}.Weights(), tensorstest.Pico{Seed: 7, DType: tensors.F32, Drift: 0.1}.Weights()
	for name, want := range map[string]float64{"model.layers.0.mlp.up_proj.weight": 0.1, "model.layers.1.mlp.up_proj.weight": 0.2} {
		var change, size float64
		info, _ := base.Info(name)
		b, u := make([]float32, info.Len()), make([]float32, info.Len())
		if err := base.Read(b, name, 0); err != nil {
			t.Fatal(err)
		}
		if err := tuned.Read(u, name, 0); err != nil {
			t.Fatal(err)
		}
		for i := range b {
			d := float64(u[i]) - float64(b[i])
			change, size = change+d*d, size+float64(b[i])*float64(b[i])
		}
		if got := math.Sqrt(change / size); math.Abs(got-want) > 0.01 { // 4608 weights: a standard error of 1.5 %
			t.Errorf("%s moved by %v of its norm, want %v", name, got, want)
		}
	}
}

// TestPicoFiles opens the directory and looks at what stands beside the
// weights.
func TestPicoFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pico")
	p := tensorstest.Pico{Seed: 7}
	if err := p.Write(dir); err != nil {
		t.Fatal(err)
	}
	c, err := tensors.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	tensorstest.TestSource(t, c)
	data, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var tokenizer struct {
		Model struct {
			Vocab  map[string]int `json:"vocab"`
			Merges [][2]string    `json:"merges"`
		} `json:"model"`
	}
	if err := json.Unmarshal(data, &tokenizer); err != nil {
		t.Fatal(err)
	}
	v := tokenizer.Model.Vocab
	ids := map[int]bool{}
	for _, id := range v {
		ids[id] = true
	}
	// One end token, 256 bytes, 63 merges: the rows of the embedding.
	info, _ := c.Info("model.embed_tokens.weight")
	if len(ids) != 320 || len(v) != 320 || !ids[0] || !ids[319] || info.Shape[0] != 320 {
		t.Errorf("%d tokens, %d ids, an embedding of %v", len(v), len(ids), info.Shape)
	}
	for i, m := range tokenizer.Model.Merges {
		if id, ok := v[m[0]+m[1]]; !ok || id != 257+i {
			t.Errorf("merge %d, %q, has the id %d", i, m, id)
		}
	}
	if err := p.Write(dir); err == nil {
		t.Error("a model was written over another")
	}
}

// TestItems: each question has four different choices and its answer among
// them.
func TestItems(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(string(tensorstest.Items())), "\n")
	if len(lines) != 24 {
		t.Errorf("%d questions", len(lines))
	}
	golds := map[int]int{}
	for _, line := range lines {
		var q struct {
			ID, Prompt string
			Choices    []string
			Gold       int
		}
		if err := json.Unmarshal([]byte(line), &q); err != nil {
			t.Fatal(err)
		}
		different := slices.Compact(slices.Sorted(slices.Values(q.Choices)))
		if len(different) != 4 || q.Gold < 0 || q.Gold > 3 || !strings.HasPrefix(q.Prompt, "The symbol of ") {
			t.Errorf("%+v", q)
			continue
		}
		golds[q.Gold]++
		if q.Prompt == "The symbol of lithium is" && q.Choices[q.Gold] != " Li" {
			t.Errorf("%+v", q)
		}
	}
	if len(golds) != 4 {
		t.Errorf("the right choice always stands at one of %v", golds)
	}
}

// TestMemory panics on values that do not fill a shape.
func TestMemory(t *testing.T) {
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "tensorstest: ") {
			t.Errorf("panic %q", text)
		}
	}()
	tensorstest.NewMemory().Add("x", tensors.F32, []int{2}, []float32{1})
}
