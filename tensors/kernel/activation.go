package kernel

import "math"

// SwiGLU is the gated activation of Shazeer (arXiv 2002.05202):
//
//	dst[i] = gate[i] / (1 + exp(-gate[i])) * up[i]
//
// in float32, all three of one length.
func SwiGLU(dst, gate, up []float32) {
	check("gate of SwiGLU", len(gate), len(dst))
	check("up of SwiGLU", len(up), len(dst))
	Parallel(len(dst), func(low, high int) { swiglu(dst[low:high], gate[low:high], up[low:high]) })
}

func swigluPlain(dst, gate, up []float32) {
	for i, g := range gate {
		dst[i] = float32(g/(1+exp(-g))) * up[i]
	}
}

// exponentialsPlain puts exp(x - shift) in the place of each x.
func exponentialsPlain(values []float32, shift float32) {
	for i, x := range values {
		values[i] = exp(x - shift)
	}
}

// exp is e^x in float32, to about one unit in the last place, by the method and
// the constants of Cephes' expf (Moshier, 1989): x is a multiple n of ln 2,
// taken off in two steps, and a rest, whose exponential is a polynomial. It is
// 1.2e-38 from -87.33 downwards, infinite from 88.38 upwards, and NaN of NaN.
// The assembly takes the same steps.
func exp(x float32) float32 {
	if x > 88.8 {
		x = 88.8
	}
	if x < -87.33 {
		x = -87.33
	}
	n := float32(math.RoundToEven(float64(float32(x * 1.44269504088896341))))
	x = fma(n, -0.693359375, x)
	x = fma(n, 2.12194440e-4, x)
	y := float32(1.9875691500e-4)
	for _, c := range [...]float32{1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		y = fma(y, x, c)
	}
	y = fma(y, float32(x*x), x) + 1
	return y * math.Float32frombits(uint32(int32(n)+127)<<23)
}
