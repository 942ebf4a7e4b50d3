package decoder_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"strings"
	"testing"

	"surgeon/probe/decoder"
)

// smolLM2 is the config.json of SmolLM2-135M-Instruct as its makers publish
// it, with fields that say nothing about the computation.
const smolLM2 = `{
  "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
  "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 576,
  "initializer_range": 0.041666666666666664, "intermediate_size": 1536, "is_llama_config": true,
  "max_position_embeddings": 8192, "mlp_bias": false, "model_type": "llama", "num_attention_heads": 9,
  "num_hidden_layers": 30, "num_key_value_heads": 3, "pad_token_id": 2, "pretraining_tp": 1,
  "rms_norm_eps": 1e-05, "rope_interleaved": false, "rope_scaling": null, "rope_theta": 100000,
  "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.42.3",
  "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16", "fp16": "float16"}},
  "use_cache": true, "vocab_size": 49152
}`

// object is a JSON object that a test changes.
type object = map[string]any

// absent removes a field.
type absent struct{}

// minimal is the least that a config.json must say.
func minimal() object {
	return object{
		"model_type": "llama", "vocab_size": 320, "hidden_size": 48, "intermediate_size": 96,
		"num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 512,
	}
}

func minimalConfig() decoder.Config {
	return decoder.Config{
		Family: "llama", Vocabulary: 320, Hidden: 48, Intermediate: 96, Layers: 2, Heads: 4, KVHeads: 4, HeadDim: 12, Context: 512,
		Epsilon: 1e-6, Layer: decoder.Layer{RoPE: decoder.RoPE{Theta: 10000}}, // the defaults of transformers
	}
}

// changed is minimal with some fields set or removed, as JSON.
func changed(changes object) []byte {
	o := minimal()
	for name, value := range changes {
		if _, gone := value.(absent); gone {
			delete(o, name)
		} else {
			o[name] = value
		}
	}
	data, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return data
}

func TestParseConfig(t *testing.T) {
	check := func(name string, data []byte, want decoder.Config) {
		t.Helper()
		if got, err := decoder.ParseConfig(data); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", name, got, err, want)
		}
	}
	with := func(change func(c *decoder.Config)) decoder.Config {
		c := minimalConfig()
		change(&c)
		return c
	}
	check("SmolLM2", []byte(smolLM2), decoder.Config{
		Family: "llama", Vocabulary: 49152, Hidden: 576, Intermediate: 1536, Layers: 30, Heads: 9, KVHeads: 3, HeadDim: 64, Context: 8192,
		Epsilon: 1e-5, Tied: true, Layer: decoder.Layer{RoPE: decoder.RoPE{Theta: 100000}},
	})
	check("the least", changed(nil), minimalConfig())
	check("nulls are defaults", changed(object{"num_key_value_heads": nil, "head_dim": nil, "rms_norm_eps": nil, "hidden_act": nil, "rope_theta": nil, "rope_scaling": nil, "rope_parameters": nil, "partial_rotary_factor": nil}), minimalConfig())
	check("every switch", changed(object{"num_key_value_heads": 2, "head_dim": 8, "tie_word_embeddings": true, "attention_bias": true, "mlp_bias": true, "rms_norm_eps": 0.25, "hidden_act": "swish"}),
		with(func(c *decoder.Config) {
			c.KVHeads, c.HeadDim, c.Epsilon = 2, 8, 0.25
			c.Tied, c.AttentionBias, c.MLPBias = true, true, true
		}))
	check("unknown but off", changed(object{"new_field": false, "newer": nil, "newest": object{}, "list": []int{}, "text": ""}), minimalConfig())
	check("one of rotary parts", changed(object{"partial_rotary_factor": 1.0}), minimalConfig())
	check("the largest sizes", changed(object{"vocab_size": 1 << 28, "max_position_embeddings": 1 << 28}),
		with(func(c *decoder.Config) { c.Vocabulary, c.Context = 1<<28, 1<<28 }))

	rope := func(r decoder.RoPE) decoder.Config { return with(func(c *decoder.Config) { c.RoPE = r }) }
	llama3 := object{"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
	plus := func(name string, value any) object {
		o := object{name: value}
		for k, v := range llama3 {
			o[k] = v
		}
		return o
	}
	scaled := decoder.RoPE{Theta: 5e5, Scaling: "llama3", Factor: 8, LowFrequency: 1, HighFrequency: 4, OriginalContext: 8192}
	check("old llama3", changed(object{"rope_theta": 500000.0, "rope_scaling": plus("rope_type", "llama3")}), rope(scaled))
	check("older llama3", changed(object{"rope_theta": 500000, "rope_scaling": plus("type", "llama3")}), rope(scaled))
	new3 := plus("rope_type", "llama3")
	new3["rope_theta"] = 5e5
	check("new llama3", changed(object{"rope_parameters": new3}), rope(scaled))
	short := object{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "rope_theta": 5e5}
	scaled.OriginalContext = 512 // max_position_embeddings stands in
	check("llama3 without its context", changed(object{"rope_parameters": short}), rope(scaled))
	check("old linear", changed(object{"rope_scaling": object{"type": "linear", "factor": 2}}), rope(decoder.RoPE{Theta: 1e4, Scaling: "linear", Factor: 2}))
	check("new default", changed(object{"rope_parameters": object{"rope_type": "default", "rope_theta": 1e6}}), rope(decoder.RoPE{Theta: 1e6, Scaling: "default"}))
	check("the inner theta counts", changed(object{"rope_theta": 7, "rope_parameters": object{"rope_type": "default", "rope_theta": 1e6}}), rope(decoder.RoPE{Theta: 1e6, Scaling: "default"}))
	check("an outer theta for new parameters", changed(object{"rope_theta": 7, "rope_parameters": object{"rope_type": "default"}}), rope(decoder.RoPE{Theta: 7, Scaling: "default"}))
}

