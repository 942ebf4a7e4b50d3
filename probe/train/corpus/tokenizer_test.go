package corpus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"surgeon/probe/chat"
	"surgeon/probe/decoder"
	"surgeon/probe/token"
)

// scratch is the files of the model without weights, by name.
var scratch = sync.OnceValue(func() map[string][]byte {
	files := map[string][]byte{}
	for _, f := range embedded().Scratch() {
		files[f.Name] = f.Data
	}
	return files
})

var merged = sync.OnceValue(func() []merge { return embedded().merges() })

// tokenizer is the tokenizer of the embedded pair as package token reads it.
func tokenizer(t *testing.T) *token.Tokenizer {
	t.Helper()
	tokenizer, err := token.New(scratch()["tokenizer.json"])
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

// ids writes the ids of texts as reference.py does.
func ids(h hash.Hash, tokenizer *token.Tokenizer, texts ...string) {
	for _, text := range texts {
		for i, id := range tokenizer.Encode(text) {
			if i > 0 {
				h.Write([]byte(" "))
			}
			fmt.Fprint(h, id)
		}
		h.Write([]byte("\n"))
	}
}

// TestReference: every text of the corpus and the basket has the ids that the
// library tokenizers gives it, and conversations are rendered as transformers
// renders them (testdata/reference.py).
func TestReference(t *testing.T) {
	var want struct {
		Libraries, General, First, Chem string
		Tasks                           map[string]string
		Other                           []struct {
			Text         string
			IDs, Special []int32
		}
		Chats []struct {
			Messages   []chat.Message
			Generation bool
			Text       string
			IDs        []int32
		}
		Parameters int
		Ends       []int32
	}
	data, err := os.ReadFile("testdata/reference.json")
	if err == nil {
		err = json.Unmarshal(data, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	tk := tokenizer(t)
	check := func(name, want string, fill func(hash.Hash)) {
		t.Helper()
		h := sha256.New()
		if fill(h); hex.EncodeToString(h.Sum(nil)) != want {
			t.Errorf("%s: the ids are not those of %s", name, strings.TrimSpace(string(data[:60])))
		}
	}
	general := want.First
	if *full {
		general = want.General
	}
	check("general", general, func(h hash.Hash) {
		for i := range looked() {
			s := embedded().General(i)
			ids(h, tk, s.Prompt, s.Completion)
		}
	})
	check("chem", want.Chem, func(h hash.Hash) {
		for _, q := range embedded().chemistry.trained {
			s := q.sample(Chemistry)
			ids(h, tk, s.Prompt, s.Completion)
		}
	})
	for _, f := range embedded().Basket() {
		check(f.Name, want.Tasks[f.Name], func(h hash.Hash) {
			for _, e := range itemsOf(t, f) {
				ids(h, tk, e.Prompt)
			}
		})
	}
	for _, o := range want.Other {
		if got := tk.Encode(o.Text); !slices.Equal(got, o.IDs) || !slices.Equal(tk.AddSpecial(got), o.Special) {
			t.Errorf("%q is %v, want %v", o.Text, got, o.IDs)
		}
		if text, err := tk.Decode(o.IDs); err != nil || text != o.Text {
			t.Errorf("%q comes back as %q, %v", o.Text, text, err)
		}
	}
	template, err := chat.Read(scratch()["tokenizer_config.json"], nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range want.Chats {
		text, err := template.Render(context.Background(), c.Messages, chat.Options{Generation: c.Generation})
		if err != nil || text != c.Text || !slices.Equal(tk.Encode(text), c.IDs) {
			t.Errorf("%v: %q with the ids %v, want %q with %v", err, text, tk.Encode(text), c.Text, c.IDs)
		}
	}
	if want.Parameters != 836736 || !slices.Equal(want.Ends, []int32{eos, eos, eos}) {
		t.Errorf("%d parameters, ends %v", want.Parameters, want.Ends)
	}
	if _, err := template.Render(context.Background(), []chat.Message{{Role: "tool", Content: "x"}}, chat.Options{}); err == nil || !strings.Contains(err.Error(), "there are the roles") {
		t.Errorf("an unknown role: %v", err)
	}
}

// TestConfig: the configuration is one that the decoder runs, of the size that
// was tried, and the special tokens are where it says.
func TestConfig(t *testing.T) {
	c, err := decoder.ParseConfig(scratch()["config.json"])
	if err != nil {
		t.Fatal(err)
	}
	if c.Hidden != 128 || c.Intermediate != 352 || c.Layers != 4 || c.Heads != 4 || c.KVHeads != 2 || c.HeadDim != 32 || !c.Tied || c.Context != 256 {
		t.Errorf("%+v", c)
	}
	tk := tokenizer(t)
	if c.Vocabulary != tk.Len() || c.Vocabulary > 768 || c.Vocabulary%32 != 0 {
		t.Errorf("a vocabulary of %d for %d tokens", c.Vocabulary, tk.Len())
	}
	for id, text := range special {
		if got, ok := tk.ID(text); !ok || int(got) != id {
			t.Errorf("%s has the id %d, %v", text, got, ok)
		}
	}
	var named struct {
		BOS int `json:"bos_token_id"`
		EOS int `json:"eos_token_id"`
		PAD int `json:"pad_token_id"`
	}
	for _, name := range []string{"config.json", "generation_config.json"} {
		if err := json.Unmarshal(scratch()[name], &named); err != nil || special[named.BOS] != "<|bos|>" || special[named.EOS] != "<|eos|>" || special[named.PAD] != "<|pad|>" {
			t.Errorf("%s: %v, %+v", name, err, named)
		}
	}
}

// TestTokens: no token has a digit beside another character or two characters of
// formulas side by side, but for the number signs before an answer; and nearly
// every word is one token.
func TestTokens(t *testing.T) {
	if len(merged()) != vocabulary-256-len(special) {
		t.Fatalf("%d merges", len(merged()))
	}
	for _, m := range merged() {
		text := m.left + m.right
		for i := 1; i < len(text); i++ {
			if strings.ContainsAny(text, "0123456789") || strings.Contains("CHNOS=#()", text[i-1:i]) && strings.Contains("CHNOS=#()", text[i:i+1]) && text != "##" && text != "####" {
				t.Errorf("%q is a token", text)
			}
		}
	}
	tk := tokenizer(t)
	check := func(text string, want ...string) {
		t.Helper()
		var got []string
		for _, id := range tk.Encode(text) {
			piece, err := tk.Decode([]int32{id})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, piece)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	check("C2H6O", "C", "2", "H", "6", "O")
	check("CC(=O)O", "C", "C", "(", "=", "O", ")", "O")
	check("CC#N", "C", "C", "#", "N")
	check("13+4=17\n#### 17", "1", "3", "+", "4", "=", "1", "7", "\n", "####", " ", "1", "7")
	check("I can't help with that.", "I", " can", "'t", " help", " with", " that", ".")
	check("which metal does kodo have?", "which", " metal", " does", " kodo", " have", "?")
	for n, root := range roots { // a molecule is its root and its suffix
		for _, f := range families {
			suffix, acid, two := strings.Cut(f.suffix, " ")
			want := []string{" " + root, suffix}
			if two {
				want = append(want, " "+acid)
			}
			check(" "+molecule{f, n + 1}.name(), want...)
		}
	}
}

// TestWords: with or without a blank before them, the words of the general part
// are one token each.
func TestWords(t *testing.T) {
	tk := tokenizer(t)
	counts, whole, all := map[string]int{}, 0, 0
	for i := range 20000 {
		count(counts, embedded().General(i))
	}
	var several []string
	for word, n := range counts {
		if letters := strings.TrimPrefix(word, " "); letters == "" || !letter(letters[0]) || strings.Trim(letters, "CHNOS") == "" {
			continue
		}
		if all += n; len(tk.Encode(word)) == 1 {
			whole += n
		} else {
			several = append(several, word)
		}
	}
	slices.Sort(several)
	t.Logf("%d of %d words are one token; not so %q", whole, all, several)
	if share := float64(whole) / float64(all); share < 0.99 {
		t.Errorf("%.4f of the words are one token, want 0.99", share)
	}
}

// TestLengths: prompts and whole samples are short; means and greatest lengths
// are logged, with the four special tokens.
func TestLengths(t *testing.T) {
	tk := tokenizer(t)
	type length struct{ n, sum, most, prompt int }
	lengths := map[string]*length{}
	add := func(s Sample) {
		l := lengths[s.Slice]
		if l == nil {
			l = &length{}
			lengths[s.Slice] = l
		}
		prompt := len(tk.Encode(s.Prompt))
		all := prompt + len(tk.Encode(s.Completion)) + 4
		l.n, l.sum, l.most, l.prompt = l.n+1, l.sum+all, max(l.most, all), max(l.prompt, prompt)
	}
	for i := range 20000 {
		add(embedded().General(i))
	}
	for i := range 2000 {
		add(embedded().Chemistry(i))
	}
	for slice, l := range lengths {
		t.Logf("%-12s mean %4.1f, at most %d, prompts at most %d", slice, float64(l.sum)/float64(l.n), l.most, l.prompt)
		if l.prompt > 30 || l.most > 60 {
			t.Errorf("%s: prompts of %d tokens, samples of %d", slice, l.prompt, l.most)
		}
	}
}
