package drift_test

import (
	"context"
	"fmt"
	"log"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/tensorstest"
)

// The drift of a fine-tune, layer by layer.
func Example() {
	base := tensorstest.Pico{Seed: 7}.Weights()
	chem := tensorstest.Pico{Seed: 7, Drift: 0.05}.Weights()
	diff, err := tensors.Diff(base, chem)
	if err != nil {
		log.Fatal(err)
	}
	report, err := drift.Measure(context.Background(), base, diff, drift.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range append(report.Layers, report.Total) {
		fmt.Printf("%-5s %2d tensors %6d weights  drift %.3f  1-cos %.5f\n", row.Name, row.Tensors, row.N, row.Relative(), row.OneMinusCosine())
	}
	// Output:
	// embed  1 tensors  15360 weights  drift 0.050  1-cos 0.00125
	// 0      9 tensors  20832 weights  drift 0.045  1-cos 0.00103
	// 1      9 tensors  20832 weights  drift 0.090  1-cos 0.00406
	// norm   1 tensors     48 weights  drift 0.009  1-cos 0.00004
	// total 20 tensors  57072 weights  drift 0.066  1-cos 0.00214
}
