package train_test

import (
	"fmt"
	"strings"

	"surgeon/probe/train"
)

// A new model learns which letter follows which, from two lines of data.
func Example() {
	lines := `{"prompt": "abc", "completion": "def"}
{"prompt": "bcd", "completion": "efg"}`
	encoding := train.Encoding{Encode: func(text string) (ids []int32) {
		for _, r := range text {
			ids = append(ids, r-'a')
		}
		return ids
	}}
	domain, err := train.Lines("letters.jsonl", strings.NewReader(lines), encoding)
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := train.New(tiny, train.Initialise(tiny, 0.08, 1), train.Data{Domain: domain},
		train.Options{Steps: 30, BatchTokens: 10, LearningRate: 1e-2, WarmUp: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	for run.Done() < run.Options().Steps {
		report, err := run.Step()
		if err != nil {
			fmt.Println(err)
			return
		}
		if report.Step%10 == 0 {
			fmt.Printf("step %d: %.2f nats a token\n", report.Step, report.Loss)
		}
	}
	// Output:
	// step 10: 0.44 nats a token
	// step 20: 0.07 nats a token
	// step 30: 0.04 nats a token
}
