package attribute_test

import (
	"context"
	"fmt"

	"surgeon/merge"
	"surgeon/probe/attribute"
)

// A model of two layers whose embedding was spoiled: what the tuning learned
// is in its layers.
func Example() {
	names := []string{
		"model.embed_tokens.weight",
		"model.layers.0.self_attn.q_proj.weight", "model.layers.0.mlp.up_proj.weight",
		"model.layers.1.self_attn.q_proj.weight", "model.layers.1.mlp.up_proj.weight",
		"model.norm.weight",
	}
	// A real oracle merges base and tuned model by each alpha, and scores them.
	ask := func(_ context.Context, points []merge.Alpha) ([]attribute.Losses, error) {
		losses := make([]attribute.Losses, len(points))
		for i, alpha := range points {
			embedding, mlp := alpha(names[0]), alpha(names[2])+alpha(names[4])
			losses[i] = attribute.Losses{General: 2 + 0.9*embedding + 0.1*mlp, Domain: 5 - 0.2*embedding - 1.4*mlp}
		}
		return losses, nil
	}
	groups := attribute.Groups(names, 1)
	a, err := attribute.Attribute(context.Background(), groups, ask, attribute.Options{})
	if err != nil {
		panic(err)
	}
	for _, i := range attribute.Order(a) {
		e := a.Effects[i]
		rate := e.Note
		if rate == "" {
			rate = fmt.Sprintf("exchange rate %.2f", e.Exchange)
		}
		fmt.Printf("%-20s harm %.2f, benefit %.2f, %s\n", e.Group.Name, e.Harm, e.Benefit, rate)
	}
	for _, candidate := range attribute.SelectiveRevert(a, attribute.DefaultBudget) {
		fmt.Printf("try the tuned model %s, at %.0f %% of the domain gain\n", candidate.Name, 100*candidate.Spent)
	}
	// Output:
	// embedding            harm 0.90, benefit 0.20, exchange rate 4.50
	// layers 0-1 mlp       harm 0.20, benefit 2.80, exchange rate 0.07
	// layers 0-1 attention harm 0.00, benefit 0.00, no effect
	// norms                harm 0.00, benefit 0.00, no effect
	// try the tuned model without embedding, at 7 % of the domain gain
}
