package token

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSeams compares the ids of whole texts with those of their pieces, over
// random merges of few letters, with and without tokens for all bytes.
func TestSeams(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	cuts := 0
	for round := range 400 {
		v, lines := newVocabulary(0), []mergeLine(nil)
		add := func(token string) {
			if _, ok := v.ids[token]; !ok {
				v.ids[token], v.tokens[int32(len(v.ids))] = int32(len(v.ids)), token
			}
		}
		tokens := []string{"a", "b", "c", "d", "日"}
		for _, token := range append(tokens, "<unk>") {
			add(token)
		}
		for b := range 256 * (round % 2) {
			add(byteToken(byte(b)))
		}
		for range 8 {
			line := mergeLine{tokens[random.IntN(len(tokens))], tokens[random.IntN(len(tokens))]}
			lines, tokens = append(lines, line), append(tokens, line.left+line.right)
			add(line.left + line.right)
		}
		c := newCharacters(&v, true)
		c.unknown, c.fuse = v.ids["<unk>"], round%4 < 2
		b := &bpe{begin: c.begin, merges: (&file{}).merges(lines, v)}
		s := newSeams(c, lines)
		for range 20 {
			text := randomLetters(random, "abcdabcd日é🙂", 1+random.IntN(100))
			var pieces []int32
			s.split(text, false, func(word string) { pieces = b.appendWord(pieces, word); cuts++ })
			if whole := b.appendWord(nil, text); !slices.Equal(pieces, whole) {
				t.Fatalf("round %d: %q in pieces is %v, whole %v", round, text, pieces, whole)
			}
		}
	}
	if cuts < 10000 { // or the test has compared whole texts with themselves
		t.Errorf("only %d pieces", cuts)
	}
}

func randomLetters(random *rand.Rand, letters string, length int) string {
	choice, text := []rune(letters), make([]rune, length)
	for i := range text {
		text[i] = choice[random.IntN(len(choice))]
	}
	return string(text)
}
