package activation_test

import (
	"math"
	"slices"
	"sync"
	"testing"

	"surgeon/probe/activation"
	"surgeon/tensors/tensorstest"
)

const queries, downs = "model.layers.1.self_attn.q_proj.weight", "model.layers.0.mlp.down_proj.weight"

// normal is a weight [rows, width].
func normal(rows, width int) []float32 {
	random, list := tensorstest.NewRandom(9, "weight"), make([]float32, rows*width)
	for i := range list {
		list[i] = random.Normal(i)
	}
	return list
}

func wide(list []float32) (w []float64) {
	for _, v := range list {
		w = append(w, float64(v))
	}
	return w
}

// TestWeightedNorm is held against outputs: the root of the mean of |W x|^2 over
// tokens.
func TestWeightedNorm(t *testing.T) {
	made := tensorstest.Pico{Seed: 5}
	c := config(t, made)
	prompts := drawn(7, c.Vocabulary, 20, 6, 500)
	g, seen := collect(t, c, made.Weights(), prompts, activation.Options{}), inputs(t, c, made.Weights(), prompts)
	for name, width := range map[string]int{queries: 48, downs: 96} {
		for _, rows := range []int{1, 7, 300} {
			w := normal(rows, width)
			want := math.Sqrt(outputs(wide(w), seen[name]))
			near(t, name, g.WeightedNorm(name, w), want, 3e-6*want)
			for i := range w {
				w[i] *= -8
			}
			near(t, name+" times -8", g.WeightedNorm(name, w), 8*want, 3e-6*8*want)
		}
		if v := g.WeightedNorm(name, make([]float32, 3*width)); v != 0 {
			t.Errorf("%s: nothing has a norm of %v", name, v)
		}
		if v := g.WeightedNorm(name, nil); v != 0 {
			t.Errorf("%s: no rows have a norm of %v", name, v)
		}
	}
}

// TestWeightedNormBlind: what inputs do not show has next to no norm, and never
// that of a negative number.
func TestWeightedNormBlind(t *testing.T) {
	made := tensorstest.Pico{Seed: 5}
	c := config(t, made)
	g, seen := collect(t, c, made.Weights(), [][]int32{{17}}, activation.Options{}), inputs(t, c, made.Weights(), [][]int32{{17}})
	x := seen[queries][0]
	square := 0.0
	for _, v := range x {
		square += v * v
	}
	for k := range 50 { // directions at right angles to the only input
		w, along := wide(normal(50, len(x))[k*len(x):][:len(x)]), 0.0
		for i, v := range w {
			along += v * x[i] / square
		}
		weight, size := make([]float32, len(w)), 0.0
		for i, v := range w {
			weight[i] = float32(v - along*x[i])
			size += float64(weight[i]) * float64(weight[i]) * square
		}
		if v := g.WeightedNorm(queries, weight); !(v >= 0 && v < 1e-3*math.Sqrt(size)) {
			t.Errorf("direction %d: a norm of %v, of %v for its size", k, v, math.Sqrt(size))
		}
	}
}

// TestWeightedNormPanics: mistakes of a program.
func TestWeightedNormPanics(t *testing.T) {
	made := tensorstest.Pico{Seed: 5}
	c := config(t, made)
	g := collect(t, c, made.Weights(), [][]int32{{1, 2}}, activation.Options{})
	panics := func(tensor string, n int) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%d values for %s are taken", n, tensor)
			}
		}()
		g.WeightedNorm(tensor, make([]float32, n))
	}
	panics("model.norm.weight", 48)
	panics("lm_head.weight", 48)
	panics(queries, 47)
	panics(downs, 48)
}

// TestOf: whole matrices are symmetric, with a diagonal of squares, and copies;
// several may ask at once.
func TestOf(t *testing.T) {
	made := tensorstest.Pico{Seed: 5}
	c := config(t, made)
	g := collect(t, c, made.Weights(), drawn(8, c.Vocabulary, 9), activation.Options{})
	for _, name := range g.Tensors() {
		matrix, n, ok := g.Of(name)
		if !ok || len(matrix) != n*n {
			t.Fatalf("%s: %v, %d values of a width of %d", name, ok, len(matrix), n)
		}
		for i := range n {
			for j := range n {
				if a, b := matrix[i*n+j], matrix[j*n+i]; a != b || !(a*a <= matrix[i*n+i]*matrix[j*n+j]*(1+1e-6)) {
					t.Fatalf("%s [%d][%d]: %v, across %v, squares %v and %v", name, i, j, a, b, matrix[i*n+i], matrix[j*n+j])
				}
			}
		}
		kept := slices.Clone(matrix)
		clear(matrix)
		if again, _, _ := g.Of(name); !slices.Equal(again, kept) {
			t.Errorf("%s is no copy", name)
		}
	}
	for _, name := range []string{"", "model.norm.weight", "model.embed_tokens.weight", "lm_head.weight"} {
		if matrix, n, ok := g.Of(name); ok || n != 0 || matrix != nil {
			t.Errorf("%q has a Gram matrix of a width of %d", name, n)
		}
	}
	want := g.WeightedNorm(queries, normal(3, 48))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if v := g.WeightedNorm(queries, normal(3, 48)); v != want {
				t.Errorf("a norm of %v at once, %v alone", v, want)
			}
		})
	}
	all.Wait()
}