// TestFamilies reads what the families differ in.
func TestFamilies(t *testing.T) {
	check := func(changes object, want func(c *decoder.Config)) {
		t.Helper()
		c := minimalConfig()
		c.Family = changes["model_type"].(string)
		want(&c)
		if got, err := decoder.ParseConfig(changed(changes)); err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%v:\n got %+v, %v\nwant %+v", changes, got, err, c)
		}
	}
	refuse := func(changes object, words ...string) {
		t.Helper()
		_, err := decoder.ParseConfig(changed(changes))
		for _, word := range words {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%v: error %v does not name %s", changes, err, word)
			}
		}
	}
	full := []string{"full_attention", "full_attention"}
	check(object{"model_type": "mistral", "sliding_window": 8}, func(c *decoder.Config) { c.Window = 8 })
	check(object{"model_type": "mistral", "sliding_window": nil}, func(*decoder.Config) {})
	check(object{"model_type": "mistral", "sliding_window": nil, "max_position_embeddings": nil}, func(c *decoder.Config) { c.Context = 131072 })
	check(object{"model_type": "qwen2", "sliding_window": 4096, "use_sliding_window": false, "max_window_layers": 2, "layer_types": full}, func(c *decoder.Config) { c.QKVBias = true })
	check(object{"model_type": "qwen3", "attention_bias": true, "layer_types": full}, func(c *decoder.Config) { c.QKNorm, c.AttentionBias = decoder.EachHead, true })

	check(object{"model_type": "phi3", "partial_rotary_factor": 0.5, "original_max_position_embeddings": 512, "embd_pdrop": 0.1, "resid_pdrop": 0.0}, func(c *decoder.Config) {
		c.Fused, c.Epsilon, c.RoPE.Partial = true, 1e-5, 0.5
	})
	check(object{"model_type": "phi3", "sliding_window": 2047, "partial_rotary_factor": 1.0, "rms_norm_eps": 1e-6}, func(c *decoder.Config) { c.Fused, c.Window = true, 2047 })

	for _, share := range []float64{0.25, 0.01, -0.5, 1.5} { // 3 channels of 12, none, and what is no share
		refuse(object{"model_type": "phi3", "partial_rotary_factor": share}, "partial_rotary_factor")
	}
	refuse(object{"model_type": "phi3", "rope_scaling": object{"type": "longrope", "short_factor": []int{1}, "long_factor": []int{1}}}, "rope_scaling")
	refuse(object{"model_type": "qwen3", "partial_rotary_factor": 0.5}, "partial_rotary_factor")
	refuse(object{"model_type": "mistral"}, "sliding_window is missing")
	refuse(object{"model_type": "mistral", "sliding_window": 0}, "sliding_window is 0")
	refuse(object{"model_type": "mistral", "sliding_window": nil, "attention_bias": true}, `"attention_bias"`)
	refuse(object{"model_type": "qwen2", "use_sliding_window": true}, "use_sliding_window")
	refuse(object{"model_type": "qwen3", "layer_types": []string{"full_attention", "sliding_attention"}}, "layer 1", `"sliding_attention"`)
	refuse(object{"sliding_window": 8}, `"sliding_window"`) // llama has none
	refuse(object{"model_type": "qwen3", "layer_types": []string{"full_attention"}}, "layer_types has 1 layers")
	refuse(object{"model_type": "gpt2"}, `"gpt2"`, `"llama"`, `"mistral"`, `"qwen2"`, `"qwen3"`, `"gemma2"`, `"gemma3_text"`, `"olmo2"`, `"smollm3"`, `"phi3"`)
}

