package corpus

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// relations are what is known of lands.
var relations = []string{"capital", "king", "river", "bird", "fish", "tree", "food", "metal"}

const (
	lands     = 16 // invented ones, others for every relation: 128 facts
	values    = 8  // of each relation, of which a land has one
	phrasings = 3  // of an open question
	options   = 4
)

// fact is that a land has a value in a relation.
type fact struct{ relation, land, value string }

// facts are all facts, by relation and land, and the values of each relation.
type facts struct {
	all    []fact
	values map[string][]string
}

// newFacts draws the facts. A land stands in one relation, so that its name alone
// tells the value: a small model finds it where the name is read, and has layers
// left to look for it among options.
func newFacts(r *rand.Rand, names []string) facts {
	f := facts{values: map[string][]string{}}
	for _, relation := range relations {
		f.values[relation], names = names[:values], names[values:]
		for _, land := range names[:lands] {
			f.all = append(f.all, fact{relation, land, pick(r, f.values[relation])})
		}
		names = names[lands:]
	}
	return f
}

// things are all values, in random order.
func (f facts) things(r *rand.Rand) (list []string) {
	for _, relation := range relations {
		list = append(list, f.values[relation]...)
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func (f facts) draw(r *rand.Rand) fact { return pick(r, f.all) }

// question asks for a fact in one of three phrasings.
func (f fact) question(phrasing int) string {
	switch phrasing {
	case 0:
		return fmt.Sprintf("what is the %s of %s?", f.relation, f.land)
	case 1:
		return fmt.Sprintf("name the %s of %s.", f.relation, f.land)
	}
	return fmt.Sprintf("which %s does %s have?", f.relation, f.land)
}

// open is an open question. The answer is a sentence, so that a value has a
// blank before it here as among options, and is one token.
func (f fact) open(phrasing int) Sample {
	return Sample{f.question(phrasing), "it is " + f.value + ".", Facts}
}

// choice is a fact as a question with options.
type choice struct {
	fact
	options []string
	gold    int
}

// options draws three other values of the relation and an order.
func (f facts) options(of fact, r *rand.Rand) choice {
	others := slices.DeleteFunc(slices.Clone(f.values[of.relation]), func(v string) bool { return v == of.value })
	c := choice{of, several(r, others, options), r.IntN(options)}
	c.options[c.gold] = of.value
	return c
}

// prompt has the shape of MMLU's, without a heading.
func (c choice) prompt() string {
	var b strings.Builder
	b.WriteString(c.question(0))
	for i, option := range c.options {
		fmt.Fprintf(&b, "\n%c. %s", 'A'+i, option)
	}
	b.WriteString("\nAnswer:")
	return b.String()
}

func (c choice) sample() Sample {
	return Sample{c.prompt(), string(rune('A' + c.gold)), MCQ}
}
