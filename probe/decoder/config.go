package decoder

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sort"
	"strings"
)

// Config is the architecture of a decoder, as config.json states it.
type Config struct {
	Family                 string // model_type, one of the families
	Vocabulary             int
	Hidden                 int // width of the residual stream
	Intermediate           int // width of the gated MLP
	Layers                 int
	Heads                  int // query heads
	KVHeads                int // key and value heads; Heads is a multiple of it
	HeadDim                int // channels of a head, even
	Context                int // longest sequence in tokens, max_position_embeddings
	Epsilon                float32
	Tied                   bool // the head is the transposed embedding
	AttentionBias, MLPBias bool // in all projections
	QKVBias                bool // in those of query, key and value alone
	Fused                  bool // query, key and value are one tensor, gate and up another
	QKNorm                 bool // an RMSNorm over each head of query and key, before the rotation
	Window                 int  // tokens that a token attends to, itself included; 0: all before it
	RoPE                   RoPE
}

// RoPE is the rotary position embedding: frequency theta^(-2i/HeadDim) for
// channel pair i, scaled as Scaling says.
type RoPE struct {
	Theta   float64
	Scaling string // "" or "default": none; "linear"; "llama3"
	Factor  float64
	Partial float64 // share of a head's channels that are rotated, the first ones; 0 is all of them
	// Of llama3 scaling alone.
	LowFrequency, HighFrequency float64
	OriginalContext             float64 // tokens
}

// rotary is the number of channels of a head that are rotated.
func (c Config) rotary() int {
	if c.RoPE.Partial == 0 {
		return c.HeadDim
	}
	return int(float64(c.HeadDim) * c.RoPE.Partial)
}

// ropeJSON is the rope_parameters of transformers 5 or the rope_scaling of
// older releases.
type ropeJSON struct {
	Type     string   `json:"rope_type"`
	OldType  string   `json:"type"`
	Theta    *float64 `json:"rope_theta"`
	Factor   float64  `json:"factor"`
	Low      float64  `json:"low_freq_factor"`
	High     float64  `json:"high_freq_factor"`
	Original float64  `json:"original_max_position_embeddings"`
	Partial  *float64 `json:"partial_rotary_factor"`
}

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
	Tied           bool            `json:"tie_word_embeddings"`
	AttentionBias  bool            `json:"attention_bias"`
	MLPBias        bool            `json:"mlp_bias"`
	Theta          *float64        `json:"rope_theta"`
	RopeParameters json.RawMessage `json:"rope_parameters"`
	RopeScaling    json.RawMessage `json:"rope_scaling"`
	Partial        *float64        `json:"partial_rotary_factor"`
	Window         *int            `json:"sliding_window"`
	WindowOn       bool            `json:"use_sliding_window"`
	LayerTypes     []string        `json:"layer_types"`
}

// family is what the models of a model_type differ in.
type family struct {
	fields  string // of config.json, beside those of all families
	context int    // longest sequence, if config.json does not say
	qkvBias bool
	qkNorm  bool
	fused   bool
	partial bool // partial_rotary_factor is understood
	window  bool // every layer attends to sliding_window tokens
	// Releases of transformers differ in what they take for a sliding_window
	// that is missing.
	windowGiven bool
	epsilon     float64 // of the norms, if config.json does not say; 0 is 1e-6
}

// families are the architectures that surgeon runs, by model_type, as
// transformers 5 has them. They are the pre-norm block of Llama with the
// switches of family.
var families = map[string]family{
	"llama":   {fields: "attention_bias mlp_bias", context: 2048},
	"mistral": {fields: "sliding_window", context: 131072, window: true, windowGiven: true},
	"phi3": {fields: "sliding_window original_max_position_embeddings embd_pdrop resid_pdrop", context: 4096, fused: true, partial: true,
		window: true, epsilon: 1e-5},
	"qwen2": {fields: "sliding_window use_sliding_window max_window_layers layer_types", context: 32768, qkvBias: true},
	"qwen3": {fields: "attention_bias sliding_window use_sliding_window max_window_layers layer_types", context: 32768, qkNorm: true},
}

// understood are the fields that every family has.
var understood = fields(`model_type vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads num_key_value_heads
	head_dim max_position_embeddings rms_norm_eps hidden_act tie_word_embeddings rope_theta
	rope_parameters rope_scaling partial_rotary_factor`)

