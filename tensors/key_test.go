package tensors_test

import (
	"slices"
	"testing"

	"surgeon/tensors"
)

func TestKeyOf(t *testing.T) {
	check := func(name string, layer int, part, row string) {
		t.Helper()
		got := tensors.KeyOf(name)
		if want := (tensors.Key{Layer: layer, Part: part}); got != want || got.Row() != row {
			t.Errorf("%q: %v in row %q, want %v in row %q", name, got, got.Row(), want, row)
		}
	}
	none := tensors.NoLayer
	// Llama, Mistral, Qwen, Gemma.
	check("model.layers.7.mlp.up_proj.weight", 7, "mlp.up_proj", "7")
	check("model.layers.0.self_attn.q_proj.weight", 0, "self_attn.q_proj", "0")
	check("model.layers.0.self_attn.q_proj.bias", 0, "self_attn.q_proj.bias", "0")
	check("model.layers.127.input_layernorm.weight", 127, "input_layernorm", "127")
	check("model.embed_tokens.weight", none, tensors.PartEmbed, "embed")
	check("model.norm.weight", none, tensors.PartNorm, "norm")
	check("lm_head.weight", none, tensors.PartHead, "lm_head")
	check("model.language_model.layers.3.mlp.gate.weight", 3, "mlp.gate", "3")
	check("model.layers.3.mlp.experts.5.w1.weight", 3, "mlp.experts.5.w1", "3")
	check("layers.3.attention.wq.weight", 3, "attention.wq", "3")
	check("tok_embeddings.weight", none, tensors.PartEmbed, "embed")
	check("norm.weight", none, tensors.PartNorm, "norm")
	check("output.weight", none, tensors.PartHead, "lm_head")
	// GPT-2, Falcon, Phi, MPT.
	check("transformer.h.11.attn.c_attn.weight", 11, "attn.c_attn", "11")
	check("h.2.mlp.c_fc.bias", 2, "mlp.c_fc.bias", "2")
	check("transformer.wte.weight", none, tensors.PartEmbed, "embed")
	check("transformer.ln_f.weight", none, tensors.PartNorm, "norm")
	check("transformer.blocks.4.ffn.up_proj.weight", 4, "ffn.up_proj", "4")
	check("model.final_layernorm.weight", none, tensors.PartNorm, "norm")
	// What stands nowhere keeps its whole name.
	for _, name := range []string{"", "x", "transformer.wpe.weight", "model.norm.bias", "model.layers.x.mlp.weight", "model.layers.weight", "model.layers.3",
		"model.layers.-1.mlp.weight", "model.sublayers.3.mlp.weight", "model.layers.99999999999999999999.mlp.weight", "model.rotary_emb.inv_freq", ".weight"} {
		check(name, none, name, name)
	}
}

// TestKeyNorm knows the gains and biases of normalisations by the last
// component of their names, whatever the family calls them.
func TestKeyNorm(t *testing.T) {
	check := func(want bool, names ...string) {
		t.Helper()
		for _, name := range names {
			if key := tensors.KeyOf(name); key.Norm() != want {
				t.Errorf("%s, %v: a norm %v", name, key, key.Norm())
			}
		}
	}
	check(true,
		"model.layers.0.input_layernorm.weight", "model.layers.0.post_attention_layernorm.weight", "model.layers.0.pre_feedforward_layernorm.weight",
		"model.layers.0.self_attn.q_norm.weight", "model.layers.0.self_attn.k_norm.weight", "model.norm.weight", "model.norm.bias",
		"model.layers.0.input_layernorm.bias", "transformer.h.0.ln_1.weight", "transformer.h.0.ln_2.bias", "transformer.ln_f.weight", "transformer.ln_f.bias",
		"model.final_layernorm.weight", "bert.encoder.layer.0.attention.output.LayerNorm.weight", "transformer.blocks.0.norm_1.weight", "transformer.blocks.0.norm1.weight",
		"backbone.norm_f.weight", "model.layers.0.attn.q_ln.weight", "layers.0.ffn_norm.weight", "layers.0.attention_norm.weight", "embed_norm.weight", "ln.weight", "norm.weight")
	check(false,
		"model.embed_tokens.weight", "lm_head.weight", "model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.bias", "model.layers.0.self_attn.q_proj.weight",
		"model.layers.0.normalizer.weight", "model.layers.0.norm.proj.weight", "transformer.h.0.mlp.c_fc.weight", "model.layers.0.mlp.gate.weight", "vln1x.weight",
		"model.layers.0.block_sparse_moe.gate.weight", "model.rotary_emb.inv_freq", "x", "", "transformer.wpe.weight")
}

// TestKeyCompare orders as the model runs: a total order, whichever way two
// names are compared.
func TestKeyCompare(t *testing.T) {
	order := []string{
		"model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight", "model.layers.2.a.weight", "model.layers.10.a.weight", "model.layers.127.a.weight",
		"model.norm.weight", "lm_head.weight", "another",
	}
	for i, a := range order {
		for j, b := range order {
			want := 0
			switch {
			case i < j:
				want = -1
			case i > j:
				want = 1
			}
			if got := tensors.KeyOf(a).Compare(tensors.KeyOf(b)); got != want {
				t.Errorf("%s and %s: %d, want %d", a, b, got, want)
			}
		}
	}
	for _, same := range [][2]string{{"model.layers.3.a.weight", "model.layers.3.z.bias"}, {"another", "a third"}, {"wte.weight", "embed_tokens.weight"}} {
		if got := tensors.KeyOf(same[0]).Compare(tensors.KeyOf(same[1])); got != 0 {
			t.Errorf("%q: %d", same, got)
		}
	}
	shuffled := []string{"lm_head.weight", "model.layers.10.a.weight", "another", "model.norm.weight", "model.layers.2.a.weight", "model.embed_tokens.weight"}
	slices.SortFunc(shuffled, func(a, b string) int { return tensors.KeyOf(a).Compare(tensors.KeyOf(b)) })
	if want := []string{order[0], order[2], order[3], order[5], order[6], order[7]}; !slices.Equal(shuffled, want) {
		t.Errorf("%q, want %q", shuffled, want)
	}
}
