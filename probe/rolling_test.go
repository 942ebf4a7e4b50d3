package probe_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"surgeon/probe"
	"surgeon/probe/decoder"
)

// TestRollingWindows are the windows of lm-evaluation-harness's
// get_rolling_token_windows and make_disjoint_window, from its own doctests.
func TestRollingWindows(t *testing.T) {
	check := func(n, context int, want ...decoder.Request) {
		t.Helper()
		ids := make([]int32, n)
		for i := range ids {
			ids[i] = int32(i)
		}
		got, err := probe.Rolling(ids, -100, context)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d tokens in a context of %d: %v, %v, want %v", n, context, got, err, want)
		}
	}
	window := func(prompt []int32, continuation ...int32) decoder.Request {
		return decoder.Request{Prompt: prompt, Continuations: [][]int32{continuation}}
	}
	check(3, 10, window([]int32{-100}, 0, 1, 2))
	check(10, 5, window([]int32{-100}, 0, 1, 2, 3, 4), window([]int32{4}, 5, 6, 7, 8, 9))
	check(10, 4, window([]int32{-100}, 0, 1, 2, 3), window([]int32{3}, 4, 5, 6, 7), window([]int32{5, 6, 7}, 8, 9))
	check(3, 1, window([]int32{-100}, 0), window([]int32{0}, 1), window([]int32{1}, 2))
	if _, err := probe.Rolling(nil, 0, 5); err == nil {
		t.Error("an empty text is not refused")
	}
}

// TestRollingGoldens compares with lm-evaluation-harness on the real pair.
func TestRollingGoldens(t *testing.T) {
	dir := needPair(t, "base")
	needHeavy(t)
	m := openModel(t, dir)
	d := m.decoder(t)
	pages := map[string]string{}
	row := 0
	eachLine(t, needShared(t, "golden", "lm_eval", "tasks", "pages.jsonl"), func(line []byte) {
		var page struct{ Page string }
		if err := json.Unmarshal(line, &page); err != nil {
			t.Fatal(err)
		}
		pages[fmt.Sprint("pages/", row)] = detokenize(page.Page)
		row++
	})
	compared, worst := 0, 0.0
	eachLine(t, needShared(t, "golden", "lm_eval", "base", "perplexity.jsonl"), func(line []byte) {
		var g struct {
			Item          string
			LogLikelihood float64 `json:"loglikelihood"`
			Tokens        int     `json:"text_tokens"`
			SHA256        string  `json:"text_sha256"`
		}
		if err := json.Unmarshal(line, &g); err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256([]byte(pages[g.Item])); hex.EncodeToString(sum[:]) != g.SHA256 {
			t.Fatalf("%s: the text is not that of the golden: %q", g.Item, pages[g.Item])
		}
		ids := m.tokenizer.Encode(pages[g.Item])
		if len(ids) != g.Tokens {
			t.Errorf("%s: %d tokens, want %d", g.Item, len(ids), g.Tokens)
		}
		windows, err := probe.Rolling(ids, 1, m.config.Context)
		if err != nil {
			t.Fatal(g.Item, err)
		}
		responses, err := d.Score(context.Background(), windows, decoder.Options{})
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, r := range responses {
			sum += r.LogProbs[0]
		}
		worst = max(worst, math.Abs(sum-g.LogLikelihood))
		// The goldens take the logarithm of the softmax in float32, which on these
		// logits is 1e-5 nats a token above that in float64.
		if !(math.Abs(sum-g.LogLikelihood) <= 1e-3+2e-5*float64(g.Tokens)) {
			t.Errorf("%s: %v nats, want %v", g.Item, sum, g.LogLikelihood)
		}
		compared++
	})
	t.Logf("%d texts, greatest difference %.2g nats", compared, worst)
}

// detokenize is the wikitext_detokenizer of lm-evaluation-harness.
func detokenize(text string) string {
	one := func(pairs ...string) {
		for i := 0; i < len(pairs); i += 2 {
			text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
		}
	}
	one("s '", "s'", " @-@ ", "-", " @,@ ", ",", " @.@ ", ".", " : ", ": ", " ; ", "; ", " . ", ". ", " ! ", "! ", " ? ", "? ", " , ", ", ")
	for _, pattern := range []string{`(\()\s*([^\)]*?)\s*(\))`, `(\[)\s*([^\]]*?)\s*(\])`, `(\{)\s*([^}]*?)\s*(\})`, `(")\s*([^"]*?)\s*(")`, `(')\s*([^']*?)\s*(')`} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, "$1$2$3")
	}
	one("= = = =", "====", "= = =", "===", "= =", "==", " ° ", "°", " \n", "\n", "\n ", "\n", " N ", " 1 ", " 's", "'s")
	return text
}
