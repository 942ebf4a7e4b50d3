package drift_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/tensorstest"
)

// finetune is a pair of models of three square matrices of normal values. The
// change is a sum of outer products whose sizes fall as decay^i, scaled to a
// relative drift, and rounded with the sum to the stored type.
func finetune(d tensors.DType, side, rank int, decay, relative float64) (base, tuned *tensorstest.Memory) {
	base, tuned = tensorstest.NewMemory(), tensorstest.NewMemory()
	for layer := range 3 {
		name := fmt.Sprintf("model.layers.%d.self_attn.q_proj.weight", layer)
		draw := tensorstest.NewRandom(11, name)
		w, change := make([]float32, side*side), make([]float64, side*side)
		for i := range w {
			w[i] = draw.Normal(i)
		}
		var norm2 float64
		at := len(w)
		for t := range rank {
			size := math.Pow(decay, float64(t))
			for i := range change {
				change[i] += size * float64(draw.Normal(at+i/side)*draw.Normal(at+side+i%side))
			}
			at += 2 * side
		}
		for _, v := range change {
			norm2 += v * v
		}
		base.Add(name, d, []int{side, side}, w)
		if err := base.Read(w, name, 0); err != nil { // as stored
			panic(err)
		}
		for i, v := range change {
			w[i] += float32(relative * float64(side) / math.Sqrt(norm2) * v)
		}
		tuned.Add(name, d, []int{side, side}, w)
	}
	return base, tuned
}

// TestRounded: the rank of a merged LoRA is found under the rounding of the
// stored type, and full-rank training is not taken for one. Rounding to nearest
// leaves noise of 0.16 % of bfloat16 weights, by which the energy of rank 8
// falls to 0.91 of a drift of 0.5 %, and to 0.71 of one of 0.2 %.
func TestRounded(t *testing.T) {
	check := func(d tensors.DType, rank, k int, decay, relative float64, want string) {
		t.Helper()
		t.Run(fmt.Sprintf("%s, rank %d, %v %%, k %d", d, rank, 100*relative, k), func(t *testing.T) {
			base, tuned := finetune(d, 128, rank, decay, relative)
			difference := diff(t, base, tuned)
			list := spectra(t, base, difference, k)
			got := drift.Read(measureDelta(t, base, difference, drift.Options{}), list)
			if without, unwanted := strings.CutPrefix(want, "!"); strings.Contains(got.Recipe, without) == unwanted {
				t.Errorf("%q; %q; want %q. Energies %v, residual %v", got.Recipe, got.Shape, want, list[0].Energies, list[0].Residual)
			}
		})
	}
	check(tensors.BF16, 8, 32, 0.8, 0.03, "LoRA of rank 8")
	check(tensors.BF16, 8, 32, 0.8, 0.01, "LoRA of rank 8")
	check(tensors.F16, 8, 32, 0.8, 0.01, "LoRA of rank 8")
	check(tensors.BF16, 8, 32, 0.8, 0.003, "LoRA of rank 8")
	check(tensors.BF16, 8, 32, 0.8, 0.002, "LoRA of rank") // some of its directions are below the noise
	check(tensors.BF16, 16, 32, 0.8, 0.02, "LoRA of rank 16")
	check(tensors.F32, 16, 32, 0.8, 0.01, "LoRA of rank 16")
	check(tensors.BF16, 128, 16, 1, 0.01, "rank above 16, or training") // an eighth of all directions hold half
	check(tensors.BF16, 128, 16, 1, 0.001, "!LoRA of rank")
	check(tensors.BF16, 128, 48, 0.96, 0.01, "rank above 48, or training")
}
