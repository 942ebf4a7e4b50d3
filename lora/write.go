package lora

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
	data, err := json.MarshalIndent(struct {
		Type      string             `json:"peft_type"`
		Task      string             `json:"task_type"`
		Base      string             `json:"base_model_name_or_path"`
		Revision  string             `json:"revision,omitempty"`
		Rank      int                `json:"r"`
		Alpha     float64            `json:"lora_alpha"`
		Dropout   float64            `json:"lora_dropout"`
		Bias      string             `json:"bias"`
		Targets   []string           `json:"target_modules"`
		Inference bool               `json:"inference_mode"`
		Ranks     map[string]int     `json:"rank_pattern,omitempty"`
		Alphas    map[string]float64 `json:"alpha_pattern,omitempty"`
		Saved     []string           `json:"modules_to_save,omitempty"`
		Tokens    map[string][]int   `json:"trainable_token_indices,omitempty"`
		DoRA      bool               `json:"use_dora,omitempty"`
		LoraBias  bool               `json:"lora_bias,omitempty"`
		FanInOut  bool               `json:"fan_in_fan_out,omitempty"`
		Tying     bool               `json:"ensure_weight_tying,omitempty"`
	}{"LORA", s.Task, s.Base, s.Revision, s.Rank, s.Alpha, 0, s.Bias, s.Targets, true, s.Ranks, s.Alphas, s.Saved, s.Tokens, s.DoRA, s.LoraBias, s.FanInOut, s.Tying}, "", "  ")
	return append(data, '\n'), err
}

// Write puts an adapter on disk as PEFT saves it. Ranks and scales that differ go
// into rank_pattern and alpha_pattern, by whole paths, so that no order of the
// patterns matters. Single elements (Sparse) go into a file of their own, which
// surgeon alone reads.
func (a *Adapter) Write(ctx context.Context, dir string, opt tensors.WriteOptions) ([]tensors.Digest, error) {
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

// saved is an adapter as PEFT names its tensors. It implements tensors.Source.
type saved struct {
	path    string
	tensors map[string]tensor
}

// tensor is one tensor of an adapter's file: values that are stored in a type, or a
// tensor of a Source.
type tensor struct {
	shape  []int
	values []float32
	dtype  tensors.DType
	whole  *Replaced
}

func newSaved(s *Adapter) saved {
	list := map[string]tensor{}
	adapted := map[string]Layout{}
	for _, l := range s.LowRank {
		module := prefix + moduleOf(l.Tensor)
		adapted[moduleOf(l.Tensor)] = l.Layout
		a, b := suffixA, suffixB
		if l.Layout == Embedding {
			a, b = embeddingA, embeddingB
		}
		list[module+a] = tensor{shape: []int{l.Rank, l.In}, values: l.A, dtype: l.DType}
		list[module+b] = tensor{shape: []int{l.Out, l.Rank}, values: l.B, dtype: l.DType}
		if l.Magnitude != nil {
			list[module+magnitude] = tensor{shape: []int{l.Out}, values: l.Magnitude, dtype: l.DType}
		}
		if l.Bias != nil {
			list[module+suffixBias] = tensor{shape: []int{l.Out}, values: l.Bias, dtype: l.DType}
		}
	}
	for _, r := range s.Replaced {
		at := strings.LastIndexByte(r.Tensor, '.')
		name := prefix + r.Tensor
		if _, ok := adapted[r.Tensor[:at]]; ok {
			name = prefix + r.Tensor[:at] + baseLayer + r.Tensor[at:]
		}
		info, _ := r.Values.Info(r.Name)
		list[name] = tensor{shape: info.Shape, dtype: info.DType, whole: &r}
		if s.Config.tiedHead(r) {
			list[prefix+weightOf(headModule)] = list[name]
		}
	}
	for _, r := range s.Rows {
		list[prefix+moduleOf(r.Tensor)+tokenRows] = tensor{shape: []int{len(r.Index), r.Width}, values: r.Values, dtype: r.DType}
	}
	return saved{s.Path, list}
}

// Names implements tensors.Source.
func (s saved) Names() []string { return slices.Sorted(maps.Keys(s.tensors)) }

// Info implements tensors.Source.
func (s saved) Info(name string) (tensors.Info, bool) {
	t, ok := s.tensors[name]
	return tensors.Info{DType: t.dtype, Shape: t.shape}, ok
}

// ReadRaw implements tensors.Source.
func (s saved) ReadRaw(dst []byte, name string, at int64) error {
	t, ok := s.tensors[name]
	if !ok {
		return fmt.Errorf("%s: no tensor %q", s.path, name)
	}
	if t.whole != nil {
		return t.whole.Values.ReadRaw(dst, t.whole.Name, at)
	}
	size := t.dtype.Size()
	from := int(at) / size
	tensors.Round(dst, t.values[from:from+len(dst)/size], t.dtype)
	return nil
}

// Read implements tensors.Source.
func (s saved) Read(dst []float32, name string, from int) error {
	t, ok := s.tensors[name]
	if !ok {
		return fmt.Errorf("%s: no tensor %q", s.path, name)
	}
	if t.whole != nil {
		return t.whole.Values.Read(dst, t.whole.Name, from)
	}
	copy(dst, t.values[from:])
	return nil
}
