package sensitivity_test

import (
	"context"
	"fmt"

	"surgeon/probe/attribute"
	"surgeon/probe/sensitivity"
	"surgeon/probe/train"
	"surgeon/tensors"
)

// A tiny model is tuned, and what that did to its losses is shared out among its
// parts.
func Example() {
	ctx, base := context.Background(), train.Initialise(tiny, 0.08, 3)
	// What the base knew and what the tuning is for; real ones come from train.Lines.
	general, domain := sums(25, 0), sums(25, 4)
	list, err := sensitivity.Relearn(ctx, tiny, base, domain, sensitivity.RelearnOptions{Steps: []int{12}, LearningRate: 5e-3, BatchTokens: 60})
	if err != nil {
		fmt.Println(err)
		return
	}
	delta, err := tensors.Diff(base, list[0].Weights)
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := sensitivity.Path(ctx, tiny, base, delta, general, domain, attribute.Groups(delta.Names(), 1), sensitivity.PathOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range a.Effects {
		fmt.Printf("%-20s benefit %.2f nats a token\n", e.Group.Name, e.Benefit)
	}
	fmt.Printf("all of it: %.2f, of which shares miss %.1f %%\n", a.Benefit, 100*a.Completeness.Domain)
	// Output:
	// embedding            benefit 0.89 nats a token
	// layers 0-1 attention benefit 0.49 nats a token
	// layers 0-1 mlp       benefit 0.62 nats a token
	// norms                benefit 0.04 nats a token
	// all of it: 2.04, of which shares miss 0.1 %
}
