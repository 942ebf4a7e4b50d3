package merge_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"surgeon/merge"
)

// TestString: one spelling for what means the same.
func TestString(t *testing.T) {
	check := func(text, want string, number bool) {
		t.Helper()
		r := rules(t, text)
		if got := r.String(); got != want {
			t.Errorf("%s is written %s, want %s", text, got, want)
		}
		if _, ok := r.Number(); ok != number {
			t.Errorf("%s: a number: %v", text, ok)
		}
	}
	check("0.40", "0.4", true)
	check(" *= 0.4", "0.4", true)
	check("-0", "0", true)
	check("0E5", "0", true)
	check("1E6", "1e+06", true)
	check("-3.4028234663852886e38", "-3.4028234663852886e+38", true)
	check("1e-45", "1e-45", true)
	check("embed = 1,* =-.5", "embed=1,*=-0.5", false)
	check("layers.-9=1,layers.7-7=2,layers.00-2147483647=3", "layers.0-9=1,layers.7=2,layers.*=3", false)
	check("layers.20-=1,layers.-0.norms=2,layers.3-.mlp.up_proj=3", "layers.20-=1,layers.0.norms=2,layers.3-.mlp.up_proj=3", false)
	check(`/ a , b /=1`, `/ a , b /=1`, false)
	check("layers.*=1", "layers.*=1", false)
	if alpha, ok := rules(t, "-2.5").Number(); alpha != -2.5 || !ok {
		t.Errorf("Number gives %v, %v", alpha, ok)
	}
	if alpha, ok := (merge.Rules{}).Number(); alpha != 0 || ok || (merge.Rules{}).String() != "" {
		t.Errorf("no rules are the number %v, %v", alpha, ok)
	}
}

// sameRules checks that two lists are equal and do the same.
func sameRules(t testing.TB, a, b merge.Rules, names ...string) {
	t.Helper()
	if !slices.Equal(a.List(), b.List()) || a.String() != b.String() {
		t.Fatalf("%q and %q", a.String(), b.String())
	}
	for _, rule := range a.List() {
		names = append(names, rule.Pattern)
	}
	for _, name := range names {
		alphaA, ruleA, okA := a.Resolve(name)
		alphaB, ruleB, okB := b.Resolve(name)
		if alphaA != alphaB || ruleA != ruleB || okA != okB {
			t.Fatalf("%q is %v by %q and %v by %q", name, alphaA, ruleA, alphaB, ruleB)
		}
	}
}

// TestRoundTrip: random rules come back from their text, with any spaces.
func TestRoundTrip(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[draw.IntN(len(list))] }
	span := func() string {
		a, b := draw.IntN(40), draw.IntN(40)
		return pick("*", fmt.Sprint(a), fmt.Sprintf("%d-%d", min(a, b), max(a, b)), fmt.Sprintf("%d-", a), fmt.Sprintf("-%d", b))
	}
	part := func() string {
		return pick("mlp", "self_attn.q_proj", "up_proj", "norms", "ln_1.bias", "mlp.experts.5")
	}
	for range 2000 {
		var items []string
		seen := map[string]bool{}
		for range 1 + draw.IntN(8) {
			pattern := pick("*", "embed", "lm_head", "norm", "layers."+span(), "layers."+span()+"."+part(), part(), pick(allNames...), `/a{1,2}=\//`, `/q_|,/`)
			alpha := (draw.Float64() - 0.5) * math.Pow(10, float64(draw.IntN(40)-20))
			if one := rules(t, pattern+"=1").List()[0].Pattern; !seen[one] {
				seen[one] = true
				items = append(items, pick("", " ", "\t")+pattern+pick("", " ")+"="+pick("", "  ")+fmt.Sprint(alpha)+pick("", "\n"))
			}
		}
		first := rules(t, strings.Join(items, ","))
		sameRules(t, first, rules(t, first.String()), allNames...)
	}
}

