package tensors_test

import (
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
