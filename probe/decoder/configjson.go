package decoder

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
)

// configJSON are the fields of config.json that mean something to a family.
type configJSON struct {
	ModelType      string          `json:"model_type"`
	Vocabulary     int             `json:"vocab_size"`
	Hidden         int             `json:"hidden_size"`
	Intermediate   int             `json:"intermediate_size"`
	Layers         int             `json:"num_hidden_layers"`
	Heads          int             `json:"num_attention_heads"`
	KVHeads        *int            `json:"num_key_value_heads"`
	HeadDim        *int            `json:"head_dim"`
	Context        *int            `json:"max_position_embeddings"`
	Epsilon        *float64        `json:"rms_norm_eps"`
	Activation     *string         `json:"hidden_act"`
	GateActivation *string         `json:"hidden_activation"`
	Tied           *bool           `json:"tie_word_embeddings"`
	AttentionBias  bool            `json:"attention_bias"`
	MLPBias        bool            `json:"mlp_bias"`
	Theta          *float64        `json:"rope_theta"`
	RopeParameters json.RawMessage `json:"rope_parameters"`
	RopeScaling    json.RawMessage `json:"rope_scaling"`
	Partial        *float64        `json:"partial_rotary_factor"`
	Window         *int            `json:"sliding_window"`
	WindowOn       bool            `json:"use_sliding_window"`
	LayerTypes     []string        `json:"layer_types"`
	Pattern        *int            `json:"sliding_window_pattern"`
	OldPattern     *int            `json:"_sliding_window_pattern"`
	LocalTheta     *float64        `json:"rope_local_base_freq"`
	QueryScalar    *float64        `json:"query_pre_attn_scalar"`
	ScoreCap       *float64        `json:"attn_logit_softcapping"`
	LogitCap       *float64        `json:"final_logit_softcapping"`
	Rotated        []int           `json:"no_rope_layers"`
	RotatedEvery   *int            `json:"no_rope_layer_interval"`
}

// ParseConfig reads a config.json of one of the families ("model_type"), in the
// form of transformers 5 (rope_parameters) or the older one (rope_theta,
// rope_scaling). Defaults are those of transformers. An unknown architecture,
// and a field or value that would change the computation and is not understood,
// are refused by name, never guessed; sizes must be given; a field that is null,
// false or empty is switched off and therefore understood.
func ParseConfig(data []byte) (Config, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return Config{}, fmt.Errorf("not a model configuration: %w", err)
	}
	var named nameJSON
	if err := json.Unmarshal(data, &named); err != nil {
		return Config{}, plain(err)
	}
	f, ok := families[named.ModelType]
	if !ok {
		return Config{}, fmt.Errorf("model_type %q is not supported: surgeon runs \"%s\"", named.ModelType, strings.Join(slices.Sorted(maps.Keys(families)), `", "`))
	}
	if err := named.check(); err != nil {
		return Config{}, err
	}
	known := fields(f.fields)
	maps.Copy(known, understood)
	if name := misspelt(raw, known); name != "" {
		return Config{}, fmt.Errorf("field %q is not understood: case matters", name)
	}
	if err := refuseUnknown(raw, known); err != nil {
		return Config{}, err
	}
	var c configJSON
	if err := json.Unmarshal(data, &c); err != nil {
		return Config{}, plain(err)
	}
	for _, name := range strings.Fields(f.required) {
		if _, given := raw[name]; !given {
			return Config{}, fmt.Errorf("%s is missing: say null or a number, releases of transformers differ in what they assume", name)
		}
	}
	return c.config(f)
}

// nameJSON is what config.json calls a model.
type nameJSON struct {
	ModelType     string   `json:"model_type"`
	Architectures []string `json:"architectures"`
}

// check refuses a class of transformers that is not the causal language model of
// the model_type: a classifier, an encoder, or another model altogether.
func (n nameJSON) check() error {
	want := strings.TrimSuffix(n.ModelType, "_text") + "ForCausalLM"
	if len(n.Architectures) == 0 || slices.ContainsFunc(n.Architectures, func(a string) bool { return strings.EqualFold(a, want) }) {
		return nil
	}
	return fmt.Errorf("architectures is %s, which is no causal language model of model_type %q: correct the one that is wrong",
		strings.Join(n.Architectures, ", "), n.ModelType)
}

