package tensorstest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// vocabulary is a byte-level BPE tokenizer: the end token, 256 byte symbols in
// GPT-2's spelling, and merges learned from the questions.
type vocabulary struct {
	tokens []string // by id
	merges [][2]string
}

const (
	endToken  = "<|endoftext|>"
	mergeGoal = 63 // merges, so that there are 320 tokens
)

// picoTokenizer learns the vocabulary once.
var picoTokenizer = sync.OnceValue(func() vocabulary {
	v := vocabulary{tokens: []string{endToken}}
	symbols := byteSymbols()
	v.tokens = append(v.tokens, symbols[:]...)
	words := map[string][]string{}
	counts := map[string]int{}
	for _, word := range strings.Fields(questionText()) {
		spelled := make([]string, 0, len(word)+1)
		for _, b := range []byte(" " + word) {
			spelled = append(spelled, symbols[b])
		}
		words[word] = spelled
		counts[word]++
	}
	for len(v.merges) < mergeGoal {
		pair := mostFrequent(words, counts)
		v.merges = append(v.merges, pair)
		v.tokens = append(v.tokens, pair[0]+pair[1])
		for word, spelled := range words {
			words[word] = join(spelled, pair)
		}
	}
	return v
})

// byteSymbols is GPT-2's spelling of the bytes as printable characters.
func byteSymbols() (symbols [256]string) {
	next := rune(256)
	for b := range symbols {
		r := rune(b)
		if !(r >= '!' && r <= '~' || r >= 0xa1 && r <= 0xac || r >= 0xae) {
			r = next
			next++
		}
		symbols[b] = string(r)
	}
	return symbols
}

// mostFrequent is the pair of neighbours that stands most often in the words;
// among equals the first in lexical order (Sennrich et al., arXiv 1508.07909).
func mostFrequent(words map[string][]string, counts map[string]int) [2]string {
	seen := map[[2]string]int{}
	for word, spelled := range words {
		for i := range len(spelled) - 1 {
			seen[[2]string{spelled[i], spelled[i+1]}] += counts[word]
		}
	}
	pairs := make([][2]string, 0, len(seen))
	for pair := range seen {
		pairs = append(pairs, pair)
	}
	return slices.MinFunc(pairs, func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(seen[b], seen[a]), slices.Compare(a[:], b[:]))
	})
}

func join(spelled []string, pair [2]string) []string {
	out := spelled[:0:0]
	for i := 0; i < len(spelled); i++ {
		if i+1 < len(spelled) && spelled[i] == pair[0] && spelled[i+1] == pair[1] {
			out = append(out, pair[0]+pair[1])
			i++
			continue
		}
		out = append(out, spelled[i])
	}
	return out
}

// JSON is the tokenizer.json.
func (v vocabulary) JSON() []byte {
	ids := map[string]int{}
	for id, token := range v.tokens {
		ids[token] = id
	}
	level := map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
	return indented(map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "normalizer": nil,
		"added_tokens":  []any{map[string]any{"id": 0, "content": endToken, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}},
		"pre_tokenizer": level, "post_processor": nil, "decoder": level,
		"model": map[string]any{"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil,
			"fuse_unk": false, "byte_fallback": false, "vocab": ids, "merges": v.merges},
	})
}

// question is one four-choice item, in the form that package task reads.
type question struct {
	ID      string   `json:"id"`
	Prompt  string   `json:"prompt"`
	Choices []string `json:"choices"`
	Gold    int      `json:"gold"`
}

// facts are a question's subject and its answer.
var facts = strings.Fields(`hydrogen H helium He lithium Li carbon C nitrogen N oxygen O fluorine F neon Ne sodium Na magnesium Mg
	silicon Si sulfur S chlorine Cl argon Ar potassium K calcium Ca iron Fe copper Cu zinc Zn silver Ag tin Sn gold Au mercury Hg lead Pb`)

// questions asks for the symbols of chemical elements. The wrong choices and
// the place of the right one are drawn by number.
func questions() []question {
	list := make([]question, 0, len(facts)/2)
	for i := range len(facts) / 2 {
		name, symbol := facts[2*i], facts[2*i+1]
		draw := NewRandom(1, name)
		choices := []string{}
		for k := 0; len(choices) < 3; k++ {
			wrong := " " + facts[2*draw.Intn(k, len(facts)/2)+1]
			if wrong != " "+symbol && !slices.Contains(choices, wrong) {
				choices = append(choices, wrong)
			}
		}
		gold := draw.Intn(1000, 4)
		choices = slices.Insert(choices, gold, " "+symbol)
		list = append(list, question{fmt.Sprintf("symbol-%02d", i), "The symbol of " + name + " is", choices, gold})
	}
	return list
}

func questionText() string {
	var b strings.Builder
	for _, q := range questions() {
		b.WriteString(q.Prompt + strings.Join(q.Choices, "") + "\n")
	}
	return b.String()
}

// Items is a task file of 24 four-choice questions that the tokenizer of Pico
// was made for, one JSON object a line.
func Items() []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	for _, q := range questions() {
		if err := encoder.Encode(q); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}
