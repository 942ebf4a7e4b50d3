package merge_test

import (
	"context"
	"fmt"
	"log"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// Half of a fine-tune is added to its base. Of the small change little is left
// after rounding to bf16, and the effective alpha shows it.
func Example() {
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	base.Add("model.norm.weight", tensors.BF16, []int{3}, []float32{1, 1, 1})
	tuned.Add("model.norm.weight", tensors.BF16, []int{3}, []float32{1, 1.0078125, 0.96875})

	diff, err := tensors.Diff(base, tuned)
	if err != nil {
		log.Fatal(err)
	}
	model, err := merge.Apply(base, merge.Term{Label: "chem", Delta: diff, Alpha: merge.Number(0.4)})
	if err != nil {
		log.Fatal(err)
	}
	values := make([]float32, 3)
	if err := model.Read(values, "model.norm.weight", 0); err != nil {
		log.Fatal(err)
	}
	alpha, err := model.EffectiveAlpha(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(values)
	fmt.Printf("alpha 0.4, effective %.3f\n", alpha)
	// Output:
	// [1 1 0.98828125]
	// alpha 0.4, effective 0.353
}
