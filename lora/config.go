package lora

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// Config is what an adapter_config.json says beside the sizes of the products, kept
// for writing it again.
type Config struct {
	Base     string // base_model_name_or_path
	Revision string // of the base
	Task     string // task_type
	Tied     bool   // the base's head is its embedding: it is written so that PEFT changes both
	Layers   int    // of the base; 0 if not known

	tying bool // ensure_weight_tying as it was read: of a base that ties nothing, it has no effect
}

// config is an adapter_config.json as PEFT 0.21 writes it.
type config struct {
	Type       string            `json:"peft_type"`
	Base       string            `json:"base_model_name_or_path"`
	Revision   string            `json:"revision"`
	Task       string            `json:"task_type"`
	Rank       int               `json:"r"`
	Alpha      float64           `json:"lora_alpha"`
	Ranks      patterns[int]     `json:"rank_pattern"`
	Alphas     patterns[float64] `json:"alpha_pattern"`
	Stabilised bool              `json:"use_rslora"`
	DoRA       bool              `json:"use_dora"`
	Bias       string            `json:"bias"`
	LoraBias   bool              `json:"lora_bias"`
	FanInOut   bool              `json:"fan_in_fan_out"`
	Targets    selection         `json:"target_modules"`
	Excluded   selection         `json:"exclude_modules"`
	Layers     indices           `json:"layers_to_transform"`
	LayersIn   selection         `json:"layers_pattern"`
	Saved      []string          `json:"modules_to_save"`
	Tokens     tokens            `json:"trainable_token_indices"`
	Tying      bool              `json:"ensure_weight_tying"`
	Init       any               `json:"init_lora_weights"`
}

// understood are fields that are read here, and those that do not change what the
// saved tensors mean: they train, or name.
var understood = strings.Fields(`peft_type base_model_name_or_path revision task_type r lora_alpha rank_pattern alpha_pattern use_rslora use_dora bias lora_bias
	fan_in_fan_out target_modules exclude_modules layers_to_transform layers_pattern modules_to_save trainable_token_indices ensure_weight_tying init_lora_weights
	inference_mode peft_version lora_dropout auto_mapping megatron_core megatron_config qalora_group_size eva_config`)

// off are the values of a field that is switched off.
var off = []string{"null", "false", "{}", "[]", `""`}

// parseConfig reads an adapter_config.json and refuses by name every field that
// would change what the adapter adds and is not understood.
func parseConfig(data []byte) (config, error) {
	var fields map[string]json.RawMessage
	c := config{Bias: "none", Init: true}
	if err := json.Unmarshal(data, &fields); err != nil {
		return c, fmt.Errorf("not an adapter configuration: %w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("not an adapter configuration: %w", err)
	}
	var unknown []string
	for name, value := range fields {
		if !slices.Contains(understood, name) && !slices.Contains(off, string(compact(value))) {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	start, byName := c.Init.(string)
	switch {
	case c.Type != "LORA":
		return c, fmt.Errorf(`peft_type %q is not supported: surgeon reads "LORA"`, c.Type)
	case len(unknown) > 0:
		return c, fmt.Errorf("field %q is not understood: it may change what the adapter adds", unknown[0])
	case c.Bias != "none" && c.Bias != "all" && c.Bias != "lora_only":
		return c, fmt.Errorf(`bias %q is not supported: there are "none", "all" and "lora_only"`, c.Bias)
	case byName && !slices.Contains(startsOnly, start):
		return c, fmt.Errorf("init_lora_weights %q is not supported: it changes the base", start)
	case c.LoraBias && c.DoRA:
		return c, errors.New("lora_bias and use_dora are both set: PEFT has no such adapters")
	case c.Targets.text != "" && len(c.Layers) > 0:
		return c, errors.New("layers_to_transform is set and target_modules is no list: PEFT has no such adapters")
	case c.Rank <= 0:
		return c, fmt.Errorf("r is %d: it must be positive", c.Rank)
	case c.Alpha-c.Alpha != 0:
		return c, fmt.Errorf("lora_alpha %g is not finite", c.Alpha)
	}
	return c, c.checkPatterns()
}

// startsOnly are the ways to begin a training that leave the base as it is.
var startsOnly = []string{"gaussian", "orthogonal", "eva"}

func (c config) checkPatterns() error {
	for _, expression := range c.layerExpressions() {
		_, err := regexp.Compile(expression)
		if err = cmp.Or(err, asPython(expression)); err != nil {
			return fmt.Errorf("layers_pattern: %w", err)
		}
	}
	for _, p := range c.Ranks {
		if p.value <= 0 {
			return fmt.Errorf("rank_pattern: %q is %d: it must be positive", p.key, p.value)
		}
	}
	for _, p := range c.Alphas {
		if p.value-p.value != 0 {
			return fmt.Errorf("alpha_pattern: %q is %g: it must be finite", p.key, p.value)
		}
	}
	return nil
}

func compact(raw json.RawMessage) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return raw
	}
	return b.Bytes()
}

// rank is that of a module.
func (c config) rank(module string) int {
	if r, ok := c.Ranks.of(module); ok {
		return r
	}
	return c.Rank
}

// scale is the factor of a module's product of a rank: alpha/r (Hu et al., arXiv
// 2106.09685), or alpha/sqrt(r) when rank-stabilised (Kalajdzievski, arXiv
// 2312.03732).
func (c config) scale(module string, rank int) float64 {
	alpha := c.Alpha
	if a, ok := c.Alphas.of(module); ok {
		alpha = a
	}
	if c.Stabilised {
		return alpha / math.Sqrt(float64(rank))
	}
	return alpha / float64(rank)
}
