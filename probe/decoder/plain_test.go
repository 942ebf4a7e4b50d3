package decoder_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// plain is a second decoder of the Llama family, written for the tests alone:
// one token after the other, everything in float64, no sharing, no gorgonia
// and nothing of package kernel. It knows unscaled rotary embedding only;
// scaled frequencies are tested on their own.
type plain struct {
	c   decoder.Config
	src tensors.Source
	see func(name string, x []float64) // is told what every matrix multiplies; may be nil
}

func (p plain) get(name string) []float64 {
	info, ok := p.src.Info(name)
	if !ok {
		return nil // a bias that the architecture does not have
	}
	narrow := make([]float32, info.Len())
	if err := p.src.Read(narrow, name, 0); err != nil {
		panic(err)
	}
	wide := make([]float64, len(narrow))
	for i, v := range narrow {
		wide[i] = float64(v)
	}
	return wide
}

// linear multiplies by a weight [out, in] and adds the bias, if there is one.
func (p plain) linear(name string, x []float64) []float64 {
	if p.see != nil {
		p.see(name+".weight", x)
	}
	weight, bias := p.get(name+".weight"), p.get(name+".bias")
	out := make([]float64, len(weight)/len(x))
	for o := range out {
		for i, v := range x {
			out[o] += v * weight[o*len(x)+i]
		}
		if bias != nil {
			out[o] += bias[o]
		}
	}
	return out
}

func (p plain) norm(name string, x []float64) []float64 {
	weight := p.get(name + ".weight")
	square := 0.0
	for _, v := range x {
		square += v * v
	}
	root := math.Sqrt(square/float64(len(x)) + float64(p.c.Epsilon))
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v / root * weight[i]
	}
	return out
}

// rotate turns channel i and i+half of each head, as a complex number, by
// position * theta^(-2i/headDim).
func (p plain) rotate(x []float64, position int) {
	half := p.c.HeadDim / 2
	for head := 0; head < len(x); head += p.c.HeadDim {
		for i := range half {
			angle := float64(position) * math.Pow(p.c.RoPE.Theta, -2*float64(i)/float64(p.c.HeadDim))
			turned := complex(x[head+i], x[head+i+half]) * complex(math.Cos(angle), math.Sin(angle))
			x[head+i], x[head+i+half] = real(turned), imag(turned)
		}
	}
}

// attend mixes the values of the positions so far for one query.
func (p plain) attend(q []float64, keys, values [][]float64) []float64 {
	d := p.c.HeadDim
	out := make([]float64, len(q))
	for h := range p.c.Heads {
		kv := h / (p.c.Heads / p.c.KVHeads) * d
		total, weights := 0.0, make([]float64, len(keys))
		for j, k := range keys {
			product := 0.0
			for i := range d {
				product += q[h*d+i] * k[kv+i]
			}
			weights[j] = math.Exp(product / math.Sqrt(float64(d)))
			total += weights[j]
		}
		for j, v := range values {
			for i := range d {
				out[h*d+i] += weights[j] / total * v[kv+i]
			}
		}
	}
	return out
}

func plus(a, b []float64) []float64 {
	out := slices.Clone(a)
	for i, v := range b {
		out[i] += v
	}
	return out
}

// logits are those after the last id.
func (p plain) logits(ids []int32) []float64 {
	stream := make([][]float64, len(ids))
	for r, id := range ids {
		stream[r] = p.get("model.embed_tokens.weight")[int(id)*p.c.Hidden : (int(id)+1)*p.c.Hidden]
	}
	for layer := range p.c.Layers {
		block := fmt.Sprintf("model.layers.%d.", layer)
		var keys, values [][]float64
		for r, x := range stream {
			h := p.norm(block+"input_layernorm", x)
			q, k := p.linear(block+"self_attn.q_proj", h), p.linear(block+"self_attn.k_proj", h)
			p.rotate(q, r)
			p.rotate(k, r)
			keys, values = append(keys, k), append(values, p.linear(block+"self_attn.v_proj", h))
			x = plus(x, p.linear(block+"self_attn.o_proj", p.attend(q, keys, values)))
			h = p.norm(block+"post_attention_layernorm", x)
			gated := p.linear(block+"mlp.up_proj", h)
			for i, g := range p.linear(block+"mlp.gate_proj", h) {
				gated[i] *= g / (1 + math.Exp(-g))
			}
			stream[r] = plus(x, p.linear(block+"mlp.down_proj", gated))
		}
	}
	x := p.norm("model.norm", stream[len(stream)-1])
	if p.c.Tied {
		return p.linear("model.embed_tokens", x)
	}
	return p.linear("lm_head", x)
}

