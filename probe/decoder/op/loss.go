package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"surgeon/tensors/kernel"
)

// Loss is what rows of logits are held against. The first rows, one for each
// target, answer for the cross-entropy, the rows behind them, one for each row of
// the teacher, for the divergence from it.
type Loss struct {
	Targets []int32   // the token that follows
	Weights []float32 // of the rows' losses, for targets and teacher; 0 leaves a row out
	Teacher []float32 // logits of the teacher, [rows, vocabulary]; nil for none

	Rows []float64 // set by CrossEntropy: the weighted losses of the rows, nats
}

// CrossEntropy: logits [rows, vocabulary] -> the scalar
//
//	sum over rows with a target of weight * (-log softmax(logits)[target])
//	+ sum over rows with a teacher of weight * KL(softmax(teacher) || softmax(logits))
//
// in nats, with targets, teacher and weights as the Pass has them. (The
// divergence from the model before is the regulariser of Li and Hoiem, Learning
// without Forgetting, arXiv 1606.09282.) The gradient of a row is weight *
// (softmax(logits) - what it is held against).
func CrossEntropy(name string, pass *Pass) *Op {
	var dlogits []float32
	return &Op{
		Name: name, inputs: []int{2}, dims: 0,
		shape: func([]tensor.Shape) tensor.Shape { return tensor.ScalarShape() },
		do: func(dst []float32, in []gorgonia.Value) {
			l, logits, width := &pass.Loss, Floats(in[0]), in[0].Shape()[1]
			dlogits = resize(dlogits, len(logits))
			if len(l.Rows) != len(l.Weights) {
				l.Rows = make([]float64, len(l.Weights))
			}
			n := len(l.Targets)
			kernel.CrossEntropy(l.Rows[:n], dlogits[:n*width], logits[:n*width], l.Targets, l.Weights[:n])
			kernel.Divergence(l.Rows[n:], dlogits[n*width:], logits[n*width:], l.Teacher, l.Weights[n:])
			total := 0.0
			for _, v := range l.Rows {
				total += v
			}
			dst[0] = float32(total)
		},
		gradient: func(in gorgonia.Nodes, out, of *gorgonia.Node) (gorgonia.Nodes, error) {
			back := &Op{
				Name: name + " to logits", inputs: []int{0, 0, 2}, dims: 2,
				shape: func(in []tensor.Shape) tensor.Shape { return in[2].Clone() },
				left:  func() []float32 { return dlogits },
				do: func(dst []float32, in []gorgonia.Value) {
					by := in[0].Data().(float32)
					if by == 1 {
						return
					}
					kernel.Parallel(len(dst), func(low, high int) {
						for i := low; i < high; i++ {
							dst[i] *= by
						}
					})
				},
			}
			return apply(term{true, back, gorgonia.Nodes{of, out, in[0]}})
		},
	}
}
