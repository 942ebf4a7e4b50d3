package decoder

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestDraw counts 20,000 draws: the shares are the softmax's over what
// temperature, top_k and top_p leave.
func TestDraw(t *testing.T) {
	logits := []float32{0, 2, 1, -1, 2}
	softmax := func(temperature float64, tokens ...int) []float64 {
		want, sum := make([]float64, len(logits)), 0.0
		for _, i := range tokens {
			want[i] = math.Exp(float64(logits[i]) / temperature)
			sum += want[i]
		}
		for i := range want {
			want[i] /= sum
		}
		return want
	}
	for _, c := range []struct {
		s    Sampling
		want []float64
	}{
		{Sampling{}, []float64{0, 1, 0, 0, 0}}, // the lowest among equals
		{Sampling{Temperature: 1}, softmax(1, 0, 1, 2, 3, 4)},
		{Sampling{Temperature: 0.5, Seed: 7}, softmax(0.5, 0, 1, 2, 3, 4)},
		{Sampling{Temperature: 2, TopK: 3}, softmax(2, 1, 2, 4)},
		{Sampling{Temperature: 1, TopK: 100, TopP: 1}, softmax(1, 0, 1, 2, 3, 4)},
		{Sampling{Temperature: 1, TopP: 0.5}, softmax(1, 1, 4)}, // 0.386 is too little
		{Sampling{Temperature: 1, TopP: 0.01}, softmax(1, 1)},
		{Sampling{Temperature: 1, TopK: 3, TopP: 0.9}, softmax(1, 1, 2, 4)}, // of the three, two are 0.84
		{Sampling{Temperature: 1e-9}, softmax(1, 1, 4)},
	} {
		const n = 20000
		counts := make([]float64, len(logits))
		for i := range n {
			counts[c.s.draw(logits, i)]++
		}
		for token, want := range c.want {
			if se := math.Sqrt(want * (1 - want) / n); math.Abs(counts[token]/n-want) > 4*se+1e-9 {
				t.Errorf("%+v: token %d is drawn in %g of all cases, want %g", c.s, token, counts[token]/n, want)
			}
		}
	}
}

// TestDrawSeeded: a seed and a number decide, and other seeds decide otherwise.
func TestDrawSeeded(t *testing.T) {
	logits := make([]float32, 1000)
	differ := 0
	for number := range 100 {
		a, b := Sampling{Temperature: 1, Seed: 1}, Sampling{Temperature: 1, Seed: 2}
		if again := a.draw(logits, number); again != a.draw(logits, number) {
			t.Fatalf("number %d is drawn in two ways", number)
		}
		if a.draw(logits, number) != b.draw(logits, number) {
			differ++
		}
	}
	if differ < 95 {
		t.Errorf("two seeds agree on %d of 100 draws among 1000 tokens", 100-differ)
	}
}

// TestHighest lists what a stable sort would have first, equals among them.
func TestHighest(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 60; n += 7 {
		logits := make([]float32, n)
		for i := range logits {
			logits[i] = float32(random.IntN(10)) // many equals
		}
		all := Sampling{Temperature: 1, TopP: 0.5}.likely(logits, 9)
		for k := 1; k <= n; k++ {
			if got := highest(logits, k); !slices.Equal(got, all[:k]) {
				t.Fatalf("the %d highest of %v are %v, want %v", k, logits, got, all[:k])
			}
		}
	}
}
