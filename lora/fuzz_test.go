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
		if _, err := a.Write(t.Context(), t.TempDir(), tensors.WriteOptions{}); err != nil {
			t.Errorf("it cannot be written again: %v", err)
		}
	})
}
