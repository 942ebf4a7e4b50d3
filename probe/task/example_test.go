package task_test

import (
	"fmt"
	"strings"

	"surgeon/probe/task"
)

// A model finds the second choice most likely, which is right.
func Example() {
	lines := `{"id": "sodium", "prompt": "The symbol of sodium is", "choices": [" S", " Na", " Sn"], "gold": 1}`
	symbols, err := task.Read("symbols", "symbols.jsonl", strings.NewReader(lines))
	if err != nil {
		fmt.Println(err)
		return
	}
	item := symbols.Tasks[0].Items[0]
	logProbs := []float64{-3.5, -0.25, -4} // of each choice after the prompt, nats
	fmt.Printf("%s%s: %v\n", item.Prompt, item.Choices[task.Choose(logProbs)], item.GradeChoice(logProbs))
	// Output:
	// The symbol of sodium is Na: 1
}

// The first line that breaks a rule is named.
func ExampleRead() {
	lines := `{"id": "a", "prompt": "p", "choices": ["x", "y"], "gold": 0}

{"id": "b", "prompt": "p", "choices": ["x", "y"], "gold": 2}`
	_, err := task.Read("letters", "letters.jsonl", strings.NewReader(lines))
	fmt.Println(err)
	// Output:
	// letters.jsonl:3: "gold" is 2, outside the 2 choices, which count from 0
}
