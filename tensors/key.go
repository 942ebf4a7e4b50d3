package tensors

import (
	"cmp"
	"strconv"
	"strings"
)

// NoLayer is the Layer of a Key that stands outside the numbered blocks.
const NoLayer = -1

// Parts that stand outside the numbered blocks. They are rows of their own in
// every report and have an alpha of their own in every merge.
const (
	PartEmbed = "embed"   // input embedding
	PartNorm  = "norm"    // final normalisation
	PartHead  = "lm_head" // output projection, where it is not tied to the embedding
)

// Key is where a tensor stands in a decoder: the number of its block and the
// part of the block. "model.layers.7.mlp.up_proj.weight" has the Key
// {7, "mlp.up_proj"}; biases keep their suffix, {7, "mlp.up_proj.bias"}.
type Key struct {
	Layer int    // NoLayer outside the blocks
	Part  string // "mlp.up_proj", or PartEmbed, PartNorm, PartHead, or the whole name if it is none of these
}

// stems are the names under which checkpoints number their blocks.
var stems = []string{"layers.", "h.", "blocks."}

// outside maps name endings of tensors outside the blocks to their part.
var outside = map[string]string{
	"embed_tokens": PartEmbed, "wte": PartEmbed, "tok_embeddings": PartEmbed,
	"norm": PartNorm, "ln_f": PartNorm, "final_layernorm": PartNorm,
	"lm_head": PartHead, "output": PartHead,
}

// KeyOf reads a tensor's place from its name, as Hugging Face checkpoints
// spell it.
func KeyOf(name string) Key {
	short := strings.TrimSuffix(name, ".weight")
	for _, stem := range stems {
		if layer, part, ok := cutLayer(short, stem); ok {
			return Key{layer, part}
		}
	}
	last := short[strings.LastIndexByte(short, '.')+1:]
	if part, ok := outside[last]; ok {
		return Key{NoLayer, part}
	}
	return Key{NoLayer, name}
}

// cutLayer splits "...layers.7.mlp.up_proj" at the stem "layers." that a number
// follows.
func cutLayer(name, stem string) (layer int, part string, ok bool) {
	for at := 0; ; at++ {
		next := strings.Index(name[at:], stem)
		if next < 0 {
			return 0, "", false
		}
		if at += next; at > 0 && name[at-1] != '.' {
			continue
		}
		number, part, found := strings.Cut(name[at+len(stem):], ".")
		layer, err := strconv.ParseUint(number, 10, 31)
		if found && err == nil {
			return int(layer), part, true
		}
	}
}

// Row names the row of a per-layer report that the tensor belongs to: the
// number of its block, or its part.
func (k Key) Row() string {
	if k.Layer == NoLayer {
		return k.Part
	}
	return strconv.Itoa(k.Layer)
}

// Compare orders keys as the model runs: the embedding, the blocks in the order
// of their numbers, the final norm, the head, anything else. Parts of one
// block are equal to it.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.place(), other.place()), cmp.Compare(k.Layer, other.Layer))
}

func (k Key) place() int {
	switch {
	case k.Layer != NoLayer:
		return 1
	case k.Part == PartEmbed:
		return 0
	case k.Part == PartNorm:
		return 2
	case k.Part == PartHead:
		return 3
	}
	return 4
}

// Norm reports whether the tensor is the gain or bias of a normalisation,
// inside the blocks or outside: whether the last component of its part is
// called as one, input_layernorm, q_norm, LayerNorm, norm1, norm_f, ln_1, q_ln.
func (k Key) Norm() bool {
	of := strings.TrimSuffix(strings.TrimSuffix(k.Part, ".bias"), ".weight")
	component := strings.ToLower(of[strings.LastIndexByte(of, '.')+1:])
	stem := strings.TrimSuffix(strings.TrimRight(component, "0123456789"), "_")
	return strings.HasSuffix(stem, "norm") || component == "norm_f" ||
		stem == "ln" || strings.HasPrefix(component, "ln_") || strings.HasSuffix(stem, "_ln")
}