// TestParseConfigRefuses names in each case what the error must name.
func TestParseConfigRefuses(t *testing.T) {
	refuse := func(data []byte, words ...string) {
		t.Helper()
		c, err := decoder.ParseConfig(data)
		if err == nil {
			t.Errorf("accepted as %+v: %s", c, data)
			return
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("error %q does not name %s", err, word)
			}
		}
	}
	for _, text := range []string{"", "x", "[]", "1", `"llama"`, "{", smolLM2 + "}", smolLM2 + smolLM2, smolLM2[:200]} {
		refuse([]byte(text), "not a model configuration")
	}
	refuse([]byte("null"), "model_type")
	refuse(changed(object{"hidden_size": "wide"}), "hidden_size")
	refuse(changed(object{"hidden_size": 48.5}), "hidden_size")
	refuse(changed(object{"tie_word_embeddings": "yes"}), "tie_word_embeddings")

	for _, kind := range []any{"mamba", "Llama", "qwen2_moe", "", nil, absent{}} {
		refuse(changed(object{"model_type": kind}), "model_type")
	}
	refuse(changed(object{"model_type": "mamba"}), `"mamba"`)
	refuse(changed(object{"architectures": []string{"MambaForCausalLM"}}), "MambaForCausalLM", `"llama"`)
	refuse(changed(object{"architectures": []string{"LlamaForSequenceClassification"}}), "LlamaForSequenceClassification")
	refuse(changed(object{"architectures": "LlamaForCausalLM"}), "architectures")
	refuse(changed(object{"attn_logit_softcapping": 50.0}), `"attn_logit_softcapping"`)
	refuse(changed(object{"unknown_switch": true, "zzz": 1}), `"unknown_switch"`) // the first in order
	refuse(changed(object{"unknown_number": 0}), `"unknown_number"`)              // 0 is not off: it is a value
	refuse(changed(object{"rope_interleaved": true}), `"rope_interleaved"`)
	refuse(changed(object{"sliding_window": 4096}), `"sliding_window"`)
	refuse(changed(object{"quantization_config": object{"quant_method": "gptq", "bits": 4}}), `"quantization_config"`)
	refuse(changed(object{"hidden_act": "gelu"}), "hidden_act", `"gelu"`)
	refuse(changed(object{"partial_rotary_factor": 0.5}), "partial_rotary_factor", "0.5")

	for _, name := range []string{"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "max_position_embeddings"} {
		for _, value := range []any{0, -1, 1<<28 + 1, 1 << 62} {
			refuse(changed(object{name: value}), name)
		}
		if _, required := minimal()[name]; required && name != "max_position_embeddings" { // that one has a default
			refuse(changed(object{name: absent{}}), name+" is 0")
			refuse(changed(object{name: nil}), name+" is 0")
		}
	}
	refuse(changed(object{"hidden_size": json.Number("99999999999999999999")}), "hidden_size")
	refuse(changed(object{"head_dim": 7}), "head_dim 7", "odd")
	refuse(changed(object{"hidden_size": 60}), "head_dim 15", "odd") // 60 / 4 heads
	refuse(changed(object{"num_key_value_heads": 3}), "num_attention_heads 4", "num_key_value_heads 3")
	refuse(changed(object{"num_key_value_heads": 8}), "num_key_value_heads 8")
	for _, epsilon := range []any{0, -1e-5, 1e-60} { // the last is 0 in float32
		refuse(changed(object{"rms_norm_eps": epsilon}), "rms_norm_eps")
	}
}

