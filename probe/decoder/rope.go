package decoder

import (
	"fmt"
	"math"
)

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

// rotation is the cosine and sine of the angle of each channel pair, [rows,
// half]. The zero value turns nothing.
type rotation struct{ cos, sin []float32 }

// rotate returns the rotation at positions: each times each frequency.
func rotate(frequencies []float32, positions []int32) rotation {
	half := len(frequencies)
	r := rotation{make([]float32, len(positions)*half), make([]float32, len(positions)*half)}
	rows := map[int32]int{} // the first at each position
	for row, p := range positions {
		if first, ok := rows[p]; ok {
			copy(r.cos[row*half:(row+1)*half], r.cos[first*half:])
			copy(r.sin[row*half:(row+1)*half], r.sin[first*half:])
			continue
		}
		rows[p] = row
		for i, f := range frequencies {
			angle := float64(float32(p) * f)
			r.cos[row*half+i], r.sin[row*half+i] = float32(math.Cos(angle)), float32(math.Sin(angle))
		}
	}
	return r
}

// Rotate returns cosine and sine of the angle of each channel pair of a layer at
// positions, [positions, half] each; both are empty where the layer has no
// rotation.
func (c Config) Rotate(layer int, positions []int32) (cos, sin []float32) {
	r := c.layer(layer).RoPE
	if r.Theta == 0 {
		return nil, nil
	}
	rotated := rotate(r.frequencies(c.rotary(r)/2), positions)
	return rotated.cos, rotated.sin
}

// rotations are those of a batch, by what layers may ask for.
func (c Config) rotations(positions []int32) map[RoPE]rotation {
	all := map[RoPE]rotation{{}: {}}
	for i := range c.Layers {
		if r := c.layer(i).RoPE; all[r].cos == nil && r.Theta != 0 {
			all[r] = rotate(r.frequencies(c.rotary(r)/2), positions)
		}
	}
	return all
}

func (r RoPE) check() error {
	switch {
	case !(r.Theta > 0):
		return fmt.Errorf("rope_theta is %g: it must be positive", r.Theta)
	case r.Scaling == "" || r.Scaling == "default":
		return nil
	case r.Scaling != "linear" && r.Scaling != "llama3":
		return fmt.Errorf(`rope_type %q is not supported: surgeon runs "default", "linear" and "llama3"`, r.Scaling)
	case !(r.Factor > 0):
		return fmt.Errorf("factor of %s scaling is %g: it must be positive", r.Scaling, r.Factor)
	case r.Scaling == "llama3" && !(r.HighFrequency > r.LowFrequency && r.LowFrequency > 0 && r.OriginalContext > 0):
		return fmt.Errorf("llama3 scaling needs 0 < low_freq_factor < high_freq_factor and original_max_position_embeddings")
	}
	return nil
}
