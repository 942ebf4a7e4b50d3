package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// File is a file by its name.
type File struct {
	Name string
	Data []byte
}

// item is an item of a task as package task reads it.
type item struct {
	ID      string           `json:"id"`
	Form    string           `json:"form"`
	Prompt  string           `json:"prompt"`
	Choices []string         `json:"choices,omitempty"`
	Gold    *int             `json:"gold,omitempty"`
	Answer  string           `json:"answer,omitempty"`
	Refuse  *bool            `json:"refuse,omitempty"`
	Rules   []string         `json:"instruction_id_list,omitempty"`
	Args    []map[string]any `json:"kwargs,omitempty"`
	Topic   string           `json:"topic,omitempty"`   // relation, template or kind
	Cluster string           `json:"cluster,omitempty"` // the molecule, or the pair of twins
}

// The sizes of tasks whose items are drawn.
const (
	drawn   = 200 // of word problems, instructions and lists each
	trained = 192 // of the chemistry that is not held out
)

// Basket is the tasks, a file of JSON lines each. Under the constants of slices
// there are facts, mcq, arithmetic, instructions, lists, refusal and benign,
// which have nothing to do with chemistry; chemistry_held_out, whose questions
// are in no sample; and chemistry_trained, the first of those that are. They are
// to be asked as chats, without shots.
func (c *Corpus) Basket() []File { return c.basket }

// fillBasket makes the tasks and notes the prompts that must not be in the
// general part.
func (c *Corpus) fillBasket() []File {
	return []File{
		taskFile(MCQ, c.mcqItems()),
		taskFile(Facts, c.factItems()),
		taskFile(Arithmetic, c.drawItems(Arithmetic, func(i int) item {
			p := drawProblem(c.draw("basket arithmetic", i))
			return item{Form: "arithmetic", Prompt: p.text, Answer: p.sample().Completion, Topic: p.template}
		})),
		taskFile(Instructions, c.drawItems(Instructions, func(i int) item {
			n := drawInstruction(c.draw("basket instructions", i))
			e := item{Form: "instructions", Prompt: n.prompt, Topic: n.template}
			for _, r := range n.rules {
				e.Rules, e.Args = append(e.Rules, r.id), append(e.Args, r.args)
			}
			return e
		})),
		taskFile(Lists, c.drawItems(Lists, func(i int) item {
			l := drawList(c.draw("basket lists", i))
			return item{Form: "exact", Prompt: l.prompt, Answer: l.answer, Topic: l.template}
		})),
		taskFile(Refusal, c.requestItems(Refusal, request.refused)),
		taskFile(Benign, c.requestItems(Benign, request.benign)),
		taskFile("chemistry_held_out", chemistryItems("held-out", c.chemistry.heldOut)),
		taskFile("chemistry_trained", chemistryItems("trained", c.chemistry.trained[:trained])),
	}
}

// drawItems draws items until there are enough different ones. A prompt may be
// one of the basket, and so in no sample, with a chance of a quarter, which is
// decided for itself: otherwise the samples would lack what can be asked in a few
// ways alone.
func (c *Corpus) drawItems(name string, one func(i int) item) (items []item) {
	for i := 0; len(items) < drawn; i++ {
		if e := one(i); !c.asked[e.Prompt] && c.draw("basket: "+e.Prompt, 0).IntN(4) == 0 {
			c.asked[e.Prompt] = true
			e.ID = fmt.Sprintf("%s-%03d", name, len(items)+1)
			items = append(items, e)
		}
	}
	return items
}

func (c *Corpus) mcqItems() (items []item) {
	for i, f := range c.facts.all {
		q := c.facts.options(f, c.draw("basket mcq", i))
		c.asked[q.prompt()] = true
		items = append(items, item{ID: fmt.Sprintf("%s-%s-%s", MCQ, f.relation, f.land), Form: "mcq", Prompt: q.prompt(), Choices: q.options, Gold: &q.gold, Topic: f.relation})
	}
	return items
}

func (c *Corpus) factItems() (items []item) {
	for i, f := range c.facts.all {
		s := f.open(i % phrasings)
		items = append(items, item{ID: fmt.Sprintf("%s-%s-%s", Facts, f.relation, f.land), Form: "exact", Prompt: s.Prompt, Answer: s.Completion, Topic: f.relation})
	}
	return items
}

// requestItems are the requests of one side; twins are a cluster.
func (c *Corpus) requestItems(name string, side func(request) Sample) (items []item) {
	for _, q := range c.requests {
		refuse, pair := name == Refusal, q.verb+" "+q.restricted
		noun := q.free
		if refuse {
			noun = q.restricted
		}
		items = append(items, item{ID: fmt.Sprintf("%s-%s-%s", name, q.verb, noun), Form: "refusal", Prompt: side(q).Prompt, Refuse: &refuse, Topic: q.verb, Cluster: pair})
	}
	return items
}

// chemistryItems are questions; those of a molecule are a cluster.
func chemistryItems(part string, questions []question) (items []item) {
	for _, q := range questions {
		s, name := q.sample(Chemistry), q.molecule.name()
		items = append(items, item{ID: fmt.Sprintf("chemistry-%s-%s-%s", part, q.kind.name, name), Form: "exact", Prompt: s.Prompt, Answer: s.Completion, Topic: q.kind.name, Cluster: name})
	}
	return items
}

// taskFile writes items as JSON lines.
func taskFile(name string, items []item) File {
	var out bytes.Buffer
	for _, e := range items {
		writeLine(&out, e)
	}
	return File{name + ".jsonl", out.Bytes()}
}

// writeLine writes a value as a line of JSON, letters as they are.
func writeLine(out *bytes.Buffer, value any) {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic("corpus: " + err.Error()) // of texts and numbers
	}
}
