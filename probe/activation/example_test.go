package activation_test

import (
	"context"
	"fmt"

	"surgeon/merge"
	"surgeon/probe/activation"
	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// How far has a fine-tune moved, as general prompts feel it and as those of its
// domain do? The same Gram matrices then weigh a mean of both models.
func Example() {
	if err := felt(context.Background(), tensorstest.Pico{Seed: 7}, tensorstest.Pico{Seed: 7, Drift: 0.05}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// self_attn.q_proj general 0.097, domain 0.104, collateral 0.93
	// self_attn.v_proj general 0.100, domain 0.085, collateral 1.17
	// 7 tokens, and a mean of 20 tensors
}

func felt(ctx context.Context, first, second tensorstest.Pico) error {
	config, err := decoder.ParseConfig(first.Config())
	if err != nil {
		return err
	}
	base, tuned := first.Weights(), second.Weights()
	general, err := activation.Collect(ctx, config, base, [][]int32{{10, 20, 30}, {40, 50, 60, 70}}, activation.Options{})
	if err != nil {
		return err
	}
	domain, err := activation.Collect(ctx, config, tuned, [][]int32{{110, 120, 130, 140, 150}}, activation.Options{})
	if err != nil {
		return err
	}
	delta, err := tensors.Diff(base, tuned)
	if err != nil {
		return err
	}
	rows, err := activation.Drift(ctx, base, delta, general, domain)
	if err != nil {
		return err
	}
	for _, r := range rows[len(rows)-2:] {
		fmt.Printf("%s general %.3f, domain %.3f, collateral %.2f\n", r.Key.Part, r.General.Relative(), r.Domain.Relative(), r.Collateral())
	}
	mean := merge.RegMean(delta, general.Of, domain.Of, merge.RegMeanOptions{Weight: 0.5})
	fmt.Printf("%d tokens, and a mean of %d tensors\n", general.Tokens(), len(mean.Names()))
	return nil
}
