package lora

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"surgeon/tensors"
)

// Settings are what an adapter_config.json says.
type Settings struct {
	Rank    int
	Alpha   float64
	Targets []string // modules by the ends of their names (q_proj), or whole paths
	Base    string   // name or path of the base; may be ""

	Task     string // task_type; "" is CAUSAL_LM
	Revision string
	Ranks    map[string]int     // by path, where a module's is another than Rank
	Alphas   map[string]float64 // by path, where a module's is another than Alpha
	Saved    []string           // paths of modules that are saved whole
	Tokens   map[string][]int   // rows of embeddings, by path
	Bias     string             // whose biases are in the file: "" is none; all, lora_only
	DoRA     bool
	LoraBias bool
	FanInOut bool
	Tying    bool
	Layers   []int // that names of Targets stand for, but whole paths; empty for all
}

// Write puts an adapter on disk as PEFT saves it: the factors, which have PEFT's
// names (base_model.model.….lora_A.weight), in adapter_model.safetensors, beside
// it adapter_config.json and the files of opt.Beside. It refuses what
// tensors.Write refuses. That the settings fit the factors is up to the caller;
// Adapter.Write finds them.
func Write(ctx context.Context, dir string, factors tensors.Source, s Settings, opt tensors.WriteOptions) ([]tensors.Digest, error) {
	config, err := s.json()
	if err != nil {
		return nil, err
	}
	more := opt.Beside
	opt.Beside = func(files []tensors.Digest) (map[string][]byte, error) {
		beside := map[string][]byte{configFile: config}
		if more == nil {
			return beside, nil
		}
		further, err := more(append(slices.Clone(files), tensors.DigestBytes(configFile, config)))
		maps.Copy(beside, further)
		return beside, err
	}
	return tensors.Write(ctx, filepath.Join(dir, weightFile), factors, opt)
}

func (s Settings) json() ([]byte, error) {
	if s.Task == "" {
		s.Task = "CAUSAL_LM"
	}
	if s.Bias == "" {
		s.Bias = "none"
	}
	var targets any = s.Targets
	if len(s.Targets) == 0 {
		targets = noModules
	}
	data, err := json.MarshalIndent(struct {
		Type      string             `json:"peft_type"`
		Task      string             `json:"task_type"`
		Base      string             `json:"base_model_name_or_path"`
		Revision  string             `json:"revision,omitempty"`
		Rank      int                `json:"r"`
		Alpha     float64            `json:"lora_alpha"`
		Dropout   float64            `json:"lora_dropout"`
		Bias      string             `json:"bias"`
		Targets   any                `json:"target_modules"`
		Inference bool               `json:"inference_mode"`
		Ranks     map[string]int     `json:"rank_pattern,omitempty"`
		Alphas    map[string]float64 `json:"alpha_pattern,omitempty"`
		Saved     []string           `json:"modules_to_save,omitempty"`
		Tokens    map[string][]int   `json:"trainable_token_indices,omitempty"`
		DoRA      bool               `json:"use_dora,omitempty"`
		LoraBias  bool               `json:"lora_bias,omitempty"`
		FanInOut  bool               `json:"fan_in_fan_out,omitempty"`
		Tying     bool               `json:"ensure_weight_tying,omitempty"`
		Layers    []int              `json:"layers_to_transform,omitempty"`
	}{"LORA", s.Task, s.Base, s.Revision, s.Rank, s.Alpha, 0, s.Bias, targets, true, s.Ranks, s.Alphas, s.Saved, s.Tokens, s.DoRA, s.LoraBias, s.FanInOut, s.Tying, s.Layers}, "", "  ")
	return append(data, '\n'), err
}

// Write puts an adapter on disk as PEFT saves it. Ranks and scales that differ go
// into rank_pattern and alpha_pattern, by whole paths, so that no order of the
// patterns matters. Single elements (Sparse) go into a file of their own, which
// surgeon alone reads.
// It refuses parts that PEFT cannot have beside each other.
func (a *Adapter) Write(ctx context.Context, dir string, opt tensors.WriteOptions) ([]tensors.Digest, error) {
	if err := a.writable(); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	a = a.ranked()
	more := opt.Beside
	if len(a.Sparse) > 0 {
		path := filepath.Join(dir, remainderFile)
		files, err := tensors.Write(ctx, path, remainders(a.Sparse), tensors.WriteOptions{Force: opt.Force})
		if err != nil {
			return nil, err
		}
		opt.Beside = func(list []tensors.Digest) (map[string][]byte, error) {
			if more == nil {
				return nil, nil
			}
			return more(append(list, files...))
		}
		list, err := Write(ctx, dir, newSaved(a), a.settings(), opt)
		if err != nil {
			os.Remove(path) // half an adapter is none
			return nil, err
		}
		return append(list, files...), nil
	}
	return Write(ctx, dir, newSaved(a), a.settings(), opt)
}
