package decoder

import "strings"

// family is what the models of a model_type differ in from Llama's.
type family struct {
	fields   string // of config.json, beside those of all families
	required string // fields that must be there: releases of transformers differ in what they take for one that is missing

	// What is meant if config.json does not say.
	context int     // max_position_embeddings
	theta   float64 // rope_theta; 0 is 10000
	epsilon float64 // rms_norm_eps; 0 is 1e-6
	tied    bool    // tie_word_embeddings

	norms    Norms // the zero value is Llama's
	qkNorm   Span
	qkvBias  bool
	fused    bool
	gelu     bool // of the gate, by tanh; else SiLU
	gemma    bool // norms multiply by 1 + weight, the embedding is scaled by sqrt(hidden)
	partial  bool // partial_rotary_factor is understood
	pattern  int  // every so manieth layer attends to all tokens, the others to sliding_window; 1: all of them to sliding_window; 0: none
	local    bool // layers with a window have a rotation of their own
	unrotary bool // some layers have no rotation (NoPE, Kazemnejad et al., arXiv 2305.19466)
}

// families are the architectures that surgeon runs, by model_type, as
// transformers 5 has them.
var families = map[string]family{
	"llama":   {fields: "attention_bias mlp_bias", context: 2048},
	"mistral": {fields: "sliding_window", required: "sliding_window", context: 131072, pattern: 1},
	"phi3": {fields: "sliding_window original_max_position_embeddings embd_pdrop resid_pdrop", context: 4096, fused: true, partial: true,
		pattern: 1, epsilon: 1e-5},
	"qwen2": {fields: "sliding_window use_sliding_window max_window_layers layer_types", context: 32768, qkvBias: true},
	"qwen3": {fields: "attention_bias sliding_window use_sliding_window max_window_layers layer_types", context: 32768, qkNorm: EachHead},
	"gemma2": {
		fields:   "attention_bias hidden_activation query_pre_attn_scalar sliding_window attn_logit_softcapping final_logit_softcapping layer_types",
		required: "head_dim num_key_value_heads query_pre_attn_scalar sliding_window attn_logit_softcapping final_logit_softcapping",
		context:  8192, tied: true, norms: sandwich, gelu: true, gemma: true, pattern: 2,
	},
	"gemma3_text": {
		fields: "attention_bias hidden_activation query_pre_attn_scalar sliding_window attn_logit_softcapping final_logit_softcapping" +
			" layer_types sliding_window_pattern _sliding_window_pattern rope_local_base_freq",
		required: "head_dim num_key_value_heads query_pre_attn_scalar sliding_window",
		context:  131072, theta: 1e6, tied: true, norms: sandwich, qkNorm: EachHead, gelu: true, gemma: true, pattern: 6, local: true,
	},
	"olmo2": {fields: "attention_bias", context: 2048, epsilon: 1e-5, norms: behind, qkNorm: AllHeads},
	"smollm3": {fields: "attention_bias mlp_bias sliding_window use_sliding_window max_window_layers layer_types no_rope_layers no_rope_layer_interval",
		required: "num_key_value_heads", context: 32768, theta: 2e6, tied: true, unrotary: true},
}

// The norms of families that do not have Llama's.
var (
	sandwich = Norms{"input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"}
	behind   = Norms{AfterAttention: "post_attention_layernorm", AfterMLP: "post_feedforward_layernorm"}
)

// understood are the fields that every family has.
var understood = fields(`model_type vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads num_key_value_heads
	head_dim max_position_embeddings rms_norm_eps hidden_act tie_word_embeddings rope_theta
	rope_parameters rope_scaling partial_rotary_factor`)

// harmless are fields that do not change what the forward pass computes: they
// name, initialise, train, shard or generate.
var harmless = fields(`architectures torch_dtype dtype transformers_version _name_or_path _commit_hash _attn_implementation_autoset
	cache_implementation bos_token_id eos_token_id pad_token_id sep_token_id unk_token_id decoder_start_token_id initializer_range attention_dropout hidden_dropout
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
