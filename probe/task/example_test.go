package task_test

import (
	"fmt"
	"strings"
	"testing/fstest"

	"surgeon/probe/task"
	"surgeon/probe/task/dataset"
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

// A question of GSM8K with one shot, and an answer in prose: it is right, but not
// in the form that the shot shows.
func ExampleOpen() {
	files := fstest.MapFS{
		"train.jsonl": {Data: []byte(`{"question": "2 cats have how many ears?", "answer": "2*2=<<2*2=4>>4\n#### 4"}`)},
		"test.jsonl":  {Data: []byte(`{"question": "3 cats have how many ears?", "answer": "3*2=<<3*2=6>>6\n#### 6"}`)},
	}
	data, err := dataset.OpenFS("files", files)
	if err != nil {
		fmt.Println(err)
		return
	}
	basket, err := task.Open([]string{"gsm8k"}, task.Options{Data: data})
	if err != nil {
		fmt.Println(err)
		return
	}
	gsm8k := basket.Tasks[0]
	questions, err := gsm8k.Questions(task.Setting{Shots: 1, Seed: 1234}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(questions[0].Text)
	grade := gsm8k.Grade(questions[0], task.Reply{Text: " They have 6 ears.", Finish: "eos"})
	for _, metric := range gsm8k.Form.Metrics() {
		fmt.Println(metric, grade.Scores[metric])
	}
	// Output:
	// Question: 2 cats have how many ears?
	// Answer: 2*2=<<2*2=4>>4
	// #### 4
	//
	// Question: 3 cats have how many ears?
	// Answer:
	// exact_match,flexible-extract 1
	// exact_match,strict-match 0
}
