package cli

import (
	"context"

	"surgeon/probe/behaviour"
	"surgeon/probe/decoder"
)

// behaved is how far the fine-tune's behaviour is from the base's, before any answer
// is graded.
type behaved struct {
	Prompts    [2]int    `json:"prompts"`    // general and domain
	Divergence [2]number `json:"divergence"` // mean KL(base || fine-tune) of the next token behind the prompt, nats
	Alignment  []number  `json:"alignment"`  // linear CKA of the residual streams on general prompts, before the first layer and behind each
}

// mostPrompts bounds the prompts of either kind.
const mostPrompts = 64

// behave asks base and fine-tune what comes next.
func (a *auditing) behave(ctx context.Context) (*behaved, error) {
	b := &behaved{}
	var requests []decoder.Request
	for side, list := range a.prompts() {
		b.Prompts[side] = len(list)
		for _, text := range list {
			requests = append(requests, decoder.Request{Prompt: a.encoded(text), Logits: true, Hidden: side == 0})
		}
	}
	var models []*decoder.Model
	for _, c := range a.candidates[:2] {
		m, err := decoder.Open(a.bench.Config, c.source)
		if err != nil {
			return nil, err
		}
		models = append(models, m)
	}
	step, finish := a.opt.progress(stage(2, "behaviour"), "rows")
	outcomes, err := decoder.ScoreAll(ctx, models, requests, decoder.WaveOptions{Progress: step})
	finish()
	if err != nil {
		return nil, err
	}
	for _, o := range outcomes {
		if o.Err != nil {
			return nil, o.Err
		}
	}
	base, tuned := outcomes[0].Responses, outcomes[1].Responses
	var states [2][][][]float64 // [side][layer][prompt]
	for i := range requests {
		side := 0
		if i >= b.Prompts[0] {
			side = 1
		}
		b.Divergence[side] += number(behaviour.Divergence(base[i].Logits, tuned[i].Logits) / float64(b.Prompts[side]))
		for k, hidden := range [][][]float64{base[i].Hidden, tuned[i].Hidden} {
			for layer, v := range hidden {
				if len(states[k]) == layer {
					states[k] = append(states[k], nil)
				}
				states[k][layer] = append(states[k][layer], v)
			}
		}
	}
	for layer := range states[0] {
		b.Alignment = append(b.Alignment, number(behaviour.Alignment(states[0][layer], states[1][layer])))
	}
	return b, nil
}
