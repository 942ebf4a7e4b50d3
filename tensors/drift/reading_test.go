package drift_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
)

// llama are the names of a model of five layers.
func llama() []string {
	names := []string{"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"}
	for layer := range 5 {
		for _, part := range []string{"input_layernorm", "self_attn.q_proj", "self_attn.o_proj", "post_attention_layernorm", "mlp.up_proj"} {
			names = append(names, fmt.Sprintf("model.layers.%d.%s.weight", layer, part))
		}
	}
	return names
}

// moves is the report of a llama whose tensors with one of the words in their
// names moved.
func moves(t *testing.T, words ...string) *drift.Report {
	t.Helper()
	base, tuned := oneEach(llama(), func(name string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
	})
	return measure(t, base, tuned)
}

// shaped are spectra of three matrices of 256 x 256 with as many directions and
// the same energies at ranks 1, 4, 8 and 32.
func shaped(directions int, shares ...float64) []drift.Spectrum {
	s := drift.Spectrum{Shape: []int{256, 256}, Rank: 32, Directions: directions, Residual: math.Sqrt(1 - shares[3])}
	for i, rank := range []int{1, 4, 8, 32} {
		s.Energies = append(s.Energies, drift.Energy{Rank: rank, Share: shares[i]})
	}
	return []drift.Spectrum{s, s, s}
}

// small are spectra of matrices of 20 x 20.
func small(spectra []drift.Spectrum) []drift.Spectrum {
	spectra = slices.Clone(spectra)
	for i := range spectra {
		spectra[i].Shape = []int{20, 20}
	}
	return spectra
}

var (
	rank4   = shaped(4, 0.6, 0.99, 1, 1)
	rank16  = shaped(16, 0.1, 0.4, 0.7, 0.999)
	between = shaped(32, 0.1, 0.3, 0.5, 0.7)
	diffuse = shaped(32, 0.02, 0.06, 0.1, 0.2)
)

// TestRecipe: what moved, and in how many directions, tells the recipe.
func TestRecipe(t *testing.T) {
	check := func(what string, report *drift.Report, spectra []drift.Spectrum, words ...string) {
		t.Helper()
		got := drift.Read(report, spectra).Recipe
		for _, word := range words {
			without, unwanted := strings.CutPrefix(word, "!")
			if strings.Contains(got, without) == unwanted {
				t.Errorf("%s: %q, want %q", what, got, word)
			}
		}
	}
	matrices := moves(t, "_proj")
	check("identical", moves(t), nil, "nothing changed")
	check("identical, with spectra", moves(t), rank4, "nothing changed", "!LoRA")
	check("a merged LoRA", matrices, rank4, "LoRA of rank 4", "self_attn.q_proj", "mlp.up_proj", "!frozen")
	check("of rank 16", matrices, rank16, "LoRA of rank 16")
	check("without spectra", matrices, nil, "LoRA", "--svd", "!rank")
	check("not of low rank", matrices, diffuse, "full-rank training", "!LoRA", "!--svd")
	check("in matrices too small to tell", matrices, small(rank16), "LoRA of rank above 32, or training")
	check("on one module", moves(t, "q_proj"), rank4, "LoRA of rank 4", "q_proj", "!up_proj", "!o_proj")
	check("in some layers", moves(t, "layers.2.self_attn.q_proj", "layers.3.self_attn.q_proj"), rank4, "LoRA of rank 4", "layers 0-1, 4 frozen")
	check("everything", moves(t, "weight"), nil, "full fine-tuning", "!frozen", "!LoRA")
	check("everything, diffuse", moves(t, "weight"), diffuse, "full fine-tuning", "!frozen", "!LoRA")
	check("a frozen embedding", moves(t, "layers", "norm", "lm_head"), diffuse, "full fine-tuning", "frozen embedding")
	check("only norms", moves(t, "norm"), nil, "only the gains")
	check("only norms of layers", moves(t, "layernorm"), nil, "only the gains")
	check("only the final norm", moves(t, "model.norm"), nil, "only the gains", "layers 0-4 frozen")
	check("only the embedding", moves(t, "embed"), nil, "only embed moved")
	check("embedding and head", moves(t, "embed", "lm_head"), diffuse, "only embed, lm_head moved", "!LoRA")
	check("low rank and more", moves(t, "_proj", "embed"), rank4, "LoRA of rank 4", "other modules")
	check("low rank and norms", moves(t, "_proj", "layernorm"), rank4, "LoRA of rank 4", "other modules")
}

// TestShape: the sentence on the spectra has the numbers it rests on, of the
// median matrix.
func TestShape(t *testing.T) {
	check := func(spectra []drift.Spectrum, words ...string) {
		t.Helper()
		got := drift.Read(moves(t, "_proj"), spectra).Shape
		for _, word := range words {
			if !strings.Contains(got, word) {
				t.Errorf("%q, want %q", got, word)
			}
		}
		if words == nil && got != "" {
			t.Errorf("%q without spectra", got)
		}
	}
	check(nil)
	check([]drift.Spectrum{})
	check(rank4, "LoRA-like", "4 directions")
	check(diffuse, "diffuse: ", "32 leading directions", "20 %")
	check(between, "between", "32 leading directions", "70 %")
	check(slices.Concat(rank4[:1], diffuse[:1], diffuse[:1]), "diffuse: ", "20 %")
	check(slices.Concat(rank4[:1], rank4[:1], diffuse[:1]), "LoRA-like", "4 directions")
	check(slices.Concat(diffuse[:1], between[:1], rank4[:1]), "between", "70 %")
}

