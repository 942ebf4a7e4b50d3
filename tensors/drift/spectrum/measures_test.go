package spectrum_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"surgeon/tensors/drift/spectrum"
)

// diagonal is a matrix of known singular values, in places far apart.
func diagonal(rows, columns int, values ...float32) dense {
	d := newDense(rows, columns)
	for i, v := range values {
		d.values[(i*11+1)%rows*columns+i] = v
	}
	return d
}

// TestMeasures computes by hand: 3^2 + 2^2 + 1 = 14, of which 3^2 = 9.
func TestMeasures(t *testing.T) {
	svd := decompose(t, diagonal(70, 60, -3, 2, 1), spectrum.Options{Rank: 4, Oversample: 20})
	near(t, "the norm", svd.Norm2, 14, 0)
	near(t, "the stable rank", svd.StableRank(), 14.0/9, 1e-6)
	for r, want := range map[int]float64{-1: 0, 0: 0, 1: 9.0 / 14, 2: 13.0 / 14, 3: 1, 4: 1, 99: 1} {
		near(t, "the energy", svd.Energy(r), want, 1e-6)
		if svd.Energy(r) > 1 {
			t.Errorf("the share of %d values is %v", r, svd.Energy(r))
		}
	}
	// exp(ln 6 - (3 ln 3 + 2 ln 2)/6)
	rank, exact := svd.EffectiveRank()
	near(t, "the effective rank", rank, math.Exp(math.Log(6)-(3*math.Log(3)+2*math.Log(2))/6), 1e-5)
	if exact {
		t.Error("the effective rank of 4 values of 60 is called exact")
	}
}

// TestEffectiveRank: n equal values have effective rank n, and the values to a
// rank below the side give less than all do.
func TestEffectiveRank(t *testing.T) {
	d := diagonal(40, 12, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	for rank := 1; rank <= 14; rank++ {
		got, exact := decompose(t, d, spectrum.Options{Rank: rank}).EffectiveRank()
		near(t, "the effective rank", got, float64(min(rank, 12)), 1e-9)
		if exact != (rank >= 12) {
			t.Errorf("rank %d: exact %v", rank, exact)
		}
	}
}

// TestPlanted: a product of rank 8, rounded to float32, has all its energy in
// eight values.
func TestPlanted(t *testing.T) {
	const rows, columns, rank = 800, 500, 8
	random := rand.New(rand.NewPCG(3, 4))
	p, q := make([]float32, rows*rank), make([]float32, rank*columns)
	for _, values := range [][]float32{p, q} {
		for i := range values {
			values[i] = float32(random.NormFloat64())
		}
	}
	d := newDense(rows, columns)
	for i := range d.values {
		for k := range rank {
			d.values[i] += p[i/columns*rank+k] * q[k*columns+i%columns]
		}
	}
	svd := decompose(t, d, spectrum.Options{Rank: 32})
	if svd.Energy(8) <= 0.999999 || svd.Energy(7) > 0.999 || svd.StableRank() > 8 || svd.StableRank() < 4 || svd.Residual > 1e-3 {
		t.Errorf("energy %v, of 7 %v, stable rank %v, residual %v", svd.Energy(8), svd.Energy(7), svd.StableRank(), svd.Residual)
	}
	if svd.S[7] < 100 || svd.S[8] > spectrum.ResolvedShare/10*svd.S[0] {
		t.Errorf("value 8 of 8 is %v, the next %v", svd.S[7], svd.S[8])
	}
	t.Logf("noise %.1e, residual %.1e", svd.S[8]/svd.S[0], svd.Residual)
}

// TestIntruders plants directions of known strength: those above the base's
// tenth value come among the ten first and count.
func TestIntruders(t *testing.T) {
	base := planted(9, 600, 300, 1e-4, powers(40, 0.9)...)
	tuned := func(values ...float64) *spectrum.SVD {
		d, intruders := base.scaled(1), planted(10, 600, 300, 0, values...)
		for i, v := range intruders.values {
			d.values[i] += v
		}
		return decompose(t, d, spectrum.Options{Rank: 32})
	}
	before := decompose(t, base, spectrum.Options{Rank: 32})
	check := func(after *spectrum.SVD, want int) {
		t.Helper()
		if got := spectrum.Intruders(before, after, 10, 0.5); got != want {
			t.Errorf("%d intruders, want %d", got, want)
		}
	}
	check(before, 0)
	check(tuned(1.5), 1)
	check(tuned(1.5, 2.5, 4), 3)
	check(tuned(0.01), 0)
	// Orthogonal to everything the base has.
	check(decompose(t, planted(11, 600, 300, 0, powers(8, 0.9)...), spectrum.Options{Rank: 32}), 8)
	if n := spectrum.Intruders(before, tuned(1.5, 2.5, 4), 2, 0.5); n != 2 {
		t.Errorf("%d of the first two are intruders", n)
	}
	if n := spectrum.Intruders(before, before, 10, 1.1); n != 10 {
		t.Errorf("%d of 10 vectors have a cosine below 1.1", n)
	}
}

// TestOverlap compares coordinate axes.
func TestOverlap(t *testing.T) {
	axes := func(at ...int) *spectrum.SVD {
		d := newDense(60, 20)
		for i, row := range at {
			d.values[row*20+i] = float32(10 - i)
		}
		return decompose(t, d, spectrum.Options{Rank: 8})
	}
	a := axes(1, 2, 3, 4)
	check := func(b *spectrum.SVD, k int, want float64) {
		t.Helper()
		near(t, "the overlap", spectrum.Overlap(a, b, k), want, 1e-12)
	}
	check(a, 4, 1)
	check(axes(4, 3, 2, 1), 4, 1)
	check(axes(4, 3, 2, 1), 1, 0)
	check(axes(1, 2, 30, 40), 4, 0.5)
	check(axes(11, 12, 13, 14), 4, 0)
	check(axes(1, 2), 4, 0.5)            // b has two directions
	check(axes(1, 2, 3, 4, 5, 6), 8, 1)  // a has four
	check(axes(50, 2, 3, 4, 1), 4, 0.75) // a's first is b's fifth
	check(axes(50, 2, 3, 4, 1), 99, 1)   // and counts here
}
