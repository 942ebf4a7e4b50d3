package kernel

import "math"

// AdamW is the numbers of one step of AdamW, the same for every weight.
type AdamW struct {
	Scale        float32 // of the gradient, by which it is clipped
	Decay        float32 // of the weight
	Beta1, Rest1 float32 // of the first moment and of the gradient: Rest1 = 1 - Beta1
	Beta2, Rest2 float32 // of the second moment and of the gradient's square
	Size         float32 // the learning rate / (1 - Beta1^t)
	Root         float32 // sqrt(1 - Beta2^t)
	Epsilon      float32
}

// Update makes a step (Loshchilov and Hutter, arXiv 1711.05101, as
// torch.optim.AdamW computes it) of weights with their first and second moments
// and gradients, all of one length:
//
//	g = Scale*gradient[i]
//	first[i]  = Beta1*first[i] + Rest1*g
//	second[i] = Beta2*second[i] + Rest2*g*g
//	weight[i] = Decay*weight[i] - Size*first[i] / (sqrt(second[i])/Root + Epsilon)
//
// in float32, every operation rounded.
func (a AdamW) Update(weight, first, second, gradient []float32) {
	check("first moments of AdamW", len(first), len(weight))
	check("second moments of AdamW", len(second), len(weight))
	check("gradient of AdamW", len(gradient), len(weight))
	Parallel(len(weight), func(low, high int) {
		a.update(weight[low:high], first[low:high], second[low:high], gradient[low:high])
	})
}

func (a *AdamW) updatePlain(weight, first, second, gradient []float32) {
	for i, g := range gradient {
		g *= a.Scale
		m := float32(a.Beta1*first[i]) + float32(a.Rest1*g)
		v := float32(a.Beta2*second[i]) + float32(a.Rest2*float32(g*g))
		first[i], second[i] = m, v
		root := float32(math.Sqrt(float64(v))) / a.Root
		weight[i] = float32(weight[i]*a.Decay) - float32(a.Size*m)/(root+a.Epsilon)
	}
}
