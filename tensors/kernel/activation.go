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

// GeGLU is the gated activation of Shazeer (arXiv 2002.05202) with the
// approximation of GELU by tanh (Hendrycks and Gimpel, arXiv 1606.08415):
//
//	dst[i] = gate[i]/2 * (1 + tanh(sqrt(2/pi) * (gate[i] + 0.044715*gate[i]^3))) * up[i]
//
// in float32, all three of one length. dst is neither of the others.
func GeGLU(dst, gate, up []float32) {
	check("gate of GeGLU", len(gate), len(dst))
	check("up of GeGLU", len(up), len(dst))
	Parallel(len(dst), func(low, high int) { geglu(dst[low:high], gate[low:high], up[low:high]) })
}

// geglu takes (1+tanh(u))/2 as 1/(1+exp(-2u)).
func geglu(dst, gate, up []float32) {
	const slope, cubic = -2 * 0.7978845608028654, -2 * 0.7978845608028654 * 0.044715
	for i, g := range gate {
		dst[i] = float32(g * (float32(cubic*float32(g*g)) + slope))
	}
	exponentials(dst, 0)
	for i, g := range gate {
		dst[i] = float32(g/(1+dst[i])) * up[i]
	}
}

// Softcap bounds values smoothly (Bello et al., arXiv 1611.09940):
//
//	values[i] = cap * tanh(values[i] / cap)
//
// in float32. cap is positive.
func Softcap(values []float32, cap float32) {
	Parallel(len(values), func(low, high int) { softcap(values[low:high], cap) })
}

// softcap takes tanh(u) as 1 - 2/(1+exp(2u)), from the positive side, where it
// is most exact.
func softcap(values []float32, cap float32) {
	var chunk [256]float32
	for start := 0; start < len(values); start += len(chunk) {
		part := values[start:min(start+len(chunk), len(values))]
		e := chunk[:len(part)]
		for i, v := range part {
			e[i] = float32(abs(v)*2) / cap
		}
		exponentials(e, 0)
		for i, v := range part {
			bounded := float32(cap * (1 - float32(2/(1+e[i]))))
			part[i] = float32(math.Copysign(float64(bounded), float64(v)))
		}
	}
}

func abs(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ (1 << 31)) }
