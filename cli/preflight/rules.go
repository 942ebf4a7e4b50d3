package preflight

import "strings"

// rule says what a difference in one of its fields means.
type rule struct {
	severity Severity
	onesided Severity // if only one side has the field, and the other leaves it to a default that only its family knows
	says     string   // {base} and {tuned} stand for the values
	fields   []string // names of a field, or of an object that holds it
}

// configRules are the rules of config.json. The first segment of a path that
// is named here decides, so that the rules hold within text_config as well.
var configRules = index([]rule{
	{Error, Warning, "the two are not of one architecture, so their difference is no task vector: merge a base with a fine-tune of that base", []string{
		"model_type", "architectures", "is_encoder_decoder"}},
	{Error, Warning, "the tensors have another shape or number, so they cannot be added: merge with the base that the fine-tune started from", []string{
		"hidden_size", "num_hidden_layers", "intermediate_size", "n_embd", "n_layer", "n_inner", "d_model", "d_ff", "num_layers",
		"num_decoder_layers", "ffn_dim", "state_size", "conv_kernel"}},
	{Error, Warning, "attention cuts the same projections into other heads, so their rows mean different things: merge with the base that the fine-tune started from", []string{
		"num_attention_heads", "num_key_value_heads", "head_dim", "n_head", "num_heads", "num_kv_heads", "multi_query",
		"q_lora_rank", "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim", "d_kv"}},
	{Error, Warning, "the experts or their routing differ, so that expert weights do not correspond: merge two models of the same mixture of experts", []string{
		"num_experts", "num_local_experts", "num_experts_per_tok", "n_routed_experts", "n_shared_experts", "num_shared_experts",
		"moe_intermediate_size", "shared_expert_intermediate_size", "first_k_dense_replace", "decoder_sparse_step", "mlp_only_layers"}},
	{Error, Warning, "the weights were trained under another activation function, so a mixture computes neither model: check which of the two configurations is wrong", []string{
		"hidden_act", "hidden_activation", "activation_function", "feed_forward_proj"}},

	{Warning, Warning, "the merge rotates queries and keys with the base's rotary embeddings, for which the tuned weights were not trained: score it on long texts, or edit its config.json", []string{
		"rope_theta", "rope_scaling", "rope_parameters", "partial_rotary_factor", "rope_local_base_freq", "rotary_pct", "rotary_emb_base",
		"rotary_dim", "rope_interleave", "original_max_position_embeddings", "position_embedding_type", "alibi", "no_rope_layers"}},
	{Warning, Warning, "the merge normalises with the base's epsilon: take the tuned model's in its config.json if its weights were trained with it", []string{
		"rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_eps", "norm_epsilon", "use_qk_norm", "qk_norm"}},
	{Warning, Warning, "the merge attends over the base's window, so long texts read otherwise than in the tuned model: score it beyond that window", []string{
		"sliding_window", "use_sliding_window", "layer_types", "sliding_window_pattern", "max_window_layers", "attention_chunk_size"}},
	{Warning, Warning, "one side has bias vectors that the other may lack, and the merge is run with the base's setting: check that no bias tensor is left out", []string{
		"attention_bias", "mlp_bias", "qkv_bias", "use_bias", "bias", "use_qkv_bias", "lm_head_bias"}},
	{Warning, Note, "one side has an output head of its own and the other reuses its embeddings, and the merge keeps the base's way: check that lm_head.weight is merged as you mean it", []string{
		"tie_word_embeddings"}},
	{Warning, Warning, "the embeddings have {base} rows in the base and {tuned} in the tuned model: the base's {base} rows are kept unless --on-mismatch tuned", []string{
		"vocab_size"}},
	{Warning, Warning, "the merge scales attention, logits or residuals as the base does: take the tuned model's value in its config.json if its weights were trained with it", []string{
		"attn_logit_softcapping", "final_logit_softcapping", "query_pre_attn_scalar", "attention_multiplier", "logits_scaling", "logit_scale",
		"embedding_multiplier", "residual_multiplier", "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "attn_logit_cap",
		"routed_scaling_factor", "norm_topk_prob", "scoring_func", "clip_qkv", "mup_scale_emb", "scale_emb", "scale_depth"}},
	{Warning, Warning, "the merge has the base's context length: edit its config.json if the tuned model was trained on longer texts", []string{
		"max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "max_sequence_length", "seq_length"}},
	{Warning, Warning, tokenIDs, []string{"bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"}},
	{Warning, Warning, remoteCode, []string{"auto_map"}},

	{Note, Note, "the values are stored in another type: the merge rounds to the base's unless another is asked for", []string{"dtype", "torch_dtype"}},
}, "the merge keeps the base's value: nothing to do unless you rely on the tuned model's")

// generationRules are the rules of generation_config.json.
var generationRules = index([]rule{
	{Warning, Warning, tokenIDs, tokenFields},
}, "the merge keeps the base's default for generation: set it when generating if you rely on the tuned model's")

// tokenFields are settings that hold a token id or a set of them.
var tokenFields = []string{"bos_token_id", "eos_token_id", "pad_token_id"}

const (
	tokenIDs   = "the merge keeps the base's token ids, and one that stops at a token it never writes generates without end: take over the tuned model's if its chat format ends otherwise"
	remoteCode = "the merge is run by the base's remote code: read both versions, and copy the tuned model's if its weights need it"
	onesided   = "only one side says it, and the other takes the default of its family: look that up in transformers, and write it into config.json if it is another"
)

// rules maps the names of fields to their rule.
type rules struct {
	byName map[string]rule
	other  string // what any other field says
}

func index(list []rule, other string) rules {
	r := rules{map[string]rule{}, other}
	for _, one := range list {
		for _, field := range one.fields {
			r.byName[field] = one
		}
	}
	return r
}

// of finds the rule of a path.
func (r rules) of(path []string) rule {
	for _, segment := range path {
		if found, ok := r.byName[segment]; ok {
			return found
		}
	}
	return rule{severity: Note, onesided: Note, says: r.other}
}

// judge makes a Finding of two settings that differ.
func (r rules) judge(file string, base, tuned setting) Finding {
	path := base.path
	if path == nil {
		path = tuned.path
	}
	found := r.of(path)
	base.text, tuned.text = contrast(base.text, tuned.text)
	f := Finding{found.severity, file, clip(dotted(path)), base.shown(), tuned.shown(), ""}
	if base.path == nil || tuned.path == nil {
		f.Severity = found.onesided
		if base.text == "false" || tuned.text == "false" { // the default of nearly every family
			f.Severity = Note
		}
	}
	f.Says = strings.NewReplacer("{base}", f.Base, "{tuned}", f.Tuned).Replace(found.says)
	if f.Severity != found.severity {
		f.Says = onesided
	}
	return f
}
