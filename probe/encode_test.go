package probe_test

import (
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"surgeon/probe"
	"surgeon/probe/token"
)

// picoTokenizer is that of the generated pair. Of its 320 tokens these tests use
// " symbol" (269), which " symb" does not begin with, " is" (267), and "bol"
// (263), which is made of "bo" and "l".
func picoTokenizer(t testing.TB) *token.Tokenizer {
	t.Helper()
	data, err := os.ReadFile("../testdata/pico/base/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := token.New(data)
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

// TestEncode says in which pieces prompt and continuations are asked for. A
// bar stands between tokens.
func TestEncode(t *testing.T) {
	tokenizer := picoTokenizer(t)
	pieces := func(ids []int32) string {
		var list []string
		for _, id := range ids {
			text, err := tokenizer.Decode([]int32{id})
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, text)
		}
		return strings.Join(list, "|")
	}
	check := func(prompt string, continuations []string, wantPrompt string, want ...string) {
		t.Helper()
		r, err := probe.Encode(tokenizer, prompt, continuations)
		if err != nil {
			t.Errorf("%q + %q: %v", prompt, continuations, err)
			return
		}
		if r.Logits || pieces(r.Prompt) != wantPrompt || len(r.Continuations) != len(want) {
			t.Errorf("%q + %q: prompt %q, %d continuations, want %q, %d", prompt, continuations, pieces(r.Prompt), len(r.Continuations), wantPrompt, len(want))
			return
		}
		for i, ids := range r.Continuations {
			if got := pieces(ids); got != want[i] {
				t.Errorf("%q + %q: continuation %d is %q, want %q", prompt, continuations, i+1, got, want[i])
			}
		}
	}
	check("The symbol is", []string{" H", " Na Cl"}, "The| symbol| is", " H", " Na| Cl")
	check("The symbol is", nil, "The| symbol| is")
	check("The", []string{"!"}, "The", "!")
	// A token spans the join: the prompt is cut before it, for all alike.
	check("The symb", []string{"ol"}, "The", " symbol")
	check("The symb", []string{"ol", "olic", " H"}, "The", " symbol", " symbol|i|c", " s|y|m|b| H")
	check("The symb", []string{" H", "!"}, "The| s|y|m|b", " H", "!")
	// A blank at the prompt's end belongs to the word after it.
	check("The symbol is ", []string{"H", "Na"}, "The| symbol| is", " H", " Na")
	check("The symbol is ", []string{"H", " H"}, "The| symbol| is", " H", " | H")
	// Continuations may begin one another and come twice.
	check("The", []string{" H", " H H", " H"}, "The", " H", " H| H", " H")
	// Special tokens written in a text count as such, on both sides.
	check("<|endoftext|>The symb", []string{"ol<|endoftext|>", "<|endoftext|>"}, "<|endoftext|>|The", " symbol|<|endoftext|>", " s|y|m|b|<|endoftext|>")
	check("<|endoftext|>", []string{"The"}, "<|endoftext|>", "The")
	// It is not joined out of two halves that are texts on their own.
	check("The <|end", []string{"!"}, "The| |<|||en|d", "!")
}

func TestEncodeRefuses(t *testing.T) {
	tokenizer := picoTokenizer(t)
	refuse := func(prompt string, continuations []string, want string) {
		t.Helper()
		r, err := probe.Encode(tokenizer, prompt, continuations)
		if err == nil || err.Error() != want {
			t.Errorf("%q + %q: %v, error %v, want %q", prompt, continuations, r, err, want)
		}
	}
	refuse("", []string{" H"}, "the prompt is empty: it needs at least one token")
	refuse("", nil, "the prompt is empty: it needs at least one token")
	refuse("The", []string{""}, "continuation 1 is empty: it needs at least one token")
	refuse("The", []string{" H", " Na", ""}, "continuation 3 is empty: it needs at least one token")
	// "T" alone is a token, and "The" another: no beginning is left to share.
	refuse("T", []string{" H", "he"}, "prompt and continuation share no whole token")
}

// TestEncodeProperties: for any texts, prompt and continuation decode to what
// was given, every continuation begins where the prompt's ids end, and no
// longer beginning is shared by all.
func TestEncodeProperties(t *testing.T) {
	tokenizer := picoTokenizer(t)
	parts := []string{"The", " symb", "ol", " ", "  ", "bo", "l", " H", "e", "\n", "é", "<|endoftext|>", "<|", "s", "1"}
	draw := func(r *rand.Rand) string {
		var b strings.Builder
		for range 1 + r.Intn(5) {
			b.WriteString(parts[r.Intn(len(parts))])
		}
		return b.String()
	}
	spans := 0
	property := func(seed int64) bool {
		r := rand.New(rand.NewSource(seed))
		prompt, continuations := draw(r), []string{draw(r), draw(r), draw(r)}[:1+r.Intn(3)]
		got, err := probe.Encode(tokenizer, prompt, continuations)
		if err != nil {
			return err.Error() == "prompt and continuation share no whole token"
		}
		alone := tokenizer.Encode(prompt)
		if len(got.Prompt) < len(alone) {
			spans++
		}
		longer := len(got.Prompt) < len(alone) // could one more token be shared?
		for i, continuation := range continuations {
			whole := slices.Concat(got.Prompt, got.Continuations[i])
			if text, err := tokenizer.Decode(whole); err != nil || text != prompt+continuation || len(got.Continuations[i]) == 0 {
				t.Logf("%q + %q: %q", prompt, continuation, text)
				return false
			}
			longer = longer && whole[len(got.Prompt)] == alone[len(got.Prompt)]
		}
		return !longer && slices.Equal(got.Prompt, alone[:len(got.Prompt)])
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 2000, Rand: rand.New(rand.NewSource(1))}); err != nil {
		t.Error(err)
	}
	if spans < 100 {
		t.Errorf("a token spans the join in %d of 2000 cases: the test does not see the case it is for", spans)
	}
}

// TestBegin puts the tokens of a text's beginning in front, once.
func TestBegin(t *testing.T) {
	const file = `{"version": "1.0", "truncation": null, "padding": null, "normalizer": null, "decoder": null,
		"added_tokens": [{"id": 0, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
			{"id": 1, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
		"pre_tokenizer": {"type": "Whitespace"},
		"post_processor": %s,
		"model": {"type": "WordLevel", "vocab": {"<s>": 0, "</s>": 1, "a": 2, "b": 3, "<unk>": 4}, "unk_token": "<unk>"}}`
	const both = `{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
		"pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
		"special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}, "</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}}`
	check := func(processor, text string, want ...int32) {
		t.Helper()
		tokenizer, err := token.New(fmt.Appendf(nil, file, processor))
		if err != nil {
			t.Fatal(err)
		}
		if got := probe.Begin(tokenizer, tokenizer.Encode(text)); !slices.Equal(got, want) {
			t.Errorf("%q begins as %v, want %v", text, got, want)
		}
	}
	check(both, "a b", 0, 2, 3) // and does not end
	check(both, "<s> a", 0, 2)
	check(both, "a <s>", 0, 2, 0)
	check(both, "", 0)
	check("null", "a b", 2, 3)
}
