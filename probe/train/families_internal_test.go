package train

import (
	"math"
	"slices"
	"testing"

	"surgeon/probe/decoder"
)

// families are what a model may differ in from a tied Llama's, as the families
// that can be trained do.
var families = map[string]func(c *decoder.Config){
	"llama, untied, biases in all projections": func(c *decoder.Config) { c.Tied, c.AttentionBias, c.MLPBias = false, true, true },
	"mistral": func(c *decoder.Config) { c.Window = c.Context },
	"qwen2":   func(c *decoder.Config) { c.QKVBias = true },
	"qwen3":   func(c *decoder.Config) { c.QKNorm, c.HeadDim = decoder.EachHead, 6 },
	"olmo2": func(c *decoder.Config) {
		c.QKNorm, c.Norms = decoder.AllHeads, decoder.Norms{AfterAttention: "post_attention_layernorm", AfterMLP: "post_feedforward_layernorm"}
	},
	"sandwich": func(c *decoder.Config) {
		c.Norms = decoder.Norms{BeforeAttention: "input_layernorm", AfterAttention: "post_attention_layernorm", BeforeMLP: "pre_feedforward_layernorm", AfterMLP: "post_feedforward_layernorm"}
	},
	"partial, scaled": func(c *decoder.Config) {
		c.RoPE.Partial, c.RoPE.Scaling, c.RoPE.Factor, c.QueryScale = 0.5, "linear", 2, 0.3
	},
	"no rotation": func(c *decoder.Config) { c.RoPE = decoder.RoPE{} },
}

// TestFamilies: for each kind of model and each of its tensors, the slope of the
// loss along the gradient is the gradient's norm. The loss comes from float32
// logits, good to about 1e-7, and is taken at distances of 3e-3 and more.
func TestFamilies(t *testing.T) {
	for name, change := range families {
		c := small
		change(&c)
		r := opened(t, c, Data{Domain: texts(4, true)}, Options{BatchTokens: 16, Steps: 1, LearningRate: 1e-9})
		loss := func() float64 {
			if err := r.graph.backward(); err != nil {
				t.Fatal(err)
			}
			return total(r.graph.pass.Loss.Rows)
		}
		if report := step(t, r); math.Abs(loss()-report.Loss) > 1e-5 {
			t.Fatalf("%s: the loss %g is not that of the step, %g", name, loss(), report.Loss)
		}
		if len(r.trained) != len(c.Tensors()) {
			t.Errorf("%s: %d of %d tensors are trained", name, len(r.trained), len(c.Tensors()))
		}
		gradients := map[string][]float32{}
		for tensor, g := range r.gradients("") {
			gradients[tensor] = slices.Clone(g)
		}
		worst := 0.0
		for _, p := range r.trained {
			size := 0.0
			for _, v := range gradients[p.name] {
				size += float64(v) * float64(v)
			}
			size = math.Sqrt(size)
			if !(size > 1e-4) {
				t.Errorf("%s: %s has a gradient of norm %g: nothing is proved", name, p.name, size)
			}
			before := slices.Clone(p.values)
			at := func(by float64) float64 {
				for i, v := range gradients[p.name] {
					p.values[i] = float32(float64(before[i]) + by*float64(v)/size)
				}
				p.version++
				return loss()
			}
			across := func(h float64) float64 { return (at(h) - at(-h)) / (2 * h) }
			slope := (4*across(3e-3) - across(6e-3)) / 3 // without the term in h^2 (Richardson)
			copy(p.values, before)
			p.version++
			off := math.Abs(slope-size) / size
			worst = max(worst, off)
			if !(off <= 2e-3) {
				t.Errorf("%s: along the gradient of %s the loss rises by %g, want %g", name, p.name, slope, size)
			}
		}
		t.Logf("%s: %d tensors, at most %.2g off", name, len(r.trained), worst)
	}
}

// TestUnsupported: what has no gradient is refused by the family's name and in
// words.
func TestUnsupported(t *testing.T) {
	check := func(family string, says string, change func(c *decoder.Config)) {
		t.Helper()
		c := small
		c.Family = family
		change(&c)
		_, err := New(c, Initialise(small, 0.1, 1), Data{Domain: texts(2, true)}, Options{Steps: 1, LearningRate: 1})
		if want := "a model of the family " + family + " cannot be trained here: it has " + says; err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	check("gemma2", "a GELU gate, capped attention scores, capped logits, norms that multiply by 1 + weight, a scaled embedding, layers of different kinds", func(c *decoder.Config) {
		c.GELU, c.ScoreCap, c.LogitCap, c.OnePlus, c.EmbeddingScale, c.Each = true, 50, 30, true, 4, make([]decoder.Layer, c.Layers)
	})
	check("phi3", "fused projections", func(c *decoder.Config) { c.Fused = true })
	check("smollm3", "layers of different kinds", func(c *decoder.Config) { c.Each = make([]decoder.Layer, c.Layers) })
}
