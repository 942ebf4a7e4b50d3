package corpus

import (
	"slices"
	"strings"
	"testing"

	"surgeon/probe/token"
)

func everything(string) bool { return true }

// TestLearn: the example of Sennrich, Haddow and Birch (ACL 2016, algorithm 1,
// with its end of words): low 5, lower 2, newest 6, widest 3. Ties are broken by
// the text, so that e s comes before s t.
func TestLearn(t *testing.T) {
	counts := map[string]int{"low_": 5, "lower_": 2, "newest_": 6, "widest_": 3}
	check := func(want int, allowed func(string) bool, merges ...string) {
		t.Helper()
		var got []string
		for _, m := range learn(counts, want, allowed) {
			got = append(got, m.left+" "+m.right)
		}
		if !slices.Equal(got, merges) {
			t.Errorf("merges %q, want %q", got, merges)
		}
	}
	check(6, everything, "e s", "es t", "est _", "l o", "lo w", "e w")
	check(0, everything)
	check(3, func(joined string) bool { return !strings.Contains(joined, "t") }, "e s", "l o", "lo w")
	check(100, func(joined string) bool { return len(joined) == 2 && joined[0] == 'l' }, "l o")
}

// TestJoin: a pair is joined from left to right, and what is joined is not
// joined again.
func TestJoin(t *testing.T) {
	check := func(text string, want ...string) {
		t.Helper()
		if got := (merge{"a", "a"}).join(strings.Split(text, "")); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	check("aaa", "aa", "a")
	check("aaaa", "aa", "aa")
	check("aba", "a", "b", "a")
	check("a", "a")
}

// TestSplit: texts are cut as the tokenizer cuts them: encoded word by word they
// have the ids of the whole.
func TestSplit(t *testing.T) {
	tk := tokenizer(t)
	check := func(text string, want ...string) {
		t.Helper()
		words := split(text)
		if want != nil && !slices.Equal(words, want) {
			t.Errorf("%q is cut %q, want %q", text, words, want)
		}
		if strings.Join(words, "") != text || !slices.Equal(wordwise(tk, words), tk.Encode(text)) {
			t.Errorf("%q is cut %q, which has other ids", text, words)
		}
	}
	check("tom has 12 cats.", "tom", " has", " ", "1", "2", " cats", ".")
	check("1+2=3\n#### 3", "1", "+", "2", "=", "3", "\n", "####", " ", "3")
	check("I can't", "I", " can", "'t")
	check("<<sun>>\ncat", "<<", "sun", ">>", "\n", "cat")
	check("* cat\n* dog", "*", " cat", "\n", "*", " dog")
	check(`"cat"`, `"`, "cat", `"`)
	check("")
	for i := range 3000 {
		s := embedded().General(i)
		check(s.Prompt)
		check(s.Completion)
		check(embedded().Chemistry(i).Completion)
	}
}

func wordwise(tk *token.Tokenizer, words []string) (ids []int32) {
	for _, word := range words {
		ids = append(ids, tk.Encode(word)...)
	}
	return ids
}

// TestMergesApply: what the merges make of a word while they are learned is what
// the tokenizer makes of it.
func TestMergesApply(t *testing.T) {
	tk := tokenizer(t)
	for i := range 300 {
		for _, word := range split(embedded().General(i).Prompt) {
			parts := strings.Split(word, "")
			for _, m := range merged() {
				parts = m.join(parts)
			}
			ids := tk.Encode(word)
			if len(ids) != len(parts) {
				t.Fatalf("%q is %q when learned, and %d tokens", word, parts, len(ids))
			}
			for k, id := range ids {
				if text, err := tk.Decode([]int32{id}); err != nil || text != parts[k] {
					t.Fatalf("%q: token %d is %q, want %q", word, k, text, parts[k])
				}
			}
		}
	}
}
