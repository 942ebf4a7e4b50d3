package record_test

import (
	"fmt"
	"os"
	"path/filepath"

	"surgeon/probe/record"
)

// Two models answer three questions, the second was killed after two and is
// continued; then they are put side by side.
func Example() {
	dir, err := os.MkdirTemp("", "runs")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	answers := map[string]map[string]float64{
		"base": {"q1": 1, "q2": 1, "q3": 0},
		"chem": {"q1": 1, "q2": 0, "q3": 0},
	}
	run := func(model string, items ...string) {
		folder, err := record.OpenFolder(filepath.Join(dir, model), record.Plan{
			Version: "example", Models: []record.Model{{Input: record.Input{Name: model}}}, Seeds: []int64{0}})
		if err != nil {
			panic(err)
		}
		defer folder.Close()
		for _, item := range items {
			question := record.Record{Key: record.Key(model, "quiz", item), Model: model, Task: "quiz", Item: item}
			_, found, err := folder.Answer(question)
			if err == nil && !found {
				fmt.Println(model, "is asked", item)
				question.Scores = map[string]float64{"acc": answers[model][item]}
				err = folder.Log.Append(question)
			}
			if err != nil {
				panic(err)
			}
		}
	}
	run("base", "q1", "q2", "q3")
	run("chem", "q1", "q2")
	run("chem", "q1", "q2", "q3")

	base, err := record.Read(filepath.Join(dir, "base"))
	if err != nil {
		panic(err)
	}
	chem, err := record.Read(filepath.Join(dir, "chem"))
	if err != nil {
		panic(err)
	}
	pairs, err := record.Align(base, chem)
	if err != nil {
		panic(err)
	}
	for _, s := range pairs.Series {
		fmt.Println(s.Task, s.Metric, s.Items, s.A, s.B)
	}
	// Output:
	// base is asked q1
	// base is asked q2
	// base is asked q3
	// chem is asked q1
	// chem is asked q2
	// chem is asked q3
	// quiz acc [q1 q2 q3] [1 1 0] [1 0 0]
}
