package merge_test

import (
	"runtime"
	"strings"
	"testing"

	"surgeon/merge"
)

// parseBytes is what reading any list of rules may allocate, all in all.
const parseBytes = 32 << 20

// allocated is the number of bytes that work allocates.
func allocated(work func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestRuleMemory reads lists that are made to take memory.
func TestRuleMemory(t *testing.T) {
	check := func(what, text string) {
		t.Helper()
		if n := allocated(func() { _, _ = merge.ParseRules(text) }); n > parseBytes {
			t.Errorf("%s: %d bytes allocated for %d of text", what, n, len(text))
		}
	}
	list := func(n int, rule string) string { return strings.TrimSuffix(strings.Repeat(rule+"=1,", n), ",") }
	check("classes", list(60, "/"+strings.Repeat(`\pL`, 300)+"/"))
	check("negated classes", list(60, "/"+strings.Repeat(`\PL`, 300)+"/"))
	check("folded classes", list(60, "/(?i)"+strings.Repeat(`[^\pL]`, 160)+"/"))
	check("repetitions", list(60, "/"+strings.Repeat("x{1000}", 140)+"/"))
	check("nested repetitions", list(60, "/"+strings.Repeat("((x{10}){10}){10}", 55)+"/"))
	for _, text := range []string{"/" + strings.Repeat("x{1000}", 20) + "/=1", "/" + strings.Repeat(`\pL`, 40) + "/=1", "/" + strings.Repeat(`(((.|x)*)+){300}`, 18) + "/=1"} {
		rules(t, text)
		check("as much as is read", text)
	}
	check("parentheses", list(60, "/"+strings.Repeat("(", 499)+strings.Repeat(")", 499)+"/"))
	check("commas", strings.Repeat(",", 64<<10))
	check("slashes", "/"+strings.Repeat(`\/`, 30000)+"/=1")
	check("dots", strings.Repeat(".", 64<<10-2)+"=1")
	check("many", manyRules(1000))
}

// FuzzParseRules reads any text: an error of one short line, or rules that come
// back from their text and then give every tensor the same alpha.
func FuzzParseRules(f *testing.F) {
	for _, text := range []string{"0.4", "layers.0-9=0.3,embed=0,*=0.6", "layers.*.self_attn.q_proj=-1, norms = 1e3", `/a{1,2}=\/,/=.5,mlp.up_proj=2`,
		"layers.-9=1,layers.20-.norms=0", "/(?i)[^a]|\\Qx\\/=1", "=,", "layers.1-", "lm_head=1,norm=0,*=", "/\\", "model.norm.weight=+0", "*=1,*=1"} {
		f.Add(text, "model.layers.7.mlp.up_proj.weight")
		f.Add(text, "a/b.bias")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		var r merge.Rules
		var err error
		if n := allocated(func() { r, err = merge.ParseRules(text) }); n > parseBytes {
			t.Fatalf("%d bytes allocated for %d of text", n, len(text))
		}
		if err != nil {
			if text := err.Error(); len(text) >= 400 || strings.ContainsAny(text, "\n\r") {
				t.Fatalf("not one short line: %.500q", text)
			}
			return
		}
		again, err := merge.ParseRules(r.String())
		if err != nil {
			t.Fatalf("%q, of %q: %v", r.String(), text, err)
		}
		sameRules(t, r, again, name, text, "model.layers.7.mlp.up_proj.weight", "h.0.ln_1.bias", "lm_head.weight")
		unused, err := r.Check([]string{name})
		if _, _, ok := r.Resolve(name); err == nil && !ok || len(unused) >= len(r.List()) {
			t.Fatalf("%q with %q: resolved %v, unused %q, checked %v", text, name, ok, unused, err)
		}
	})
}
