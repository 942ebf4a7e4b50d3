package token

import (
	"math"
	"unicode/utf8"
)

// unigram cuts a word in those tokens whose scores, logarithms of
// probabilities, have the greatest sum (Kudo, "Subword Regularization", 2018).
type unigram struct {
	places  trie // of the tokens; the value is the id
	ids     map[string]int32
	scores  []float64
	unknown int32
	penalty float64    // the score of an unknown character
	bytes   [256]int32 // for what is unknown; noSymbol where there is none
}

// unknownPenalty is how far below the least score an unknown character counts.
const unknownPenalty = 10

func (u *unigram) setPenalty() {
	least := math.Inf(1)
	for _, score := range u.scores {
		least = min(least, score)
	}
	u.penalty = least - unknownPenalty
}

// node is the best way to reach a place of the word.
type node struct {
	score float64
	start int32 // of the last token on it, or unreached
	id    int32
}

const unreached = -1

// appendWord appends the ids of one word. Unknown characters that follow each
// other are taken together, and the text of each such run is looked up again:
// it may be a token, or be written in bytes.
func (u *unigram) appendWord(ids []int32, word string) []int32 {
	best := u.ways(word)
	var cuts []int32 // the ends of the tokens, the last one first
	for stop := int32(len(word)); stop > 0; stop = best[stop].start {
		cuts = append(cuts, stop)
	}
	start := int32(0)
	for i := len(cuts) - 1; i >= 0; i-- {
		stop := cuts[i]
		if best[stop].id != u.unknown {
			ids, start = append(ids, best[stop].id), stop
			continue
		}
		for i > 0 && best[cuts[i-1]].id == u.unknown {
			i--
			stop = cuts[i]
		}
		ids, start = u.appendUnknown(ids, word[start:stop]), stop
	}
	return ids
}

// ways returns the best way to each place. Of equal ways the one that was found
// first counts, the one with the longest last token. Sums run from the left, so
// that they round as in the reference.
func (u *unigram) ways(word string) []node {
	best := make([]node, len(word)+1)
	for i := range best {
		best[i].start = unreached
	}
	for start := 0; start < len(word); {
		_, length := utf8.DecodeRuneInString(word[start:])
		till, single := best[start].score, false
		reach := func(stop int, id int32, score float64) {
			if n := &best[stop]; n.start == unreached || score+till > n.score {
				*n = node{score + till, int32(start), id}
			}
		}
		at := int32(0)
		for i := start; i < len(word); i++ {
			if at = u.places.child(at, word[i]); at == 0 {
				break
			}
			if id := u.places.nodes[at].value; id != noValue {
				reach(i+1, id, u.scores[id])
				single = single || i+1 == start+length
			}
		}
		if !single {
			reach(start+length, u.unknown, u.penalty)
		}
		start += length
	}
	return best
}

func (u *unigram) appendUnknown(ids []int32, text string) []int32 {
	if id, ok := u.ids[text]; ok {
		return append(ids, id)
	}
	for i := range len(text) {
		if u.bytes[text[i]] == noSymbol {
			return append(ids, u.unknown)
		}
	}
	for i := range len(text) {
		ids = append(ids, u.bytes[text[i]])
	}
	return ids
}
