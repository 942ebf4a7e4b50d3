package train

import (
	"math"

	"surgeon/probe/decoder/op"
	"surgeon/tensors/kernel"
)

// normBlock is the number of squares that are added up before the next sum.
const normBlock = 4096

// norm is the Euclidean norm of all gradients together: sums of float64 over
// blocks of each, added up in order.
func norm(parameters []*parameter) float64 {
	all := 0.0
	for _, p := range parameters {
		g := op.Floats(p.gradient.Value())
		sums := make([]float64, (len(g)+normBlock-1)/normBlock)
		kernel.Parallel(len(sums), func(low, high int) {
			for i := low; i < high; i++ {
				sum := 0.0
				for _, v := range g[i*normBlock : min((i+1)*normBlock, len(g))] {
					sum += float64(v) * float64(v)
				}
				sums[i] = sum
			}
		})
		all += total(sums)
	}
	return math.Sqrt(all)
}

// update makes step t, from 1, of AdamW (Loshchilov and Hutter, arXiv
// 1711.05101) with gradients g times scale, as torch.optim.AdamW computes it:
//
//	w *= 1 - rate*WeightDecay
//	m = Beta1*m + (1-Beta1)*g
//	v = Beta2*v + (1-Beta2)*g*g
//	w -= rate/(1-Beta1^t) * m / (sqrt(v)/sqrt(1-Beta2^t) + Epsilon)
//
// and, with L2SP, behind it (Li, Grandvalet and Davoine, arXiv 1802.01483,
// decoupled from the gradient)
//
//	w += min(1, rate*L2SP) * (before - w)
func (p *parameter) update(o Options, rate float64, scale float32, t int) {
	g := op.Floats(p.gradient.Value())
	step := kernel.AdamW{
		Scale: scale, Decay: 1,
		Beta1: float32(o.Beta1), Rest1: float32(1 - o.Beta1),
		Beta2: float32(o.Beta2), Rest2: float32(1 - o.Beta2),
		Size:    float32(rate / (1 - math.Pow(o.Beta1, float64(t)))),
		Root:    float32(math.Sqrt(1 - math.Pow(o.Beta2, float64(t)))),
		Epsilon: float32(o.Epsilon),
	}
	if p.decayed {
		step.Decay = float32(1 - rate*o.WeightDecay)
	}
	pull := float32(min(1, rate*o.L2SP))
	step.Update(p.values, p.first, p.second, g)
	for i, before := range p.before {
		p.values[i] += float32(pull * (before - p.values[i]))
	}
	p.version++
}
