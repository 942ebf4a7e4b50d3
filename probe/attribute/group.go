package attribute

import (
	"fmt"
	"slices"
	"strings"

	"surgeon/merge"
	"surgeon/tensors"
)

// Group is a set of tensors that are set back, tuned or scaled together.
type Group struct {
	Name string                   // "layers 0-7 attention"
	Has  func(tensor string) bool `json:"-"`
}

// kind is what a tensor does in a decoder, wherever it stands.
type kind int

const (
	embedding kind = iota
	head
	norm
	attention
	mlp
	other // "other" parts of layers, and what stands outside and is none of the above
)

var kinds = [...]string{"embedding", "head", "norms", "attention", "mlp", "other"}

// marks are what the names of parts contain, by kind, as Hugging Face
// checkpoints spell them: GPT-2's attn.c_attn, Mixtral's block_sparse_moe,
// OPT's fc1, BERT's attention.self. The first kind that has a mark in the
// name is taken.
var marks = []struct {
	kind    kind
	outside bool // of the numbered layers
	words   []string
}{
	{head, true, []string{"lm_head", "embed_out"}},
	{embedding, true, []string{"embed", "wte", "wpe"}},
	{attention, false, []string{"attn", "attention", "q_proj", "k_proj", "v_proj", "o_proj", "qkv"}},
	{mlp, false, []string{"mlp", "feed_forward", "ffn", "moe", "expert", "fc1", "fc2", "gate_proj", "up_proj", "down_proj", "dense_h_to_4h", "dense_4h_to_h"}},
}

// kindOf reads what a tensor does from its place. Gains and biases of
// normalisations are norms inside the layers and outside.
func kindOf(key tensors.Key) kind {
	outside := key.Layer == tensors.NoLayer
	switch {
	case outside && key.Part == tensors.PartEmbed:
		return embedding
	case outside && key.Part == tensors.PartHead:
		return head
	case key.Norm():
		return norm
	}
	part := strings.ToLower(key.Part)
	for _, mark := range marks {
		if mark.outside == outside && slices.ContainsFunc(mark.words, func(word string) bool { return strings.Contains(part, word) }) {
			return mark.kind
		}
	}
	return other
}

// Groups parts the tensors of a model, given by name, into groups in the order
// in which the model runs: the embedding, then for each band of depth its
// attention, its mlp and what is neither, then the norms (every gain and bias
// of a normalisation, in whatever layer), the head if there is one, and what
// is none of these. Every tensor is in exactly one group, no group is empty.
//
// A band is a run of successive layers. The layers there are, L of them, are
// parted into bands as equal as can be: band b is from the layer b*L/bands up
// to the layer (b+1)*L/bands. A model with fewer layers than bands has one
// band for each.
func Groups(names []string, bands int) []Group {
	if bands < 1 {
		panic(fmt.Sprintf("attribute: %d bands of layers", bands))
	}
	bandOf, titles := bandsOf(names, bands)
	type place struct{ rank, band, kind int }
	members := map[place]map[string]bool{}
	for _, name := range names {
		key := tensors.KeyOf(name)
		at := place{kind: int(kindOf(key))}
		switch kind(at.kind) {
		case embedding:
		case norm:
			at.rank = 2
		case head:
			at.rank = 3
		default:
			if at.rank = 4; key.Layer != tensors.NoLayer {
				at.rank, at.band = 1, bandOf[key.Layer]
			}
		}
		if members[at] == nil {
			members[at] = map[string]bool{}
		}
		members[at][name] = true
	}
	places := make([]place, 0, len(members))
	for at := range members {
		places = append(places, at)
	}
	slices.SortFunc(places, func(a, b place) int {
		return slices.Compare([]int{a.rank, a.band, a.kind}, []int{b.rank, b.band, b.kind})
	})
	groups := make([]Group, len(places))
	for i, at := range places {
		title := kinds[at.kind]
		if at.rank == 1 {
			title = titles[at.band] + " " + title
		}
		set := members[at]
		groups[i] = Group{title, func(tensor string) bool { return set[tensor] }}
	}
	return groups
}

// bandsOf gives every layer there is a band, and every band a title: "layers
// 0-7".
func bandsOf(names []string, bands int) (of map[int]int, titles []string) {
	var layers []int
	for _, name := range names {
		if key := tensors.KeyOf(name); key.Layer != tensors.NoLayer {
			layers = append(layers, key.Layer)
		}
	}
	slices.Sort(layers)
	layers = slices.Compact(layers)
	bands = min(bands, len(layers))
	of = map[int]int{}
	for band := range bands {
		run := layers[band*len(layers)/bands : (band+1)*len(layers)/bands]
		for _, layer := range run {
			of[layer] = band
		}
		title := fmt.Sprintf("layer %d", run[0])
		if last := run[len(run)-1]; last != run[0] {
			title = fmt.Sprintf("layers %d-%d", run[0], last)
		}
		titles = append(titles, title)
	}
	return of, titles
}

// Scale is the merge.Alpha that gives the tensors of each group the alpha of
// that group, and those of no group the alpha rest. A tensor in several groups
// has the alpha of the first.
func Scale(groups []Group, alphas []float64, rest float64) merge.Alpha {
	if len(alphas) != len(groups) {
		panic(fmt.Sprintf("attribute: %d alphas for %d groups", len(alphas), len(groups)))
	}
	groups, alphas = slices.Clone(groups), slices.Clone(alphas)
	return func(name string) float64 {
		for i, group := range groups {
			if group.Has(name) {
				return alphas[i]
			}
		}
		return rest
	}
}