// TestRecipeClaims: a recipe claims no more than what moved.
func TestRecipeClaims(t *testing.T) {
	check := func(what string, report *drift.Report, spectra []drift.Spectrum, unwanted string) {
		t.Helper()
		t.Run(what, func(t *testing.T) {
			if got := drift.Read(report, spectra).Recipe; strings.Contains(got, unwanted) {
				t.Errorf("%q", got)
			}
		})
	}
	check("norms and embedding", moves(t, "layernorm", "embed"), nil, "only the gains")
	check("norms and head", moves(t, "norm", "embed"), nil, "full fine-tuning")
	check("attention and norms", moves(t, "q_proj", "norm", "embed"), diffuse, "full fine-tuning")
	check("some rank beyond K", moves(t, "_proj"), between, "full-rank")
	base, tuned := oneEach(append(llama(), "model.layers.0.self_attn.q_proj.bias"), func(name string) bool { return strings.HasSuffix(name, "bias") })
	check("biases", measure(t, base, tuned), nil, "LoRA")
}

// TestFrozen lists parts and layers of which nothing moved.
func TestFrozen(t *testing.T) {
	check := func(report *drift.Report, parts, layers string) {
		t.Helper()
		got := drift.Read(report, nil)
		if strings.Join(got.Frozen, " ") != parts || strings.Join(got.Layers, " ") != layers || got.Frozen == nil || got.Layers == nil {
			t.Errorf("parts %q, layers %q; want %q, %q", got.Frozen, got.Layers, parts, layers)
		}
	}
	all := "input_layernorm mlp.up_proj post_attention_layernorm self_attn.o_proj self_attn.q_proj embed norm lm_head"
	check(moves(t), all, "0-4")
	check(moves(t, "weight"), "", "")
	check(moves(t, "_proj"), "input_layernorm post_attention_layernorm embed norm lm_head", "")
	check(moves(t, "layers.2"), "embed norm lm_head", "0-1 3-4")
	check(moves(t, "layers.2", "layers.4", "embed"), "norm lm_head", "0-1 3")
	check(moves(t, "layers.1.mlp", "layers.3.mlp"), "input_layernorm post_attention_layernorm self_attn.o_proj self_attn.q_proj embed norm lm_head", "0 2 4")
	check(moves(t, "layers.0", "layers.4"), "embed norm lm_head", "1-3")
	// Layers that are not there end a range.
	base, tuned := oneEach([]string{"layers.3.x", "layers.9.x", "layers.10.x", "layers.11.x"}, func(string) bool { return false })
	check(measure(t, base, tuned), "x", "3 9-11")
}

// TestFloor counts changed tensors below half a place of their type, at its
// widest: 2^-9 for bfloat16, 2^-12 for float16, none for float32.
func TestFloor(t *testing.T) {
	check := func(d tensors.DType, relative float32, want int) {
		t.Helper()
		// One weight of 1 and one of relative: it changes from 0, so that
		// any size can be stored.
		base, tuned := pair(d, []float32{1, 0}, []float32{1, relative})
		if got := drift.Read(measure(t, base, tuned), nil).AtFloor; got != want {
			t.Errorf("%s moved by %v: %d at the floor", d, relative, got)
		}
	}
	check(tensors.BF16, 0x1p-9, 0)
	check(tensors.BF16, 0x1.fep-10, 1)
	check(tensors.BF16, 0, 0)
	check(tensors.F16, 0x1p-12, 0)
	check(tensors.F16, 0x1.ff8p-13, 1)
	check(tensors.F8E4M3, 0x1p-5, 0)
	check(tensors.F8E4M3, 0x1.cp-6, 1)
	check(tensors.F8E5M2, 0x1p-4, 0)
	check(tensors.F8E5M2, 0x1.8p-5, 1)
	check(tensors.F32, 0x1p-20, 0)
	check(tensors.F64, 0x1p-20, 0)
	check(tensors.BF16, float32(math.NaN()), 0)
}

// TestFloorClaims: rounding decides nothing where the result was not rounded,
// or where few weights moved by much.
func TestFloorClaims(t *testing.T) {
	check := func(what string, base, tuned tensors.Source, delta func(*tensors.Difference) tensors.Delta) {
		t.Helper()
		t.Run(what, func(t *testing.T) {
			report := measureDelta(t, base, delta(diff(t, base, tuned)), drift.Options{})
			if got := drift.Read(report, nil).AtFloor; got != 0 {
				t.Errorf("%d at the floor", got)
			}
		})
	}
	itself := func(d *tensors.Difference) tensors.Delta { return d }
	bare := func(d *tensors.Difference) tensors.Delta { return adapter{d, d.Names()} }
	ones := slices.Repeat([]float32{1}, 1000)
	base, _ := pair(tensors.BF16, ones, ones)
	_, wider := pair(tensors.F32, ones, slices.Repeat([]float32{1.001}, 1000))
	check("tuned stored wider", base, wider, itself)
	check("an adapter", base, wider, bare)
	few := slices.Clone(ones)
	few[7] = 1.03125 // 0.1 % of all, 3 % of itself
	_, tuned := pair(tensors.BF16, ones, few)
	check("one row of many", base, tuned, itself)
	inf := slices.Clone(few)
	inf[0] = float32(math.Inf(1))
	infinite, tunedInf := pair(tensors.BF16, append([]float32{inf[0]}, ones[1:]...), inf)
	check("an infinite weight", infinite, tunedInf, itself)
}