// TestParseConfigRefusesRope does the same for the rotary settings, in both
// forms.
func TestParseConfigRefusesRope(t *testing.T) {
	refuse := func(settings any, words ...string) {
		t.Helper()
		for _, form := range []string{"rope_parameters", "rope_scaling"} {
			_, err := decoder.ParseConfig(changed(object{form: settings}))
			if err == nil {
				t.Errorf("%s %v is accepted", form, settings)
				continue
			}
			for _, word := range append(words, form) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("error %q does not name %s", err, word)
				}
			}
		}
	}
	refuse(object{"rope_type": "yarn", "factor": 4.0}, `"yarn"`)
	refuse(object{"type": "dynamic", "factor": 4.0}, `"dynamic"`)
	refuse(object{"rope_type": "linear", "factor": 4.0, "attention_factor": 1.2}, `"attention_factor"`)
	refuse(object{"rope_type": "default", "mrope_section": []int{1, 2}}, `"mrope_section"`)
	refuse(object{"rope_type": "linear"}, "factor")
	refuse(object{"rope_type": "linear", "factor": -2.0}, "factor", "-2")
	refuse(object{"rope_type": "default", "rope_theta": 0}, "rope_theta")
	refuse(object{"rope_type": "default", "rope_theta": -5}, "rope_theta")
	refuse("linear")
	refuse([]int{1})
	for _, gone := range []string{"low_freq_factor", "high_freq_factor"} {
		settings := object{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
		delete(settings, gone)
		refuse(settings, gone)
	}
	refuse(object{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0, "high_freq_factor": 4.0}, "low_freq_factor")
	refuse(object{"rope_type": "llama3", "factor": 0.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}, "factor")
	_, err := decoder.ParseConfig(changed(object{"rope_parameters": object{"rope_type": "default", "partial_rotary_factor": 0.5}}))
	if err == nil || !strings.Contains(err.Error(), "partial_rotary_factor 0.5") {
		t.Errorf("half a rotation: error %v", err)
	}
}

