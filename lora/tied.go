package lora

import (
	"fmt"
	"slices"
	"strings"

	"surgeon/tensors"
)

// A head that is tied to the input embedding, and what PEFT 0.21 makes of it (all
// measured: testdata/make.py makes such adapters, and their logits):
//
//   - trainable_token_indices of the embedding change the head too, always.
//   - Factors and whole tensors of the embedding change it alone, unless
//     ensure_weight_tying is set and target_modules or modules_to_save have a name
//     that ends in embed_tokens or lm_head (so not for GPT-2's wte alone). Then the
//     file holds the head's copy of everything, transposed for factors, which
//     training began as one and saving wrote as two.
//   - merge_and_unload adds factors of the embedding to a weight that is still one,
//     so that it changes both without ensure_weight_tying, and twice with it.
//
// Here an adapter changes an embedding once, and with it what the base ties to it.

// headModule is the module of the head. No other name is known to PEFT.
const headModule = "lm_head"

// ties reports whether PEFT gives a head what it gives the embedding, if the base
// ties the two.
func (c config) ties() bool {
	known := func(name string) bool { return ends(name, "embed_tokens") || ends(name, headModule) }
	return c.Tying && (slices.ContainsFunc(c.Saved, known) || slices.ContainsFunc(c.Targets.list, known) ||
		c.Targets.match != nil && (c.Targets.match.MatchString("embed_tokens") || c.Targets.match.MatchString(headModule)))
}

// embedding reports whether a tensor is an input embedding, and head whether it is
// the weight of a head.
func embedding(tensor string) bool { return tensors.KeyOf(tensor).Part == tensors.PartEmbed }
func head(tensor string) bool {
	return tensors.KeyOf(tensor).Part == tensors.PartHead && strings.HasSuffix(tensor, ".weight")
}

// tiedFactors finds the factors of a head that are the transposed ones of the
// embedding, where PEFT ties them; -1 for none.
func (a *Adapter) tiedFactors(c config) int {
	e := slices.IndexFunc(a.LowRank, func(l LowRank) bool { return l.Layout == Embedding && embedding(l.Tensor) })
	h := slices.IndexFunc(a.LowRank, func(l LowRank) bool { return l.Layout == Linear && head(l.Tensor) })
	if !c.ties() || e < 0 || h < 0 {
		return -1
	}
	if tied := a.LowRank[e].transposed(a.LowRank[h].Tensor); !slices.Equal(tied.A, a.LowRank[h].A) || !slices.Equal(tied.B, a.LowRank[h].B) {
		return -1
	}
	return h
}

// transposed are the factors of a head that is tied to an embedding: B' and A'.
func (l LowRank) transposed(tensor string) LowRank {
	t := LowRank{Tensor: tensor, Rank: l.Rank, In: l.Out, Out: l.In, Scale: l.Scale, DType: l.DType}
	t.A, t.B = make([]float32, len(l.B)), make([]float32, len(l.A))
	for r := range l.Rank {
		for i := range l.Out {
			t.A[r*l.Out+i] = l.B[i*l.Rank+r]
		}
		for i := range l.In {
			t.B[i*l.Rank+r] = l.A[r*l.In+i]
		}
	}
	return t
}

// untie leaves out the copies that a file has for a head that is the embedding. It
// is an error if PEFT would scale the two differently.
func (a *Adapter) untie(c config) error {
	if !c.Tying {
		return nil
	}
	if h := a.tiedFactors(c); h >= 0 {
		l := a.LowRank[h]
		e := a.LowRank[slices.IndexFunc(a.LowRank, func(l LowRank) bool { return embedding(l.Tensor) })]
		module := moduleOf(l.Tensor)
		if scale := c.scale(module, c.rank(module)); scale != e.Scale {
			return fmt.Errorf("tensor %q is tied to %q, but %s scales it by %g and the other by %g: surgeon changes a tied embedding and its head alike", l.Tensor, e.Tensor, configFile, scale, e.Scale)
		}
		a.LowRank = slices.Delete(a.LowRank, h, h+1)
		a.Config.Tied = true
	}
	h := slices.IndexFunc(a.Replaced, func(r Replaced) bool { return head(r.Tensor) })
	e := slices.IndexFunc(a.Replaced, func(r Replaced) bool { return embedding(r.Tensor) })
	if h < 0 || e < 0 {
		return nil
	}
	x, y := a.Replaced[h], a.Replaced[e]
	same, err := tensors.SameBytes(x.Values, x.Name, y.Values, y.Name)
	if err == nil && same {
		a.Replaced = slices.Delete(a.Replaced, h, h+1)
		a.Config.Tied = true
	}
	return err
}

// tiedHead reports whether a tensor is an embedding that is the head as well.
func (c Config) tiedHead(tensor string) bool { return c.Tied && embedding(tensor) }
