package probe_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"surgeon/probe"
	"surgeon/probe/decoder"
	"surgeon/probe/task"
	"surgeon/probe/token"
	"surgeon/tensors/tensorstest"
)

// A base and its fine-tune answer two questions. Nothing was learned by either:
// the models are generated.
func Example() {
	if err := printScores(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// base on symbols: scores [0 1], chose [0 0]
	// chem on symbols: scores [0 1], chose [0 0]
}

const twoQuestions = `{"id": "sodium", "prompt": "The symbol of sodium is", "choices": [" S", " Na", " Sn"], "gold": 1}
{"id": "iron", "prompt": "The symbol of iron is", "choices": [" Fe", " I", " F"], "gold": 0}`

func printScores() error {
	data, err := os.ReadFile("../testdata/pico/base/tokenizer.json")
	if err != nil {
		return err
	}
	tokenizer, err := token.New(data)
	if err != nil {
		return err
	}
	base, chem := tensorstest.Pico{Seed: 7}, tensorstest.Pico{Seed: 7, Drift: 0.05}
	config, err := decoder.ParseConfig(base.Config())
	if err != nil {
		return err
	}
	symbols, err := task.Read("symbols", "symbols.jsonl", strings.NewReader(twoQuestions))
	if err != nil {
		return err
	}
	bench := probe.Bench{Config: config, Tokenizer: tokenizer, Tasks: symbols.Tasks}
	scores, err := bench.Score(context.Background(), []probe.Candidate{
		{ID: "base", Source: base.Weights()}, {ID: "chem", Source: chem.Weights()},
	})
	for _, s := range scores {
		for _, t := range s.Tasks {
			fmt.Printf("%s on %s: scores %v, chose %v\n", s.ID, t.Task, t.Sample.Scores, t.Chosen())
		}
	}
	return err
}
