package decoder

import (
	"fmt"

	"surgeon/tensors/kernel"
)

// Config is the architecture of a decoder, as config.json states it.
type Config struct {
	Family                 string // model_type, one of the families
	Vocabulary             int
	Hidden                 int // width of the residual stream
	Intermediate           int // width of the gated MLP
	Layers                 int
	Heads                  int // query heads
	KVHeads                int // key and value heads; Heads is a multiple of it
	HeadDim                int // channels of a head, even
	Context                int // longest sequence in tokens, max_position_embeddings
	Epsilon                float32
	Tied                   bool // the head is the transposed embedding
	AttentionBias, MLPBias bool // in all projections
	QKVBias                bool // in those of query, key and value alone
	Fused                  bool // query, key and value are one tensor, gate and up another
	Norms                  Norms
	OnePlus                bool    // norms multiply by 1 + weight
	QKNorm                 Span    // an RMSNorm of query and key, before the rotation
	GELU                   bool    // of the MLP's gate, by tanh; else SiLU
	EmbeddingScale         float32 // of the embedding's rows; 0: none
	QueryScale             float32 // of the scores of attention; 0: 1/sqrt(HeadDim)
	ScoreCap, LogitCap     float32 // bounds of scores and logits, see kernel.Softcap; 0: none
	Layer                          // of all layers, unless there are Each
	Each                   []Layer // per layer, if they differ
}

// Layer is what a layer's attention looks at.
type Layer struct {
	Window int  // tokens that a token attends to, itself included; 0: all before it
	RoPE   RoPE // a Theta of 0 is no rotation
}

// Norms are the names of a block's norms. One that is "" is not there; the zero
// value stands for Llama's two, in front of attention and MLP.
type Norms struct{ BeforeAttention, AfterAttention, BeforeMLP, AfterMLP string }

// Span is what a norm of query and key takes the mean over.
type Span int

// The spans of a norm.
const (
	NoNorm   Span = iota
	EachHead      // each head by itself, with one weight for all (Qwen3, arXiv 2505.09388)
	AllHeads      // all heads together (OLMo 2, arXiv 2501.00656)
)

// RoPE is the rotary position embedding: frequency theta^(-2i/HeadDim) for
// channel pair i, scaled as Scaling says.
type RoPE struct {
	Theta   float64
	Scaling string // "" or "default": none; "linear"; "llama3"
	Factor  float64
	Partial float64 // share of a head's channels that are rotated, the first ones; 0 is all of them
	// Of llama3 scaling alone.
	LowFrequency, HighFrequency float64
	OriginalContext             float64 // tokens
}

// layer is what layer i looks at.
func (c Config) layer(i int) Layer {
	if len(c.Each) > 0 {
		return c.Each[i]
	}
	return c.Layer
}

// norms are the names of the norms that are there.
func (c Config) norms() Norms {
	if c.Norms == (Norms{}) {
		return Norms{BeforeAttention: "input_layernorm", BeforeMLP: "post_attention_layernorm"}
	}
	return c.Norms
}

// rotary is the number of channels of a head that are rotated.
func (c Config) rotary(r RoPE) int {
	if r.Partial == 0 {
		return c.HeadDim
	}
	return int(float64(c.HeadDim) * r.Partial)
}

func (c Config) check() error {
	for _, field := range []struct {
		name  string
		value int
	}{
		{"vocab_size", c.Vocabulary}, {"hidden_size", c.Hidden}, {"intermediate_size", c.Intermediate},
		{"num_hidden_layers", c.Layers}, {"num_attention_heads", c.Heads}, {"num_key_value_heads", c.KVHeads},
		{"head_dim", c.HeadDim}, {"max_position_embeddings", c.Context},
	} {
		if field.value <= 0 || field.value > 1<<28 {
			return fmt.Errorf("%s is %d: it must be between 1 and %d", field.name, field.value, 1<<28)
		}
	}
	switch {
	case c.HeadDim > 1<<16:
		return fmt.Errorf("head_dim is %d: surgeon runs up to %d", c.HeadDim, 1<<16)
	case c.Heads%c.KVHeads != 0:
		return fmt.Errorf("num_attention_heads %d is not a multiple of num_key_value_heads %d", c.Heads, c.KVHeads)
	case c.HeadDim%2 != 0:
		return fmt.Errorf("head_dim %d is odd: rotary embedding needs pairs of channels", c.HeadDim)
	case !(c.Epsilon > 0 && c.Epsilon-c.Epsilon == 0):
		return fmt.Errorf("rms_norm_eps is %g: it must be positive and finite in float32", c.Epsilon)
	case len(c.Each) > 0 && len(c.Each) != c.Layers:
		return fmt.Errorf("%d layers are described one by one: there are %d", len(c.Each), c.Layers)
	}
	for i := range c.Layers {
		if r := c.layer(i).RoPE; r.Theta != 0 && (i == 0 || r != c.layer(i-1).RoPE) {
			if err := c.checkRotation(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c Config) checkRotation(r RoPE) error {
	switch n := c.rotary(r); {
	case !(r.Partial >= 0 && r.Partial <= 1) || n < 2 || n%2 != 0:
		return fmt.Errorf("partial_rotary_factor %g of %d channels: it must give an even number of at least 2", r.Partial, c.HeadDim)
	case !kernel.Finite(r.frequencies(n / 2)):
		return fmt.Errorf("the rotary frequencies are not finite in float32: theta %g, factor %g", r.Theta, r.Factor)
	}
	return nil
}