// harmless are fields that do not change what the forward pass computes: they
// name, initialise, train, shard or generate.
var harmless = fields(`architectures torch_dtype dtype transformers_version _name_or_path _commit_hash _attn_implementation_autoset
	bos_token_id eos_token_id pad_token_id sep_token_id unk_token_id decoder_start_token_id initializer_range attention_dropout hidden_dropout
	use_cache pretraining_tp output_attentions output_hidden_states return_dict return_dict_in_generate output_scores torchscript use_bfloat16
	is_llama_config transformers.js_config unsloth_version unsloth_fixed keys_to_ignore_at_inference tokenizer_class
	max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature top_k top_p typical_p
	repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids num_return_sequences
	chunk_size_feed_forward exponential_decay_length_penalty forced_bos_token_id forced_eos_token_id remove_invalid_values
	suppress_tokens begin_suppress_tokens finetuning_task id2label label2id problem_type prefix task_specific_params pruned_heads`)

func fields(names string) map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(names) {
		set[name] = true
	}
	return set
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
	var named struct {
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(data, &named); err != nil {
		return Config{}, plain(err)
	}
	f, ok := families[named.ModelType]
	if !ok {
		return Config{}, fmt.Errorf("model_type %q is not supported: surgeon runs %q", named.ModelType, slices.Sorted(maps.Keys(families)))
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
	if err := c.window(f, raw); err != nil {
		return Config{}, err
	}
	return c.config(f)
}

// window checks what is said of sliding windows: all layers have one, in the
// families that may, or none has.
func (c configJSON) window(f family, raw map[string]json.RawMessage) error {
	if _, given := raw["sliding_window"]; f.windowGiven && !given {
		return errors.New("sliding_window is missing: say null or a number of tokens, releases of transformers differ in what they assume")
	}
	if f.window && c.Window != nil && *c.Window < 1 {
		return fmt.Errorf("sliding_window is %d: it must be null or at least 1", *c.Window)
	}
	if c.WindowOn {
		return errors.New("use_sliding_window is not supported for this architecture")
	}
	for i, kind := range c.LayerTypes {
		if kind != "full_attention" {
			return fmt.Errorf("layer_types: layer %d is %q: surgeon runs \"full_attention\" here", i, kind)
		}
	}
	return nil
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
		Epsilon: float32(orElse(c.Epsilon, cmp.Or(f.epsilon, 1e-6))), Tied: c.Tied, AttentionBias: c.AttentionBias, MLPBias: c.MLPBias,
		QKVBias: f.qkvBias, QKNorm: f.qkNorm, Fused: f.fused,
	}
	if f.window {
		out.Window = orElse(c.Window, 0)
	}
	if c.Heads > 0 {
		out.HeadDim = orElse(c.HeadDim, c.Hidden/c.Heads)
		if c.HeadDim == nil && c.Hidden%c.Heads != 0 {
			return Config{}, fmt.Errorf("hidden_size %d is not a multiple of num_attention_heads %d, and there is no head_dim", c.Hidden, c.Heads)
		}
	}
	if act := orElse(c.Activation, "silu"); act != "silu" && act != "swish" {
		return Config{}, fmt.Errorf("hidden_act %q is not supported: surgeon runs \"silu\"", act)
	}
	rope, err := c.rope(f, out.Context)
	if err != nil {
		return Config{}, err
	}
	out.RoPE = rope
	return out, out.check()
}

func (c Config) check() error {
	for _, field := range []struct {
		name  string
		value int
	}{
		{"vocab_size", c.Vocabulary}, {"hidden_size", c.Hidden}, {"intermediate_size", c.Intermediate},
		{"num_hidden_layers", c.Layers}, {"num_attention_heads", c.Heads}, {"num_key_value_heads", c.KVHeads},
		{"head_dim", c.HeadDim}, {"max_position_embeddings", c.Context},
	} {
		if field.value <= 0 || field.value > 1<<28 {
			return fmt.Errorf("%s is %d: it must be between 1 and %d", field.name, field.value, 1<<28)
		}
	}
	switch {
	case c.HeadDim > 1<<16:
		return fmt.Errorf("head_dim is %d: surgeon runs up to %d", c.HeadDim, 1<<16)
	case c.Heads%c.KVHeads != 0:
		return fmt.Errorf("num_attention_heads %d is not a multiple of num_key_value_heads %d", c.Heads, c.KVHeads)
	case !(c.RoPE.Partial >= 0 && c.RoPE.Partial <= 1) || c.rotary() < 2 || c.rotary()%2 != 0 && c.RoPE.Partial != 0:
		return fmt.Errorf("partial_rotary_factor %g of %d channels: it must give an even number of at least 2", c.RoPE.Partial, c.HeadDim)
	case c.HeadDim%2 != 0:
		return fmt.Errorf("head_dim %d is odd: rotary embedding needs pairs of channels", c.HeadDim)
	case !(c.Epsilon > 0 && c.Epsilon-c.Epsilon == 0):
		return fmt.Errorf("rms_norm_eps is %g: it must be positive and finite in float32", c.Epsilon)
	case !finite(c.RoPE.frequencies(c.rotary() / 2)):
		return fmt.Errorf("the rotary frequencies are not finite in float32: theta %g, factor %g", c.RoPE.Theta, c.RoPE.Factor)
	}
	return nil
}

