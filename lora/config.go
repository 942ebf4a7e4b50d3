package lora

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
)

// config is what an adapter_config.json says of the size of its difference.
type config struct {
	Type       string  `json:"peft_type"`
	Rank       int     `json:"r"`
	Alpha      float64 `json:"lora_alpha"`
	Stabilised bool    `json:"use_rslora"`
	Bias       string  `json:"bias"`
	Init       any     `json:"init_lora_weights"`
}

// harmless are fields that do not change what the saved factors mean: they
// choose modules (the file has the factors of those that were chosen), train,
// or name.
var harmless = strings.Fields(`peft_type r lora_alpha use_rslora bias init_lora_weights target_modules exclude_modules layers_to_transform layers_pattern
	base_model_name_or_path revision task_type inference_mode peft_version lora_dropout auto_mapping megatron_core qalora_group_size`)

// off are the values of a field that is switched off.
var off = []string{"null", "false", "{}", "[]", `""`}

// parseConfig reads an adapter_config.json and refuses by name every field
// that would change the difference and is not understood.
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
		if !slices.Contains(harmless, name) && !slices.Contains(off, string(value)) {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	_, initByName := c.Init.(string)
	switch {
	case c.Type != "LORA":
		return c, fmt.Errorf(`peft_type %q is not supported: surgeon reads "LORA"`, c.Type)
	case len(unknown) > 0:
		return c, fmt.Errorf("field %q is not understood: it may change what the adapter adds", unknown[0])
	case c.Bias != "none":
		return c, fmt.Errorf(`bias %q is not supported: surgeon reads adapters with bias "none"`, c.Bias)
	case initByName && c.Init != "gaussian":
		return c, fmt.Errorf("init_lora_weights %q is not supported: it changes the base", c.Init)
	case c.Rank <= 0:
		return c, fmt.Errorf("r is %d: it must be positive", c.Rank)
	case c.Alpha-c.Alpha != 0:
		return c, fmt.Errorf("lora_alpha %g is not finite", c.Alpha)
	}
	return c, nil
}

// scale is the factor of the product: lora_alpha/r (Hu et al., arXiv
// 2106.09685), or lora_alpha/sqrt(r) when rank-stabilised (Kalajdzievski,
// arXiv 2312.03732).
func (c config) scale() float64 {
	if c.Stabilised {
		return c.Alpha / math.Sqrt(float64(c.Rank))
	}
	return c.Alpha / float64(c.Rank)
}
