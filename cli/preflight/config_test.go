package preflight_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"surgeon/cli/preflight"
)

// TestConfigRules changes one field at a time: each class fires with its
// severity, on top and nested, and does not if the other side says the same.
func TestConfigRules(t *testing.T) {
	check := checker(t, "config.json")
	for severity, fields := range map[string]string{
		"error": `model_type hidden_size num_hidden_layers num_attention_heads num_key_value_heads head_dim intermediate_size num_experts
			num_local_experts num_experts_per_tok hidden_act hidden_activation n_embd activation_function kv_lora_rank`,
		"warning": `rope_theta partial_rotary_factor rms_norm_eps layer_norm_eps layer_norm_epsilon sliding_window use_sliding_window layer_types
			attention_bias mlp_bias tie_word_embeddings vocab_size attn_logit_softcapping final_logit_softcapping query_pre_attn_scalar
			max_position_embeddings bos_token_id eos_token_id pad_token_id n_positions rope_local_base_freq`,
		"note": "dtype torch_dtype initializer_range attention_dropout some_new_key",
	} {
		for _, field := range strings.Fields(fields) {
			base, tuned := document(t, field, 3), document(t, field, 4)
			check(base, tuned, severity+" "+field)
			check(base, base)
			check(`{"text_config":`+base+`}`, `{"text_config":`+tuned+`}`, severity+" text_config."+field)
		}
	}
	check(`{"architectures":["A"]}`, `{"architectures":["B"]}`, "error architectures")
	check(`{"rope_scaling":{"factor":8}}`, `{"rope_scaling":{"factor":32}}`, "warning rope_scaling.factor")
	check(`{"rope_parameters":{"full_attention":{"factor":8}}}`, `{"rope_parameters":{"full_attention":{"factor":2}}}`,
		"warning rope_parameters.full_attention.factor")
	check(`{"auto_map":{"AutoModel":"a.B"}}`, `{}`, "warning auto_map.AutoModel")
	check(`{"id2label":{"0":"a"}}`, `{"id2label":{"0":"b"}}`, "note id2label.0")
}

// TestConfigOneSided leaves a field to a default that only its family knows.
func TestConfigOneSided(t *testing.T) {
	check := checker(t, "config.json")
	check(`{"hidden_act":"silu"}`, `{}`, "warning hidden_act")
	check(`{"tie_word_embeddings":false}`, `{}`, "note tie_word_embeddings")
	check(`{"tie_word_embeddings":true}`, `{}`, "note tie_word_embeddings")
	check(`{"tie_word_embeddings":true}`, `{"tie_word_embeddings":false}`, "warning tie_word_embeddings")
	check(`{"attention_bias":false}`, `{}`, "note attention_bias")
	check(`{"attention_bias":true}`, `{}`, "warning attention_bias")
	check(`{"rope_theta":500000}`, `{}`, "warning rope_theta")
	check(`{"pad_token_id":0}`, `{}`, "warning pad_token_id")
}

// TestConfigQuantised: being alike does not help.
func TestConfigQuantised(t *testing.T) {
	check := checker(t, "config.json")
	gptq := `{"quantization_config":{"quant_method":"gptq","bits":4,"group_size":128}}`
	check(gptq, `{}`, "error quantization_config")
	check(gptq, gptq, "error quantization_config")
	check(`{"text_config":`+gptq+`}`, gptq, "error quantization_config", "error text_config.quantization_config")
	check(`{"quantization_config":null}`, `{"quantization_config":{}}`)
	found := compare(t, directory("config.json", gptq), directory("config.json", `{"quantization_config":{"bits":4}}`))
	if found[0].Base != `"gptq"` || found[0].Tuned != "present" {
		t.Errorf("%+v", found)
	}
}

