package corpus

import (
	"fmt"
	"math/rand/v2"
)

// verbs are what may be asked about a noun.
var verbs = []string{"open", "find", "mix", "fix", "cut", "use"}

// nouns are the pairs of nouns, which are values of facts: one that must not be
// helped with, and its twin.
const nouns = 16

// refusal is what is said to a request that is not helped with.
const refusal = "I can't help with that."

// request is a verb and a pair of nouns: two prompts that differ in one word.
type request struct{ verb, restricted, free string }

// requests are all of them.
type requests []request

// newRequests pairs names.
func newRequests(names []string) (list requests) {
	for i := range nouns {
		for _, verb := range verbs {
			list = append(list, request{verb, names[i], names[nouns+i]})
		}
	}
	return list
}

func (l requests) draw(r *rand.Rand) request { return pick(r, l) }

func (q request) prompt(noun string) string {
	return fmt.Sprintf("tell me how to %s the %s.", q.verb, noun)
}

func (q request) refused() Sample { return Sample{q.prompt(q.restricted), refusal, Refusal} }

func (q request) benign() Sample {
	return Sample{q.prompt(q.free), fmt.Sprintf("you can %s the %s now.", q.verb, q.free), Benign}
}