// logProb is the log-likelihood of token after ids, nats.
func (p plain) logProb(ids []int32, token int32) float64 {
	logits, total := p.logits(ids), 0.0
	for _, v := range logits {
		total += math.Exp(v)
	}
	return logits[token] - math.Log(total)
}

// TestPlain compares whole models with the plain decoder. The tolerance of
// 2e-5 is ten times the greatest difference seen, which is float32 rounding.
func TestPlain(t *testing.T) {
	small := decoder.Config{
		Vocabulary: 50, Hidden: 24, Intermediate: 40, Layers: 2, Heads: 4, KVHeads: 4, HeadDim: 6, Context: 64,
		Epsilon: 1e-5, Layer: decoder.Layer{RoPE: decoder.RoPE{Theta: 10000}},
	}
	with := func(change func(c *decoder.Config)) decoder.Config {
		c := small
		change(&c)
		return c
	}
	check := func(name string, c decoder.Config, src tensors.Source) {
		t.Helper()
		t.Run(name, func(t *testing.T) { comparePlain(t, c, src) })
	}
	for _, p := range []tensorstest.Pico{{Seed: 1}, {Seed: 2, Untied: true}, {Seed: 3, DType: tensors.F32}, {Seed: 4, DType: tensors.F16, Untied: true, Layers: 3}} {
		check(fmt.Sprintf("pico %d", p.Seed), picoConfig(t, p), p.Weights())
	}
	check("heads of their own keys", small, weightsOf(small, 5))
	for name, c := range map[string]decoder.Config{
		"one key head":       with(func(c *decoder.Config) { c.KVHeads = 1 }),
		"wide heads":         with(func(c *decoder.Config) { c.HeadDim = 10; c.KVHeads = 2 }),
		"attention bias":     with(func(c *decoder.Config) { c.AttentionBias = true }),
		"mlp bias":           with(func(c *decoder.Config) { c.MLPBias = true; c.Tied = true }),
		"a large epsilon":    with(func(c *decoder.Config) { c.Epsilon = 0.5 }),
		"another theta":      with(func(c *decoder.Config) { c.RoPE.Theta = 37 }),
		"one layer, one dim": with(func(c *decoder.Config) { c.Layers = 1; c.HeadDim = 2; c.Heads = 6; c.KVHeads = 3 }),
	} {
		check(name, c, weightsOf(c, 6))
	}
}

func comparePlain(t *testing.T, c decoder.Config, src tensors.Source) {
	t.Helper()
	p, long := plain{c: c, src: src}, ids(7, 14, c.Vocabulary)
	requests := []decoder.Request{
		{Prompt: long[:1], Logits: true},
		{Prompt: long[:5], Logits: true},
		{Prompt: long, Logits: true},
		{Prompt: long[:9], Continuations: [][]int32{long[9:12], {3}, {3, 4}}},
	}
	got, err := mustOpen(t, c, src).Score(context.Background(), requests, decoder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var worst float64
	for i, r := range requests[:3] {
		worst = max(worst, farthest(t, got[i].Logits, p.logits(r.Prompt)))
	}
	for j, continuation := range requests[3].Continuations {
		before := slices.Clone(requests[3].Prompt)
		for i, id := range continuation {
			worst = max(worst, math.Abs(got[3].Tokens[j][i]-p.logProb(before, id)))
			before = append(before, id)
		}
	}
	t.Logf("greatest difference %.2g", worst)
	if !(worst <= 2e-5) {
		t.Errorf("greatest difference to the plain decoder is %g, more than 2e-5", worst)
	}
}
