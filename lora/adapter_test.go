package lora_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/lora"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

const module = "model.layers.0.self_attn.q_proj"

// adapter writes an adapter of one module: B A is [3, 4] with B [3, 2] and
// A [2, 4]. Changes are made to its tensors before it is written.
func adapter(t *testing.T, config string, change func(m *tensorstest.Memory)) string {
	t.Helper()
	m := tensorstest.NewMemory()
	m.Add("base_model.model."+module+".lora_A.weight", tensors.F32, []int{2, 4}, []float32{1, 2, 3, 4, 0, 1, 0, -1})
	m.Add("base_model.model."+module+".lora_B.weight", tensors.F32, []int{3, 2}, []float32{1, 0, 0, 2, 1, 1})
	if change != nil {
		change(m)
	}
	dir := t.TempDir()
	if _, err := tensors.Write(context.Background(), filepath.Join(dir, "adapter_model.safetensors"), m, tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "adapter_config.json"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// plain has scale 4/2 = 2.
const plain = `{"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["q_proj"], "use_dora": false, "rank_pattern": {}}`

// base has the one weight that the adapter changes.
func base(shape ...int) *tensorstest.Memory {
	m := tensorstest.NewMemory()
	m.Add(module+".weight", tensors.F32, shape, make([]float32, tensors.Info{Shape: shape}.Len()))
	return m
}

func TestDelta(t *testing.T) {
	check := func(config string, scale float32) {
		t.Helper()
		a, err := lora.Open(adapter(t, config, nil))
		if err != nil {
			t.Fatal(err)
		}
		d, err := a.Over(base(3, 4))
		if err != nil {
			t.Fatal(err)
		}
		tensorstest.TestDelta(t, base(3, 4), d)
		got := make([]float32, 12)
		if err := d.AddTo(got, module+".weight", 0, 1); err != nil {
			t.Fatal(err)
		}
		for i, product := range []float32{1, 2, 3, 4, 0, 2, 0, -2, 1, 3, 3, 3} { // B A by hand
			if math.Abs(float64(got[i]-product*scale)) > 1e-6 {
				t.Errorf("element %d is %g, want %g", i, got[i], product*scale)
			}
		}
	}
	check(plain, 2)
	check(strings.Replace(plain, `"r": 2`, `"r": 2, "use_rslora": true`, 1), 2.828427) // 4/sqrt(2)
}

func TestFit(t *testing.T) {
	a, err := lora.Open(adapter(t, plain, nil))
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error, says string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want an error with %q", err, says)
		}
	}
	over := func(base tensors.Source) error { _, err := a.Over(base); return err }
	check(over(base(4, 3)), `tensor "`+module+`.weight" is to be changed as [3 4], but the base has it as [4 3]`)
	check(over(tensorstest.NewMemory()), "the base does not have")
	quantised := tensorstest.NewMemory()
	quantised.Add(module+".weight_scale", tensors.F32, []int{1}, []float32{1})
	check(over(quantised), "quantised")
	d, err := a.Over(base(3, 4))
	if err != nil {
		t.Fatal(err)
	}
	check(d.AddTo(make([]float32, 13), module+".weight", 0, 1), "outside shape [3 4]")
	check(d.AddTo(make([]float32, 1), module+".weight", -1, 1), "outside shape [3 4]")
	check(d.AddTo(make([]float32, 1), "x", 0, 1), `does not adapt tensor "x"`)
}