// plain says an error of encoding/json about a value in the file's words.
func plain(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("field %q is %s: want %s", wrong.Field, wrong.Value, wrong.Type)
	}
	return fmt.Errorf("not a model configuration: %w", err)
}

// misspelt finds a key that is known but for its case. encoding/json would
// take it for the known one.
func misspelt(raw map[string]json.RawMessage, known map[string]bool) string {
	for name := range raw {
		if !known[name] && known[strings.ToLower(name)] {
			return name
		}
	}
	return ""
}

func refuseUnknown(raw map[string]json.RawMessage, known map[string]bool) error {
	var names []string
	for name, value := range raw {
		off := slices.Contains([]string{"null", "false", "{}", "[]", `""`}, string(value))
		if !known[name] && !harmless[name] && !off {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	sort.Strings(names)
	return fmt.Errorf("field %q is not understood: it may change what the model computes", names[0])
}

func (c configJSON) config(f family) (Config, error) {
	out := Config{
		Family:     c.ModelType,
		Vocabulary: c.Vocabulary, Hidden: c.Hidden, Intermediate: c.Intermediate, Layers: c.Layers,
		Heads: c.Heads, KVHeads: orElse(c.KVHeads, c.Heads), Context: orElse(c.Context, f.context),
		Epsilon: float32(orElse(c.Epsilon, cmp.Or(f.epsilon, 1e-6))), Tied: orElse(c.Tied, f.tied),
		AttentionBias: c.AttentionBias, MLPBias: c.MLPBias, QKVBias: f.qkvBias,
		QKNorm: f.qkNorm, Fused: f.fused, Norms: f.norms, OnePlus: f.gemma, GELU: f.gelu,
	}
	if c.Heads > 0 {
		out.HeadDim = orElse(c.HeadDim, c.Hidden/c.Heads)
		if c.HeadDim == nil && c.Hidden%c.Heads != 0 {
			return Config{}, fmt.Errorf("hidden_size %d is not a multiple of num_attention_heads %d, and there is no head_dim", c.Hidden, c.Heads)
		}
	}
	if err := c.activation(f); err != nil {
		return Config{}, err
	}
	if err := c.scales(f, &out); err != nil {
		return Config{}, err
	}
	if err := c.layers(f, &out); err != nil {
		return Config{}, err
	}
	return out, out.check()
}

// activation checks that the gate's is the family's, under either of its names.
func (c configJSON) activation(f family) error {
	supported := []string{"silu", "swish"}
	if f.gelu {
		supported = []string{"gelu_pytorch_tanh"}
	}
	for _, field := range []struct {
		name  string
		value *string
	}{{"hidden_act", c.Activation}, {"hidden_activation", c.GateActivation}} {
		if act := orElse(field.value, supported[0]); !slices.Contains(supported, act) {
			return fmt.Errorf("%s %q is not supported: surgeon runs %q", field.name, act, supported[0])
		}
	}
	return nil
}

// scales reads what Gemma multiplies by and bounds.
func (c configJSON) scales(f family, out *Config) error {
	if f.gemma && c.Hidden > 0 {
		out.EmbeddingScale = float32(math.Sqrt(float64(c.Hidden)))
	}
	for _, field := range []struct {
		name  string
		value *float64
		into  *float32
	}{{"query_pre_attn_scalar", c.QueryScalar, &out.QueryScale}, {"attn_logit_softcapping", c.ScoreCap, &out.ScoreCap}, {"final_logit_softcapping", c.LogitCap, &out.LogitCap}} {
		if field.value == nil {
			continue
		}
		*field.into = float32(*field.value)
		if !(*field.into > 0 && *field.into-*field.into == 0) {
			return fmt.Errorf("%s is %g: it must be positive and finite in float32", field.name, *field.value)
		}
	}
	if c.QueryScalar != nil {
		out.QueryScale = float32(1 / math.Sqrt(*c.QueryScalar))
	}
	return nil
}

func orElse[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}