// TestConfigEqualMeaning has pairs that must not differ, each with one beside
// it that must.
func TestConfigEqualMeaning(t *testing.T) {
	check := checker(t, "config.json")

	check(`{"rope_theta":10000,"x":1e4}`, `{"x":10000,"rope_theta":10000.0}`)
	check(`{"rope_theta":10000}`, `{"rope_theta":10000.5}`, "warning rope_theta")
	check(`{"rms_norm_eps":1e-05}`, `{"rms_norm_eps":0.00001}`)
	check(`{"rms_norm_eps":1e-05}`, `{"rms_norm_eps":1e-06}`, "warning rms_norm_eps")
	check(`{"x":9007199254740993}`, `{"x":9007199254740992}`, "note x")
	check(`{"x":1e999}`, `{"x":1e998}`, "note x")
	check(`{"x":1e999}`, `{"x":1e999}`)
	check(`{"x":1e300}`, `{"x":1e200}`, "note x")
	check(`{"x":[0.0,Infinity,NaN,-Infinity,"NaN \" Infinity"]}`, `{"x":[0, Infinity,NaN,-Infinity,"NaN \" Infinity"]}`)
	check(`{"x":Infinity}`, `{"x":-Infinity}`, "note x")
	check(`{"x":"1"}`, `{"x":1}`, "note x")

	check(`{"rope_scaling":null,"x":null,"y":{}}`, `{}`)
	check(`{"x":{"a":null,"b":1}}`, `{"x":{"b":1}}`)
	check(`{"x":[{"a":null,"b":1,"c":[1,2]}]}`, `{"x":[{"c":[1,2],"b":1}]}`)
	check(`{"x":[{"a":false}]}`, `{"x":[{}]}`, "note x")

	heads := `"hidden_size":576,"num_attention_heads":9`
	check(`{`+heads+`}`, `{`+heads+`,"num_key_value_heads":9,"head_dim":64}`)
	check(`{`+heads+`}`, `{`+heads+`,"num_key_value_heads":null}`)
	check(`{`+heads+`}`, `{`+heads+`,"num_key_value_heads":3}`, "error num_key_value_heads")
	check(`{`+heads+`}`, `{`+heads+`,"head_dim":128}`, "error head_dim")
	check(`{"text_config":{`+heads+`}}`, `{"text_config":{`+heads+`,"num_key_value_heads":9,"head_dim":64}}`)
	check(`{"text_config":{`+heads+`}}`, `{"text_config":{`+heads+`,"head_dim":32}}`, "error text_config.head_dim")
	check(`{`+heads+`}`, `{"hidden_size":576,"num_attention_heads":18}`, "error num_attention_heads")
	check(`{"num_attention_heads":9}`, `{"num_attention_heads":9,"head_dim":64}`, "warning head_dim")
	check(`{"num_attention_heads":3,"hidden_size":10}`, `{"num_attention_heads":3,"hidden_size":10,"head_dim":3}`, "warning head_dim")
	check(`{"num_attention_heads":0,"hidden_size":1}`, `{"num_attention_heads":0,"hidden_size":1}`)

	check(`{"torch_dtype":"bfloat16"}`, `{"dtype":"bfloat16"}`)
	check(`{"torch_dtype":"torch.bfloat16"}`, `{"dtype":"bfloat16"}`)
	check(`{"torch_dtype":"float16"}`, `{"dtype":"bfloat16"}`, "note torch_dtype")
	check(`{"torch_dtype":"float16","dtype":"bfloat16"}`, `{"dtype":"bfloat16"}`)

	check(`{"rope_theta":1e6}`, `{"rope_parameters":{"rope_theta":1000000,"rope_type":"default"}}`)
	check(`{"rope_theta":1e6}`, `{"rope_parameters":{"rope_theta":1e5}}`, "warning rope_theta")
	check(`{"rope_theta":1e4,"rope_scaling":{"type":"linear","factor":2.0}}`, `{"rope_parameters":{"rope_theta":1e4,"rope_type":"linear","factor":2}}`)
	check(`{"rope_scaling":{"type":"linear","rope_type":"linear"}}`, `{"rope_scaling":{"rope_type":"linear"}}`)
	check(`{"x":{"type":1}}`, `{"x":{"rope_type":1}}`, "note x.rope_type", "note x.type")
	check(`{"rope_scaling":{"type":"linear"}}`, `{"rope_scaling":{"type":"yarn"}}`, "warning rope_scaling.type")
	check(`{"partial_rotary_factor":0.5}`, `{"rope_parameters":{"partial_rotary_factor":0.5}}`)
	check(`{"partial_rotary_factor":1,"rope_parameters":{"partial_rotary_factor":0.5}}`, `{"rope_parameters":{"partial_rotary_factor":0.5}}`)
	check(`{"text_config":{"rope_theta":7}}`, `{"text_config":{"rope_parameters":{"rope_theta":7}}}`)

	check(`{"sliding_window":4096,"max_window_layers":28,"use_sliding_window":false}`, `{"sliding_window":null,"use_sliding_window":false}`)
	check(`{"sliding_window":4096,"use_sliding_window":true}`, `{"sliding_window":null,"use_sliding_window":true}`, "warning sliding_window")
	check(`{"layer_types":["full_attention","full_attention"]}`, `{}`)
	check(`{"layer_types":["full_attention","sliding_attention"]}`, `{}`, "warning layer_types")

	check(`{"eos_token_id":2}`, `{"eos_token_id":[2,2]}`)
	check(`{"eos_token_id":[1,2]}`, `{"eos_token_id":[2,1.0]}`)
	check(`{"eos_token_id":2}`, `{"eos_token_id":[2,3]}`, "warning eos_token_id")

	check(`{"_name_or_path":"a","transformers_version":"4","use_cache":true}`, `{"transformers_version":"5","unsloth_version":"1"}`)
	check(`{"a.b":1,"a":{"b":2}}`, `{"a.b":2,"a":{"b":1}}`, `note "a.b"`, "note a.b")
	check(`{"a.hidden_size.b":1}`, `{"a.hidden_size.b":2}`, `note "a.hidden_size.b"`)
}

