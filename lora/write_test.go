package lora_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/lora"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// product is a product of ones, [3, 2] of a rank.
func product(tensor string, rank int) lora.LowRank {
	ones := func(n int) []float32 { return slices.Repeat([]float32{1}, n) }
	return lora.LowRank{Tensor: tensor + ".weight", Rank: rank, In: 2, Out: 3, Scale: 1, A: ones(2 * rank), B: ones(3 * rank), DType: tensors.F32}
}

// written is the configuration that an adapter is written with.
func written(t *testing.T, a *lora.Adapter) (c struct {
	Targets any   `json:"target_modules"`
	Layers  []int `json:"layers_to_transform"`
	Rank    int   `json:"r"`
	Ranks   map[string]int
	Bias    string
	Tying   bool     `json:"ensure_weight_tying"`
	Saved   []string `json:"modules_to_save"`
}) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(rewritten(t, a).Path, "adapter_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTargets writes adapters of some modules: the configuration must choose these
// and no others, whatever else the base has.
func TestTargets(t *testing.T) {
	check := func(layers int, want, in string, modules ...string) {
		t.Helper()
		a := &lora.Adapter{Config: lora.Config{Layers: layers}}
		for _, m := range modules {
			a.LowRank = append(a.LowRank, product(m, 1))
		}
		c := written(t, a)
		if got := fmt.Sprint(c.Targets); got != want || fmt.Sprint(c.Layers) != in {
			t.Errorf("%v: target_modules are %v in layers %v, want %s in %s", modules, got, c.Layers, want, in)
		}
	}
	check(0, "[q]", "[0 1]", "model.layers.0.q", "model.layers.1.q")
	check(2, "[q]", "[]", "model.layers.0.q", "model.layers.1.q")
	check(3, "[model.layers.0.q model.layers.1.q]", "[]", "model.layers.0.q", "model.layers.1.q")
	check(0, "[model.layers.1.q]", "[]", "model.layers.1.q")
	check(0, "[p model.layers.1.q]", "[0 1]", "model.layers.0.p", "model.layers.1.p", "model.layers.1.q")
	check(1, "[lm_head q]", "[]", "lm_head", "model.layers.0.q")
	check(0, "[layers.0.q]", "[]", "layers.0.q")                                                                                          // PEFT finds no layer in it
	check(0, "[model.layers.0.experts.0.q model.layers.1.experts.0.q]", "[]", "model.layers.0.experts.0.q", "model.layers.1.experts.0.q") // releases differ on which number it is
}

// TestWritten writes parts that PEFT has in another way.
func TestWritten(t *testing.T) {
	base := tensorstest.NewMemory()
	base.Add("x.weight", tensors.F32, []int{3, 2}, make([]float32, 6))
	base.Add("x.bias", tensors.F32, []int{3}, make([]float32, 3))
	base.Add("y.weight", tensors.F32, []int{3, 2}, make([]float32, 6))
	base.Add("norm.weight", tensors.F32, []int{2}, make([]float32, 2))
	base.Add("norm.bias", tensors.F32, []int{2}, make([]float32, 2))
	tuned := tensorstest.NewMemory()
	tuned.Add("norm.weight", tensors.F32, []int{2}, []float32{1, 2})
	tuned.Add("norm.bias", tensors.F32, []int{2}, make([]float32, 2))

	x, y := product("x", 0), product("y", 1)
	x.Bias = []float32{1, 0, 2}
	a := &lora.Adapter{LowRank: []lora.LowRank{x, y}, Replaced: []lora.Replaced{{Tensor: "norm.weight", Values: tuned, Name: "norm.weight"}}}
	b := rewritten(t, a)
	same(t, over(t, base, b), over(t, base, a))
	if b.LowRank[0].Rank != 1 || !slices.Equal(b.LowRank[0].Bias, x.Bias) || b.LowRank[1].Bias != nil {
		t.Errorf("a product of rank 0 with a bias, beside one without, is read as %+v", b.LowRank)
	}
	if file := open(t, filepath.Join(b.Path, "adapter_model.safetensors")); !slices.Contains(file.Names(), "base_model.model.norm.bias") {
		t.Errorf("a module that is saved whole has no bias: PEFT would not load it: %v", file.Names())
	}
	if c := written(t, a); c.Bias != "none" || !slices.Equal(c.Saved, []string{"norm"}) {
		t.Errorf("bias is %q and modules_to_save %v, want none and [norm]", c.Bias, c.Saved)
	}

	a = &lora.Adapter{Replaced: a.Replaced}
	if c := written(t, a); c.Targets != "dummy-target-modules" {
		t.Errorf("without products target_modules is %v", c.Targets)
	}
}

// TestMixedTypes reads factors of two types, which are written in one that holds
// both.
func TestMixedTypes(t *testing.T) {
	fine := []float32{1, 0, 0, 2, 1, 1.0009765625}
	a, err := lora.Open(adapter(t, plain, func(m *tensorstest.Memory) {
		m.Add("base_model.model."+module+".lora_A.weight", tensors.BF16, []int{2, 4}, []float32{1, 2, 3, 4, 0, 1, 0, -1})
		m.Add("base_model.model."+module+".lora_B.weight", tensors.F16, []int{3, 2}, fine)
	}))
	if err != nil {
		t.Fatal(err)
	}
	if b := rewritten(t, a); b.LowRank[0].DType != tensors.F32 || !slices.Equal(b.LowRank[0].B, fine) {
		t.Errorf("B is written as %v %v", b.LowRank[0].DType, b.LowRank[0].B)
	}
}

func TestNotWritten(t *testing.T) {
	check := func(a *lora.Adapter, says string) {
		t.Helper()
		if _, err := a.Write(t.Context(), t.TempDir(), tensors.WriteOptions{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want an error with %q", err, says)
		}
	}
	check(&lora.Adapter{}, "an adapter of nothing")
	dora := product("x", 1)
	dora.Magnitude = []float32{1, 1, 1}
	check(&lora.Adapter{LowRank: []lora.LowRank{dora, product("y", 1)}}, "1 of 2 products have DoRA's magnitudes")
	check(&lora.Adapter{LowRank: []lora.LowRank{product("x", 1), product("x", 1)}}, `"x.weight" has factors twice`)
	m := tensorstest.NewMemory()
	m.Add("x.A_log", tensors.F32, []int{1}, []float32{1})
	check(&lora.Adapter{Replaced: []lora.Replaced{{Tensor: "x.A_log", Values: m, Name: "x.A_log"}}}, `"x.A_log" is no weight and no bias`)
}

// TestRemainderAlone opens an adapter whose remainder is of a tensor that it does
// not change otherwise: the base has the shape.
func TestRemainderAlone(t *testing.T) {
	a := &lora.Adapter{LowRank: []lora.LowRank{product("x", 1)}, Sparse: []lora.Sparse{{Tensor: "y.weight", Shape: []int{2, 2}, Index: []uint32{3}, Values: []float32{5}}}}
	b := rewritten(t, a)
	base := tensorstest.NewMemory()
	base.Add("x.weight", tensors.F32, []int{3, 2}, make([]float32, 6))
	if _, err := b.Over(base); err == nil || !strings.Contains(err.Error(), `"y.weight"`) {
		t.Errorf("%v, want an error that names the tensor", err)
	}
	base.Add("y.weight", tensors.F32, []int{2, 2}, make([]float32, 4))
	got := make([]float32, 4)
	if err := over(t, base, b).Read(got, "y.weight", 0); err != nil || !slices.Equal(got, []float32{0, 0, 0, 5}) {
		t.Errorf("%v, %v", got, err)
	}
}
