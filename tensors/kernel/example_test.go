package kernel_test

import (
	"fmt"

	"surgeon/tensors/kernel"
)

// Values are rounded to a stored type and widened back to be computed with.
func Example() {
	raw := make([]byte, 4)
	kernel.RoundBF16(raw, []float32{1.001, 3.14159})
	x := make([]float32, 2)
	kernel.WidenBF16(x, raw)
	fmt.Println(x)

	dst := make([]float32, 3) // a row of 2 values through a weight of shape [3, 2]
	kernel.Linear(dst, x, []float32{1, 0, 0, 1, 1, 1}, nil, 1, 2, 3)
	fmt.Println(dst, "the largest is", kernel.ArgMax(dst))
	// Output:
	// [1 3.140625]
	// [1 3.140625 4.140625] the largest is 2
}
