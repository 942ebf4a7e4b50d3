package attribute

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors/tensorstest"
)

// members lists the tensors of each group, and fails where a tensor is in none
// or in two.
func members(t *testing.T, names []string, groups []Group) map[string][]string {
	t.Helper()
	result := map[string][]string{}
	for _, name := range names {
		found := 0
		for _, group := range groups {
			if group.Has(name) {
				found++
				result[group.Name] = append(result[group.Name], name)
			}
		}
		if found != 1 {
			t.Errorf("the tensor %q is in %d groups", name, found)
		}
	}
	for _, group := range groups {
		if len(result[group.Name]) == 0 {
			t.Errorf("the group %q is empty, or has another's name", group.Name)
		}
	}
	return result
}

func titlesOf(groups []Group) []string {
	var titles []string
	for _, group := range groups {
		titles = append(titles, group.Name)
	}
	return titles
}

func checkTitles(t *testing.T, names []string, bands int, want ...string) map[string][]string {
	t.Helper()
	groups := Groups(names, bands)
	if got := titlesOf(groups); !slices.Equal(got, want) {
		t.Errorf("groups %q, want %q", got, want)
	}
	return members(t, names, groups)
}

func TestGroupsOfPico(t *testing.T) {
	tied := tensorstest.Pico{Layers: 7}.Weights().Names()
	in := checkTitles(t, tied, 3, "embedding", "layers 0-1 attention", "layers 0-1 mlp", "layers 2-3 attention", "layers 2-3 mlp", "layers 4-6 attention", "layers 4-6 mlp", "norms")
	for title, want := range map[string]int{"embedding": 1, "layers 0-1 attention": 8, "layers 4-6 mlp": 9, "norms": 15} {
		if len(in[title]) != want {
			t.Errorf("%q has %d tensors, want %d: %q", title, len(in[title]), want, in[title])
		}
	}
	untied := tensorstest.Pico{Untied: true}.Weights().Names()
	in = checkTitles(t, untied, 4, "embedding", "layer 0 attention", "layer 0 mlp", "layer 1 attention", "layer 1 mlp", "norms", "head")
	if !slices.Equal(in["head"], []string{"lm_head.weight"}) {
		t.Errorf("the head is %q", in["head"])
	}
}

func TestGroupsOfFamilies(t *testing.T) {
	check := func(family, list string, want map[string]string) {
		t.Helper()
		names := strings.Fields(list)
		in := members(t, names, Groups(names, 1))
		for title, group := range want {
			if got := strings.Join(in[title], " "); got != group {
				t.Errorf("%s: %q has %q, want %q", family, title, got, group)
			}
		}
		if len(in) != len(want) {
			t.Errorf("%s: groups %v, want %v", family, in, want)
		}
	}
	check("GPT-2", "wte.weight wpe.weight h.0.ln_1.weight h.0.ln_1.bias h.0.attn.c_attn.weight h.0.attn.c_proj.bias h.0.mlp.c_fc.weight h.0.mlp.c_proj.weight ln_f.weight ln_f.bias", map[string]string{
		"embedding":         "wte.weight wpe.weight",
		"norms":             "h.0.ln_1.weight h.0.ln_1.bias ln_f.weight ln_f.bias",
		"layer 0 attention": "h.0.attn.c_attn.weight h.0.attn.c_proj.bias",
		"layer 0 mlp":       "h.0.mlp.c_fc.weight h.0.mlp.c_proj.weight",
	})
	check("Mixtral", "model.embed_tokens.weight model.layers.0.self_attn.q_proj.weight model.layers.0.block_sparse_moe.gate.weight model.layers.0.block_sparse_moe.experts.3.w1.weight model.layers.0.input_layernorm.weight lm_head.weight", map[string]string{
		"embedding":         "model.embed_tokens.weight",
		"layer 0 attention": "model.layers.0.self_attn.q_proj.weight",
		"layer 0 mlp":       "model.layers.0.block_sparse_moe.gate.weight model.layers.0.block_sparse_moe.experts.3.w1.weight",
		"norms":             "model.layers.0.input_layernorm.weight",
		"head":              "lm_head.weight",
	})
	check("OPT", "model.decoder.embed_tokens.weight model.decoder.embed_positions.weight model.decoder.final_layer_norm.bias model.decoder.layers.0.self_attn.out_proj.weight model.decoder.layers.0.self_attn_layer_norm.weight model.decoder.layers.0.fc1.weight model.decoder.layers.0.fc2.bias", map[string]string{
		"embedding":         "model.decoder.embed_tokens.weight model.decoder.embed_positions.weight",
		"norms":             "model.decoder.final_layer_norm.bias model.decoder.layers.0.self_attn_layer_norm.weight",
		"layer 0 attention": "model.decoder.layers.0.self_attn.out_proj.weight",
		"layer 0 mlp":       "model.decoder.layers.0.fc1.weight model.decoder.layers.0.fc2.bias",
	})
	check("Qwen3, Mamba, and what is neither", "model.layers.5.self_attn.q_norm.weight model.layers.5.self_attn.q_proj.bias model.layers.9.mixer.in_proj.weight model.layers.5.mlp.gate_proj.weight value_head.weight", map[string]string{
		"norms":                "model.layers.5.self_attn.q_norm.weight",
		"layers 5-9 attention": "model.layers.5.self_attn.q_proj.bias",
		"layers 5-9 mlp":       "model.layers.5.mlp.gate_proj.weight",
		"layers 5-9 other":     "model.layers.9.mixer.in_proj.weight",
		"other":                "value_head.weight",
	})
}

