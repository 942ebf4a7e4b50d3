package probe_test

import (
	"slices"
	"testing"

	"surgeon/probe"
	"surgeon/probe/decoder"
)

// TestUntil feeds the tokens of a text one by one: the generation ends with the
// token that completes a stop string, also across tokens, and the text is cut
// in front of it.
func TestUntil(t *testing.T) {
	tokenizer := picoTokenizer(t)
	check := func(text string, stop []string, want string, stops bool) {
		t.Helper()
		ids := tokenizer.Encode(text)
		g := probe.Until(tokenizer, decoder.Generation{}, stop)
		n := len(ids)
		for i := range ids {
			if g.Stop != nil && g.Stop(ids[:i+1]) {
				n = i + 1
				break
			}
		}
		if stopped := n < len(ids) || g.Stop != nil && g.Stop(ids); stopped != stops {
			t.Errorf("%q until %q: stopped is %v", text, stop, stopped)
		}
		if got := probe.Written(tokenizer, decoder.Generated{IDs: ids[:n], Finish: "stop"}, stop); got.Text != want || !slices.Equal(got.IDs, ids[:n]) {
			t.Errorf("%q until %q: text %q, want %q", text, stop, got.Text, want)
		}
	}
	check("the answer is 42. Question: next", []string{"Question:"}, "the answer is 42. ", true)
	check("the answer is 42", []string{"Question:", "\n"}, "the answer is 42", false)
	check("one\n\ntwo\n\nthree", []string{"\n\n"}, "one", true)
	check("a b c d", []string{"c", "b"}, "a ", true)
	check("é€ü", []string{"€"}, "é", true)
	check("plain", nil, "plain", false)
	check("plain", []string{""}, "plain", false)
}
