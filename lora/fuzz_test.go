package lora_test

import (
	"encoding/binary"
	"encoding/json"
	"testing"
	"testing/fstest"

	"surgeon/lora"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// FuzzOpen opens adapters of any configuration and any name of a tensor: an error
// or an adapter that can be asked everything, never a panic.
func FuzzOpen(f *testing.F) {
	f.Add(plain, "base_model.model."+module+".lora_A.weight", "base_model.model."+module+".lora_B.weight")
	f.Add(`{"peft_type": "LORA", "r": 1, "lora_alpha": 1, "rank_pattern": {"a.*": 2}, "target_modules": "all-linear"}`, "base_model.model.a.lora_A.weight", "base_model.model.a.lora_B.weight")
	f.Add(`{"peft_type": "LORA", "r": 2, "lora_alpha": 1, "trainable_token_indices": [0, -1], "modules_to_save": ["x"], "bias": "all"}`,
		"base_model.model.embed_tokens.token_adapter.trainable_tokens_delta", "base_model.model.x.base_layer.bias")
	f.Add(`{"peft_type": "LORA", "r": 2, "lora_alpha": 1, "layers_to_transform": 3, "layers_pattern": "h"}`, "base_model.model..weight", "base_model.model..bias")
	f.Add(`{"peft_type": "LORA", "r": 3, "lora_alpha": 1, "ensure_weight_tying": true, "target_modules": ["embed_tokens", "lm_head"]}`,
		"base_model.model.embed_tokens.base_layer.weight", "base_model.model.lm_head.base_layer.weight")
	f.Add(`{"peft_type": "LORA", "r": 2, "lora_alpha": 1, "modules_to_save": ["a"], "trainable_token_indices": {"b": [1, 0]}}`,
		"base_model.model.a.weight", "base_model.model.b.token_adapter.trainable_tokens_delta")
	f.Fuzz(func(t *testing.T, config, first, second string) {
		header, err := json.Marshal(map[string]any{
			first:  map[string]any{"dtype": "F32", "shape": []int{2, 3}, "data_offsets": []int{0, 24}},
			second: map[string]any{"dtype": "F32", "shape": []int{3, 2}, "data_offsets": []int{24, 48}},
		})
		if err != nil || first == second {
			return
		}
		file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
		file = append(file, make([]byte, 48)...)
		a, err := lora.OpenFS(fstest.MapFS{"adapter_config.json": {Data: []byte(config)}, "adapter_model.safetensors": {Data: file}}, "fuzzed")
		if err != nil {
			return
		}
		defer a.Close()
		a.Zero()
		a.Loaders()
		a.Tensors()
		if a.Bytes() < 0 || a.Parameters() < 0 {
			t.Error("a negative size")
		}
		if _, err := a.Over(tensorstest.NewMemory()); err == nil {
			t.Error("it fits a base of no tensors")
		}
		changeAll(t, a)
		if _, err := a.Write(t.Context(), t.TempDir(), tensors.WriteOptions{}); err != nil {
			t.Errorf("it cannot be written again: %v", err)
		}
	})
}

// changeAll reads all that an adapter changes in a base that fits it.
func changeAll(t *testing.T, a *lora.Adapter) {
	base := tensorstest.NewMemory()
	add := func(name string, shape ...int) {
		if _, ok := base.Info(name); !ok {
			base.Add(name, tensors.F32, shape, make([]float32, tensors.Info{Shape: shape}.Len()))
		}
	}
	for _, l := range a.LowRank {
		if add(l.Tensor, l.Out, l.In); l.Layout != lora.Linear {
			return
		}
	}
	for _, r := range a.Replaced {
		info, _ := r.Values.Info(r.Name)
		add(r.Tensor, info.Shape...)
	}
	for _, r := range a.Rows {
		add(r.Tensor, 4, r.Width)
	}
	d, err := a.Over(base)
	if err != nil {
		return
	}
	for _, name := range d.Names() {
		info, _ := d.Info(name)
		if err := d.AddTo(make([]float32, info.Len()), name, 0, 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
