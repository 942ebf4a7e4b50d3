package kernel

// SwiGLUGradient is the gradient of SwiGLU by its gate and its up (Shazeer, arXiv
// 2002.05202; the derivative of x*sigmoid(x) as in Ramachandran et al., arXiv
// 1710.05941): with s = 1 / (1 + exp(-gate[i])) and the gradient of a loss by the
// result,
//
//	dgate[i] = gradient[i] * up[i] * s * (1 + gate[i]*(1-s))
//	dup[i]   = gradient[i] * gate[i] * s
//
// in float32, all of one length. dgate and dup are none of the others.
func SwiGLUGradient(dgate, dup, gradient, gate, up []float32) {
	check("dup of SwiGLUGradient", len(dup), len(dgate))
	check("gradient of SwiGLUGradient", len(gradient), len(dgate))
	check("gate of SwiGLUGradient", len(gate), len(dgate))
	check("up of SwiGLUGradient", len(up), len(dgate))
	Parallel(len(dgate), func(low, high int) {
		swigluGradient(dgate[low:high], dup[low:high], gradient[low:high], gate[low:high], up[low:high])
	})
}

func swigluGradientPlain(dgate, dup, gradient, gate, up []float32) {
	for i, g := range gate {
		s := 1 / (1 + exp(-g))
		dup[i] = float32(g*s) * gradient[i]
		dgate[i] = float32(float32(float32(g*(1-s))+1)*s) * float32(gradient[i]*up[i])
	}
}
