package decoder_test

import (
	"fmt"
	"math"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// weightsOf makes random float32 weights for any architecture, so that shapes
// that Pico does not have are run too. Norm weights stand around 1, matrices
// have a standard deviation of 1/sqrt(inputs).
func weightsOf(c decoder.Config, seed uint64) *tensorstest.Memory {
	m := tensorstest.NewMemory()
	add := func(name string, center float32, shape ...int) {
		random := tensorstest.NewRandom(seed, name)
		deviation := float32(1 / math.Sqrt(float64(shape[len(shape)-1])))
		values := make([]float32, tensors.Info{Shape: shape}.Len())
		for i := range values {
			values[i] = center + random.Normal(i)*deviation
		}
		m.Add(name, tensors.F32, shape, values)
	}
	linear := func(name string, out, in int, bias bool) {
		add(name+".weight", 0, out, in)
		if bias {
			add(name+".bias", 0, out)
		}
	}
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	add("model.embed_tokens.weight", 0, c.Vocabulary, c.Hidden)
	for layer := range c.Layers {
		block := fmt.Sprintf("model.layers.%d.", layer)
		add(block+"input_layernorm.weight", 1, c.Hidden)
		linear(block+"self_attn.q_proj", q, c.Hidden, c.AttentionBias)
		linear(block+"self_attn.k_proj", kv, c.Hidden, c.AttentionBias)
		linear(block+"self_attn.v_proj", kv, c.Hidden, c.AttentionBias)
		linear(block+"self_attn.o_proj", c.Hidden, q, c.AttentionBias)
		add(block+"post_attention_layernorm.weight", 1, c.Hidden)
		linear(block+"mlp.gate_proj", c.Intermediate, c.Hidden, c.MLPBias)
		linear(block+"mlp.up_proj", c.Intermediate, c.Hidden, c.MLPBias)
		linear(block+"mlp.down_proj", c.Hidden, c.Intermediate, c.MLPBias)
	}
	add("model.norm.weight", 1, c.Hidden)
	if !c.Tied {
		add("lm_head.weight", 0, c.Vocabulary, c.Hidden)
	}
	return m
}

// ids draws token ids.
func ids(seed uint64, n, vocabulary int) []int32 {
	random := tensorstest.NewRandom(seed, "ids")
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(random.Intn(i, vocabulary))
	}
	return list
}

// picoVocabulary is the number of tokens of Pico: one end token, 256 bytes and
// 63 merges.
const picoVocabulary = 320

// picoConfig parses the config.json of a Pico.
func picoConfig(t testing.TB, p tensorstest.Pico) decoder.Config {
	t.Helper()
	c, err := decoder.ParseConfig(p.Config())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mustOpen opens a decoder over weights.
func mustOpen(t testing.TB, c decoder.Config, src tensors.Source) *decoder.Model {
	t.Helper()
	m, err := decoder.Open(c, src)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// pico opens a Pico.
func pico(t testing.TB, p tensorstest.Pico) *decoder.Model {
	t.Helper()
	return mustOpen(t, picoConfig(t, p), p.Weights())
}
