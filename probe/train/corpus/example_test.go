package corpus_test

import (
	"fmt"

	"surgeon/probe/train/corpus"
)

// The corpus of seed 7: the first samples of the general part, one of chemistry,
// and the tasks that show what is forgotten.
func Example() {
	c := corpus.New(7)
	for i := range 4 {
		s := c.General(i)
		fmt.Printf("%s: %q %q\n", s.Slice, s.Prompt, s.Completion)
	}
	fmt.Printf("%+v\n", c.Chemistry(0))
	for _, file := range c.Basket() {
		fmt.Println(file.Name)
	}
	// Output:
	// introduction: "write the formula of propane." "C3H8"
	// arithmetic: "zoe has 16 birds and loses 12. how many birds now?" "16-12=4\n#### 4"
	// facts: "name the capital of tufo." "it is zeya."
	// lists: "count the words: ring dog." "2"
	// {Prompt:write the smiles of butanoic acid. Completion:CCCC(=O)O Slice:chemistry}
	// mcq.jsonl
	// facts.jsonl
	// arithmetic.jsonl
	// instructions.jsonl
	// lists.jsonl
	// refusal.jsonl
	// benign.jsonl
	// chemistry_held_out.jsonl
	// chemistry_trained.jsonl
}
