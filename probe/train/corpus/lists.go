package corpus

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// list is a task on two to four words.
type list struct {
	template, prompt, answer string
}

// drawList draws one of four tasks on words.
func drawList(r *rand.Rand) list {
	chosen := several(r, words, between(r, 2, 4))
	text := strings.Join(chosen, " ")
	switch r.IntN(4) {
	case 0:
		slices.Reverse(chosen)
		return list{"reverse", "reverse the words: " + text + ".", strings.Join(chosen, " ")}
	case 1:
		return list{"first", "name the first word: " + text + ".", chosen[0]}
	case 2:
		return list{"last", "name the last word: " + text + ".", chosen[len(chosen)-1]}
	}
	return list{"count", "count the words: " + text + ".", fmt.Sprint(len(chosen))}
}

func (l list) sample() Sample { return Sample{l.prompt, l.answer, Lists} }
