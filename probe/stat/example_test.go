package stat_test

import (
	"fmt"

	"surgeon/probe/stat"
)

// Two models answer the same twelve questions; the second mends three answers
// and breaks one.
func Example() {
	items := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
	base := stat.Sample{Items: items, Scores: []float64{1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0}}
	candidate := stat.Sample{Items: items, Scores: []float64{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0}}

	mean, err := stat.Mean(base, 0.95)
	if err != nil {
		panic(err)
	}
	fmt.Printf("base %.3f (%.3f to %.3f)\n", mean.Mean, mean.Low, mean.High)

	change, err := stat.Paired(base, candidate, 0.95)
	if err != nil {
		panic(err)
	}
	fmt.Printf("change %+.3f (%+.3f to %+.3f), p = %.3f\n", change.Difference, change.Low, change.High, change.P)
	fmt.Printf("%d better, %d worse, %d same\n", change.Better, change.Worse, change.Same)
	fmt.Println(change.Warnings)
	// Output:
	// base 0.583 (0.320 to 0.807)
	// change +0.167 (-0.200 to +0.533), p = 0.625
	// 3 better, 1 worse, 8 same
	// [only 4 of 12 items changed, so p cannot fall below 0.05: at least 6 must change]
}
