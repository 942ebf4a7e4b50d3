package train_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/probe/train"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestWeights keep the contract of a Source in every type that they can be stored
// in, and rounding is that of package tensors.
func TestWeights(t *testing.T) {
	r := begun(t, tiny, tinyBase(), allData(), ways["LoRA, KL"])
	stepped(t, r, 2)
	for _, w := range []*train.Weights{tinyBase(), r.Weights(), r.Adapter()} {
		for _, d := range []tensors.DType{tensors.F32, tensors.BF16, tensors.F16} {
			stored := w.As(func(string) tensors.DType { return d })
			tensorstest.TestSource(t, stored)
			for _, name := range w.Names() {
				exact := values(t, w, name)
				want, got := make([]byte, len(exact)*d.Size()), []byte(nil)
				tensors.Round(want, exact, d)
				got, err := tensors.Raw(stored, name)
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("%s as %s has other bytes than its values rounded: %v", name, d, err)
				}
			}
		}
		tensorstest.TestSource(t, w.As(func(name string) tensors.DType {
			if strings.Contains(name, "norm") {
				return tensors.F32
			}
			return tensors.BF16
		}))
	}
}

// TestWeightsAreTheRuns: further steps change them.
func TestWeightsAreTheRuns(t *testing.T) {
	r := begun(t, tiny, tinyBase(), allData(), ways["full"])
	w := r.Weights()
	before := values(t, w, "model.norm.weight")
	stepped(t, r, 1)
	if slices.Equal(values(t, w, "model.norm.weight"), before) {
		t.Error("the weights stay those of the step before")
	}
}

// TestInitialise: norms are 1, biases 0, matrices have the deviation that was
// asked for, smaller where they write into the residual stream, within four standard
// errors; the same seed gives the same bits, another one others.
func TestInitialise(t *testing.T) {
	c := embedded
	c.QKVBias, c.QKNorm, c.Tied = true, decoder.EachHead, false
	w, again, other := train.Initialise(c, 0.05, 9), train.Initialise(c, 0.05, 9), train.Initialise(c, 0.05, 10)
	names := map[string]bool{}
	for _, tensor := range c.Tensors() {
		names[tensor.Name] = true
		v := values(t, w, tensor.Name)
		if !slices.Equal(v, values(t, again, tensor.Name)) {
			t.Errorf("%s: the same seed gives other values", tensor.Name)
		}
		if len(tensor.Shape) == 1 {
			want := float32(1)
			if strings.HasSuffix(tensor.Name, ".bias") {
				want = 0
			}
			if slices.ContainsFunc(v, func(x float32) bool { return x != want }) {
				t.Errorf("%s: not all values are %g", tensor.Name, want)
			}
			continue
		}
		if slices.Equal(v, values(t, other, tensor.Name)) {
			t.Errorf("%s: another seed gives the same values", tensor.Name)
		}
		mean, square, n := 0.0, 0.0, float64(len(v))
		for _, x := range v {
			mean, square = mean+float64(x)/n, square+float64(x)*float64(x)/n
		}
		want := 0.05
		if strings.HasSuffix(tensor.Name, "o_proj.weight") || strings.HasSuffix(tensor.Name, "down_proj.weight") {
			want /= math.Sqrt(2 * 4)
		}
		if math.Abs(mean) > 4*want/math.Sqrt(n) {
			t.Errorf("%s: mean %g of %g values of deviation %g", tensor.Name, mean, n, want)
		}
		if got := math.Sqrt(square); math.Abs(got-want) > 4*want/math.Sqrt(2*n) {
			t.Errorf("%s: deviation %g, want %g", tensor.Name, got, want)
		}
	}
	if got := w.Names(); len(got) != len(names) || !slices.IsSorted(got) {
		t.Errorf("%d tensors, want %d", len(got), len(names))
	}
	if a, b := values(t, w, "model.layers.0.self_attn.q_proj.weight"), values(t, w, "model.layers.1.self_attn.q_proj.weight"); slices.Equal(a, b) {
		t.Error("two layers begin alike")
	}
	// What was written with this version is drawn again by others.
	got := values(t, train.Initialise(tiny, 1, 0), "model.embed_tokens.weight")[:3]
	if want := []float32{-0.9914858, 0.5517294, -1.766327}; !slices.Equal(got, want) {
		t.Errorf("the first values of seed 0 are %v, want %v", got, want)
	}
}
