package merge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
)

// Tensors as the families name them.
var (
	llamaNames = blockNames("model.layers.%d.", 12, []string{"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"},
		"input_layernorm.weight", "mlp.down_proj.weight", "mlp.gate_proj.weight", "mlp.up_proj.weight", "post_attention_layernorm.weight",
		"self_attn.k_proj.weight", "self_attn.o_proj.weight", "self_attn.q_proj.weight", "self_attn.v_proj.weight")
	qwenNames = blockNames("model.layers.%d.", 2, []string{"model.embed_tokens.weight", "model.norm.weight"},
		"self_attn.q_proj.weight", "self_attn.q_proj.bias", "self_attn.q_norm.weight", "self_attn.k_norm.weight", "mlp.gate.weight",
		"mlp.experts.1.up_proj.weight", "mlp.experts.11.up_proj.weight", "input_layernorm.weight")
	gptNames = blockNames("h.%d.", 4, []string{"wte.weight", "wpe.weight", "ln_f.weight", "ln_f.bias", "lm_head.weight", "lm_head.bias"},
		"ln_1.weight", "ln_1.bias", "ln_2.weight", "attn.c_attn.weight", "attn.c_attn.bias", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.bias")
	gemmaNames = blockNames("model.language_model.layers.%d.", 2, []string{"model.language_model.embed_tokens.weight", "model.language_model.norm.weight"},
		"pre_feedforward_layernorm.weight", "post_feedforward_layernorm.weight", "self_attn.q_norm.weight", "mlp.up_proj.weight")
	allNames = slices.Concat(llamaNames, qwenNames, gptNames, gemmaNames)
)

func blockNames(stem string, layers int, outside []string, parts ...string) []string {
	names := slices.Clone(outside)
	for i := range layers {
		for _, part := range parts {
			names = append(names, fmt.Sprintf(stem, i)+part)
		}
	}
	return names
}

func rules(t testing.TB, text string) merge.Rules {
	t.Helper()
	r, err := merge.ParseRules(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// matched are the names that a pattern matches.
func matched(t testing.TB, pattern string, names []string) []string {
	t.Helper()
	r := rules(t, pattern+"=1")
	var list []string
	for _, name := range names {
		if _, _, ok := r.Resolve(name); ok {
			list = append(list, name)
		}
	}
	return list
}

// TestPatterns: each form matches what it says, and nothing near it.
func TestPatterns(t *testing.T) {
	var names []string
	check := func(pattern string, want ...string) {
		t.Helper()
		got := matched(t, pattern, names)
		want = slices.Sorted(slices.Values(want))
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s matches %q, want %q", pattern, got, want)
		}
	}
	names = []string{"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight", "model.layers.1.input_layernorm.weight",
		"model.layers.1.mlp.up_proj.weight", "model.layers.1.mlp.up_proj_norms.weight", "model.layers.1.self_attn.q_norm.weight",
		"model.layers.1.self_attn.q_proj.weight", "model.layers.1.self_attn.q_proj.bias", "model.layers.11.mlp.up_proj.weight",
		"model.layers.1.norm.embed.weight", "model.layers.11.pre_feedforward_layernorm.weight", "visual.mlp.up_proj.weight", "model.normalizer.weight"}
	check("*", names...)
	check("embed", names[0])
	check("norm", names[1])
	check("lm_head", names[2])
	check("norms", names[1], names[3], names[6], names[11])
	check("layers.1", names[3], names[4], names[5], names[6], names[7], names[8], names[10])
	check("layers.11", names[9], names[11])
	check("layers.2-10")
	check("layers.2-11", names[9], names[11])
	check("layers.1-10.norms", names[3], names[6])
	check("layers.*.norms", names[3], names[6], names[11])
	check("layers.*.norm", names[10]) // a part like any other
	check("layers.*.embed", names[10])
	check("layers.*.mlp", names[4], names[5], names[9])
	check("layers.-10.mlp.up_proj", names[4])
	check("layers.2-.mlp.up_proj", names[9])
	check("mlp", names[4], names[5], names[9])
	check("mlp.up_proj", names[4], names[9])
	check("up_proj", names[4], names[9])
	check("up_proj_norms", names[5])
	check("proj")
	check("up")
	check("lp.up_proj")
	check("q_proj", names[7], names[8])
	check("q_proj.bias", names[8])
	check("bias", names[8])
	check("self_attn.q_norm", names[6])
	check("model.norm.weight", names[1])
	check("model.norm")
	check("model.layers.1.self_attn.q_proj.bias", names[8])
	check("visual.mlp.up_proj.weight", names[12])
	check(`/up_proj\./`, names[4], names[9], names[12])
	check(`/^lm|[ei]zer/`, names[2], names[13])
	check(`/x{2,3}|a=b|norm\.w/`, names[1], names[6], names[3], names[11])
}

// TestFamilies counts what patterns match in whole models.
func TestFamilies(t *testing.T) {
	check := func(names []string, pattern string, want int) {
		t.Helper()
		if got := matched(t, pattern, names); len(got) != want {
			t.Errorf("%s matches %d tensors, want %d: %q", pattern, len(got), want, got)
		}
	}
	check(llamaNames, "*", 111)
	check(llamaNames, "layers.*", 108)
	check(llamaNames, "layers.0-9", 90)
	check(llamaNames, "layers.10-", 18)
	check(llamaNames, "layers.-9", 90)
	check(llamaNames, "layers.007", 9)
	check(llamaNames, "layers.7-7", 9)
	check(llamaNames, "layers.12-2147483647", 0)
	check(llamaNames, "norms", 25)
	check(llamaNames, "norm", 1)
	check(llamaNames, "self_attn", 48)
	check(llamaNames, "layers.0-9.mlp", 30)
	check(llamaNames, "layers.*.self_attn.q_proj", 12)
	check(llamaNames, "layers.1.weight", 0) // .weight is no component of a Part
	check(qwenNames, "norms", 7)
	check(qwenNames, "layers.1.norms", 3)
	check(qwenNames, "q_norm", 2)
	check(qwenNames, "q_proj", 4)
	check(qwenNames, "experts.1", 2)
	check(qwenNames, "experts", 4)
	check(gptNames, "embed", 1)
	check(gptNames, "norm", 2)
	check(gptNames, "norms", 14)
	check(gptNames, "lm_head", 2)
	check(gptNames, "layers.*.norms", 12)
	check(gptNames, "layers.3.mlp.c_fc", 1)
	check(gptNames, "h.3.mlp.c_fc.weight", 1)
	check(gptNames, "wpe.weight", 1)
	check(gptNames, "wpe", 0)
	check(gemmaNames, "norms", 7)
	check(gemmaNames, "layers.0.pre_feedforward_layernorm", 1)
	check([]string{"layers.3.embed.weight", "layers.3.norm.weight", "layers.3.norm.bias"}, "embed", 0)
	check([]string{"layers.3.embed.weight", "layers.3.norm.weight", "layers.3.norm.bias"}, "norm", 0)
	check([]string{"layers.3.embed.weight", "layers.3.norm.weight", "layers.3.norm.bias"}, "norms", 2)
	check([]string{"layers.3.attention.wq.weight", "layers.3.attention.wq.bias"}, "layers.3.attention.wq.weight", 1)
	check([]string{"transformer.ln_f.bias", "model.final_layernorm.bias", "norm.bias", "other.bias"}, "norm", 3)
}

// TestNorms: the names of normalisations, and names that look like them.
func TestNorms(t *testing.T) {
	check := func(want bool, components ...string) {
		t.Helper()
		for _, c := range components {
			for _, name := range []string{"layers.1." + c + ".weight", "layers.1.x." + c + ".bias", "x." + c + ".weight", "x." + c + ".bias"} {
				if got := len(matched(t, "norms", []string{name})) == 1; got != want {
					t.Errorf("norms matches %s: %v", name, got)
				}
			}
		}
	}
	check(true, "norm", "input_layernorm", "post_attention_layernorm", "q_norm", "LayerNorm", "attention_norm", "layer_norm1", "norm1", "norm_2",
		"norm_f", "ln", "ln_1", "ln_2", "ln_attn", "ln2", "q_ln", "final_layer_norm", "word_embeddings_layernorm")
	check(false, "normal", "norms", "norm_proj", "up_proj", "lnx", "kiln", "kiln_x", "normalizer", "q_norm_x", "1", "")
	if got := matched(t, "norms", []string{"layers.1.q_norm.proj.weight", "q_norm.x"}); got != nil {
		t.Errorf("what stands in a norm is none: %q", got)
	}
}

// TestRuns compares parts with runs of components found one by one.
func TestRuns(t *testing.T) {
	names := slices.Concat(llamaNames[:12], qwenNames, gptNames[:20], gemmaNames[:6])
	for _, of := range names {
		components := strings.Split(tensors.KeyOf(of).Part, ".")
		for low := range components {
			for high := low + 1; high <= len(components); high++ {
				run := components[low:high]
				pattern := strings.Join(run, ".")
				if tensors.KeyOf(of).Layer == tensors.NoLayer || strings.Trim(pattern, "0123456789") == "" {
					continue
				}
				for _, name := range names {
					if got, want := len(matched(t, pattern, []string{name})) == 1, hasRun(name, run); got != want {
						t.Errorf("%s matches %s: %v", pattern, name, got)
					}
				}
			}
		}
	}
}

func hasRun(name string, run []string) bool {
	key := tensors.KeyOf(name)
	components := strings.Split(key.Part, ".")
	for i := 0; i+len(run) <= len(components); i++ {
		if key.Layer != tensors.NoLayer && slices.Equal(components[i:i+len(run)], run) {
			return true
		}
	}
	return false
}

// TestFirstWins: of the rules that match, the first one counts.
func TestFirstWins(t *testing.T) {
	check := func(text, name string, alpha float64, rule string) {
		t.Helper()
		r := rules(t, text)
		got, by, ok := r.Resolve(name)
		if got != alpha || by != rule || ok != (rule != "") || r.At(name) != got {
			t.Errorf("%s of %s: %v by %q, want %v by %q", text, name, got, by, alpha, rule)
		}
	}
	const q = "model.layers.3.self_attn.q_proj.weight"
	check("0.4", q, 0.4, "*=0.4")
	check("layers.0-9=0.3,embed=0,*=0.6", q, 0.3, "layers.0-9=0.3")
	check("layers.0-9=0.3,embed=0,*=0.6", "model.embed_tokens.weight", 0, "embed=0")
	check("layers.0-9=0.3,embed=0,*=0.6", "lm_head.weight", 0.6, "*=0.6")
	check("*=0.6,layers.0-9=0.3", q, 0.6, "*=0.6")
	check("layers.3=-1,layers.*=2", q, -1, "layers.3=-1")
	check("layers.*=2,layers.3=-1", q, 2, "layers.*=2")
	check("q_proj=.5 , layers.3 = 1", q, 0.5, "q_proj=0.5")
	check(" \n layers.-9 = +1e0\t", q, 1, "layers.0-9=1")
	check(`/a\/b|,x=,|q_pr/ = 7, *=1`, q, 7, `/a\/b|,x=,|q_pr/=7`)
	check(`/a\/b|,x=,|q_pr/ = 7, *=1`, "a/b", 7, `/a\/b|,x=,|q_pr/=7`)
	check(`/a\/b|,x=,|q_pr/ = 7, *=1`, ",x=,", 7, `/a\/b|,x=,|q_pr/=7`)
	check(`/\\/=7,*=1`, `a\b`, 7, `/\\/=7`)
	check(`/\Qa\/\E/=7,*=1`, "a/", 7, `/\Qa\/\E/=7`)
	check(`/[\/]$/=7,*=1`, "a/", 7, `/[\/]$/=7`)
	check("embed=1", q, 0, "")
	if alpha, rule, ok := (merge.Rules{}).Resolve(q); alpha != 0 || rule != "" || ok {
		t.Errorf("no rules give %v by %q, %v", alpha, rule, ok)
	}
}

// TestCheck: tensors without an alpha and rules without a tensor are refused,
// rules that never come first are told.
func TestCheck(t *testing.T) {
	refuse := func(names []string, text string, words ...string) {
		t.Helper()
		unused, err := rules(t, text).Check(names)
		if err == nil || unused != nil {
			t.Fatalf("%s: unused %q, %v", text, unused, err)
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v does not say %q", text, err, word)
			}
		}
	}
	pass := func(names []string, text string, want ...string) {
		t.Helper()
		if unused, err := rules(t, text).Check(names); err != nil || !slices.Equal(unused, want) {
			t.Errorf("%s: unused %q, want %q, %v", text, unused, want, err)
		}
	}
	pass(llamaNames, "0.4")
	pass(llamaNames, "layers.0-9=0.3,embed=0,*=0.6")
	pass(llamaNames, "layers.*=0.3,embed=0,norm=1,lm_head=0.6")
	pass(llamaNames, "layers.0-9=0.3,layers.4=1,norms=1,layers.4.mlp=1,*=0", "layers.4=1", "layers.4.mlp=1")
	pass(llamaNames, "*=0,embed=1", "embed=1")
	pass(llamaNames, "layers.0-5=1,layers.6-=1,mlp=2,embed=3,norm=3,lm_head=3,*=9", "mlp=2", "*=9")
	pass(nil, "mlp=1")
	refuse(llamaNames, "layers.0-9=0.3,embed=0", `"model.norm.weight"`, "end the list with *=A")
	refuse([]string{"b", "a"}, "/b/=1", `"a"`)
	refuse(llamaNames, "embed=0,mpl=1,mqa=2,*=1", `rule 2, "mpl=1"`, "layers 0 to 11", "its parts are input_layernorm, mlp.down_proj, mlp.gate_proj,", "self_attn.v_proj", "outside the layers embed, lm_head, norm")
	refuse(llamaNames, "layers.12-=0,*=1", `"layers.12-=0"`, "layers 0 to 11")
	refuse(llamaNames, "*=1,wpe=0", "rule 2")
	refuse(llamaNames, "mpl=1,layers.*=1", `"mpl=1"`, `"model.embed_tokens.weight"`)
	refuse(qwenNames, "lm_head=0,*=1", `"lm_head=0"`, "embed, norm")
	refuse([]string{"embed_tokens", "odd\nname"}, "mlp=0,*=1", "no numbered layers", `embed, "odd\nname"`)
	refuse([]string{"layers.3.mlp.weight"}, "embed=0", "layers 3 to 3, its parts are mlp; no alpha rule")
	refuse(blockNames("layers.0.%02d", 30, nil, ".a.weight"), "embed=0,*=1", "00.a, 01.a", "11.a and 18 more")
	if _, err := (merge.Rules{}).Check(llamaNames); err == nil || !strings.Contains(err.Error(), "model.embed_tokens.weight") {
		t.Errorf("no rules: %v", err)
	}
}

// BenchmarkResolve reads the alpha of a tensor from a list of ordinary length.
func BenchmarkResolve(b *testing.B) {
	r := rules(b, `layers.0-9=0.3,layers.10-19.mlp=0.4,embed=0,norms=1,/self_attn\.[qk]_proj/=0.2,*=0.6`)
	for i := 0; b.Loop(); i++ {
		r.At(llamaNames[i%len(llamaNames)])
	}
}
