package spectrum_test

import (
	"context"
	"fmt"
	"log"

	"surgeon/tensors/drift/spectrum"
)

// A weight and its fine-tune: a new output direction that is stronger than
// any the base had.
func Example() {
	weight := func(tuned bool) spectrum.Matrix {
		return spectrum.Matrix{Rows: 400, Columns: 200, Read: func(dst []float32, row, n int) error {
			clear(dst)
			for r := range n {
				switch at := row + r; {
				case tuned && at == 300:
					dst[r*200+199] = 50
				case at < 200:
					dst[r*200+at] = 40 / float32(1+at)
				}
			}
			return nil
		}}
	}
	ctx, opt := context.Background(), spectrum.Options{Rank: 16}
	base, err := spectrum.Decompose(ctx, weight(false), opt)
	if err != nil {
		log.Fatal(err)
	}
	tuned, err := spectrum.Decompose(ctx, weight(true), opt)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("base   s1 %.1f, stable rank %.2f, energy of 4 %.3f, left over %.3f\n", base.S[0], base.StableRank(), base.Energy(4), base.Residual)
	fmt.Printf("tuned  s1 %.1f, stable rank %.2f\n", tuned.S[0], tuned.StableRank())
	fmt.Printf("of the first 10 left directions %.0f%% are kept, %d new\n", 100*spectrum.Overlap(base, tuned, 10), spectrum.Intruders(base, tuned, 10, 0.5))
	// Output:
	// base   s1 40.0, stable rank 1.64, energy of 4 0.868, left over 0.184
	// tuned  s1 50.0, stable rank 2.05
	// of the first 10 left directions 90% are kept, 1 new
}
