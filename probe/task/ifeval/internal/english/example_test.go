package english_test

import (
	"fmt"

	"surgeon/probe/task/ifeval/internal/english"
)

func Example() {
	text := []rune(`Dr. Adams left at 5 p.m. on Monday. "Don't WAIT," she said.`)
	sentences, err := english.Sentences(text)
	if err != nil {
		panic(err)
	}
	for _, sentence := range sentences {
		fmt.Println(string(sentence))
	}
	words, err := english.Words(sentences[1])
	fmt.Printf("%q %v\n", words, err)
	// Output:
	// Dr. Adams left at 5 p.m. on Monday.
	// "Don't WAIT," she said.
	// ["``" "Do" "n't" "WAIT" "," "''" "she" "said" "."] <nil>
}
