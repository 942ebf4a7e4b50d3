package instruct_test

import (
	"fmt"
	"strings"

	"surgeon/probe/task/instruct"
)

// A model puts a preface before a right list: strictly it breaks both rules,
// loosely it keeps both.
func Example() {
	file := `{"id": "rivers", "prompt": "Name two rivers on one line, separated by commas, from A to Z.", "rules": [
		{"id": "separated", "args": {"by": ",", "count": 2}},
		{"id": "sorted", "args": {"by": ",", "as": "words", "order": "ascending"}}]}`
	items, err := instruct.Read("own.jsonl", strings.NewReader(strings.ReplaceAll(file, "\n", " ")))
	if err != nil {
		fmt.Println(err)
		return
	}
	strict, loose := instruct.Check(items[0].Rules, items[0].Prompt, "Sure, here are two rivers:\nElbe, Nile")
	fmt.Println(strict, loose)
	// Output:
	// [false false] [true true]
}

// The first line that breaks a rule is named.
func ExampleRead() {
	file := `{"id": "rivers", "prompt": "Name two rivers, one per line.", "rules": [{"id": "lines", "args": {"count": "two"}}]}`
	_, err := instruct.Read("own.jsonl", strings.NewReader(file))
	fmt.Println(err)
	// Output:
	// own.jsonl:1: rule "lines": "count" must be a whole number from 1 to 1000000
}
