package tensorstest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"surgeon/tensors"
)

// Pico is a model of the Llama family small enough for any test. The zero
// value of a field means the default that is noted.
type Pico struct {
	Seed   uint64
	DType  tensors.DType // BF16
	Layers int           // 2
	Hidden int           // 48: 4 query heads of 12 channels, 2 key and value heads
	Untied bool          // with a head of its own
	Drift  float32       // relative size of a random change to every weight, growing with depth: a stand-in for a fine-tune
}

const (
	picoHeads, picoKVHeads = 4, 2
	picoContext            = 512
)

func (p Pico) fill() Pico {
	if p.DType == "" {
		p.DType = tensors.BF16
	}
	if p.Layers == 0 {
		p.Layers = 2
	}
	if p.Hidden == 0 {
		p.Hidden = 48
	}
	return p
}

func (p Pico) intermediate() int { return 2 * p.Hidden }

// Weights makes the model's tensors. Models that differ only in Drift differ
// by random changes of that relative size.
func (p Pico) Weights() *Memory {
	p = p.fill()
	m := NewMemory()
	vocabulary := len(picoTokenizer().tokens)
	add := func(name string, layer int, shape ...int) {
		m.Add(name, p.DType, shape, p.values(name, layer, shape))
	}
	kv := p.Hidden / picoHeads * picoKVHeads
	add("model.embed_tokens.weight", 0, vocabulary, p.Hidden)
	for layer := range p.Layers {
		at := func(part string) string { return fmt.Sprintf("model.layers.%d.%s.weight", layer, part) }
		add(at("input_layernorm"), layer, p.Hidden)
		add(at("self_attn.q_proj"), layer, p.Hidden, p.Hidden)
		add(at("self_attn.k_proj"), layer, kv, p.Hidden)
		add(at("self_attn.v_proj"), layer, kv, p.Hidden)
		add(at("self_attn.o_proj"), layer, p.Hidden, p.Hidden)
		add(at("post_attention_layernorm"), layer, p.Hidden)
		add(at("mlp.gate_proj"), layer, p.intermediate(), p.Hidden)
		add(at("mlp.up_proj"), layer, p.intermediate(), p.Hidden)
		add(at("mlp.down_proj"), layer, p.Hidden, p.intermediate())
	}
	add("model.norm.weight", p.Layers-1, p.Hidden)
	if p.Untied {
		add("lm_head.weight", p.Layers-1, vocabulary, p.Hidden)
	}
	return m
}

// values draws a tensor: matrices with a standard deviation of 1/sqrt(inputs),
// vectors (the norms) around 1. The drift is Drift*(1+layer) of it.
func (p Pico) values(name string, layer int, shape []int) []float32 {
	n := tensors.Info{Shape: shape}.Len()
	values := make([]float32, n)
	base, change := NewRandom(p.Seed, name), NewRandom(p.Seed, "drift of "+name)
	deviation, center := scale(shape[len(shape)-1]), float32(0)
	if len(shape) == 1 {
		deviation, center = 0.1, 1
	}
	drift := p.Drift * float32(1+layer) * deviation
	for i := range values {
		values[i] = center + float32(base.Normal(i)*deviation)
		if drift != 0 {
			values[i] += float32(change.Normal(i) * drift)
		}
	}
	return values
}

// Config is the model's config.json.
func (p Pico) Config() []byte {
	p = p.fill()
	torch := map[tensors.DType]string{tensors.BF16: "bfloat16", tensors.F16: "float16", tensors.F32: "float32"}
	return indented(map[string]any{
		"architectures": []string{"LlamaForCausalLM"}, "model_type": "llama", "torch_dtype": torch[p.DType],
		"vocab_size": len(picoTokenizer().tokens), "hidden_size": p.Hidden, "intermediate_size": p.intermediate(),
		"num_hidden_layers": p.Layers, "num_attention_heads": picoHeads, "num_key_value_heads": picoKVHeads,
		"max_position_embeddings": picoContext, "rms_norm_eps": 1e-5, "rope_theta": 10000, "rope_scaling": nil,
		"hidden_act": "silu", "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": !p.Untied,
		"bos_token_id": 0, "eos_token_id": 0,
	})
}

// Write makes the model directory: weights, config.json, tokenizer.json.
func (p Pico) Write(dir string) error {
	if _, err := tensors.Write(context.Background(), dir, p.Weights(), tensors.WriteOptions{}); err != nil {
		return err
	}
	for name, data := range map[string][]byte{"config.json": p.Config(), "tokenizer.json": picoTokenizer().JSON()} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func indented(v any) []byte {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		panic(err)
	}
	return append(data, '\n')
}
