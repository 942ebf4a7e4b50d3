package probe

import "surgeon/probe/decoder"

// Cost is what some questions ask of one candidate, in token rows of the model. Beginnings
// that questions share count once, as far as they are computed once.
type Cost struct {
	Choices int // rows of the questions whose choices are scored
	Prompts int // rows of the prompts of texts
	Texts   int // tokens of the texts, if every one is as long as it may be
}

// CostOf is the cost of some questions; nothing is computed.
func CostOf(asked []Asked) (c Cost) {
	var choices, prompts []decoder.Request
	for _, a := range asked {
		if a.generation != nil {
			prompts = append(prompts, decoder.Request{Prompt: a.generation.Prompt, Logits: true})
			c.Texts += a.generation.MaxTokens
			continue
		}
		choices = append(choices, a.requests...)
	}
	c.Choices, c.Prompts = decoder.Rows(choices), decoder.Rows(prompts)
	return c
}

// Writes reports whether the answer is a text that is generated.
func (a Asked) Writes() bool { return a.generation != nil }
