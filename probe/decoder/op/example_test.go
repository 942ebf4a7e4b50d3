package op_test

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"surgeon/probe/decoder/op"
)

// The loss of two rows of logits, each held against its token, and its gradient.
// The second row has twice the weight.
func Example() {
	pass := &op.Pass{Loss: op.Loss{Targets: []int32{0, 2}, Weights: []float32{1, 2}}}
	g := gorgonia.NewGraph()
	logits := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(2, 3), gorgonia.WithName("logits"),
		gorgonia.WithValue(tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float32{0, 0, 0, 1, 0, 0}))))
	loss := gorgonia.Must(gorgonia.ApplyOp(op.CrossEntropy("loss", pass), logits))
	gradients, err := gorgonia.Grad(loss, logits)
	if err != nil {
		fmt.Println(err)
		return
	}
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f nats, %.3f of them in the second row\n", loss.Value().Data(), pass.Loss.Rows[1])
	fmt.Printf("%.3f\n", op.Floats(gradients[0].Value()))
	// Output:
	// 4.202 nats, 3.103 of them in the second row
	// [-0.667 0.333 0.333 1.152 0.424 -1.576]
}