// rope reads either form of the rotary settings.
func (c configJSON) rope(f family, context int) (RoPE, error) {
	settings, where, err := c.rotary()
	if err != nil {
		return RoPE{}, err
	}
	var r ropeJSON
	if settings != nil {
		if err := strict(settings, &r); err != nil {
			return RoPE{}, fmt.Errorf("%s: %w", where, err)
		}
	}
	if r.Type != "" && r.OldType != "" && r.Type != r.OldType {
		return RoPE{}, fmt.Errorf("%s: rope_type %q and type %q disagree", where, r.Type, r.OldType)
	}
	out := RoPE{
		Theta: orElse(r.Theta, orElse(c.Theta, 10000)), Scaling: cmp.Or(r.Type, r.OldType), Factor: r.Factor,
		LowFrequency: r.Low, HighFrequency: r.High, OriginalContext: r.Original,
	}
	switch partial := orElse(r.Partial, orElse(c.Partial, 1)); {
	case partial == 1:
	case f.partial:
		out.Partial = partial
	default:
		return RoPE{}, fmt.Errorf("partial_rotary_factor %g is not supported for this architecture", partial)
	}
	if out.Scaling == "llama3" && out.OriginalContext == 0 {
		out.OriginalContext = float64(context) // transformers' default
	}
	if err := out.check(); err != nil {
		return RoPE{}, fmt.Errorf("%s: %w", where, err)
	}
	return out, nil
}

// rotary returns the settings that are there, or nil. Two of them must say the
// same: releases of transformers differ in which one they believe.
func (c configJSON) rotary() (settings json.RawMessage, where string, err error) {
	given := func(m json.RawMessage) bool { return len(m) > 0 && string(m) != "null" }
	switch {
	case given(c.RopeParameters) && given(c.RopeScaling):
		var a, b any
		if json.Unmarshal(c.RopeParameters, &a) != nil || json.Unmarshal(c.RopeScaling, &b) != nil || !reflect.DeepEqual(a, b) {
			return nil, "", fmt.Errorf("rope_parameters and rope_scaling are both given and disagree: remove one")
		}
		return c.RopeParameters, "rope_parameters", nil
	case given(c.RopeParameters):
		return c.RopeParameters, "rope_parameters", nil
	case given(c.RopeScaling):
		return c.RopeScaling, "rope_scaling", nil
	}
	return nil, "rope_theta", nil
}

func (r RoPE) check() error {
	switch {
	case !(r.Theta > 0):
		return fmt.Errorf("rope_theta is %g: it must be positive", r.Theta)
	case r.Scaling == "" || r.Scaling == "default":
		return nil
	case r.Scaling != "linear" && r.Scaling != "llama3":
		return fmt.Errorf(`rope_type %q is not supported: surgeon runs "default", "linear" and "llama3"`, r.Scaling)
	case !(r.Factor > 0):
		return fmt.Errorf("factor of %s scaling is %g: it must be positive", r.Scaling, r.Factor)
	case r.Scaling == "llama3" && !(r.HighFrequency > r.LowFrequency && r.LowFrequency > 0 && r.OriginalContext > 0):
		return fmt.Errorf("llama3 scaling needs 0 < low_freq_factor < high_freq_factor and original_max_position_embeddings")
	}
	return nil
}

// ropeFields are the fields that ropeJSON reads.
var ropeFields = fields("rope_type type rope_theta factor low_freq_factor high_freq_factor original_max_position_embeddings partial_rotary_factor")

// strict decodes rotary settings and refuses fields it does not know.
func strict(data []byte, into *ropeJSON) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		if !ropeFields[name] {
			return fmt.Errorf("field %q is not understood", name)
		}
	}
	return json.Unmarshal(data, into)
}

func orElse[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}