// Bands are of the layers there are, and as equal as can be.
func TestBands(t *testing.T) {
	for layers := 1; layers <= 40; layers++ {
		var names []string
		for layer := range layers {
			names = append(names, fmt.Sprintf("model.layers.%d.mlp.up_proj.weight", 3*layer))
		}
		for bands := 1; bands <= 9; bands++ {
			groups := Groups(names, bands)
			if want := min(bands, layers); len(groups) != want {
				t.Fatalf("%d layers make %d bands, want %d", layers, len(groups), want)
			}
			for title, list := range members(t, names, groups) {
				if n := len(list); n != layers/len(groups) && n != (layers+len(groups)-1)/len(groups) {
					t.Errorf("of %d layers in %d bands %q has %d", layers, bands, title, n)
				}
			}
		}
	}
	// A hostile number of a layer costs nothing.
	checkTitles(t, []string{"layers.2147483647.mlp.w", "layers.0.mlp.w"}, 4, "layer 0 mlp", "layer 2147483647 mlp")
	if groups := Groups(nil, 4); len(groups) != 0 {
		t.Errorf("no tensors make %d groups", len(groups))
	}
}

// FuzzGroups holds the law that every tensor is in one group against any names.
func FuzzGroups(f *testing.F) {
	f.Add("model.embed_tokens.weight model.layers.0.mlp.w h.1.attn.b lm_head.weight", 2)
	f.Add("layers.0.norm layers..x layers.-1.mlp . lm_head.bias word_embeddings_layernorm.weight", 1)
	f.Fuzz(func(t *testing.T, list string, bands int) {
		names := strings.Fields(list)
		members(t, names, Groups(names, 1+max(0, bands%9)))
	})
}

func TestScale(t *testing.T) {
	alphas := []float64{0.25, 0.5}
	alpha := Scale(toyGroups(2), alphas, 1)
	alphas[0] = 9 // the caller's slice is the caller's
	if a, b, c := alpha("g0"), alpha("g1"), alpha("g2"); a != 0.25 || b != 0.5 || c != 1 {
		t.Errorf("alphas %v, %v, %v, want 0.25, 0.5, 1", a, b, c)
	}
}

func TestLiNeS(t *testing.T) {
	check := func(first, last float64, layers int, name string, want float64) {
		t.Helper()
		if got := LiNeS(first, last, layers)(name); !near(got, want, 1e-15) {
			t.Errorf("LiNeS from %v to %v over %d layers at %s is %v, want %v", first, last, layers, name, got, want)
		}
	}
	for layer, want := range []float64{0.4, 0.6, 0.8, 1} {
		check(0.4, 1, 4, fmt.Sprintf("model.layers.%d.self_attn.q_proj.weight", layer), want)
		check(1, 0.4, 4, fmt.Sprintf("model.layers.%d.input_layernorm.weight", layer), 1.4-want)
	}
	check(0.4, 1, 4, "model.embed_tokens.weight", 0.4)
	check(0.4, 1, 4, "transformer.word_embeddings_layernorm.weight", 0.4)
	check(0.4, 1, 4, "model.norm.weight", 1)
	check(0.4, 1, 4, "lm_head.weight", 1)
	check(0.4, 1, 4, "vision_tower.weight", 0.7)
	check(0.4, 1, 4, "model.layers.9.mlp.up_proj.weight", 1) // beyond the layers it was told of
	check(0.4, 1, 1, "model.layers.0.mlp.up_proj.weight", 0.7)
	check(0.3, 0.3, 7, "model.layers.5.mlp.up_proj.weight", 0.3)
}