// FuzzParseConfig: whatever is read, an accepted configuration keeps the rules
// that the rest of the package relies on.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(smolLM2))
	f.Add(changed(nil))
	f.Add(changed(object{"rope_parameters": object{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}}))
	f.Add(changed(object{"rope_scaling": object{"type": "linear", "factor": 1e300}, "rope_theta": 1e-300}))
	f.Add([]byte(`{"model_type":"llama","hidden_size":-1}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decoder.ParseConfig(data)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		for _, size := range []int{c.Vocabulary, c.Hidden, c.Intermediate, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.Context} {
			if size < 1 || size > 1<<28 {
				t.Fatalf("%+v: size %d", c, size)
			}
		}
		if c.Heads%c.KVHeads != 0 || c.HeadDim%2 != 0 || !(c.Epsilon > 0) || !(c.RoPE.Theta > 0) || math.IsInf(c.RoPE.Theta, 0) {
			t.Errorf("accepted %+v", c)
		}
		if again, err := decoder.ParseConfig(data); err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("a second time %+v, %v, the first %+v", again, err, c)
		}
	})
}

// TestParseConfigGemma reads config.json as Google released it, the older and
// the newer form of Gemma 3's rotations, and what layers look at.
func TestParseConfigGemma(t *testing.T) {
	gemma := func(changes object) object {
		all := object{"head_dim": 8, "num_key_value_heads": 2, "query_pre_attn_scalar": 64, "sliding_window": 16, "num_hidden_layers": 7}
		maps.Copy(all, changes)
		return all
	}
	check := func(changes object, want func(c decoder.Config) bool) {
		t.Helper()
		c, err := decoder.ParseConfig(changed(gemma(changes)))
		if err != nil || !want(c) {
			t.Errorf("%v: %+v, %v", changes, c, err)
		}
	}
	global, local := decoder.RoPE{Theta: 1e6}, decoder.RoPE{Theta: 1e4}
	check(object{"model_type": "gemma2", "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "hidden_act": "gelu_pytorch_tanh",
		"hidden_activation": "gelu_pytorch_tanh", "cache_implementation": "hybrid", "tie_word_embeddings": nil}, func(c decoder.Config) bool {
		return c.Tied && c.OnePlus && c.GELU && c.ScoreCap == 50 && c.LogitCap == 30 && c.QueryScale == 0.125 && c.Context == 512 &&
			c.EmbeddingScale == float32(math.Sqrt(float64(c.Hidden))) && len(c.Each) == 7 &&
			c.Each[0] == decoder.Layer{Window: 16, RoPE: local} && c.Each[1] == decoder.Layer{RoPE: local} && c.Each[6].Window == 16
	})
	check(object{"model_type": "gemma3_text", "rope_theta": 1e6, "rope_local_base_freq": 1e4, "sliding_window_pattern": 6, "rope_scaling": nil,
		"attn_logit_softcapping": nil}, func(c decoder.Config) bool {
		return c.QKNorm == decoder.EachHead && c.ScoreCap == 0 && c.Each[4] == decoder.Layer{Window: 16, RoPE: local} && c.Each[5] == decoder.Layer{RoPE: global}
	})
	check(object{"model_type": "gemma3_text", "rope_theta": nil, "rope_scaling": object{"rope_type": "linear", "factor": 8}, "_sliding_window_pattern": 6}, func(c decoder.Config) bool {
		return c.Each[5].RoPE == decoder.RoPE{Theta: 1e6, Scaling: "linear", Factor: 8} && c.Each[0].RoPE == local
	})
	check(object{"model_type": "gemma3_text", "rope_theta": nil, "rope_parameters": object{"full_attention": object{"rope_theta": 7}, "sliding_attention": object{"rope_theta": 5}},
		"layer_types": []string{"full_attention", "full_attention", "full_attention", "full_attention", "full_attention", "full_attention", "full_attention"}}, func(c decoder.Config) bool {
		return c.Each == nil && c.RoPE.Theta == 7 && c.Window == 0
	})
	refuse := func(changes object, words string) {
		t.Helper()
		if _, err := decoder.ParseConfig(changed(gemma(changes))); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v: error %v does not say %q", changes, err, words)
		}
	}
	refuse(object{"model_type": "gemma2"}, "attn_logit_softcapping is missing")
	refuse(object{"model_type": "gemma3_text", "hidden_activation": "gelu"}, `hidden_activation "gelu"`)
	refuse(object{"model_type": "gemma3_text", "hidden_act": "silu"}, `hidden_act "silu"`)
	refuse(object{"model_type": "gemma3_text", "query_pre_attn_scalar": -1}, "query_pre_attn_scalar is -1")
	refuse(object{"model_type": "gemma3_text", "sliding_window_pattern": 0}, "sliding_window_pattern is 0")
	refuse(object{"model_type": "gemma3_text", "_sliding_window_pattern": 4}, "sliding_window_pattern is 4")
	refuse(object{"model_type": "gemma3_text", "use_bidirectional_attention": true}, "use_bidirectional_attention")
	refuse(object{"model_type": "gemma3_text", "rope_parameters": object{"rope_theta": 7}}, `rope_parameters: field "rope_theta"`)
	refuse(object{"model_type": "gemma3_text", "layer_types": []string{"chunked_attention"}, "num_hidden_layers": 1}, `"chunked_attention"`)
}

// TestParseConfigSmolLM3 reads which layers are rotated.
func TestParseConfigSmolLM3(t *testing.T) {
	check := func(changes object, rotated string) {
		t.Helper()
		all := object{"model_type": "smollm3", "num_hidden_layers": 5, "num_key_value_heads": 2}
		maps.Copy(all, changes)
		c, err := decoder.ParseConfig(changed(all))
		var got strings.Builder
		for i := range c.Each {
			fmt.Fprint(&got, min(1, int(c.Each[i].RoPE.Theta)))
		}
		if err != nil || got.String() != rotated {
			t.Errorf("%v: layers rotated %s, want %s; %v", changes, &got, rotated, err)
		}
	}
	check(object{}, "11101")
	check(object{"no_rope_layer_interval": 2}, "10101")
	check(object{"no_rope_layers": []int{0, 1, 1, 0, 0, 1}}, "01100")
	check(object{"no_rope_layers": []int{1, 1, 1, 1, 1}}, "")
	for _, changes := range []object{{"no_rope_layer_interval": 0}, {"no_rope_layers": []int{1}}} {
		all := object{"model_type": "smollm3", "num_hidden_layers": 5, "num_key_value_heads": 2}
		maps.Copy(all, changes)
		if _, err := decoder.ParseConfig(changed(all)); err == nil || !strings.Contains(err.Error(), "no_rope_layer") {
			t.Errorf("%v: error %v", changes, err)
		}
	}
}
