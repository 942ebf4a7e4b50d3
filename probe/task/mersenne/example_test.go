package mersenne_test

import (
	"fmt"

	"surgeon/probe/task/mersenne"
)

// The five examples that lm-evaluation-harness shows before the first question
// of GSM8K: rows of the 7473 of its training split.
func Example() {
	fmt.Println(mersenne.New(1234).Sample(7473, 5))
	// Output:
	// [6374 3610 957 61 742]
}