// TestRuleErrors: each names the rule and says what is wrong with it.
func TestRuleErrors(t *testing.T) {
	check := func(text string, words ...string) {
		t.Helper()
		r, err := merge.ParseRules(text)
		if err == nil {
			t.Errorf("%.100q is read as %s", text, r)
			return
		}
		if len(r.List()) > 0 || len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\n\r") || !utf8.ValidString(err.Error()) {
			t.Errorf("%d rules, and not one short line: %v", len(r.List()), err)
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%.100q: %v does not say %q", text, err, word)
			}
		}
	}
	for _, text := range []string{"", " ", "x", "*", "NaN", "inf", "-Infinity", "0x1p-2", "1_0", "1e39", "3.4028236e38", "1e-46", "-1e-400", "1e999", "0.4x", "½"} {
		check(text, "neither a decimal number", "PATTERN=ALPHA")
		check("embed=0,*="+text, "rule 2", "*="+strings.TrimSpace(text), "not a decimal number")
	}
	check("0.4,", "rule 1", `"0.4"`, "lacks the equals sign", "*=NUMBER")
	check("0,4", "rule 1", `"0"`, "equals sign")
	check("embed=0,0.6", "rule 2", `"0.6"`, "*=NUMBER")
	check("*=1,", "rule 2", "empty")
	check(",*=1", "rule 1", "empty")
	check("embed=0,,*=1", "rule 2", "empty")
	check("=1", "rule 1", "no pattern")
	check("embed==1", "rule 1", `"=1"`, "decimal number")
	check("embed=0 mlp=1", `"0 mlp=1"`, "decimal number")
	check("embed=0;mlp=1", `"0;mlp=1"`, "decimal number")
	check("mlp self_attn=1", `"mlp self_attn"`, "space", "comma between rules")
	check("m\xfflp=1", "unprintable")
	check("m\u0007lp=1", `m\a`, "unprintable")
	check("ab"+strings.Repeat("\x06é", 300)+"=1", `\x06é`, "...", "unprintable")
	check(strings.Repeat("\x06", 300)+"="+strings.Repeat("\x06", 300), "...", "decimal number")
	for _, span := range []string{"", "x", "-", "9-0", "1-2-3", "+1", "2147483648", "0-2147483648", "99999999999999999999", "1 ", "**", "*-3", "_", "1.", "0--1"} {
		check("layers."+span+".mlp=1", "rule 1", "layers."+span)
	}
	check("layers=1", "layers.7", "layers.0-9", "layers.20-", "layers.-9", "layers.*")
	check("layers.7.=1", "dot")
	check("layers.*.*=1", "*", "/REGEXP/")
	check("mlp.*=1", `"mlp.*"`, "stands alone", "/REGEXP/")
	check("mlp..up_proj=1", "dots")
	check(".mlp=1", "dot")
	check("mlp.=1", "dot")
	check("7=1", "layers.7")
	check("0-9=1", "layers.0-9")
	check("/abc", "rule 1", "slash")
	check(`/abc\/=1`, "rule 1", "slash")
	check("*=1,/a,b=1", "rule 2", `/a,b=1`, "slash")
	check("/abc/", "equals sign")
	check("/a/b/=1", "goes on after", `\/`)
	check("//=1", "empty regular expression", "*")
	check("/a(/=1", "no regular expression", "missing closing )", "a(")
	check("/[b-a]/=1", "invalid character class range", "b-a")
	check("/a\xff/=1", "invalid UTF-8")
	check("/(\n/=1", "missing closing )")
	check("/"+strings.Repeat("a", 999)+"/=1", "1001 bytes", "1000")
	check("/((x{10}){10}){10}("+strings.Repeat("y{1000}", 70)+")/=1", "too large")
	check("/"+strings.Repeat("x{1000,}", 70)+"/=1", "too large")
	check("/"+strings.Repeat("x{1000}", 20)+"/=1,/"+strings.Repeat("y{1000}", 20)+"/=1", "rule 2", "too large")
	check(`/`+strings.Repeat(`\pL`, 300)+`/=1`, "too large")
	check("mlp=1,q_proj=2,mlp=1", "rule 3", "never applies", "rule 1")
	check("layers.-9=1,layers.0-9=2", "rule 2", `"layers.0-9=2"`, "rule 1")
	check("*=1,*=1", "rule 2", "same pattern")
	check(strings.Repeat("x", 64<<10+1), "65537 bytes", "65536")
	check(manyRules(1001), "more than 1000")
	check(manyRules(1000)+strings.Repeat(" ", 60000), "bytes")
	check("*=9e9,"+strings.Repeat("y", 64<<10-13)+"=9e9", "fully spelled", "65536")
}

func manyRules(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("layers.%d=%d", i, i)
	}
	return strings.Join(list, ",")
}

// TestRuleLimits: the longest lists that are read.
func TestRuleLimits(t *testing.T) {
	if n := len(rules(t, manyRules(1000)).List()); n != 1000 {
		t.Errorf("%d rules of 1000", n)
	}
	long := "*=1," + strings.Repeat("y", 64<<10-6) + "=1"
	sameRules(t, rules(t, long), rules(t, rules(t, long).String()))
	rules(t, "/"+strings.Repeat("a", 998)+"/=1")
	rules(t, "/x{1000}(y{1000}){1,1}z{1000}/=1,/a{500,}/=1")
}

// TestListIsACopy: what a caller does with the list changes no rules.
func TestListIsACopy(t *testing.T) {
	r := rules(t, "embed=1,*=2")
	r.List()[0] = merge.Rule{Pattern: "*", Alpha: 9}
	if want := []merge.Rule{{Pattern: "embed", Alpha: 1}, {Pattern: "*", Alpha: 2}}; !slices.Equal(r.List(), want) {
		t.Errorf("%v, want %v", r.List(), want)
	}
}
