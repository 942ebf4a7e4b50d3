package ifeval_test

import (
	"fmt"

	"surgeon/probe/task/ifeval"
)

// The text has a comma in its first line, which the loose verdict may leave
// out, and is too short for certainty about its language.
func Example() {
	rules := []ifeval.Rule{
		{ID: "punctuation:no_comma"},
		{ID: "keywords:frequency", Args: map[string]any{"keyword": "tea", "frequency": 2.0, "relation": "at least"}},
		{ID: "language:response_language", Args: map[string]any{"language": "fr"}},
	}
	checker := ifeval.New(ifeval.Deterministic)
	for _, rule := range rules {
		if err := checker.Verify(rule.ID, rule.Args); err != nil {
			fmt.Println(err)
		}
	}
	text := "Sure, a poem:\nBonjour ! Tea for the team."
	strict, loose := checker.Check(rules, "Write a poem.", text)
	fmt.Println(strict, loose)
	fmt.Println(checker.Warnings(rules[2], "Bonjour !"))
	fmt.Println(checker.Verify("keywords:frequency", map[string]any{"keyword": "tea"}))
	// Output:
	// [false true false] [true true false]
	// [the language of the text is not clear: "fr" has 59 % of the probability]
	// keywords:frequency: the argument "frequency" is missing, or 0
}
