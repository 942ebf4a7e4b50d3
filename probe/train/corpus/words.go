package corpus

import (
	"math/rand/v2"
	"slices"
)

// words are what instructions and lists are about. In capitals none of them has
// two neighbours that are characters of SMILES or formulas, which the tokenizer
// never joins.
var words = []string{"cat", "dog", "sun", "tree", "fish", "milk", "bird", "ship", "king", "salt", "ring", "star"}

// loud are the words that may have to be said in capitals, which are tokens of
// their own.
var loud = []string{"cat", "dog", "sun", "king"}

// syllables make invented names, two each. None begins with a letter that the
// suffixes of molecules have after an a, so that the tokenizer keeps it whole.
var syllables = []string{"ba", "ko", "ri", "tu", "jo", "wi", "so", "zu", "va", "do", "pu", "ga", "ze", "fo", "hi", "ya"}

// taken are names that mean something.
var taken = []string{"bari", "dojo", "doze", "gaze", "hiya", "puri", "riga", "soba", "soya", "tuba"}

// invent makes all names of two different syllables, in random order.
func invent(r *rand.Rand) (names []string) {
	for _, first := range syllables {
		for _, second := range syllables {
			if name := first + second; first != second && !slices.Contains(taken, name) {
				names = append(names, name)
			}
		}
	}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}
