package language_test

import (
	"fmt"

	"surgeon/probe/task/language"
)

// A sentence is enough to be certain, a greeting is not: langdetect calls it
// French in two calls of three.
func Example() {
	detector := language.New()
	for _, text := range []string{"Le jardin derrière la maison était abandonné depuis des années.", "Bonjour !", "2 + 2 = 4"} {
		result, err := detector.Deterministic(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s %.1f, ambiguous: %v\n", result.Language, result.Share, result.Ambiguous)
	}
	// Output:
	// fr 1.0, ambiguous: false
	// fr 0.6, ambiguous: true
	// language: the text has no features: it needs letters, not all of them capitals in a row
}
