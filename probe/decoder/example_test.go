package decoder_test

import (
	"context"
	"fmt"

	"surgeon/probe/decoder"
	"surgeon/tensors/tensorstest"
)

// A model that is not on any disk says how likely three tokens are after two
// others, and what it would say itself.
func Example() {
	model := tensorstest.Pico{Seed: 7}
	config, err := decoder.ParseConfig(model.Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := decoder.Open(config, model.Weights())
	if err != nil {
		fmt.Println(err)
		return
	}
	responses, err := m.Score(context.Background(), []decoder.Request{{
		Prompt:        []int32{10, 20},
		Continuations: [][]int32{{30}, {40, 50}},
	}}, decoder.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, tokens := range responses[0].Tokens {
		fmt.Printf("%.3f nats in all, %.3f by token, greedy: %v\n", responses[0].LogProbs[i], tokens, responses[0].Greedy[i])
	}
	// Output:
	// -5.888 nats in all, [-5.888] by token, greedy: false
	// -11.594 nats in all, [-4.645 -6.949] by token, greedy: false
}

// What a configuration says that would change the computation is refused by
// name.
func ExampleParseConfig() {
	_, err := decoder.ParseConfig([]byte(`{"model_type": "llama", "sliding_window": 4096}`))
	fmt.Println(err)
	// Output:
	// field "sliding_window" is not understood: it may change what the model computes
}
