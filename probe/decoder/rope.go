package decoder

import "math"

// frequencies returns the angle per position of each channel pair, radians,
// [half]. It follows transformers' modeling_rope_utils step by step in
// float32; llama3 scaling is Meta's (Llama 3.1, "apply_scaling").
func (r RoPE) frequencies(half int) []float32 {
	out := make([]float32, half)
	for i := range out {
		exponent := float64(float32(2*i) / float32(2*half))
		f := 1 / float32(math.Pow(r.Theta, exponent))
		switch r.Scaling {
		case "linear":
			f /= float32(r.Factor)
		case "llama3":
			f = r.llama3(f)
		}
		out[i] = f
	}
	return out
}

// llama3 keeps high frequencies, divides low ones by the factor, and
// interpolates between the two in a band of wavelengths.
func (r RoPE) llama3(f float32) float32 {
	factor, context := float32(r.Factor), float32(r.OriginalContext)
	low, high := float32(r.LowFrequency), float32(r.HighFrequency)
	wavelength := float32(2*math.Pi) / f
	switch {
	case wavelength < context/high:
		return f
	case wavelength > context/low:
		return f / factor
	}
	smooth := (context/wavelength - low) / (high - low)
	return float32((1-smooth)*f)/factor + float32(smooth*f)
}

// angles returns cos and sin of position times frequency, [positions, half].
func angles(frequencies []float32, positions []int32) (cos, sin []float32) {
	half := len(frequencies)
	cos, sin = make([]float32, len(positions)*half), make([]float32, len(positions)*half)
	for r, p := range positions {
		for i, f := range frequencies {
			angle := float64(float32(p) * f)
			cos[r*half+i], sin[r*half+i] = float32(math.Cos(angle)), float32(math.Sin(angle))
		}
	}
	return cos, sin
}