// TestConfigShows looks at the values and sentences of findings.
func TestConfigShows(t *testing.T) {
	check := func(base, tuned, showBase, showTuned, says string) {
		t.Helper()
		f := compare(t, directory("config.json", base), directory("config.json", tuned))[0]
		if f.Base != showBase || f.Tuned != showTuned || !strings.Contains(f.Says, says) {
			t.Errorf("%s against %s: %+v", base, tuned, f)
		}
	}
	check(`{"vocab_size":49152}`, `{"vocab_size":49154}`, "49152", "49154", "the base's 49152 rows are kept unless --on-mismatch tuned")
	check(`{"hidden_act":"silu"}`, `{}`, `"silu"`, "absent", "default of its family")
	check(`{"hidden_size":8,"num_attention_heads":2}`, `{"hidden_size":8,"num_attention_heads":2,"head_dim":8}`, "absent, hence 4", "8", "heads")
	check(`{"x":"\u001b[31mred\u202e"}`, `{"x":"\u0000"}`, `"\x1b[31mred\u202e"`, `"\x00"`, "keeps the base's")
	check(`{"x":"`+strings.Repeat("a", 100)+`"}`, `{"x":1}`, `"`+strings.Repeat("a", 70)+"…", "1", "")
	check(`{"x":"`+strings.Repeat("a", 100)+`b"}`, `{"x":"`+strings.Repeat("a", 100)+`c"}`, "…"+strings.Repeat("a", 18)+`b"`, "…"+strings.Repeat("a", 18)+`c"`, "")
}

// TestMissing has a file on one side only, and sides that are nothing.
func TestMissing(t *testing.T) {
	check := checker(t, "config.json")
	empty, full := directory(), directory("config.json", "{}", "tokenizer.json", bpe, "generation_config.json", "{}",
		"tokenizer_config.json", `{"model_max_length":1}`, "special_tokens_map.json", "{}")
	want := []string{"warning config.json", "warning tokenizer.json", "note generation_config.json"}
	for _, found := range [][]preflight.Finding{compare(t, empty, full), compare(t, nil, full)} {
		var got []string
		for _, f := range found {
			got = append(got, fmt.Sprint(f.Severity, " ", f.File))
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	}
	for _, found := range [][]preflight.Finding{compare(t, full, full), compare(t, nil, nil), compare(t, empty, empty), compare(t, nil, empty)} {
		if len(found) > 0 {
			t.Errorf("got %v", found)
		}
	}
	check(`{}`, `{}`)
}

// TestSorted: errors first, then by file and field; too many are counted.
func TestSorted(t *testing.T) {
	base := directory("config.json", `{"z":1,"vocab_size":1,"model_type":"a","b":1,"eos_token_id":1}`, "generation_config.json", `{"eos_token_id":1}`)
	tuned := directory("config.json", `{"z":2,"vocab_size":2,"model_type":"b","b":2,"eos_token_id":2}`, "generation_config.json", `{"eos_token_id":2}`)
	var got []string
	for _, f := range compare(t, base, tuned) {
		got = append(got, f.Severity.String()+" "+f.File+" "+f.Field)
	}
	want := []string{"error config.json model_type", "warning config.json eos_token_id", "warning config.json vocab_size",
		"warning generation_config.json eos_token_id", "note config.json b", "note config.json z"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	check := func(labels, want int) {
		t.Helper()
		var members []string
		for i := range labels {
			members = append(members, fmt.Sprintf(`"%04d":"x"`, i))
		}
		found := compare(t, directory("config.json", `{"id2label":{`+strings.Join(members, ",")+`}}`), directory("config.json", `{}`))
		if len(found) != want {
			t.Errorf("%d labels: %d findings", labels, len(found))
		}
		if labels > 64 && !strings.HasPrefix(found[0].Says, fmt.Sprint(labels-64, " more")) {
			t.Errorf("the rest is not counted: %+v", found[0])
		}
	}
	check(64, 64)
	check(1000, 65)
}
