package pattern_test

import (
	"fmt"

	"surgeon/probe/task/ifeval/internal/pattern"
)

// The boundary of a word is that of any alphabet.
func Example() {
	p, err := pattern.Compile(`\bкот\b`, pattern.IgnoreCase)
	if err != nil {
		panic(err)
	}
	n, err := p.Count([]rune("Кот и котёнок: КОТ."))
	fmt.Println(n, err)
	_, err = pattern.Compile("c+++", 0)
	fmt.Println(err)
	// Output:
	// 2 <nil>
	// "c+++" is not a regular expression: multiple repeat
}
