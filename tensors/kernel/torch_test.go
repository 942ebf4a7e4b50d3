package kernel_test

import (
	"math"
	"testing"

	"surgeon/tensors/kernel"
)

// wave is what the numbers of PyTorch are of: height * sin(i*step), rounded.
func wave(n int, step, height float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(height) * float32(math.Sin(float64(i)*step))
	}
	return x
}

// TestTorch compares with what autograd of PyTorch 2.15 gives in float64, for
// scaled_dot_product_attention (causal, enable_gqa) on two sequences, rms_norm,
// silu(gate)*up, cross_entropy and kl_div of log_softmax (log_target).
func TestTorch(t *testing.T) {
	q, k, v, gradient := wave(144, 1.1, 1), wave(72, 1.7, 1), wave(72, 2.3, 1), wave(144, 2.9, 1)
	dq, dk, dv := dirty(144), dirty(72), dirty(72)
	kernel.AttentionGradient(dq, dk, dv, gradient, q, k, v, []kernel.Segment{{0, 4, -1}, {4, 9, -1}}, kernel.Heads{Query: 4, KV: 2, Dim: 4})
	near(t, "dq of row 8, head 3", dq[140:], []float64{0.169400059, -0.124138388, -0.137410965, 0.159547682})
	near(t, "dk of row 5, head 1", dk[44:48], []float64{-0.0139793789, -0.00890330246, 0.00590237317, 0.0142578877})
	near(t, "dv of row 5, head 1", dv[44:48], []float64{-0.344520154, 0.129498442, 0.093044969, -0.310184042})

	dx, dweight := dirty(10), dirty(5)
	kernel.RMSNormGradient(dx, dweight, wave(10, 2.9, 1), wave(10, 1.1, 1), wave(5, 1.7, 1), 1e-2, 2)
	near(t, "dx of RMSNorm", dx, []float64{0, -0.0761908417, -0.207606037, -0.806993398, -0.138530135, -0.116773484, -1.44171756, -0.221292407, 1.41024676, 0.541405989})
	near(t, "dweight of RMSNorm", dweight, []float64{-1.00060098, -0.16317282, 0.94917544, -0.97987742, 0.552106792})

	dgate, dup := dirty(6), dirty(6)
	kernel.SwiGLUGradient(dgate, dup, wave(6, 2.9, 1), wave(6, 1.1, 5), wave(6, 1.7, 1))
	near(t, "dgate", dgate, []float64{0, 0.246525068, 0.124813519, -0.0877749297, 0.0128617568, -0.0516980503})
	near(t, "dup", dup, []float64{0, 1.05387016, -1.84574592, -0.163376641, 0.0333154438, -0.0941067829})

	loss, dlogits := make([]float64, 2), dirty(10)
	check := func(what string, losses, slopes []float64) {
		t.Helper()
		for r, want := range losses {
			if math.Abs(loss[r]-want) > 1e-6 {
				t.Errorf("%s of row %d is %v, want %v", what, r, loss[r], want)
			}
		}
		near(t, what, dlogits, slopes)
	}
	kernel.CrossEntropy(loss, dlogits, wave(10, 1.1, 3), []int32{4, 1}, []float32{0.5, 2})
	check("CrossEntropy", []float64{3.08414475, 4.80138333}, []float64{0.018194603, 0.263682874, 0.205740199, 0.0113349168, -0.498952592, 0.0085759837, -1.81868954, 1.38034872, 0.41171785, 0.0180469918})
	kernel.Divergence(loss, dlogits, wave(10, 1.1, 3), wave(10, 1.7, 3), []float32{0.5, 2})
	check("Divergence", []float64{0.495000586, 4.91069672}, []float64{-0.00139823583, -0.120131317, 0.196637774, 0.0101162957, -0.0852245175, -0.783599545, 0.172466827, 1.3690475, -0.538609968, -0.219304816})
}