func TestRefused(t *testing.T) {
	check := func(says, config string, change func(m *tensorstest.Memory)) {
		t.Helper()
		_, err := lora.Open(adapter(t, config, change))
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", config, err, says)
		}
	}
	with := func(field string) string { return strings.Replace(plain, `"r": 2`, `"r": 2, `+field, 1) }
	add := func(name string, d tensors.DType, shape []int, values ...float32) func(m *tensorstest.Memory) {
		return func(m *tensorstest.Memory) { m.Add("base_model.model."+name, d, shape, values) }
	}
	check("not an adapter configuration", "[]", nil)
	check("not an adapter configuration", "{", nil)
	check(`peft_type "IA3"`, `{"peft_type": "IA3", "r": 2}`, nil)
	check("r is 0", `{"peft_type": "LORA", "lora_alpha": 4}`, nil)
	check("r is -1", strings.Replace(plain, `"r": 2`, `"r": -1`, 1), nil)
	check(`"layer_replication"`, with(`"layer_replication": [[0, 1]]`), nil)
	check(`"some_future_switch"`, with(`"some_future_switch": true`), nil)
	check(`init_lora_weights "pissa"`, with(`"init_lora_weights": "pissa"`), nil)
	check(`bias "some"`, with(`"bias": "some"`), nil)
	check("rank 3, which adapter_config.json says", strings.Replace(plain, `"r": 2`, `"r": 3`, 1), nil)
	check(`rank_pattern in adapter_config.json: "k_proj" matches no module`, strings.Replace(plain, `"rank_pattern": {}`, `"rank_pattern": {"k_proj": 4}`, 1), nil)
	check(`"q_proj" is 0`, strings.Replace(plain, `"rank_pattern": {}`, `"rank_pattern": {"q_proj": 0}`, 1), nil)
	check("rank 5, which adapter_config.json says", strings.Replace(plain, `"rank_pattern": {}`, `"rank_pattern": {"q_pro.": 5, "q_proj": 2}`, 1), nil)
	check(`alpha_pattern in adapter_config.json: "k_proj" matches no module`, with(`"alpha_pattern": {"k_proj": 3}`), nil)
	check(`pattern "(?=q)"`, with(`"alpha_pattern": {"(?=q)": 3}`), nil)
	check(`target_modules in adapter_config.json has "v_proj"`, strings.Replace(plain, `["q_proj"]`, `["q_proj", "v_proj"]`, 1), nil)
	check("target_modules does not choose it", strings.Replace(plain, `["q_proj"]`, `".*k_proj"`, 1), nil)
	check(`target_modules in adapter_config.json has "v_proj"`, strings.Replace(plain, `["q_proj"]`, `["q_proj", "v_proj"], "exclude_modules": ["k_proj"]`, 1), nil)
	check("exclude_modules leaves it out", with(`"exclude_modules": ["q_proj"]`), nil)
	check("layers_to_transform leaves it out", with(`"layers_to_transform": [1]`), nil)
	check("layers_to_transform leaves it out", with(`"layers_to_transform": 0, "layers_pattern": ["blocks"]`), nil)
	check("layers_pattern", with(`"layers_to_transform": 0, "layers_pattern": ["a("]`), nil)
	check("target_modules is no list", strings.Replace(plain, `["q_proj"]`, `".*q_proj", "layers_to_transform": [0]`, 1), nil)
	check("target_modules does not choose it", strings.Replace(plain, `["q_proj"]`, `"dummy-target-modules"`, 1), nil)
	check("does not read {, as Python does", with(`"alpha_pattern": {"q_proj{,1}": 3}`), nil)
	check("modules_to_save has it", with(`"modules_to_save": ["self_attn"]`), add(module+".weight", tensors.F32, []int{3, 4}, make([]float32, 12)...))
	check("PEFT has no such adapters", strings.Replace(plain, `"use_dora": false`, `"use_dora": true, "lora_bias": true`, 1), nil)
	check("want [rank in] and [out rank]", plain, add(module+".lora_A.weight", tensors.F32, []int{3, 4}, make([]float32, 12)...))
	check("want [rank in] and [out rank]", plain, func(m *tensorstest.Memory) {
		m.Add("base_model.model."+module+".lora_A.weight", tensors.F32, []int{0, 4}, nil)
		m.Add("base_model.model."+module+".lora_B.weight", tensors.F32, []int{3, 0}, nil)
	})
	check("has shape [4 3], and the factors of its module change a [3 4]", plain, add(module+".base_layer.weight", tensors.F32, []int{4, 3}, make([]float32, 12)...))
	check("has shape [2], and the factors of its module have outputs [3]", with(`"bias": "all"`), add(module+".base_layer.bias", tensors.F32, []int{2}, 1, 1))
	check("has row 7", with(`"trainable_token_indices": [7, 7]`), add("model.embed_tokens.token_adapter.trainable_tokens_delta", tensors.F32, []int{2, 1}, 1, 1))
	check("and by something else", with(`"trainable_token_indices": [7], "modules_to_save": ["embed_tokens"]`), func(m *tensorstest.Memory) {
		m.Add("base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta", tensors.F32, []int{1, 1}, []float32{1})
		m.Add("base_model.model.model.embed_tokens.weight", tensors.F32, []int{9, 1}, make([]float32, 9))
	})
	check(`modules_to_save in adapter_config.json has "lm_head"`, with(`"modules_to_save": ["lm_head"]`), nil)
	check("use_dora in adapter_config.json asks for", strings.Replace(plain, `"use_dora": false`, `"use_dora": true`, 1), nil)
	check("use_dora is not set", plain, add(module+".lora_magnitude_vector", tensors.F32, []int{3}, 1, 1, 1))
	check("lora_bias in adapter_config.json asks for", with(`"lora_bias": true`), nil)
	check("lora_bias is not set", plain, add(module+".lora_B.bias", tensors.F32, []int{3}, 1, 1, 1))
	check("want 3 elements", with(`"lora_bias": true`), add(module+".lora_B.bias", tensors.F32, []int{2}, 1, 1))
	check("has no partner", plain, add("x.lora_A.weight", tensors.F32, []int{2, 1}, 1, 1))
	check("has no partner", plain, add("x.lora_B.weight", tensors.F32, []int{1, 2}, 1, 1))
	check("has no partner", plain, add("x.lora_magnitude_vector", tensors.F32, []int{1}, 1))
	check("is no part of LoRA", plain, add("x.lora_C.weight", tensors.F32, []int{1, 2}, 1, 1))
	check("of no module that modules_to_save", plain, add("lm_head.weight", tensors.F32, []int{1, 2}, 1, 1))
	check(`bias is "none"`, plain, add(module+".bias", tensors.F32, []int{3}, 1, 1, 1))
	check("trainable_token_indices in adapter_config.json has 1 rows", with(`"trainable_token_indices": [7]`), add("model.embed_tokens.token_adapter.trainable_tokens_delta", tensors.F32, []int{2, 1}, 1, 1))
	check("trainable_token_indices is set", with(`"trainable_token_indices": [7]`), nil)
	check("element 2 is NaN", plain, add(module+".lora_B.weight", tensors.F32, []int{3, 2}, 1, 1, float32(math.NaN()), 1, 1, 1))
	check("element 1 is +Inf", plain, add(module+".lora_A.weight", tensors.F32, []int{2, 4}, 1, float32(math.Inf(1)), 1, 1, 1, 1, 1, 1))
	check(`does not begin with "base_model.model."`, plain, func(m *tensorstest.Memory) {
		m.Add("x.lora_A.weight", tensors.F32, []int{2, 1}, []float32{1, 1})
	})
	if _, err := lora.Open(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
}

func ExampleIs() {
	fmt.Println(lora.Is(os.DirFS("no such directory")))
	// Output: false
}
