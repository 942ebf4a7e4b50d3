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

// A base and a tuned model answer 1200 questions; the tuned model loses 60 of
// them and gains 30. Two points were set as the largest loss that does not
// matter.
func ExampleCompare() {
	base, tuned := stat.Table{Seeds: []int64{0}}, stat.Table{Seeds: []int64{0}}
	for i := range 1200 {
		before, after := 1.0, 1.0
		switch {
		case i < 60:
			after = 0
		case i < 90:
			before = 0
		case i < 500:
			before, after = 0, 0
		}
		base.Items, base.Scores = append(base.Items, fmt.Sprint(i)), append(base.Scores, before)
		tuned.Items, tuned.Scores = append(tuned.Items, fmt.Sprint(i)), append(tuned.Scores, after)
	}
	d, err := stat.Compare(base, tuned, stat.Options{Margin: 0.02, Chance: 0.25})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.3f to %.3f: %+.4f (%+.4f to %+.4f), p = %.4f\n", d.Base, d.Tuned, d.Difference, d.Low, d.High, d.P)
	fmt.Printf("%d lost, %d gained; %.1f points could have been seen\n", d.Lost, d.Gained, 100*d.Detectable)
	fmt.Println(d.Verdict)
	// Output:
	// 0.633 to 0.608: -0.0250 (-0.0411 to -0.0097), p = 0.0021
	// 60 lost, 30 gained; 2.2 points could have been seen
	// REGRESSED
}
