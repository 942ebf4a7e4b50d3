package decoder

import (
	"math"
	"testing"
)

// Llama 3.1's rotary embedding: heads of 128 channels, factor 8 over a context
// of 8192 tokens (its config.json).
var llama31 = RoPE{Theta: 500000, Scaling: "llama3", Factor: 8, LowFrequency: 1, HighFrequency: 4, OriginalContext: 8192}

// TestFrequencies compares with the formulas in float64. The code follows
// transformers in float32, which is within a few parts in 1e7 of them.
func TestFrequencies(t *testing.T) {
	check := func(name string, r RoPE, half int, want func(unscaled float64) float64) {
		t.Helper()
		got := r.frequencies(half)
		if len(got) != half {
			t.Fatalf("%s: %d frequencies, want %d", name, len(got), half)
		}
		for i, f := range got {
			w := want(math.Exp(-float64(i) / float64(half) * math.Log(r.Theta)))
			if !(math.Abs(float64(f)-w) <= 1e-6*w) {
				t.Errorf("%s: frequency %d is %g, want %g", name, i, f, w)
			}
		}
	}
	same := func(f float64) float64 { return f }
	check("unscaled", RoPE{Theta: 10000}, 32, same)
	check("default", RoPE{Theta: 1e6, Scaling: "default", Factor: 7}, 3, same)
	check("linear", RoPE{Theta: 10000, Scaling: "linear", Factor: 2.5}, 16, func(f float64) float64 { return f / 2.5 })
	// The ratio is the number of turns in the original context: more than 4
	// are kept, fewer than 1 divided by 8, and a line joins the two.
	kept, joined, divided := 0, 0, 0
	check("llama3", llama31, 64, func(f float64) float64 {
		switch turns := 8192 * f / (2 * math.Pi); {
		case turns > 4:
			kept++
			return f
		case turns < 1:
			divided++
			return f / 8
		default:
			joined++
			share := (turns - 1) / 3
			return share*f + (1-share)*f/8
		}
	})
	// log(8192/2pi / 4) / log(500000) * 64 = 28.2, and without the 4 it is 35.0
	// less a little: frequencies 0 to 28 are kept, 29 to 34 in the band.
	if kept != 29 || joined != 6 || divided != 29 {
		t.Errorf("llama3: %d frequencies kept, %d joined, %d divided: the test does not see all three", kept, joined, divided)
	}
}

// TestRotate checks the layout of the tables and each value.
func TestRotate(t *testing.T) {
	frequencies := RoPE{Theta: 10000}.frequencies(3)
	positions := []int32{0, 1, 511, 0, 8191}
	rotation := rotate(frequencies, positions)
	cos, sin := rotation.cos, rotation.sin
	if len(cos) != 15 || len(sin) != 15 {
		t.Fatalf("%d cosines and %d sines, want 5 positions times 3 pairs", len(cos), len(sin))
	}
	for r, p := range positions {
		for i, f := range frequencies {
			angle := float64(p) * float64(f)
			tolerance := 1e-7 + angle*0x1p-24 // the angle itself is rounded to float32
			if c, s := float64(cos[r*3+i]), float64(sin[r*3+i]); math.Abs(c-math.Cos(angle)) > tolerance || math.Abs(s-math.Sin(angle)) > tolerance {
				t.Errorf("position %d, pair %d: cos %g and sin %g of %g", p, i, c, s, angle)
			}
		}
	}
}
