package lora

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"

	"surgeon/tensors"
)

// Settings are what an adapter_config.json says of an adapter of plain LoRA.
type Settings struct {
	Rank    int
	Alpha   float64
	Targets []string // the last parts of the modules' names: q_proj
	Base    string   // name or path of the base; may be ""
}

// Write puts an adapter on disk as PEFT saves it: the factors, which have PEFT's
// names (base_model.model.….lora_A.weight), in adapter_model.safetensors, beside
// it adapter_config.json and the files of opt.Beside. It refuses what
// tensors.Write refuses.
func Write(ctx context.Context, dir string, factors tensors.Source, s Settings, opt tensors.WriteOptions) ([]tensors.Digest, error) {
	config, err := s.json()
	if err != nil {
		return nil, err
	}
	more := opt.Beside
	opt.Beside = func(files []tensors.Digest) (map[string][]byte, error) {
		beside := map[string][]byte{"adapter_config.json": config}
		if more == nil {
			return beside, nil
		}
		further, err := more(append(slices.Clone(files), tensors.DigestBytes("adapter_config.json", config)))
		maps.Copy(beside, further)
		return beside, err
	}
	return tensors.Write(ctx, filepath.Join(dir, "adapter_model.safetensors"), factors, opt)
}

func (s Settings) json() ([]byte, error) {
	data, err := json.MarshalIndent(struct {
		Type      string   `json:"peft_type"`
		Task      string   `json:"task_type"`
		Base      string   `json:"base_model_name_or_path"`
		Rank      int      `json:"r"`
		Alpha     float64  `json:"lora_alpha"`
		Dropout   float64  `json:"lora_dropout"`
		Bias      string   `json:"bias"`
		Targets   []string `json:"target_modules"`
		Inference bool     `json:"inference_mode"`
	}{"LORA", "CAUSAL_LM", s.Base, s.Rank, s.Alpha, 0, "none", s.Targets, true}, "", "  ")
	return append(data, '\n'), err
}
