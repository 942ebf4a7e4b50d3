package corpus

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// merge joins two neighbouring tokens.
type merge struct{ left, right string }

// learn learns byte pair encoding (Sennrich, Haddow and Birch, ACL 2016): of all
// neighbours in words, which count as often as they say, the most frequent pair
// is joined everywhere, until there are as many merges as wanted or no pair is
// left. Of pairs of equal frequency the one whose text comes first is taken, so
// that the result depends on nothing else. A pair for which allowed is false is
// never joined.
func learn(counts map[string]int, want int, allowed func(joined string) bool) (merges []merge) {
	words := slices.Sorted(maps.Keys(counts))
	parts := make([][]string, len(words))
	for i, word := range words {
		parts[i] = strings.Split(word, "") // the corpus is ASCII: characters are bytes
	}
	for len(merges) < want {
		pairs := map[merge]int{}
		for i, word := range words {
			for k := 1; k < len(parts[i]); k++ {
				if pair := (merge{parts[i][k-1], parts[i][k]}); allowed(pair.left + pair.right) {
					pairs[pair] += counts[word]
				}
			}
		}
		if len(pairs) == 0 {
			break
		}
		best := slices.MinFunc(slices.Collect(maps.Keys(pairs)), func(a, b merge) int {
			return cmp.Or(cmp.Compare(pairs[b], pairs[a]), cmp.Compare(a.left, b.left), cmp.Compare(a.right, b.right))
		})
		merges = append(merges, best)
		for i := range parts {
			parts[i] = best.join(parts[i])
		}
	}
	return merges
}

// join joins the pair wherever it stands, from left to right.
func (m merge) join(parts []string) []string {
	joined := parts[:0]
	for k := 0; k < len(parts); k++ {
		if k+1 < len(parts) && parts[k] == m.left && parts[k+1] == m.right {
			joined = append(joined, m.left+m.right)
			k++
			continue
		}
		joined = append(joined, parts[k])
	}
	return joined
}

// split cuts a text of the corpus where GPT-2's pattern and the digits cut it
// (Radford and others, 2019): letters, or what is neither letter, digit nor white
// space, with a blank before them; a digit; 't; other white space. It is for the
// ASCII of the corpus alone.
func split(text string) (words []string) {
	for text != "" {
		n := 1
		start := 0
		if text[0] == ' ' && len(text) > 1 && !digit(text[1]) && !space(text[1]) {
			start = 1
		}
		switch c := text[start]; {
		case start == 0 && strings.HasPrefix(text, "'t"):
			n = 2
		case letter(c):
			n = start + run(text[start:], letter)
		case !digit(c) && !space(c):
			n = start + run(text[start:], func(c byte) bool { return !letter(c) && !digit(c) && !space(c) })
		}
		words, text = append(words, text[:n]), text[n:]
	}
	return words
}

// run is how many characters at the start are of a class.
func run(text string, class func(byte) bool) (n int) {
	for n < len(text) && class(text[n]) {
		n++
	}
	return n
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func digit(c byte) bool  { return '0' <= c && c <= '9' }
func space(c byte) bool  { return c == ' ' || c == '\n' }
